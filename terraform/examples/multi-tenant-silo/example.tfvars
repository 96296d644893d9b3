tenants = {
  clinic-a = { domain_name = "auth.clinic-a.example.org" }
  clinic-b = { domain_name = "auth.clinic-b.example.org" }
}
zone_id = "Z0123456789ABCDEFGHIJ"
image   = "123456789012.dkr.ecr.us-east-1.amazonaws.com/admit:1.0.0"
# Nobody has its other half.
backup_recipient = "age14z8jhe7w6kw2q6asdjyas50pcjpg9a27mw5vw67xy9qrq7nak9asualnj7"
validator_zip    = "../../modules/validator/tests/files/admit-validator-arm64.zip"
