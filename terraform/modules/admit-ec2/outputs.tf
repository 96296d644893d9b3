output "issuer" {
  description = "The URL by which Admit is known."
  value       = local.issuer
}

output "security_group_id" {
  description = "The instance's security group."
  value       = aws_security_group.this.id
}

output "log_group_name" {
  description = "The log, with the audit trail in it."
  value       = aws_cloudwatch_log_group.this.name
}

output "instance_id" {
  description = "The instance, for Session Manager."
  value       = aws_instance.this.id
}

output "volume_id" {
  description = "The volume with the database."
  value       = aws_ebs_volume.data.id
}

output "backup_bucket" {
  description = "Where backups are, below admit/."
  value       = aws_s3_bucket.backups.bucket
}

output "load_balancer_arn" {
  description = "The load balancer, such as for the module waf."
  value       = module.load_balancer.arn
}

output "load_balancer_arn_suffix" {
  description = "The load balancer, as its metrics name it."
  value       = module.load_balancer.arn_suffix
}

output "target_group_arn_suffix" {
  description = "The target group, as its metrics name it."
  value       = module.load_balancer.target_group_arn_suffix
}
