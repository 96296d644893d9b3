# What AWS would choose, well-formed: the modules look at such values.

mock_resource "aws_cognito_resource_server" {
  defaults = {
    id                = "mock-user-pool-id|mock-identifier"
    scope_identifiers = []
  }
}

mock_resource "aws_cognito_user" {
  defaults = {
    status = "CONFIRMED"
    sub    = "ec864fe9-9b53-4704-8887-2ac591067ef2"
  }
}

mock_resource "aws_cognito_user_pool" {
  defaults = {
    arn                       = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_ec864fe99"
    custom_domain             = ""
    domain                    = ""
    endpoint                  = "cognito-idp.us-east-1.amazonaws.com/us-east-1_ec864fe99"
    estimated_number_of_users = 0
    id                        = "us-east-1_ec864fe99"
  }
}

mock_resource "aws_cognito_user_pool_client" {
  defaults = {
    client_secret = "ec864fe99b539704b8872ac591067ef22d836a8d942087f2dba"
    id            = "ec864fe99b539704b8872ac591"
  }
}

mock_resource "aws_cognito_user_pool_domain" {
  defaults = {
    aws_account_id                  = "123456789012"
    cloudfront_distribution         = "ec864fe99b5397.cloudfront.net"
    cloudfront_distribution_arn     = "ec864fe99b5397.cloudfront.net"
    cloudfront_distribution_zone_id = "Z2FDTNDATAQYW2"
    id                              = "mock-domain"
    s3_bucket                       = "aws-cognito-prod-us-east-1-assets"
    version                         = "20240101000000"
  }
}
