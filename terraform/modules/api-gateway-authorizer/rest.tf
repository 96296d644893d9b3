locals {
  # Each path, below the stage r4: its resource, what is behind it, and the method that needs no token.
  rest_paths = local.is_rest ? merge(
    {
      base     = { resource = aws_api_gateway_rest_api.this[0].root_resource_id, uri = var.backend_url, method = "ANY", public = false }
      resource = { resource = aws_api_gateway_resource.top["{proxy+}"].id, uri = "${var.backend_url}/{proxy}", method = "ANY", public = false }
      metadata = { resource = aws_api_gateway_resource.top["metadata"].id, uri = "${var.backend_url}/metadata", method = "GET", public = true }
    },
    var.discovery_url == null ? {} : {
      discovery = { resource = one(aws_api_gateway_resource.discovery[*].id), uri = var.discovery_url, method = "GET", public = true }
    },
  ) : {}

  # A preflight has no token: the server behind answers it.
  rest_methods = merge(
    local.rest_paths,
    { for name, path in local.rest_paths : "${name}-preflight" => merge(path, { method = "OPTIONS", public = true }) },
  )
}

resource "aws_api_gateway_rest_api" "this" {
  count = local.is_rest ? 1 : 0

  name        = "${var.name}-authorized-fhir"
  description = "A FHIR server behind Admit's validator"
  tags        = var.tags

  # Bodies are passed on byte by byte.
  binary_media_types = ["*/*"]

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_authorizer" "this" {
  count = local.is_rest ? 1 : 0

  rest_api_id                      = aws_api_gateway_rest_api.this[0].id
  name                             = "validator"
  type                             = "TOKEN"
  authorizer_uri                   = var.validator.alias_invoke_arn
  identity_source                  = "method.request.header.Authorization"
  authorizer_result_ttl_in_seconds = var.cache_seconds
}

resource "aws_api_gateway_resource" "top" {
  for_each = local.is_rest ? toset(concat(["{proxy+}", "metadata"], var.discovery_url == null ? [] : [".well-known"])) : toset([])

  rest_api_id = aws_api_gateway_rest_api.this[0].id
  parent_id   = aws_api_gateway_rest_api.this[0].root_resource_id
  path_part   = each.key
}

resource "aws_api_gateway_resource" "discovery" {
  count = local.is_rest && var.discovery_url != null ? 1 : 0

  rest_api_id = aws_api_gateway_rest_api.this[0].id
  parent_id   = aws_api_gateway_resource.top[".well-known"].id
  path_part   = "smart-configuration"
}

resource "aws_api_gateway_method" "this" {
  #checkov:skip=CKV2_AWS_53:The FHIR server knows what a good request is.
  for_each = local.rest_methods

  rest_api_id        = aws_api_gateway_rest_api.this[0].id
  resource_id        = each.value.resource
  http_method        = each.value.method
  authorization      = each.value.public ? "NONE" : "CUSTOM"
  authorizer_id      = each.value.public ? null : aws_api_gateway_authorizer.this[0].id
  request_parameters = strcontains(each.value.uri, "{proxy}") ? { "method.request.path.proxy" = true } : {}
}

resource "aws_api_gateway_integration" "this" {
  for_each = local.rest_methods

  rest_api_id             = aws_api_gateway_rest_api.this[0].id
  resource_id             = each.value.resource
  http_method             = aws_api_gateway_method.this[each.key].http_method
  integration_http_method = each.value.method
  type                    = "HTTP_PROXY"
  uri                     = each.value.uri
  timeout_milliseconds    = 29000

  # What the validator found out, in place of whatever the caller wrote there.
  request_parameters = merge(
    strcontains(each.value.uri, "{proxy}") ? { "integration.request.path.proxy" = "method.request.path.proxy" } : {},
    {
      "integration.request.header.x-smart-scope"   = each.value.public ? "'none'" : "context.authorizer.scope"
      "integration.request.header.x-smart-subject" = each.value.public ? "'none'" : "context.authorizer.sub"
    },
  )
}

# Scripts in browsers see why they were refused; RFC 6750 has a 401 say what is wanted.
resource "aws_api_gateway_gateway_response" "this" {
  for_each = local.is_rest ? {
    DEFAULT_4XX  = {}
    DEFAULT_5XX  = {}
    UNAUTHORIZED = { "gatewayresponse.header.WWW-Authenticate" = "'Bearer'" }
  } : {}

  rest_api_id         = aws_api_gateway_rest_api.this[0].id
  response_type       = each.key
  response_parameters = merge({ "gatewayresponse.header.Access-Control-Allow-Origin" = "'*'" }, each.value)
}

resource "aws_api_gateway_deployment" "this" {
  count = local.is_rest ? 1 : 0

  rest_api_id = aws_api_gateway_rest_api.this[0].id

  # A deployment is a copy: any change makes another.
  triggers = {
    everything = sha256(jsonencode([
      aws_api_gateway_authorizer.this, aws_api_gateway_method.this, aws_api_gateway_integration.this, aws_api_gateway_gateway_response.this,
    ]))
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "this" {
  #checkov:skip=CKV_AWS_120:Patients' records are not cached.
  #checkov:skip=CKV2_AWS_4:An execution log would hold requests and, at its finest, tokens.
  #checkov:skip=CKV2_AWS_29:A web ACL is associated from outside, with the output stage_arn.
  #checkov:skip=CKV2_AWS_51:Apps have tokens, not certificates.
  count = local.is_rest ? 1 : 0

  rest_api_id          = aws_api_gateway_rest_api.this[0].id
  deployment_id        = aws_api_gateway_deployment.this[0].id
  stage_name           = "r4"
  xray_tracing_enabled = true
  tags                 = var.tags

  dynamic "access_log_settings" {
    for_each = aws_cloudwatch_log_group.access[*].arn

    content {
      destination_arn = access_log_settings.value
      format          = local.log_format
    }
  }
}

resource "aws_api_gateway_method_settings" "this" {
  #checkov:skip=CKV_AWS_225:Patients' records are not cached.
  count = local.is_rest ? 1 : 0

  rest_api_id = aws_api_gateway_rest_api.this[0].id
  stage_name  = aws_api_gateway_stage.this[0].stage_name
  method_path = "*/*"

  settings {
    logging_level          = "OFF"
    data_trace_enabled     = false
    caching_enabled        = false
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
  }
}
