output "web_acl_arn" {
  description = "The web ACL."
  value       = aws_wafv2_web_acl.this.arn
}

output "log_group_name" {
  description = "The log of what was blocked or counted."
  value       = aws_cloudwatch_log_group.this.name
}
