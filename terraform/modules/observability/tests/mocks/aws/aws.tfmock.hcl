# Well-formed values for what the cloud would choose: Terraform's own are random text, which is no ARN.

mock_resource "aws_cloudwatch_dashboard" {
  defaults = {
    dashboard_arn = "arn:aws:cloudwatch::123456789012:dashboard/mock-dashboard-name"
    id            = "mock-dashboard-name"
  }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = {
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:terraform-ec864fe99b53"
    id  = "terraform-ec864fe99b53"
  }
}

mock_resource "aws_cloudwatch_metric_alarm" {
  defaults = {
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:mock-alarm-name"
    id  = "mock-alarm-name"
  }
}

mock_resource "aws_iam_role" {
  defaults = {
    arn       = "arn:aws:iam::123456789012:role/terraform-ec864fe99b53"
    id        = "terraform-ec864fe99b53"
    unique_id = "AROAec864fe99b539704b"
  }
}

mock_resource "aws_iam_role_policy" {
  defaults = {
    id = "mock-role:terraform-ec864fe99b53"
  }
}

mock_resource "aws_s3_bucket" {
  defaults = {
    arn                         = "arn:aws:s3:::terraform-ec864fe99b53"
    bucket_domain_name          = "terraform-ec864fe99b53.s3.amazonaws.com"
    bucket_regional_domain_name = "terraform-ec864fe99b53.s3.us-east-1.amazonaws.com"
    hosted_zone_id              = "Z3AQBSTGFYJSTF"
    id                          = "terraform-ec864fe99b53"
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

mock_resource "aws_kinesis_firehose_delivery_stream" {
  defaults = {
    arn = "arn:aws:firehose:us-east-1:123456789012:deliverystream/mock-name"
  }
}
