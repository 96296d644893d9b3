# Against stand-in providers, which look at values as well. Never run this with the real providers: it would deploy.
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

run "an_api" {
  command = apply

  assert {
    condition     = can(regex("^https://[^/]+\\.execute-api\\.us-east-1\\.amazonaws\\.com/${aws_api_gateway_stage.this[0].stage_name}$", output.fhir_base))
    error_message = "The FHIR base, which is known before there is a stage, is that stage's URL."
  }
  assert {
    condition     = aws_lambda_permission.authorizer.source_arn == "${aws_api_gateway_rest_api.this[0].execution_arn}/authorizers/${aws_api_gateway_authorizer.this[0].id}"
    error_message = "The permission is this authorizer's."
  }
}
