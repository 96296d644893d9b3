mock_provider "aws" {
  source = "./tests/mocks/aws"
}

variables {
  name                       = "admit"
  image                      = "123456789012.dkr.ecr.us-east-1.amazonaws.com/admit:1.0.0"
  domain_name                = "auth.example.org"
  zone_id                    = "Z0123456789ABCDEFGHIJ"
  vpc_id                     = "vpc-0123456789abcdef0"
  private_subnet_ids         = ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"]
  master_key_secret_arn      = "arn:aws:secretsmanager:us-east-1:123456789012:secret:admit/master-key-AbCdEf"
  database_url_secret_arn    = "arn:aws:secretsmanager:us-east-1:123456789012:secret:admit/database-url-AbCdEf"
  database_security_group_id = "sg-0123456789abcdef0"
}

run "the_container_is_told_what_it_needs_and_secrets_by_name_alone" {
  command = apply

  assert {
    condition = aws_apprunner_service.this.source_configuration[0].image_repository[0].image_configuration[0].runtime_environment_variables == tomap({
      ADMIT_AUDIT_LOG       = "stdout"
      ADMIT_ISSUER          = "https://auth.example.org"
      ADMIT_LOG_FORMAT      = "json"
      ADMIT_TRUSTED_PROXIES = "10.0.0.0/8,100.64.0.0/10,169.254.0.0/16,172.16.0.0/12,192.168.0.0/16"
    })
    error_message = "The environment is another one."
  }
  assert {
    condition     = aws_apprunner_service.this.source_configuration[0].image_repository[0].image_configuration[0].runtime_environment_secrets == tomap({ ADMIT_DATABASE = var.database_url_secret_arn, ADMIT_MASTER_KEY = var.master_key_secret_arn })
    error_message = "Secrets are named by their ARNs."
  }
  assert {
    condition     = aws_apprunner_service.this.source_configuration[0].image_repository[0].image_configuration[0].port == "8080" && aws_apprunner_service.this.health_check_configuration[0].path == "/readyz"
    error_message = "The server is not asked, or not where it listens."
  }
}

run "it_reaches_the_database_through_the_vpc" {
  command = apply

  assert {
    condition     = aws_apprunner_service.this.network_configuration[0].egress_configuration[0].egress_type == "VPC" && aws_apprunner_service.this.network_configuration[0].egress_configuration[0].vpc_connector_arn == aws_apprunner_vpc_connector.this.arn && aws_apprunner_vpc_connector.this.security_groups == toset([aws_security_group.this.id])
    error_message = "What it sends does not go through the VPC."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.database.referenced_security_group_id == aws_security_group.this.id && aws_vpc_security_group_ingress_rule.database.from_port == 5432
    error_message = "The database does not let it in."
  }
  assert {
    condition     = aws_route53_record.this.records == toset([aws_apprunner_custom_domain_association.this.dns_target])
    error_message = "The name leads elsewhere."
  }
}

run "the_roles_may_do_what_they_have_to" {
  command = apply

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.access.policy).Statement : join(" ", statement.Action) => statement.Resource
      } == {
      "ecr:GetAuthorizationToken"                                                    = ["*"]
      "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:GetDownloadUrlForLayer" = ["arn:aws:ecr:us-east-1:123456789012:repository/admit"]
      "ecr:DescribeImages"                                                           = ["arn:aws:ecr:us-east-1:123456789012:repository/admit"]
    }
    error_message = "The access role may do more, or less."
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.instance.policy).Statement : { action = statement.Action, resource = statement.Resource }] == [{ action = ["secretsmanager:GetSecretValue"], resource = [var.master_key_secret_arn, var.database_url_secret_arn] }]
    error_message = "The instance role may do more, or less."
  }
  assert {
    condition     = jsondecode(aws_iam_role.instance.assume_role_policy).Statement[0].Principal.Service == "tasks.apprunner.amazonaws.com" && jsondecode(aws_iam_role.access.assume_role_policy).Statement[0].Principal.Service == "build.apprunner.amazonaws.com"
    error_message = "The roles are mixed up."
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    name                    = "a_b"
    private_subnet_ids      = []
    database_url_secret_arn = "postgres://admit@db.example.org/admit"
    instances               = { max = 100 }
    cpu                     = 100
  }

  expect_failures = [var.name, var.private_subnet_ids, var.database_url_secret_arn, var.instances, var.cpu]
}

run "memory_fits_the_processor" {
  command = plan

  variables {
    memory = 4096
  }

  expect_failures = [var.memory]
}
