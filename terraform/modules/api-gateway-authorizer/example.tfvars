name        = "clinic"
backend_url = "https://fhir.example.org/r4"
validator = {
  function_name    = "clinic-validator"
  alias_name       = "live"
  alias_invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:clinic-validator:live/invocations"
}
discovery_url = "https://auth.example.org/fhir-bases/main/.well-known/smart-configuration"
