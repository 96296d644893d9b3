# Well-formed values for what the cloud would choose: Terraform's own are random text, which is no ARN.

mock_resource "aws_kms_key" {
  defaults = {
    arn    = "arn:aws:kms:us-east-1:123456789012:key/ec864fe9-9b53-4704-8887-2ac591067ef2"
    id     = "ec864fe9-9b53-4704-8887-2ac591067ef2"
    key_id = "ec864fe9-9b53-4704-8887-2ac591067ef2"
  }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = {
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:terraform-ec864fe99b53-ec864f"
    id  = "arn:aws:secretsmanager:us-east-1:123456789012:secret:terraform-ec864fe99b53-ec864f"
  }
}

mock_resource "aws_secretsmanager_secret_version" {
  defaults = {
    arn                  = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mock-ec864f"
    has_secret_string_wo = true
    id                   = "mock-secret-id|ec864fe9-9b53-4704-8887-2ac591067ef2"
    secret_arn           = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mock-ec864f"
    version_id           = "ec864fe9-9b53-4704-8887-2ac591067ef2"
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
    region      = "us-east-1"
  }
}
