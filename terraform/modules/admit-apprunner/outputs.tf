output "issuer" {
  description = "The URL by which Admit is known."
  value       = local.issuer
}

output "security_group_id" {
  description = "The VPC connector's security group."
  value       = aws_security_group.this.id
}

output "log_group_name" {
  description = "The log, with the audit trail in it. App Runner makes it, and keeps it for ever."
  value       = "/aws/apprunner/${aws_apprunner_service.this.service_name}/${aws_apprunner_service.this.service_id}/application"
}

output "service_arn" {
  description = "The service, such as for the module waf."
  value       = aws_apprunner_service.this.arn
}

output "certificate_validation_records" {
  description = "The records by which App Runner learns that domain_name is yours."
  value       = aws_apprunner_custom_domain_association.this.certificate_validation_records
}
