output "fhir_base" {
  description = "What apps know the FHIR server by, and the audience of their tokens: fhir_base of the module validator."
  value       = local.fhir_base
}

output "api_id" {
  description = "ID of the API."
  value       = local.is_http ? aws_apigatewayv2_api.this[0].id : aws_api_gateway_rest_api.this[0].id
}

output "stage_arn" {
  description = "ARN of the stage; of a REST API's, AWS WAF takes it."
  value       = local.is_http ? aws_apigatewayv2_stage.this[0].arn : aws_api_gateway_stage.this[0].arn
}

output "log_group_name" {
  description = "The access log; null without one."
  value       = one(aws_cloudwatch_log_group.access[*].name)
}
