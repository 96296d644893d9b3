mock_provider "aws" {
  source = "./tests/mocks/aws"
}

variables {
  name                     = "admit"
  domain_name              = "auth.example.org"
  zone_id                  = "Z0123456789ABCDEFGHIJ"
  vpc_id                   = "vpc-0123456789abcdef0"
  public_subnet_ids        = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  target_type              = "ip"
  target_security_group_id = "sg-0123456789abcdef1"
}

run "tls_and_nothing_less" {
  command = apply

  assert {
    condition     = aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06" && aws_lb_listener.https.certificate_arn == aws_acm_certificate.this.arn
    error_message = "TLS 1.2 and 1.3, with the certificate."
  }
  assert {
    condition     = aws_lb_listener.http.default_action[0].type == "redirect" && aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS" && aws_lb_listener.http.default_action[0].redirect[0].status_code == "HTTP_301"
    error_message = "Plain HTTP is answered with the way to HTTPS."
  }
  assert {
    condition     = aws_lb.this.drop_invalid_header_fields && aws_lb.this.enable_deletion_protection && aws_lb.this.idle_timeout == 60 && length(aws_lb.this.access_logs) == 0
    error_message = "Bad headers are dropped, the load balancer is protected, gives up connections before Admit does, and logs no query strings."
  }
  assert {
    condition     = aws_route53_record.this.name == "auth.example.org" && aws_route53_record.this.alias[0].name == aws_lb.this.dns_name && aws_acm_certificate.this.domain_name == "auth.example.org"
    error_message = "The name leads to the load balancer."
  }
}

run "only_the_load_balancer_reaches_admit" {
  command = apply

  assert {
    condition     = aws_vpc_security_group_ingress_rule.target.referenced_security_group_id == aws_security_group.this.id && aws_vpc_security_group_ingress_rule.target.security_group_id == "sg-0123456789abcdef1" && aws_vpc_security_group_ingress_rule.target.cidr_ipv4 == null
    error_message = "Admit is open to others."
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.target.referenced_security_group_id == "sg-0123456789abcdef1" && aws_vpc_security_group_egress_rule.target.to_port == 8080
    error_message = "The load balancer reaches more than Admit."
  }
  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.this) == ["0.0.0.0/0-443", "0.0.0.0/0-80"]
    error_message = "The load balancer takes HTTPS, and HTTP to redirect it."
  }
}

run "a_target_that_is_about_to_go_is_let_finish" {
  command = plan

  assert {
    condition     = aws_lb_target_group.this.health_check[0].path == "/readyz" && tonumber(aws_lb_target_group.this.deregistration_delay) > 10
    error_message = "A request may take ten seconds."
  }
  assert {
    condition     = aws_lb_target_group.this.health_check[0].interval * aws_lb_target_group.this.health_check[0].unhealthy_threshold >= 90
    error_message = "All targets would be replaced while the database fails over."
  }
}

run "who_wants_access_logs_names_a_bucket" {
  command = plan

  variables {
    access_logs   = { bucket = "example-logs" }
    allowed_cidrs = ["203.0.113.0/24"]
  }

  assert {
    condition     = aws_lb.this.access_logs[0].enabled && aws_lb.this.access_logs[0].bucket == "example-logs"
    error_message = "There are no access logs."
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.this : rule.cidr_ipv4 == "203.0.113.0/24"]) && length(aws_vpc_security_group_ingress_rule.this) == 2
    error_message = "Others may reach it."
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    name              = "internal-admit"
    domain_name       = "https://auth.example.org"
    zone_id           = "example.org"
    public_subnet_ids = ["subnet-0123456789abcdef0"]
    target_type       = "lambda"
    allowed_cidrs     = ["203.0.113.7"]
  }

  expect_failures = [var.name, var.domain_name, var.zone_id, var.public_subnet_ids, var.target_type, var.allowed_cidrs]
}
