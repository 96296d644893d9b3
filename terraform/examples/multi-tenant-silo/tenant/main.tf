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

# --- Admit ------------------------------------------------------------------

# A key of its own: nobody opens with one tenant's key what is another's.
module "secrets" {
  source = "../../../modules/secrets"

  name = var.name
}

module "admit" {
  source = "../../../modules/admit-ec2"

  name                  = var.name
  image                 = var.image
  domain_name           = var.domain_name
  zone_id               = var.zone_id
  vpc_id                = var.network.vpc_id
  public_subnet_ids     = var.network.public_subnet_ids
  private_subnet_ids    = var.network.private_subnet_ids
  master_key_secret_arn = module.secrets.master_key_secret_arn
  secrets_kms_key_arn   = module.secrets.kms_key_arn
  kms_key_arn           = module.secrets.kms_key_arn
  backup_recipient      = var.backup_recipient
  alarm_topic_arns      = var.alarm_actions
}

# --- HealthLake ---------------------------------------------------------

module "validator" {
  source = "../../../modules/validator"

  name     = var.name
  zip_path = var.validator_zip
  trust = [{
    issuer     = module.admit.issuer
    datastores = local.known
  }]
  datastore_arns        = length(local.known) > 0 ? local.known_arns : null
  datastore_kms_key_arn = module.secrets.kms_key_arn
  kms_key_arn           = module.secrets.kms_key_arn
  alarm_actions         = var.alarm_actions
}

module "healthlake" {
  source = "../../../modules/healthlake"

  name           = var.name
  issuer         = module.admit.issuer
  idp_lambda_arn = module.validator.alias_arn
  kms_key_arn    = module.secrets.kms_key_arn
  tags           = { application = var.name }
}
