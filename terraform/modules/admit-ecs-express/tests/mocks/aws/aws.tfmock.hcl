# Well-formed values for what the cloud would choose: Terraform's own are random text, which is no ARN.

mock_resource "aws_acm_certificate" {
  defaults = {
    arn                       = "arn:aws:acm:us-east-1:123456789012:certificate/ec864fe9-9b53-4704-8887-2ac591067ef2"
    domain_validation_options = [{ resource_record_name = "_ec864fe99b539704b8872ac591067ef2.mock-domain-name.", resource_record_type = "CNAME", resource_record_value = "_ec864fe99b539704b8872ac5.acm-validations.aws." }]
    id                        = "arn:aws:acm:us-east-1:123456789012:certificate/ec864fe9-9b53-4704-8887-2ac591067ef2"
    status                    = "PENDING_VALIDATION"
  }
}

mock_resource "aws_acm_certificate_validation" {
  defaults = {
    id = "2024-01-01 00:00:00 +0000 UTC"
  }
}

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

mock_resource "aws_iam_role_policy" {
  defaults = {
    id = "mock-role:terraform-ec864fe99b53"
  }
}

mock_resource "aws_iam_role_policy_attachment" {
  defaults = {
    id = "mock-role-ec864fe99b53"
  }
}

mock_resource "aws_route53_record" {
  defaults = {
    fqdn = "mock-name"
    id   = "mock-zone-id_mock-name_mock-type"
  }
}

mock_resource "aws_security_group" {
  defaults = {
    arn      = "arn:aws:ec2:us-east-1:123456789012:security-group/sg-ec864fe99b539704b"
    id       = "sg-ec864fe99b539704b"
    owner_id = "123456789012"
  }
}

mock_resource "aws_vpc_security_group_egress_rule" {
  defaults = {
    id                     = "sgr-ec864fe99b539704b"
    security_group_rule_id = "sgr-ec864fe99b539704b"
  }
}

mock_resource "aws_vpc_security_group_ingress_rule" {
  defaults = {
    id                     = "sgr-ec864fe99b539704b"
    security_group_rule_id = "sgr-ec864fe99b539704b"
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

mock_data "aws_subnet" {
  defaults = {
    cidr_block = "10.20.0.0/24"
    id         = "subnet-ec864fe99b539704b"
  }
}
