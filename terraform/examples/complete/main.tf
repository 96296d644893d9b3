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

# --- Admit ------------------------------------------------------------------

module "secrets" {
  source = "../../modules/secrets"

  name = var.name
}

module "network" {
  source = "../../modules/network"

  name         = var.name
  nat_gateways = "each-zone"
  kms_key_arn  = module.secrets.kms_key_arn
}

module "database" {
  source = "../../modules/database"

  name               = var.name
  vpc_id             = module.network.vpc_id
  private_subnet_ids = module.network.private_subnet_ids
  kms_key_arn        = module.secrets.kms_key_arn
}

module "admit" {
  source = "../../modules/admit-ecs"

  name                       = var.name
  image                      = var.image
  domain_name                = var.domain_name
  zone_id                    = var.zone_id
  vpc_id                     = module.network.vpc_id
  public_subnet_ids          = module.network.public_subnet_ids
  private_subnet_ids         = module.network.private_subnet_ids
  master_key_secret_arn      = module.secrets.master_key_secret_arn
  database_url_secret_arn    = module.database.url_secret_arn
  database_security_group_id = module.database.security_group_id
  secrets_kms_key_arn        = module.secrets.kms_key_arn
  kms_key_arn                = module.secrets.kms_key_arn
  enable_execute_command     = var.enable_execute_command
}

module "waf" {
  source = "../../modules/waf"

  name         = var.name
  resource_arn = module.admit.load_balancer_arn
  kms_key_arn  = module.secrets.kms_key_arn
}

module "observability" {
  source = "../../modules/observability"

  name           = var.name
  log_group_name = module.admit.log_group_name
  load_balancer = {
    arn_suffix              = module.admit.load_balancer_arn_suffix
    target_group_arn_suffix = module.admit.target_group_arn_suffix
  }
  database = {
    identifier = module.database.identifier
    engine     = module.database.engine
  }
  # Encrypted with S3's own key: whoever deletes ours does not end what nobody may delete.
  audit_archive    = { mode = var.audit_archive_mode }
  alarm_topic_arns = var.alarm_actions
}

# --- HealthLake ---------------------------------------------------------

module "validator" {
  source = "../../modules/validator"

  name     = var.name
  zip_path = var.validator_zip
  trust = [{
    issuer     = module.admit.issuer
    datastores = local.known
  }]
  datastore_arns          = length(local.known) > 0 ? local.known_arns : null
  provisioned_concurrency = 1
  datastore_kms_key_arn   = module.secrets.kms_key_arn
  kms_key_arn             = module.secrets.kms_key_arn
  alarm_actions           = var.alarm_actions
}

module "healthlake" {
  source = "../../modules/healthlake"

  name           = var.name
  issuer         = module.admit.issuer
  idp_lambda_arn = module.validator.alias_arn
  kms_key_arn    = module.secrets.kms_key_arn
  tags           = { application = var.name }
}
