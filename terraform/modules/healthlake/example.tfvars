name           = "clinic"
issuer         = "https://auth.example.org"
idp_lambda_arn = "arn:aws:lambda:us-east-1:123456789012:function:clinic-validator:live"
