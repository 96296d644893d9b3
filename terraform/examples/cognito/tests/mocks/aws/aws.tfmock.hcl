# What AWS would choose, well-formed: the modules look at such values.

mock_resource "aws_cloudwatch_log_group" {
  defaults = {
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:terraform-ec864fe99b53"
    id  = "terraform-ec864fe99b53"
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

mock_resource "aws_iam_role" {
  defaults = {
    arn       = "arn:aws:iam::123456789012:role/terraform-ec864fe99b53"
    id        = "terraform-ec864fe99b53"
    unique_id = "AROAec864fe99b539704b"
  }
}

mock_resource "aws_lambda_alias" {
  defaults = {
    arn = "arn:aws:lambda:us-east-1:123456789012:function:mock-function-name:mock-name"
    id  = "arn:aws:lambda:us-east-1:123456789012:function:mock-function-name:mock-name"
  }
}

mock_resource "aws_lambda_function" {
  defaults = {
    arn                         = "arn:aws:lambda:us-east-1:123456789012:function:mock-function-name"
    id                          = "mock-function-name"
    invoke_arn                  = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:mock-function-name/invocations"
    qualified_arn               = "arn:aws:lambda:us-east-1:123456789012:function:mock-function-name:$LATEST"
    qualified_invoke_arn        = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:mock-function-name:$LATEST/invocations"
    signing_job_arn             = ""
    signing_profile_version_arn = ""
    version                     = "$LATEST"
  }
}

mock_data "aws_caller_identity" {
  defaults = {
    account_id = "123456789012"
    arn        = "arn:aws:iam::123456789012:user/offline"
    id         = "123456789012"
    user_id    = "AIDAec864fe99b539704b"
  }
}

mock_data "aws_iam_role" {
  defaults = {
    arn = "arn:aws:iam::123456789012:role/mock-name"
    id  = "mock-name"
  }
}

mock_data "aws_lambda_function" {
  defaults = {
    arn = "arn:aws:lambda:us-east-1:123456789012:function:mock-function-name"
  }
}

mock_data "aws_partition" {
  defaults = {
    dns_suffix         = "amazonaws.com"
    id                 = "aws"
    partition          = "aws"
    reverse_dns_prefix = "com.amazonaws"
  }
}

mock_data "aws_region" {
  defaults = {
    description = "US East (N. Virginia)"
    id          = "us-east-1"
  }
}
