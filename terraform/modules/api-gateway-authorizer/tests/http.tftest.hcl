mock_provider "aws" {
  source = "./tests/mocks/aws"

  mock_resource "aws_apigatewayv2_api" {
    defaults = {
      api_endpoint  = "https://abc123.execute-api.us-east-1.amazonaws.com"
      execution_arn = "arn:aws:execute-api:us-east-1:123456789012:abc123"
    }
  }
  mock_resource "aws_apigatewayv2_authorizer" {
    defaults = { id = "auth01" }
  }
}

variables {
  name        = "clinic"
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
    condition     = toset([for key, route in aws_apigatewayv2_route.this : key if route.authorization_type != "CUSTOM"]) == toset(["GET /r4/metadata", "GET /r4/.well-known/smart-configuration"])
    error_message = "What SMART has public is public, and nothing else."
  }
  assert {
    condition     = alltrue([for route in aws_apigatewayv2_route.this : route.authorizer_id == aws_apigatewayv2_authorizer.this[0].id if route.authorization_type == "CUSTOM"]) && length(aws_apigatewayv2_route.this) == 14
    error_message = "Every other route has the authorizer."
  }
  assert {
    condition     = aws_apigatewayv2_authorizer.this[0].authorizer_payload_format_version == "2.0" && aws_apigatewayv2_authorizer.this[0].enable_simple_responses && aws_apigatewayv2_authorizer.this[0].authorizer_uri == var.validator.alias_invoke_arn
    error_message = "The validator's alias answers simply."
  }
  assert {
    condition     = aws_apigatewayv2_authorizer.this[0].identity_sources == toset(["$request.header.Authorization"]) && aws_apigatewayv2_authorizer.this[0].authorizer_result_ttl_in_seconds == 0
    error_message = "The token alone decides, each time."
  }
  assert {
    condition     = length(aws_api_gateway_rest_api.this) + length(aws_api_gateway_method.this) == 0
    error_message = "There is one API."
  }
}

run "this_authorizer_alone_may_call" {
  command = apply

  assert {
    condition     = aws_lambda_permission.authorizer.source_arn == "arn:aws:execute-api:us-east-1:123456789012:abc123/authorizers/auth01" && aws_lambda_permission.authorizer.principal == "apigateway.amazonaws.com"
    error_message = "The permission is this authorizer's."
  }
  assert {
    condition     = aws_lambda_permission.authorizer.function_name == "clinic-validator" && aws_lambda_permission.authorizer.qualifier == "live"
    error_message = "The permission is on the alias."
  }
}

run "the_server_behind_hears_from_the_validator_alone" {
  command = apply

  assert {
    condition     = aws_apigatewayv2_integration.this["resource"].integration_uri == "https://fhir.example.org/r4/{proxy}" && aws_apigatewayv2_integration.this["base"].integration_uri == "https://fhir.example.org/r4"
    error_message = "Paths stay what they are."
  }
  assert {
    condition = alltrue([
      for name in ["base", "resource"] : aws_apigatewayv2_integration.this[name].request_parameters == tomap({
        "overwrite:header.x-smart-scope" = "$context.authorizer.scope", "overwrite:header.x-smart-subject" = "$context.authorizer.sub"
      })
    ])
    error_message = "Scope and subject are those of the token, whatever the caller wrote."
  }
  assert {
    condition     = alltrue([for name in ["metadata", "discovery"] : alltrue([for key in keys(aws_apigatewayv2_integration.this[name].request_parameters) : startswith(key, "remove:")])])
    error_message = "Where nobody was asked, there is neither."
  }
  assert {
    condition     = !can(regex("path|querystring|header|rawPath|authorizer\\.(sub|scope|patient)", aws_apigatewayv2_stage.this[0].access_log_settings[0].format))
    error_message = "The log names neither records nor persons."
  }
}

run "the_audience_follows_from_the_api_alone" {
  command = apply

  assert {
    condition     = output.fhir_base == "https://abc123.execute-api.us-east-1.amazonaws.com/r4"
    error_message = "The FHIR base is the API's."
  }
}

run "validator_and_api_name_each_other_without_a_cycle" {
  command = apply

  module {
    source = "./tests/together"
  }
  variables {
    api_type = "HTTP"
  }

  assert {
    condition     = output.fhir_base == "https://abc123.execute-api.us-east-1.amazonaws.com/r4"
    error_message = "Both are there."
  }
}

run "answers_may_be_remembered" {
  command = plan

  variables {
    cache_seconds = 60
    discovery_url = null
    access_log    = false
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.this[0].authorizer_result_ttl_in_seconds == 60
    error_message = "For as long as was asked for."
  }
  assert {
    condition     = !contains(keys(aws_apigatewayv2_route.this), "GET /r4/.well-known/smart-configuration") && length(aws_cloudwatch_log_group.access) == 0
    error_message = "What is not wanted is not there."
  }
}

run "answers_remembered_for_too_long" {
  command = plan
  variables {
    cache_seconds = 3600
  }
  expect_failures = [var.cache_seconds]
}

run "a_server_behind_without_tls" {
  command = plan
  variables {
    backend_url = "http://fhir.example.org/r4"
  }
  expect_failures = [var.backend_url]
}

run "a_server_behind_with_a_slash" {
  command = plan
  variables {
    backend_url = "https://fhir.example.org/r4/"
  }
  expect_failures = [var.backend_url]
}

run "an_api_that_does_not_exist" {
  command = plan
  variables {
    api_type = "WEBSOCKET"
  }
  expect_failures = [var.api_type]
}
