data "aws_subnet" "public" {
  count = length(var.public_subnet_ids)

  id = var.public_subnet_ids[count.index]
}

locals {
  trusted_proxies = data.aws_subnet.public[*].cidr_block
  secret_arns     = [var.master_key_secret_arn, var.database_url_secret_arn]
  # Known once the service is there: https://NAME.ecs.REGION.on.aws, or without the scheme.
  endpoint = trimsuffix(trimprefix(one(aws_ecs_express_gateway_service.this.ingress_paths).endpoint, "https://"), "/")
}

# --- who may talk to whom -----------------------------------------------

# Express Mode opens it for its load balancer.
resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:The service below is attached to it; checkov does not know that resource.
  name        = "${var.name}-tasks"
  description = "The tasks of Admit"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-tasks" })
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.this.id
  description       = "ECR, Secrets Manager, logs, FHIR servers, and where clients publish their keys"
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
  description                  = "The tasks of ${var.name}"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  tags                         = var.tags
}

# --- the service --------------------------------------------------------

resource "aws_ecs_express_gateway_service" "this" {
  service_name            = var.name
  execution_role_arn      = aws_iam_role.execution.arn
  infrastructure_role_arn = aws_iam_role.infrastructure.arn
  task_role_arn           = aws_iam_role.task.arn
  cpu                     = var.cpu
  memory                  = var.memory
  health_check_path       = "/readyz"
  wait_for_steady_state   = true
  tags                    = var.tags

  # In public subnets, the load balancer is on the internet.
  network_configuration = [{
    subnets         = var.public_subnet_ids
    security_groups = [aws_security_group.this.id]
  }]

  scaling_target = [{
    auto_scaling_metric       = "AVERAGE_CPU"
    auto_scaling_target_value = var.tasks.target_cpu
    min_task_count            = var.tasks.min
    max_task_count            = var.tasks.max
  }]

  primary_container {
    image          = var.image
    container_port = 8080

    aws_logs_configuration = [{
      log_group         = aws_cloudwatch_log_group.this.name
      log_stream_prefix = "task"
    }]

    dynamic "environment" {
      for_each = local.container_environment

      content {
        name  = environment.key
        value = environment.value
      }
    }

    secret {
      name       = "ADMIT_DATABASE"
      value_from = var.database_url_secret_arn
    }
    secret {
      name       = "ADMIT_MASTER_KEY"
      value_from = var.master_key_secret_arn
    }
  }

  # Without them, the first tasks would fail; and the service cannot be taken away without its role.
  depends_on = [
    aws_iam_role_policy.execution,
    aws_iam_role_policy_attachment.infrastructure,
    aws_vpc_security_group_egress_rule.database,
    aws_vpc_security_group_egress_rule.https,
    aws_vpc_security_group_ingress_rule.database,
  ]
}

# --- the name -----------------------------------------------------------

resource "aws_acm_certificate" "this" {
  domain_name       = var.domain_name
  validation_method = "DNS"
  tags              = var.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  zone_id = var.zone_id
  name    = one(aws_acm_certificate.this.domain_validation_options).resource_record_name
  type    = one(aws_acm_certificate.this.domain_validation_options).resource_record_type
  records = [one(aws_acm_certificate.this.domain_validation_options).resource_record_value]
  ttl     = 60
}

resource "aws_acm_certificate_validation" "this" {
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [aws_route53_record.validation.fqdn]
}

resource "aws_route53_record" "this" {
  zone_id = var.zone_id
  name    = var.domain_name
  type    = "CNAME"
  records = [local.endpoint]
  ttl     = 300
}
