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

mock_resource "aws_lb" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/tf-lb-ec864fe99b53/ec864fe99b539704"
    arn_suffix = "app/tf-lb-ec864fe99b53/ec864fe99b539704"
    dns_name   = "tf-lb-ec864fe99b53-ec864fe99b.us-east-1.elb.amazonaws.com"
    id         = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/tf-lb-ec864fe99b53/ec864fe99b539704"
    vpc_id     = "vpc-ec864fe99b539704b"
    zone_id    = "Z35SXDOTRQ7X7K"
  }
}

mock_resource "aws_lb_listener" {
  defaults = {
    arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/lb/ec864fe99b539704/ec864fe99b53"
    id  = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/lb/ec864fe99b539704/ec864fe99b53"
  }
}

mock_resource "aws_lb_target_group" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/tf-ec864fe99b53/ec864fe99b539704"
    arn_suffix = "targetgroup/tf-ec864fe99b53/ec864fe99b539704"
    id         = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/tf-ec864fe99b53/ec864fe99b539704"
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

mock_data "aws_subnet" {
  defaults = {
    cidr_block = "10.20.0.0/24"
    id         = "subnet-ec864fe99b539704b"
  }
}
