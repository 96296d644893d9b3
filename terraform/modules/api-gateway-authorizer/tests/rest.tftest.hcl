mock_provider "aws" {
  source = "./tests/mocks/aws"

  override_data {
    target = data.aws_region.current
    values = { region = "us-east-1" }
  }
  mock_resource "aws_api_gateway_rest_api" {
    defaults = {
      id               = "abc123"
      root_resource_id = "root01"
      execution_arn    = "arn:aws:execute-api:us-east-1:123456789012:abc123"
    }
  }
  mock_resource "aws_api_gateway_authorizer" {
    defaults = { id = "auth01" }
  }
}

variables {
  name        = "clinic"
  api_type    = "REST"
  backend_url = "https://fhir.example.org/r4"
  validator = {
    function_name    = "clinic-validator"
    alias_name       = "live"
    alias_invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:clinic-validator:live/invocations"
  }
  discovery_url = "https://auth.example.org/fhir-bases/main/.well-known/smart-configuration"
}

run "the_validator_is_asked_about_everything_but_what_is_public" {
  command = apply

  assert {
    condition     = toset([for key, method in aws_api_gateway_method.this : key if method.authorization == "CUSTOM" && method.authorizer_id == "auth01" && method.http_method == "ANY"]) == toset(["base", "resource"])
    error_message = "FHIR's requests have the authorizer."
  }
  assert {
    condition     = { for key, method in aws_api_gateway_method.this : key => method.http_method if method.authorization == "NONE" && method.http_method != "OPTIONS" } == { metadata = "GET", discovery = "GET" }
    error_message = "What SMART has public is public, and nothing else."
  }
  assert {
    condition     = alltrue([for name in ["base", "resource", "metadata", "discovery"] : aws_api_gateway_method.this["${name}-preflight"].resource_id == aws_api_gateway_method.this[name].resource_id])
    error_message = "A preflight is never asked for a token."
  }
  assert {
    condition     = aws_api_gateway_authorizer.this[0].type == "TOKEN" && aws_api_gateway_authorizer.this[0].identity_source == "method.request.header.Authorization" && aws_api_gateway_authorizer.this[0].authorizer_uri == var.validator.alias_invoke_arn && aws_api_gateway_authorizer.this[0].authorizer_result_ttl_in_seconds == 0
    error_message = "The token alone decides, each time."
  }
  assert {
    condition     = length(aws_apigatewayv2_api.this) + length(aws_apigatewayv2_route.this) == 0
    error_message = "There is one API."
  }
}

run "this_authorizer_alone_may_call" {
  command = apply

  assert {
    condition     = aws_lambda_permission.authorizer.source_arn == "arn:aws:execute-api:us-east-1:123456789012:abc123/authorizers/auth01" && aws_lambda_permission.authorizer.qualifier == "live"
    error_message = "The permission is this authorizer's, on the alias."
  }
}

run "the_server_behind_hears_from_the_validator_alone" {
  command = apply

  assert {
    condition = aws_api_gateway_integration.this["resource"].uri == "https://fhir.example.org/r4/{proxy}" && aws_api_gateway_integration.this["resource"].request_parameters == tomap({
      "integration.request.path.proxy"             = "method.request.path.proxy"
      "integration.request.header.x-smart-scope"   = "context.authorizer.scope"
      "integration.request.header.x-smart-subject" = "context.authorizer.sub"
    })
    error_message = "Scope and subject are those of the token, whatever the caller wrote."
  }
  assert {
    condition = alltrue([
      for key, integration in aws_api_gateway_integration.this : integration.request_parameters["integration.request.header.x-smart-scope"] == "'none'"
      if aws_api_gateway_method.this[key].authorization == "NONE"
    ])
    error_message = "Where nobody was asked, there is neither."
  }
}

run "nothing_is_kept_that_a_patient_would_mind" {
  command = apply

  assert {
    condition     = aws_api_gateway_method_settings.this[0].settings[0].logging_level == "OFF" && !aws_api_gateway_method_settings.this[0].settings[0].data_trace_enabled && !aws_api_gateway_method_settings.this[0].settings[0].caching_enabled
    error_message = "Neither requests nor answers are kept."
  }
  assert {
    condition     = !can(regex("context\\.path|querystring|header|authorizer\\.(sub|scope|patient)", aws_api_gateway_stage.this[0].access_log_settings[0].format))
    error_message = "The log names neither records nor persons."
  }
}

run "refusals_reach_scripts_in_browsers" {
  command = apply

  assert {
    condition     = aws_api_gateway_gateway_response.this["UNAUTHORIZED"].response_parameters == tomap({ "gatewayresponse.header.Access-Control-Allow-Origin" = "'*'", "gatewayresponse.header.WWW-Authenticate" = "'Bearer'" })
    error_message = "A 401 says what is wanted, to whoever asks."
  }
  assert {
    condition     = output.fhir_base == "https://abc123.execute-api.us-east-1.amazonaws.com/r4" && aws_api_gateway_stage.this[0].stage_name == "r4"
    error_message = "The stage is the end of the FHIR base."
  }
}

run "validator_and_api_name_each_other_without_a_cycle" {
  command = apply

  module {
    source = "./tests/together"
  }

  assert {
    condition     = startswith(output.fhir_base, "https://abc123.execute-api.") && endswith(output.fhir_base, "/r4")
    error_message = "Both are there."
  }
}

run "without_discovery" {
  command = plan

  variables {
    discovery_url = null
  }

  assert {
    condition     = length(aws_api_gateway_resource.discovery) == 0 && !contains(keys(aws_api_gateway_method.this), "discovery")
    error_message = "What is not wanted is not there."
  }
}
