name          = "clinic"
domain_prefix = "clinic-smart"
callback_urls = ["http://localhost:4000/callback"]
test_user     = "test@example.org"
