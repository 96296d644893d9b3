output "kms_key_arn" {
  description = "The key that encrypts the secrets; the database and the logs may use it too."
  value       = aws_kms_key.this.arn
}

# It is handed out once the secret has a value: what reads it at its start does not come too early.
output "master_key_secret_arn" {
  description = "The secret with the master key."
  value       = aws_secretsmanager_secret.master_key.arn
  depends_on  = [aws_secretsmanager_secret_version.master_key]
}
