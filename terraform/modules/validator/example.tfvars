name     = "clinic"
zip_path = "tests/files/admit-validator-arm64.zip"
trust    = [{ issuer = "https://auth.example.org" }]
