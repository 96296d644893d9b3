output "endpoint" {
  description = "The host that takes writes."
  value       = local.endpoint
}

output "port" {
  description = "The port."
  value       = local.port
}

output "database_name" {
  description = "The name of the database."
  value       = var.database_name
}

output "username" {
  description = "The user that owns the database."
  value       = var.username
}

output "identifier" {
  description = "The name of the cluster (Aurora) or instance (RDS), as its metrics have it."
  value       = local.is_aurora ? aws_rds_cluster.this[0].cluster_identifier : aws_db_instance.this[0].identifier
}

output "engine" {
  description = "aurora-postgresql or postgres."
  value       = var.engine
}

output "security_group_id" {
  description = "The database's security group. The modules of Admit let themselves in."
  value       = aws_security_group.this.id
}

# It is handed out once the database takes connections and the secret has a value.
output "url_secret_arn" {
  description = "The secret with the database's URL, for the modules of Admit."
  value       = aws_secretsmanager_secret.url.arn
  depends_on  = [aws_secretsmanager_secret_version.url]
}
