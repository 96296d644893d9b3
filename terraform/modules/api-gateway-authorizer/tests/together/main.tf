# The API and the validator, each of which names the other.
variable "api_type" {
  type = string
}

module "fhir" {
  source      = "../.."
  name        = "clinic"
  api_type    = var.api_type
  backend_url = "https://fhir.example.org/r4"
  validator   = module.validator
}

module "validator" {
  source     = "../../../validator"
  name       = "clinic"
  zip_path   = "../validator/tests/files/admit-validator-arm64.zip"
  trust      = [{ issuer = "https://auth.example.org", datastores = [module.fhir.fhir_base] }]
  healthlake = false
  fhir_base  = module.fhir.fhir_base
}

output "fhir_base" {
  value = module.fhir.fhir_base
}
