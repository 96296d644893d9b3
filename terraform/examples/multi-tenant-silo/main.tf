provider "aws" {
  region = var.region

  default_tags {
    tags = { application = var.name }
  }
}

provider "awscc" {
  region = var.region
}

# All that tenants share.
module "network" {
  source = "../../modules/network"

  name = var.name
}

module "tenant" {
  source   = "./tenant"
  for_each = var.tenants

  name               = "${var.name}-${each.key}"
  domain_name        = each.value.domain_name
  datastore_endpoint = each.value.datastore_endpoint
  region             = var.region
  zone_id            = var.zone_id
  image              = var.image
  backup_recipient   = var.backup_recipient
  validator_zip      = var.validator_zip
  alarm_actions      = var.alarm_actions
  network            = module.network
}
