# RDS with a standby in another zone, which has every commit before it is acknowledged.

resource "aws_db_parameter_group" "this" {
  count = local.is_aurora ? 0 : 1

  name        = "${var.name}-${var.engine_version}"
  family      = "postgres${var.engine_version}"
  description = "Admit"
  tags        = var.tags

  dynamic "parameter" {
    for_each = local.parameters

    content {
      name  = parameter.key
      value = parameter.value
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_161:Admit signs in with a password, which is 48 random characters and in no state.
  #checkov:skip=CKV_AWS_157:A standby is the default; who wants less says so.
  #checkov:skip=CKV2_AWS_69:The parameter group has rds.force_ssl; a test looks at it.
  #checkov:skip=CKV_AWS_118:The instance's own metrics and Performance Insights say what is slow; enhanced monitoring adds the operating system's.
  count = local.is_aurora ? 0 : 1

  identifier             = var.name
  engine                 = "postgres"
  engine_version         = var.engine_version
  instance_class         = var.rds.instance_class
  multi_az               = var.rds.multi_az
  db_name                = var.database_name
  username               = var.username
  password_wo            = ephemeral.random_password.this.result
  password_wo_version    = var.password_version
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]
  port                   = local.port
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this[0].name

  storage_type              = "gp3"
  allocated_storage         = var.rds.storage_gb
  max_allocated_storage     = var.rds.storage_gb * 5
  storage_encrypted         = true
  kms_key_id                = var.kms_key_arn
  backup_retention_period   = var.backup_retention_days
  copy_tags_to_snapshot     = true
  deletion_protection       = var.deletion_protection
  final_snapshot_identifier = "${var.name}-final"

  auto_minor_version_upgrade      = true
  allow_major_version_upgrade     = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
  tags                            = var.tags

  depends_on = [aws_cloudwatch_log_group.postgresql]
}
