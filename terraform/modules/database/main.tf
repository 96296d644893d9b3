locals {
  is_aurora = var.engine == "aurora-postgresql"
  endpoint  = local.is_aurora ? one(aws_rds_cluster.this[*].endpoint) : one(aws_db_instance.this[*].address)
  port      = 5432

  parameters = {
    # Admit asks for TLS by itself; this refuses everybody else who does not.
    "rds.force_ssl" = "1"
    # Slow statements, but never what they were about: there are names and digests in the values.
    "log_min_duration_statement" = "1000"
    "log_parameter_max_length"   = "0"
    "log_statement"              = "ddl"
    # Otherwise an error comes with the row that it is about.
    "log_error_verbosity" = "terse"
  }
}

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.private_subnet_ids
  tags       = var.tags
}

# Without rules: each client's module opens it for itself.
resource "aws_security_group" "this" {
  name        = "${var.name}-database"
  description = "The PostgreSQL database of Admit"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-database" })
}

# RDS would make the group by itself, and keep the log for ever.
resource "aws_cloudwatch_log_group" "postgresql" {
  name              = local.is_aurora ? "/aws/rds/cluster/${var.name}/postgresql" : "/aws/rds/instance/${var.name}/postgresql"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

# --- the password, and the URL that holds it ----------------------------

# Letters and digits alone: it stands in a URL, and RDS refuses some of the others.
ephemeral "random_password" "this" {
  length  = 48
  special = false
}

resource "aws_secretsmanager_secret" "url" {
  #checkov:skip=CKV2_AWS_57:The URL and the database change together, by password_version.
  name                    = "${var.name}/database-url"
  description             = "Where Admit finds its database, with the password."
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_in_days
  tags                    = var.tags
}

resource "aws_secretsmanager_secret_version" "url" {
  secret_id = aws_secretsmanager_secret.url.id
  secret_string_wo = format(
    "postgres://%s:%s@%s:%d/%s?sslmode=verify-full&sslrootcert=%s",
    var.username, ephemeral.random_password.this.result, local.endpoint, local.port, var.database_name, var.ca_file,
  )
  # Another place is another URL, and only a new password may be written with it.
  secret_string_wo_version = var.password_version

  # Who reads the URL finds a database there.
  depends_on = [aws_rds_cluster_instance.this, aws_db_instance.this]
}
