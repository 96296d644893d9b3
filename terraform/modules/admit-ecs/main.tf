module "load_balancer" {
  source = "../load-balancer"

  name                     = var.name
  domain_name              = var.domain_name
  zone_id                  = var.zone_id
  vpc_id                   = var.vpc_id
  public_subnet_ids        = var.public_subnet_ids
  target_type              = "ip"
  target_security_group_id = aws_security_group.this.id
  allowed_cidrs            = var.allowed_cidrs
  access_logs              = var.access_logs
  deletion_protection      = var.deletion_protection
  tags                     = var.tags
}

locals {
  trusted_proxies = module.load_balancer.networks
  secret_arns     = [var.master_key_secret_arn, var.database_url_secret_arn]
}

# --- who may talk to whom -----------------------------------------------

resource "aws_security_group" "this" {
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

# --- the tasks ----------------------------------------------------------

resource "aws_ecs_cluster" "this" {
  #checkov:skip=CKV_AWS_223:What an administrator runs prints client secrets once; no log may have them.
  name = var.name
  tags = var.tags

  setting {
    name  = "containerInsights"
    value = "enabled"
  }

  configuration {
    execute_command_configuration {
      logging = "NONE"
    }
  }
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  tags                     = var.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = upper(var.architecture)
  }

  container_definitions = jsonencode([{
    name                   = "admit"
    image                  = var.image
    essential              = true
    user                   = "65532:65532"
    readonlyRootFilesystem = !var.enable_execute_command
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    portMappings           = [{ containerPort = 8080, protocol = "tcp" }]
    environment            = [for name, value in local.container_environment : { name = name, value = value }]
    secrets = [
      { name = "ADMIT_DATABASE", valueFrom = var.database_url_secret_arn },
      { name = "ADMIT_MASTER_KEY", valueFrom = var.master_key_secret_arn },
    ]
    # After SIGTERM, Admit is gone within ten seconds.
    stopTimeout = 30
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "task"
        # A pause of CloudWatch must not stop people from signing in. What does not fit is missing from the log, and not from
        # the audit trail in the database.
        mode            = "non-blocking"
        max-buffer-size = "25m"
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  name                   = var.name
  cluster                = aws_ecs_cluster.this.id
  task_definition        = aws_ecs_task_definition.this.arn
  launch_type            = "FARGATE"
  desired_count          = var.tasks.min
  enable_execute_command = var.enable_execute_command
  propagate_tags         = "SERVICE"
  tags                   = var.tags

  # A new task answers before an old one goes. ECS takes that one out of the load balancer before it sends SIGTERM.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  availability_zone_rebalancing      = "ENABLED"
  health_check_grace_period_seconds  = 60
  # An apply that ends well has a server that answers.
  wait_for_steady_state = true
  force_new_deployment  = true
  triggers              = { secrets_version = var.secrets_version }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [aws_security_group.this.id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = module.load_balancer.target_group_arn
    container_name   = "admit"
    container_port   = 8080
  }

  # Without them, the first tasks would fail.
  depends_on = [
    aws_iam_role_policy.execution,
    aws_vpc_security_group_egress_rule.database,
    aws_vpc_security_group_egress_rule.https,
    aws_vpc_security_group_ingress_rule.database,
  ]

  lifecycle {
    # The autoscaling decides.
    ignore_changes = [desired_count]
  }
}

# --- how many -----------------------------------------------------------

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.tasks.min
  max_capacity       = var.tasks.max
  tags               = var.tags
}

resource "aws_appautoscaling_policy" "cpu" {
  name               = "${var.name}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  resource_id        = aws_appautoscaling_target.this.resource_id
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = var.tasks.target_cpu
    scale_out_cooldown = 30
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}
