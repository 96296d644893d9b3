# Well-formed values for what the cloud would choose: Terraform's own are random text, which is no ARN.

mock_resource "aws_apprunner_auto_scaling_configuration_version" {
  defaults = {
    arn                                 = "arn:aws:apprunner:us-east-1:123456789012:autoscalingconfiguration/mock-auto-scaling-configuration-name/1/ec864fe99b539704b8872ac591067ef2"
    auto_scaling_configuration_revision = 1
    id                                  = "arn:aws:apprunner:us-east-1:123456789012:autoscalingconfiguration/mock-auto-scaling-configuration-name/1/ec864fe99b539704b8872ac591067ef2"
    latest                              = true
  }
}

mock_resource "aws_apprunner_custom_domain_association" {
  defaults = {
    dns_target = "ec864fe99b.us-east-1.awsapprunner.com"
    id         = "mock-domain-name,arn:aws:mock:us-east-1:123456789012:mock"
    status     = "pending_certificate_dns_validation"
  }
}

mock_resource "aws_apprunner_service" {
  defaults = {
    arn         = "arn:aws:apprunner:us-east-1:123456789012:service/mock-service-name/ec864fe99b539704b8872ac591067ef2"
    id          = "arn:aws:apprunner:us-east-1:123456789012:service/mock-service-name/ec864fe99b539704b8872ac591067ef2"
    service_id  = "ec864fe99b539704b8872ac591067ef2"
    service_url = "ec864fe99b.us-east-1.awsapprunner.com"
    status      = "RUNNING"
  }
}

mock_resource "aws_apprunner_vpc_connector" {
  defaults = {
    arn                    = "arn:aws:apprunner:us-east-1:123456789012:vpcconnector/mock-vpc-connector-name/1/ec864fe99b539704b8872ac591067ef2"
    id                     = "arn:aws:apprunner:us-east-1:123456789012:vpcconnector/mock-vpc-connector-name/1/ec864fe99b539704b8872ac591067ef2"
    status                 = "ACTIVE"
    vpc_connector_revision = 1
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
