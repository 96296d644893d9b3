# Well-formed values for what the cloud would choose: Terraform's own are random text, which is no ARN.

mock_resource "aws_cloudwatch_log_group" {
  defaults = {
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:terraform-ec864fe99b53"
    id  = "terraform-ec864fe99b53"
  }
}

mock_resource "aws_iam_role" {
  defaults = {
    arn       = "arn:aws:iam::123456789012:role/terraform-ec864fe99b53"
    id        = "terraform-ec864fe99b53"
    unique_id = "AROAec864fe99b539704b"
  }
}

mock_resource "aws_security_group" {
  defaults = {
    arn      = "arn:aws:ec2:us-east-1:123456789012:security-group/sg-ec864fe99b539704b"
    id       = "sg-ec864fe99b539704b"
    owner_id = "123456789012"
  }
}

mock_resource "aws_subnet" {
  defaults = {
    arn      = "arn:aws:ec2:us-east-1:123456789012:subnet/subnet-ec864fe99b539704b"
    id       = "subnet-ec864fe99b539704b"
    owner_id = "123456789012"
  }
}

mock_resource "aws_vpc" {
  defaults = {
    arn      = "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-ec864fe99b539704b"
    id       = "vpc-ec864fe99b539704b"
    owner_id = "123456789012"
  }
}

mock_resource "aws_vpc_endpoint" {
  defaults = {
    arn = "arn:aws:ec2:us-east-1:123456789012:vpc-endpoint/vpce-ec864fe99b539704b"
    id  = "vpce-ec864fe99b539704b"
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
