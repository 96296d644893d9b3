mock_provider "aws" {
  source = "./tests/mocks/aws"
}

variables {
  name               = "admit"
  vpc_id             = "vpc-0123456789abcdef0"
  private_subnet_ids = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  kms_key_arn        = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

run "aurora_is_encrypted_and_cannot_be_lost_by_mistake" {
  command = apply

  assert {
    condition     = aws_rds_cluster.this[0].storage_encrypted && aws_rds_cluster.this[0].kms_key_id == var.kms_key_arn && aws_secretsmanager_secret.url.kms_key_id == var.kms_key_arn
    error_message = "Database and URL are encrypted with the key."
  }
  assert {
    condition     = aws_rds_cluster.this[0].deletion_protection && aws_rds_cluster.this[0].skip_final_snapshot != true && aws_rds_cluster.this[0].backup_retention_period == 14
    error_message = "It is protected, leaves a snapshot, and has backups."
  }
  assert {
    condition     = length(aws_rds_cluster_instance.this) == 2 && length(aws_db_instance.this) == 0
    error_message = "There is one instance that writes, one that takes over, and no other database."
  }
  assert {
    condition     = { for parameter in aws_rds_cluster_parameter_group.this[0].parameter : parameter.name => parameter.value } == { "rds.force_ssl" = "1", "log_error_verbosity" = "terse", "log_min_duration_statement" = "1000", "log_parameter_max_length" = "0", "log_statement" = "ddl" }
    error_message = "TLS is forced, and no value of a statement is logged."
  }
  assert {
    condition     = aws_rds_cluster.this[0].master_password == null && aws_secretsmanager_secret_version.url.secret_string == null
    error_message = "The password is in the state."
  }
  assert {
    condition     = aws_cloudwatch_log_group.postgresql.name == "/aws/rds/cluster/admit/postgresql" && aws_cloudwatch_log_group.postgresql.retention_in_days == 365
    error_message = "RDS would write to a log group of its own."
  }
}

run "rds_is_no_less" {
  command = apply

  variables {
    engine = "postgres"
  }

  assert {
    condition     = aws_db_instance.this[0].storage_encrypted && aws_db_instance.this[0].kms_key_id == var.kms_key_arn && aws_db_instance.this[0].multi_az && !aws_db_instance.this[0].publicly_accessible
    error_message = "It is encrypted, has a standby, and is not on the internet."
  }
  assert {
    condition     = aws_db_instance.this[0].deletion_protection && aws_db_instance.this[0].skip_final_snapshot != true && aws_db_instance.this[0].backup_retention_period == 14
    error_message = "It is protected, leaves a snapshot, and has backups."
  }
  assert {
    condition     = { for parameter in aws_db_parameter_group.this[0].parameter : parameter.name => parameter.value }["rds.force_ssl"] == "1" && aws_db_parameter_group.this[0].family == "postgres17"
    error_message = "TLS is forced."
  }
  assert {
    condition     = aws_db_instance.this[0].password == null && length(aws_rds_cluster.this) == 0
    error_message = "The password is in the state, or there are two databases."
  }
  assert {
    condition     = output.endpoint == aws_db_instance.this[0].address
    error_message = "The endpoint is a host, without its port."
  }
}

run "a_new_password_goes_to_both_places" {
  command = plan

  variables {
    password_version = 2
  }

  assert {
    condition     = aws_rds_cluster.this[0].master_password_wo_version == 2 && aws_secretsmanager_secret_version.url.secret_string_wo_version == 2
    error_message = "The database and its URL change together."
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    name                    = "admit-"
    private_subnet_ids      = ["subnet-0123456789abcdef0"]
    engine                  = "mysql"
    engine_version          = "14"
    aurora                  = { min_capacity = 0 }
    rds                     = { storage_gb = 5 }
    database_name           = "admit?sslmode=disable"
    username                = "postgres"
    password_version        = 0
    ca_file                 = "bundle.pem"
    backup_retention_days   = 0
    recovery_window_in_days = 0
    log_retention_days      = 0
    kms_key_arn             = "alias/admit"
  }

  expect_failures = [
    var.name, var.private_subnet_ids, var.engine, var.engine_version, var.aurora, var.rds, var.database_name, var.username,
    var.password_version, var.ca_file, var.backup_retention_days, var.recovery_window_in_days, var.log_retention_days, var.kms_key_arn,
  ]
}
