name                  = "admit-example"
image                 = "123456789012.dkr.ecr.us-east-1.amazonaws.com/admit:1.0.0"
domain_name           = "auth.example.org"
zone_id               = "Z0123456789ABCDEFGHIJ"
vpc_id                = "vpc-0123456789abcdef0"
public_subnet_ids     = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
private_subnet_ids    = ["subnet-0123456789abcdef2"]
master_key_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:admit-example/master-key-AbCdEf"
# The public half of a pair that was made for this example, and whose other half is gone.
backup_recipient = "age14z8jhe7w6kw2q6asdjyas50pcjpg9a27mw5vw67xy9qrq7nak9asualnj7"
snapshots        = {}
