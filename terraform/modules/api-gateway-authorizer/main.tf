data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  is_http = var.api_type == "HTTP"
  is_rest = var.api_type == "REST"

  # Not the output of a stage, which waits for the validator: the validator waits for this.
  fhir_base = local.is_http ? "${aws_apigatewayv2_api.this[0].api_endpoint}/r4" : join("", [
    "https://${aws_api_gateway_rest_api.this[0].id}.execute-api.${data.aws_region.current.region}.${data.aws_partition.current.dns_suffix}/r4"
  ])

  # Paths and queries say whose record it is about: the route says enough.
  log_format = jsonencode({
    requestId       = "$context.requestId"
    requestTime     = "$context.requestTime"
    sourceIp        = "$context.identity.sourceIp"
    route           = local.is_http ? "$context.routeKey" : "$context.httpMethod $context.resourcePath"
    status          = "$context.status"
    responseLength  = "$context.responseLength"
    latency         = "$context.responseLatency"
    authorizerError = "$context.authorizer.error"
    # Why a believed token was not enough: a word of docs/validator.md.
    refused = "$context.authorizer.reason"
  })
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_338:It is about traffic; who was let in stands in the validator's log, which is kept for longer.
  count = var.access_log ? 1 : 0

  name              = "/aws/apigateway/${var.name}-authorized-fhir"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

# This authorizer of this API may call, and no other API of the account.
resource "aws_lambda_permission" "authorizer" {
  statement_id  = "${var.name}-authorizer"
  action        = "lambda:InvokeFunction"
  function_name = var.validator.function_name
  qualifier     = var.validator.alias_name
  principal     = "apigateway.amazonaws.com"
  source_arn = local.is_http ? (
    "${aws_apigatewayv2_api.this[0].execution_arn}/authorizers/${aws_apigatewayv2_authorizer.this[0].id}"
    ) : (
    "${aws_api_gateway_rest_api.this[0].execution_arn}/authorizers/${aws_api_gateway_authorizer.this[0].id}"
  )
}
