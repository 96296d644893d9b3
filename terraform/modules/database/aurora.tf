# Aurora keeps six copies in three zones before it acknowledges a commit: a failover loses nothing.

resource "aws_rds_cluster_parameter_group" "this" {
  count = local.is_aurora ? 1 : 0

  name        = "${var.name}-aurora-${var.engine_version}"
  family      = "aurora-postgresql${var.engine_version}"
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

resource "aws_rds_cluster" "this" {
  #checkov:skip=CKV_AWS_162:Admit signs in with a password, which is 48 random characters and in no state.
  #checkov:skip=CKV2_AWS_27:The parameter group logs slow statements and changes of tables; not all, because there are names in them.
  #checkov:skip=CKV2_AWS_8:The cluster keeps its own backups; AWS Backup is for copies in other accounts.
  count = local.is_aurora ? 1 : 0

  cluster_identifier              = var.name
  engine                          = "aurora-postgresql"
  engine_version                  = var.engine_version
  database_name                   = var.database_name
  master_username                 = var.username
  master_password_wo              = ephemeral.random_password.this.result
  master_password_wo_version      = var.password_version
  db_subnet_group_name            = aws_db_subnet_group.this.name
  vpc_security_group_ids          = [aws_security_group.this.id]
  port                            = local.port
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.this[0].name

  storage_encrypted         = true
  kms_key_id                = var.kms_key_arn
  backup_retention_period   = var.backup_retention_days
  copy_tags_to_snapshot     = true
  deletion_protection       = var.deletion_protection
  final_snapshot_identifier = "${var.name}-final"

  enabled_cloudwatch_logs_exports = ["postgresql"]
  allow_major_version_upgrade     = true
  tags                            = var.tags

  serverlessv2_scaling_configuration {
    min_capacity = var.aurora.min_capacity
    max_capacity = var.aurora.max_capacity
  }

  depends_on = [aws_cloudwatch_log_group.postgresql]
}

# The first one writes; the others are there to take over.
resource "aws_rds_cluster_instance" "this" {
  #checkov:skip=CKV_AWS_118:The cluster's own metrics and Performance Insights say what is slow; enhanced monitoring adds the operating system's.
  count = local.is_aurora ? var.aurora.instances : 0

  identifier                      = "${var.name}-${count.index + 1}"
  cluster_identifier              = aws_rds_cluster.this[0].id
  engine                          = aws_rds_cluster.this[0].engine
  engine_version                  = aws_rds_cluster.this[0].engine_version
  instance_class                  = "db.serverless"
  auto_minor_version_upgrade      = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
  copy_tags_to_snapshot           = true
  tags                            = var.tags
}
