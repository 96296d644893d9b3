mock_provider "aws" {
  source = "./tests/mocks/aws"
}

variables {
  name                       = "admit"
  image                      = "123456789012.dkr.ecr.us-east-1.amazonaws.com/clinic/admit:1.0.0"
  domain_name                = "auth.example.org"
  zone_id                    = "Z0123456789ABCDEFGHIJ"
  vpc_id                     = "vpc-0123456789abcdef0"
  public_subnet_ids          = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  private_subnet_ids         = ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"]
  master_key_secret_arn      = "arn:aws:secretsmanager:us-east-1:123456789012:secret:admit/master-key-AbCdEf"
  database_url_secret_arn    = "arn:aws:secretsmanager:us-east-1:123456789012:secret:admit/database-url-AbCdEf"
  secrets_kms_key_arn        = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  database_security_group_id = "sg-0123456789abcdef0"
  settings                   = { ADMIT_ORGANIZATION = "Example Hospital" }
}

run "the_container_can_write_nowhere_and_is_nobody" {
  command = apply

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].readonlyRootFilesystem && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].user == "65532:65532" && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].linuxParameters.capabilities.drop == ["ALL"]
    error_message = "Its root file system is read-only, its user is not root, and it has no capability."
  }
  assert {
    condition     = !aws_ecs_service.this.enable_execute_command && length(aws_iam_role_policy.execute_command) == 0
    error_message = "Nobody gets into a task unless that is switched on."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].stopTimeout > 10
    error_message = "Admit may take ten seconds to stop."
  }
}

run "it_is_told_what_it_needs_and_secrets_by_name_alone" {
  command = apply

  assert {
    condition = { for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : variable.name => variable.value } == {
      PORT                  = "8080"
      ADMIT_AUDIT_LOG       = "stdout"
      ADMIT_ISSUER          = "https://auth.example.org"
      ADMIT_LOG_FORMAT      = "json"
      ADMIT_ORGANIZATION    = "Example Hospital"
      ADMIT_TRUSTED_PROXIES = "10.20.0.0/24,10.20.0.0/24"
    }
    error_message = "The environment is another one."
  }
  assert {
    condition = { for secret in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets : secret.name => secret.valueFrom } == {
      ADMIT_DATABASE   = var.database_url_secret_arn
      ADMIT_MASTER_KEY = var.master_key_secret_arn
    }
    error_message = "Secrets are named by their ARNs."
  }
  assert {
    condition = output.issuer == "https://auth.example.org" && alltrue([
      for other in ["admit-apprunner/container.tf", "admit-ec2/container.tf", "admit-ec2/log.tf", "admit-ecs-express/container.tf", "admit-ecs-express/log.tf"] :
      filesha256("../${other}") == filesha256(basename(other))
    ])
    error_message = "The issuer is the name, by https, and what the container is told is the same in every admit-* module."
  }
}

run "the_roles_may_do_what_they_have_to" {
  command = apply

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : join(" ", statement.Action) => statement.Resource
      } == {
      "ecr:GetAuthorizationToken"                                                    = ["*"]
      "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetDownloadUrlForLayer" = ["arn:aws:ecr:us-east-1:123456789012:repository/clinic/admit"]
      "logs:CreateLogStream logs:PutLogEvents"                                       = ["${aws_cloudwatch_log_group.this.arn}:*"]
      "secretsmanager:GetSecretValue"                                                = [var.master_key_secret_arn, var.database_url_secret_arn]
      "kms:Decrypt"                                                                  = [var.secrets_kms_key_arn]
    }
    error_message = "The execution role may do more, or less."
  }
  assert {
    condition     = jsondecode(aws_iam_role.task.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "The role is for tasks of this account."
  }
}

run "tasks_are_two_in_two_zones_and_are_replaced_one_after_the_other" {
  command = apply

  assert {
    condition     = aws_ecs_service.this.desired_count == 2 && aws_appautoscaling_target.this.min_capacity == 2 && length(aws_ecs_service.this.network_configuration[0].subnets) == 2
    error_message = "There are two tasks at the least."
  }
  assert {
    condition     = aws_ecs_service.this.deployment_minimum_healthy_percent == 100 && aws_ecs_service.this.deployment_circuit_breaker[0].rollback
    error_message = "A deployment takes tasks away before there are new ones, or is not rolled back."
  }
  assert {
    condition     = !aws_ecs_service.this.network_configuration[0].assign_public_ip && aws_vpc_security_group_ingress_rule.database.referenced_security_group_id == aws_security_group.this.id && aws_vpc_security_group_ingress_rule.database.security_group_id == "sg-0123456789abcdef0"
    error_message = "Tasks are private, and reach the database."
  }
  assert {
    condition     = [for rule in [aws_vpc_security_group_egress_rule.https, aws_vpc_security_group_egress_rule.database] : rule.from_port == rule.to_port] == [true, true]
    error_message = "Tasks reach one port each."
  }
}

run "an_administrator_gets_in_where_that_is_switched_on" {
  command = plan

  variables {
    enable_execute_command = true
  }

  assert {
    condition     = aws_ecs_service.this.enable_execute_command && length(aws_iam_role_policy.execute_command) == 1 && aws_ecs_cluster.this.configuration[0].execute_command_configuration[0].logging == "NONE"
    error_message = "The agent may talk to Systems Manager, and writes no log of what commands print."
  }
}

run "a_secret_that_changed_replaces_the_tasks" {
  command = plan

  variables {
    secrets_version = 2
  }

  assert {
    condition     = aws_ecs_service.this.force_new_deployment && aws_ecs_service.this.triggers["secrets_version"] == "2"
    error_message = "Tasks read secrets at their start alone."
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    name                    = "Admit"
    image                   = "docker.io/admit:1.0.0"
    domain_name             = "https://auth.example.org"
    settings                = { ADMIT_ISSUER = "https://other.example.org" }
    master_key_secret_arn   = "admit/master-key"
    database_url_secret_arn = "postgres://admit@db.example.org/admit"
    secrets_kms_key_arn     = "alias/admit"
    kms_key_arn             = "alias/admit"
    log_retention_days      = 366
    private_subnet_ids      = ["subnet-0123456789abcdef2"]
    tasks                   = { min = 1 }
    cpu                     = 500
    architecture            = "arm"
  }

  expect_failures = [
    var.name, var.image, var.domain_name, var.settings, var.master_key_secret_arn, var.database_url_secret_arn, var.secrets_kms_key_arn,
    var.kms_key_arn, var.log_retention_days, var.private_subnet_ids, var.tasks, var.cpu, var.architecture,
  ]
}

run "latest_is_refused" {
  command = plan

  variables {
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/admit:latest"
  }

  expect_failures = [var.image]
}

run "secrets_are_refused_among_settings" {
  command = plan

  variables {
    settings = { ADMIT_MASTER_KEY = "kms:arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }

  expect_failures = [var.settings]
}

# The server would refuse to start with it.
run "a_misspelt_setting_is_refused" {
  command = plan

  variables {
    settings = { ADMIT_ORGANISATION = "Example Hospital" }
  }

  expect_failures = [var.settings]
}

run "memory_fits_the_processor" {
  command = plan

  variables {
    cpu    = 1024
    memory = 2560
  }

  expect_failures = [var.memory]
}
