name                     = "admit-example"
domain_name              = "auth.example.org"
zone_id                  = "Z0123456789ABCDEFGHIJ"
vpc_id                   = "vpc-0123456789abcdef0"
public_subnet_ids        = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
target_type              = "ip"
target_security_group_id = "sg-0123456789abcdef0"
