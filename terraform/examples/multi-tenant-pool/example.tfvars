tenants       = ["clinic-a", "clinic-b"]
domain_name   = "auth.example.org"
zone_id       = "Z0123456789ABCDEFGHIJ"
image         = "123456789012.dkr.ecr.us-east-1.amazonaws.com/admit:1.0.0"
validator_zip = "../../modules/validator/tests/files/admit-validator-arm64.zip"
