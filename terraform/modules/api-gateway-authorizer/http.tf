locals {
  # Every route but ANY: that one would ask a token of the browser's OPTIONS, which has none.
  methods = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]

  http_integrations = local.is_http ? merge(
    {
      # What the validator found out. Both are in every answer that lets a request in, so that no caller's own header stays.
      base     = { uri = var.backend_url, headers = local.from_authorizer }
      resource = { uri = "${var.backend_url}/{proxy}", headers = local.from_authorizer }
      metadata = { uri = "${var.backend_url}/metadata", headers = local.from_nobody }
    },
    var.discovery_url == null ? {} : { discovery = { uri = var.discovery_url, headers = local.from_nobody } },
  ) : {}
  from_authorizer = {
    "overwrite:header.x-smart-scope"   = "$context.authorizer.scope"
    "overwrite:header.x-smart-subject" = "$context.authorizer.sub"
  }
  from_nobody = {
    "remove:header.x-smart-scope"   = "''"
    "remove:header.x-smart-subject" = "''"
  }

  http_routes = local.is_http ? merge(
    { for method in local.methods : "${method} /r4" => { to = "base", public = false } },
    { for method in local.methods : "${method} /r4/{proxy+}" => { to = "resource", public = false } },
    { "GET /r4/metadata" = { to = "metadata", public = true } },
    var.discovery_url == null ? {} : { "GET /r4/.well-known/smart-configuration" = { to = "discovery", public = true } },
  ) : {}
}

resource "aws_apigatewayv2_api" "this" {
  count = local.is_http ? 1 : 0

  name          = "${var.name}-authorized-fhir"
  description   = "A FHIR server behind Admit's validator"
  protocol_type = "HTTP"
  tags          = var.tags

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

resource "aws_apigatewayv2_authorizer" "this" {
  count = local.is_http ? 1 : 0

  api_id                            = aws_apigatewayv2_api.this[0].id
  name                              = "validator"
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = var.validator.alias_invoke_arn
  authorizer_payload_format_version = "2.0"
  enable_simple_responses           = true
  # Nothing beside the token: what is remembered for it has to be good for every route.
  identity_sources                 = ["$request.header.Authorization"]
  authorizer_result_ttl_in_seconds = var.cache_seconds
}

resource "aws_apigatewayv2_integration" "this" {
  for_each = local.http_integrations

  api_id               = aws_apigatewayv2_api.this[0].id
  integration_type     = "HTTP_PROXY"
  integration_method   = contains(["base", "resource"], each.key) ? "ANY" : "GET"
  integration_uri      = each.value.uri
  request_parameters   = each.value.headers
  timeout_milliseconds = 30000
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309:What is public in SMART: the capability statement and the SMART configuration. All else has the authorizer.
  for_each = local.http_routes

  api_id             = aws_apigatewayv2_api.this[0].id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.this[each.value.to].id}"
  authorization_type = each.value.public ? "NONE" : "CUSTOM"
  authorizer_id      = each.value.public ? null : aws_apigatewayv2_authorizer.this[0].id
}

resource "aws_apigatewayv2_stage" "this" {
  count = local.is_http ? 1 : 0

  api_id      = aws_apigatewayv2_api.this[0].id
  name        = "$default"
  auto_deploy = true
  tags        = var.tags

  default_route_settings {
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
  }

  dynamic "access_log_settings" {
    for_each = aws_cloudwatch_log_group.access[*].arn

    content {
      destination_arn = access_log_settings.value
      format          = local.log_format
    }
  }
}
