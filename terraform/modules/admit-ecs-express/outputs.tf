output "issuer" {
  description = "The URL by which Admit is known."
  value       = local.issuer
}

output "security_group_id" {
  description = "The tasks' security group."
  value       = aws_security_group.this.id
}

output "log_group_name" {
  description = "The log, with the audit trail in it."
  value       = aws_cloudwatch_log_group.this.name
}

output "task_role_name" {
  description = "The role of Admit itself, for a policy such as that of a master key in KMS."
  value       = aws_iam_role.task.name
}

output "endpoint" {
  description = "The host that Express Mode gave to the service."
  value       = local.endpoint
}

output "certificate_arn" {
  description = "The certificate of domain_name, for the listener."
  value       = aws_acm_certificate_validation.this.certificate_arn
}

output "service_revision_arn" {
  description = "The revision that names the listener and the rule, which have to learn of domain_name."
  value       = aws_ecs_express_gateway_service.this.service_revision_arn
}
