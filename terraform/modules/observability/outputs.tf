output "dashboard_name" {
  description = "The dashboard in CloudWatch."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "alarm_names" {
  description = "The alarms."
  value       = sort([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name])
}

output "audit_bucket" {
  description = "Where the audit trail is kept; null, where it is not."
  value       = one(aws_s3_bucket.archive[*].bucket)
}
