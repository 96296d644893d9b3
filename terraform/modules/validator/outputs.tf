output "function_name" {
  description = "Name of the function, and the dimension FunctionName of its metrics."
  value       = aws_lambda_function.this.function_name
}

output "alias_arn" {
  description = "ARN of the alias live: the data store's idp_lambda_arn."
  value       = aws_lambda_alias.live.arn

  # A data store that is made with it may call at once.
  depends_on = [aws_lambda_permission.healthlake, aws_lambda_provisioned_concurrency_config.live]
}

output "alias_name" {
  description = "Name of the alias, for permissions on it."
  value       = aws_lambda_alias.live.name
}

output "alias_invoke_arn" {
  description = "How API Gateway names the alias: the authorizer_uri of an authorizer."
  value       = aws_lambda_alias.live.invoke_arn
}

output "service_role_arn" {
  description = "The role that HealthLake takes on for a token; null where HealthLake does not ask."
  value       = one([for key, role in aws_iam_role.service : role.arn if key == "full"])
}

output "read_only_role_arn" {
  description = "The role that HealthLake takes on for a token that only reads; null where HealthLake does not ask."
  value       = one([for key, role in aws_iam_role.service : role.arn if key == "read_only"])
}

output "log_group_name" {
  description = "The log of decisions."
  value       = aws_cloudwatch_log_group.this.name
}
