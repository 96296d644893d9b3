locals {
  base = var.domain == null ? aws_apigatewayv2_api.this.api_endpoint : "https://${var.domain.name}"

  # Every route but ANY: that one would hand the browser's OPTIONS to the data store, in place of the answer made here.
  methods = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]
  routes = merge(
    { "GET /r4/.well-known/smart-configuration" = aws_apigatewayv2_integration.discovery.id },
    { for method in local.methods : "${method} /r4" => aws_apigatewayv2_integration.base.id },
    { for method in local.methods : "${method} /r4/{proxy+}" => aws_apigatewayv2_integration.resource.id },
  )
}

resource "aws_apigatewayv2_api" "this" {
  name                         = "${var.name}-fhir"
  description                  = "Passes FHIR requests to HealthLake, and serves SMART discovery without credentials"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = var.domain != null
  tags                         = var.tags

  cors_configuration {
    allow_origins = var.allowed_origins
    allow_methods = local.methods
    allow_headers = [
      "accept", "authorization", "content-type", "if-match", "if-modified-since", "if-none-exist", "if-none-match", "prefer",
      "x-provenance", "x-request-id",
    ]
    expose_headers = ["content-location", "etag", "last-modified", "location", "retry-after", "www-authenticate", "x-request-id"]
    max_age        = 3600
  }
}

# --- what is behind --------------------------------------------------------

resource "aws_apigatewayv2_integration" "discovery" {
  api_id             = aws_apigatewayv2_api.this.id
  description        = "The SMART configuration"
  integration_type   = "HTTP_PROXY"
  integration_method = "GET"
  integration_uri    = var.discovery_url
}

resource "aws_apigatewayv2_integration" "base" {
  api_id               = aws_apigatewayv2_api.this.id
  description          = "Bundles and searches over everything"
  integration_type     = "HTTP_PROXY"
  integration_method   = "ANY"
  integration_uri      = var.datastore_endpoint
  timeout_milliseconds = 30000
}

resource "aws_apigatewayv2_integration" "resource" {
  api_id               = aws_apigatewayv2_api.this.id
  description          = "Everything else"
  integration_type     = "HTTP_PROXY"
  integration_method   = "ANY"
  integration_uri      = "${var.datastore_endpoint}{proxy}"
  timeout_milliseconds = 30000
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309:The data store itself decides on each request, with its validator; discovery is public.
  for_each = local.routes

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  target             = "integrations/${each.value}"
  authorization_type = "NONE"
}

# --- stage and log ---------------------------------------------------------

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_338:It is about traffic; who read which record stands in CloudTrail and in the validator's log.
  name              = "/aws/apigateway/${var.name}-fhir"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true
  tags        = var.tags

  default_route_settings {
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
  }

  # Paths and queries say whose record it is about: the route says enough.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      requestId         = "$context.requestId"
      requestTime       = "$context.requestTime"
      sourceIp          = "$context.identity.sourceIp"
      route             = "$context.routeKey"
      status            = "$context.status"
      responseLength    = "$context.responseLength"
      latency           = "$context.responseLatency"
      integrationStatus = "$context.integration.status"
      integrationError  = "$context.integration.error"
    })
  }
}

# --- a host of its own -----------------------------------------------------

resource "aws_apigatewayv2_domain_name" "this" {
  count = var.domain == null ? 0 : 1

  domain_name = var.domain.name
  tags        = var.tags

  domain_name_configuration {
    certificate_arn = var.domain.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "this" {
  count = var.domain == null ? 0 : 1

  api_id      = aws_apigatewayv2_api.this.id
  domain_name = aws_apigatewayv2_domain_name.this[0].id
  stage       = aws_apigatewayv2_stage.this.id
}

resource "aws_route53_record" "this" {
  count = try(var.domain.zone_id, null) == null ? 0 : 1

  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = "A"

  alias {
    name                   = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].target_domain_name
    zone_id                = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].hosted_zone_id
    evaluate_target_health = false
  }
}
