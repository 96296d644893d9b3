domain_prefix = "clinic-smart"
callback_urls = ["http://localhost:4000/callback"]
validator_zip = "../../modules/validator/tests/files/admit-validator-arm64.zip"
test_user     = "test@example.org"
