locals {
  # App Runner does not say from where its front asks. It alone reaches the container, over addresses that are not on the internet.
  trusted_proxies = ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]
  secret_arns     = [var.master_key_secret_arn, var.database_url_secret_arn]
}

# --- the way to the database --------------------------------------------

resource "aws_security_group" "this" {
  name        = "${var.name}-connector"
  description = "Admit on App Runner"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-connector" })
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.this.id
  description       = "FHIR servers, and where clients publish their keys"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = var.tags
}

resource "aws_vpc_security_group_egress_rule" "database" {
  security_group_id            = aws_security_group.this.id
  description                  = "PostgreSQL"
  referenced_security_group_id = var.database_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  tags                         = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  security_group_id            = var.database_security_group_id
  description                  = "The service ${var.name}"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  tags                         = var.tags
}

resource "aws_apprunner_vpc_connector" "this" {
  vpc_connector_name = var.name
  subnets            = var.private_subnet_ids
  security_groups    = [aws_security_group.this.id]
  tags               = var.tags
}

# --- the service --------------------------------------------------------

resource "aws_apprunner_auto_scaling_configuration_version" "this" {
  auto_scaling_configuration_name = var.name
  min_size                        = var.instances.min
  max_size                        = var.instances.max
  max_concurrency                 = var.instances.max_concurrency
  tags                            = var.tags
}

resource "aws_apprunner_service" "this" {
  service_name                   = var.name
  auto_scaling_configuration_arn = aws_apprunner_auto_scaling_configuration_version.this.arn
  tags                           = var.tags

  source_configuration {
    auto_deployments_enabled = false

    authentication_configuration {
      access_role_arn = aws_iam_role.access.arn
    }

    image_repository {
      image_identifier      = var.image
      image_repository_type = "ECR"

      image_configuration {
        port = local.container_environment.PORT
        # App Runner sets the port itself.
        runtime_environment_variables = { for name, value in local.container_environment : name => value if name != "PORT" }
        runtime_environment_secrets = {
          ADMIT_DATABASE   = var.database_url_secret_arn
          ADMIT_MASTER_KEY = var.master_key_secret_arn
        }
      }
    }
  }

  instance_configuration {
    cpu               = var.cpu
    memory            = var.memory
    instance_role_arn = aws_iam_role.instance.arn
  }

  health_check_configuration {
    protocol            = "HTTP"
    path                = "/readyz"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 1
    unhealthy_threshold = 10
  }

  network_configuration {
    egress_configuration {
      egress_type       = "VPC"
      vpc_connector_arn = aws_apprunner_vpc_connector.this.arn
    }
  }

  dynamic "encryption_configuration" {
    for_each = var.kms_key_arn[*]

    content {
      kms_key = encryption_configuration.value
    }
  }

  # Without them, the first instance would fail.
  depends_on = [
    aws_iam_role_policy.access,
    aws_iam_role_policy.instance,
    aws_vpc_security_group_egress_rule.database,
    aws_vpc_security_group_egress_rule.https,
    aws_vpc_security_group_ingress_rule.database,
  ]
}

# --- the name -----------------------------------------------------------

resource "aws_apprunner_custom_domain_association" "this" {
  service_arn          = aws_apprunner_service.this.arn
  domain_name          = var.domain_name
  enable_www_subdomain = false
}

resource "aws_route53_record" "this" {
  zone_id = var.zone_id
  name    = var.domain_name
  type    = "CNAME"
  records = [aws_apprunner_custom_domain_association.this.dns_target]
  ttl     = 300
}
