provider "aws" {
  region = var.region

  default_tags {
    tags = { application = var.name }
  }
}

provider "awscc" {
  region = var.region
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  # Those that the validator has been told of. Their own outputs would be a cycle: a data store is made with the validator.
  known = var.datastore_endpoint[*]
  known_arns = [
    for endpoint in local.known : join(":", [
      "arn", data.aws_partition.current.partition, "healthlake", var.region, data.aws_caller_identity.current.account_id,
      "datastore/fhir/${regex("[0-9a-f]{32}", endpoint)}",
    ])
  ]
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
  trust          = [merge(module.cognito.trust, { datastores = local.known })]
  datastore_arns = length(local.known) > 0 ? local.known_arns : null
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
