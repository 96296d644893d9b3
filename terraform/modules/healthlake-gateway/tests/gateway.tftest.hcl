mock_provider "aws" {
  source = "./tests/mocks/aws"
}

variables {
  name               = "clinic"
  datastore_endpoint = "https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef0123456789abcdef/r4/"
  discovery_url      = "https://auth.example.org/fhir-bases/lake/.well-known/smart-configuration"
}

run "discovery_and_data_store_are_behind_one_base" {
  command = apply

  assert {
    condition     = aws_apigatewayv2_integration.discovery.integration_uri == var.discovery_url && aws_apigatewayv2_route.this["GET /r4/.well-known/smart-configuration"].target == "integrations/${aws_apigatewayv2_integration.discovery.id}"
    error_message = "Discovery comes from the authorization server."
  }
  assert {
    condition     = aws_apigatewayv2_integration.resource.integration_uri == "${var.datastore_endpoint}{proxy}" && aws_apigatewayv2_integration.base.integration_uri == var.datastore_endpoint
    error_message = "Everything else goes to the data store, under the same path."
  }
  assert {
    condition = toset(keys(aws_apigatewayv2_route.this)) == toset(concat(
      ["GET /r4/.well-known/smart-configuration"],
      flatten([for method in ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"] : ["${method} /r4", "${method} /r4/{proxy+}"]]),
    ))
    error_message = "FHIR's methods are passed on; a preflight is not."
  }
  assert {
    condition = alltrue([
      for integration in [aws_apigatewayv2_integration.discovery, aws_apigatewayv2_integration.base, aws_apigatewayv2_integration.resource] :
      integration.integration_type == "HTTP_PROXY" && integration.request_parameters == null
    ])
    error_message = "Requests are passed on as they are, with their token."
  }
  assert {
    condition     = output.fhir_base == "${aws_apigatewayv2_api.this.api_endpoint}/r4" && output.audience == var.datastore_endpoint
    error_message = "Apps know the gateway; tokens are for the data store."
  }
}

run "scripts_in_browsers_may_call" {
  command = apply

  assert {
    condition     = aws_apigatewayv2_api.this.cors_configuration[0].allow_origins == toset(["*"]) && aws_apigatewayv2_api.this.cors_configuration[0].allow_credentials != true
    error_message = "Any page may call, and none with cookies."
  }
  assert {
    condition     = length(setsubtract(["authorization", "content-type", "if-match", "prefer"], aws_apigatewayv2_api.this.cors_configuration[0].allow_headers)) == 0 && length(setsubtract(["etag", "location"], aws_apigatewayv2_api.this.cors_configuration[0].expose_headers)) == 0
    error_message = "FHIR's headers are let through, both ways."
  }
}

run "the_log_says_neither_whose_record_nor_with_which_token" {
  command = apply

  assert {
    condition = length(setsubtract(regexall("\\$context\\.[A-Za-z.]+", aws_apigatewayv2_stage.this.access_log_settings[0].format), [
      "$context.requestId", "$context.requestTime", "$context.identity.sourceIp", "$context.routeKey", "$context.status",
      "$context.responseLength", "$context.responseLatency", "$context.integration.status", "$context.integration.error",
    ])) == 0
    error_message = "The log has the route, not the path, the query or a header."
  }
  assert {
    condition     = aws_apigatewayv2_stage.this.access_log_settings[0].destination_arn == aws_cloudwatch_log_group.access.arn && aws_cloudwatch_log_group.access.retention_in_days == 30
    error_message = "The log is kept for thirty days."
  }
  assert {
    condition     = aws_apigatewayv2_stage.this.default_route_settings[0].throttling_rate_limit == 500 && aws_apigatewayv2_stage.this.default_route_settings[0].throttling_burst_limit == 1000
    error_message = "There is a limit."
  }
}

run "a_host_of_its_own_is_the_only_one" {
  command = apply

  variables {
    domain = {
      name            = "fhir.example.org"
      certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-4333-8444-555555555555"
      zone_id         = "Z0123456789ABCDEFGHIJ"
    }
  }

  assert {
    condition     = aws_apigatewayv2_api.this.disable_execute_api_endpoint && output.fhir_base == "https://fhir.example.org/r4"
    error_message = "API Gateway's own host is closed."
  }
  assert {
    condition     = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].security_policy == "TLS_1_2" && aws_apigatewayv2_api_mapping.this[0].stage == aws_apigatewayv2_stage.this.id
    error_message = "The host leads to the stage, over TLS 1.2 or newer."
  }
  assert {
    condition     = aws_route53_record.this[0].name == "fhir.example.org" && aws_route53_record.this[0].zone_id == "Z0123456789ABCDEFGHIJ"
    error_message = "The host has its record."
  }
}

run "a_record_made_elsewhere" {
  command = plan

  variables {
    domain = {
      name            = "fhir.example.org"
      certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-4333-8444-555555555555"
    }
  }

  assert {
    condition     = length(aws_route53_record.this) == 0 && length(aws_apigatewayv2_domain_name.this) == 1
    error_message = "Without a zone there is no record."
  }
}

run "an_endpoint_without_its_slash" {
  command = plan
  variables {
    datastore_endpoint = "https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef0123456789abcdef/r4"
  }
  expect_failures = [var.datastore_endpoint]
}

run "discovery_without_tls" {
  command = plan
  variables {
    discovery_url = "http://auth.example.org/fhir-bases/lake/.well-known/smart-configuration"
  }
  expect_failures = [var.discovery_url]
}

run "an_origin_with_a_path" {
  command = plan
  variables {
    allowed_origins = ["https://app.example.org/"]
  }
  expect_failures = [var.allowed_origins]
}

run "a_limit_that_lets_nothing_through" {
  command = plan
  variables {
    throttle = { rate = 0 }
  }
  expect_failures = [var.throttle]
}

run "a_host_that_is_a_url" {
  command = plan
  variables {
    domain = {
      name            = "https://fhir.example.org"
      certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-4333-8444-555555555555"
    }
  }
  expect_failures = [var.domain]
}
