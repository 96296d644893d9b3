mock_provider "aws" {
  source = "./tests/mocks/aws"
}

variables {
  name = "admit"
}

run "the_master_key_is_encrypted_and_in_no_state" {
  command = apply

  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key is not rotated."
  }
  assert {
    condition     = aws_secretsmanager_secret.master_key.kms_key_id == aws_kms_key.this.arn && aws_secretsmanager_secret.master_key.recovery_window_in_days == 30
    error_message = "The secret is encrypted with the key, and can be brought back."
  }
  assert {
    condition     = aws_secretsmanager_secret_version.master_key.secret_string == null
    error_message = "The master key is in the state."
  }
  assert {
    condition     = aws_secretsmanager_secret_version.master_key.secret_string_wo_version == 1
    error_message = "The master key is written once: another one would not open the signing keys."
  }
}

run "only_the_logs_of_this_account_use_the_key" {
  command = plan

  assert {
    condition = one([
      for statement in jsondecode(aws_kms_key.this.policy).Statement : statement.Condition.ArnLike["kms:EncryptionContext:aws:logs:arn"]
      if statement.Sid == "Logs"
    ]) == "arn:aws:logs:us-east-1:123456789012:log-group:*"
    error_message = "The logs service may use the key for others."
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    name                    = "Admit"
    recovery_window_in_days = 5
  }

  expect_failures = [var.name, var.recovery_window_in_days]
}
