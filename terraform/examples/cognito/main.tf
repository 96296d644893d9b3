provider "aws" {
  region = var.region

  default_tags {
    tags = { application = var.name }
  }
}

provider "awscc" {
  region = var.region
}

module "cognito" {
  source        = "../../modules/cognito"
  name          = var.name
  domain_prefix = var.domain_prefix
  callback_urls = var.callback_urls
  test_user     = var.test_user
}

module "validator" {
  source        = "../../modules/validator"
  name          = var.name
  zip_path      = var.validator_zip
  alarm_actions = var.alarm_actions

  # Cognito's tokens name no audience. Until the data store is known, they open any of this account that asks this function.
  trust = [merge(module.cognito.trust, { datastores = compact([var.datastore_endpoint]) })]
}

module "healthlake" {
  source         = "../../modules/healthlake"
  name           = var.name
  issuer         = module.cognito.issuer
  metadata       = module.cognito.metadata
  idp_lambda_arn = module.validator.alias_arn
  tags           = { application = var.name }

  # It narrows by fhirUser, which Cognito does not know.
  fine_grained_authorization = false
}
