mock_provider "aws" {
  source = "./tests/mocks/aws"

  override_resource {
    target = aws_ecs_express_gateway_service.this
    values = { ingress_paths = [{ access_type = "PUBLIC", endpoint = "https://ad-0123.ecs.us-east-1.on.aws" }] }
  }
}

variables {
  name                       = "admit"
  image                      = "123456789012.dkr.ecr.us-east-1.amazonaws.com/admit:1.0.0"
  domain_name                = "auth.example.org"
  zone_id                    = "Z0123456789ABCDEFGHIJ"
  vpc_id                     = "vpc-0123456789abcdef0"
  public_subnet_ids          = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  master_key_secret_arn      = "arn:aws:secretsmanager:us-east-1:123456789012:secret:admit/master-key-AbCdEf"
  database_url_secret_arn    = "arn:aws:secretsmanager:us-east-1:123456789012:secret:admit/database-url-AbCdEf"
  database_security_group_id = "sg-0123456789abcdef0"
}

run "the_container_is_told_what_it_needs_and_secrets_by_name_alone" {
  command = apply

  assert {
    condition = { for variable in aws_ecs_express_gateway_service.this.primary_container[0].environment : variable.name => variable.value } == {
      PORT                  = "8080"
      ADMIT_AUDIT_LOG       = "stdout"
      ADMIT_ISSUER          = "https://auth.example.org"
      ADMIT_LOG_FORMAT      = "json"
      ADMIT_TRUSTED_PROXIES = "10.20.0.0/24,10.20.0.0/24"
    }
    error_message = "The environment is another one."
  }
  assert {
    condition = { for secret in aws_ecs_express_gateway_service.this.primary_container[0].secret : secret.name => secret.value_from } == {
      ADMIT_DATABASE   = var.database_url_secret_arn
      ADMIT_MASTER_KEY = var.master_key_secret_arn
    }
    error_message = "Secrets are named by their ARNs."
  }
  assert {
    condition     = aws_ecs_express_gateway_service.this.health_check_path == "/readyz" && aws_ecs_express_gateway_service.this.primary_container[0].container_port == 8080 && aws_ecs_express_gateway_service.this.scaling_target[0].min_task_count == 2
    error_message = "Two tasks, asked whether they are ready."
  }
}

run "the_name_leads_to_the_service" {
  command = apply

  assert {
    condition     = aws_route53_record.this.type == "CNAME" && aws_route53_record.this.records == toset(["ad-0123.ecs.us-east-1.on.aws"]) && output.endpoint == "ad-0123.ecs.us-east-1.on.aws"
    error_message = "A record holds a host, and no URL."
  }
  assert {
    condition     = output.certificate_arn == aws_acm_certificate.this.arn && aws_acm_certificate.this.domain_name == "auth.example.org"
    error_message = "There is a certificate for the name."
  }
}

run "the_roles_may_do_what_they_have_to" {
  command = apply

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : join(" ", statement.Action) => statement.Resource
      } == {
      "ecr:GetAuthorizationToken"                                                    = ["*"]
      "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetDownloadUrlForLayer" = ["arn:aws:ecr:us-east-1:123456789012:repository/admit"]
      "logs:CreateLogStream logs:PutLogEvents"                                       = ["${aws_cloudwatch_log_group.this.arn}:*"]
      "secretsmanager:GetSecretValue"                                                = [var.master_key_secret_arn, var.database_url_secret_arn]
    }
    error_message = "The execution role may do more, or less."
  }
  assert {
    condition     = jsondecode(aws_iam_role.infrastructure.assume_role_policy).Statement[0].Principal.Service == "ecs.amazonaws.com" && aws_iam_role_policy_attachment.infrastructure.policy_arn == "arn:aws:iam::aws:policy/service-role/AmazonECSInfrastructureRoleforExpressGatewayServices"
    error_message = "Express Mode cannot make its load balancer."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.database.referenced_security_group_id == aws_security_group.this.id
    error_message = "The tasks do not reach the database."
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    image                   = "123456789012.dkr.ecr.us-east-1.amazonaws.com/admit"
    public_subnet_ids       = ["subnet-0123456789abcdef0"]
    database_url_secret_arn = "postgres://admit@db.example.org/admit"
    tasks                   = { min = 3, max = 2 }
    cpu                     = 100
  }

  expect_failures = [var.image, var.public_subnet_ids, var.database_url_secret_arn, var.tasks, var.cpu]
}
