output "fhir_base" {
  description = "What apps know the data store by: their aud, and the iss of a launch."
  value       = "${local.base}/r4"

  # It answers once these are there.
  depends_on = [aws_apigatewayv2_route.this, aws_apigatewayv2_stage.this, aws_apigatewayv2_api_mapping.this]
}

output "audience" {
  description = "What tokens are for: the data store itself."
  value       = var.datastore_endpoint
}

output "api_id" {
  description = "ID of the API."
  value       = aws_apigatewayv2_api.this.id
}

output "log_group_name" {
  description = "The access log."
  value       = aws_cloudwatch_log_group.access.name
}
