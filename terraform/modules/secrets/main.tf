data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region
}

# --- the key ------------------------------------------------------------

resource "aws_kms_key" "this" {
  description             = "${var.name}: secrets, database and logs of Admit"
  enable_key_rotation     = true
  deletion_window_in_days = var.recovery_window_in_days

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # The policies of IAM decide, as KMS has it by default. Without this nobody could look after the key.
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Logs"
        Effect    = "Allow"
        Principal = { Service = "logs.${local.region}.amazonaws.com" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"]
        Resource  = "*"
        Condition = {
          ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:*" }
        }
      },
    ]
  })

  tags = var.tags
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

# --- the master key -----------------------------------------------------

# 32 bytes as unpadded base64url: 43 characters of 6 bits, of which the last one has 4 to give. Its other two are zero.
ephemeral "random_password" "master_key_head" {
  length           = 42
  override_special = "-_"
}

ephemeral "random_password" "master_key_tail" {
  length           = 1
  lower            = false
  upper            = false
  numeric          = false
  override_special = "AEIMQUYcgkosw048"
}

resource "aws_secretsmanager_secret" "master_key" {
  #checkov:skip=CKV2_AWS_57:A new master key opens nothing that the old one sealed: README.md says how it is changed.
  name                    = "${var.name}/master-key"
  description             = "Seals the signing keys of Admit. Lost, it means that every token is void."
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = var.recovery_window_in_days
  tags                    = var.tags
}

resource "aws_secretsmanager_secret_version" "master_key" {
  secret_id        = aws_secretsmanager_secret.master_key.id
  secret_string_wo = "${ephemeral.random_password.master_key_head.result}${ephemeral.random_password.master_key_tail.result}"
  # It stays 1: another value would put a new master key in the place of the one that opens the signing keys. README.md says
  # how it is changed.
  secret_string_wo_version = 1
}
