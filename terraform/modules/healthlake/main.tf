data "aws_region" "current" {}

locals {
  metadata = jsondecode(var.metadata != null ? var.metadata : replace(
    file("${path.module}/metadata/${var.authorization_strategy}.json"), "https://issuer.example", var.issuer
  ))

  # What the data store ought to have, as UpdateFHIRDatastore takes it.
  wanted = {
    AuthorizationStrategy           = var.authorization_strategy
    FineGrainedAuthorizationEnabled = var.fine_grained_authorization
    IdpLambdaArn                    = var.idp_lambda_arn
    Metadata                        = jsonencode(local.metadata)
  }

  # What it has.
  found = awscc_healthlake_fhir_datastore.this.identity_provider_configuration
}

resource "awscc_healthlake_fhir_datastore" "this" {
  datastore_name         = var.name
  datastore_type_version = "R4"

  identity_provider_configuration = {
    authorization_strategy             = local.wanted.AuthorizationStrategy
    fine_grained_authorization_enabled = local.wanted.FineGrainedAuthorizationEnabled
    idp_lambda_arn                     = local.wanted.IdpLambdaArn
    metadata                           = local.wanted.Metadata
  }

  sse_configuration = {
    kms_encryption_config = {
      cmk_type   = var.kms_key_arn == null ? "AWS_OWNED_KMS_KEY" : "CUSTOMER_MANAGED_KMS_KEY"
      kms_key_id = var.kms_key_arn
    }
  }

  preload_data_config = var.preload_synthea ? { preload_data_type = "SYNTHEA" } : null

  tags = [for key, value in var.tags : { key = key, value = value }]

  lifecycle {
    # A replacement takes the patients' records with it. There is no variable for this: whoever means it edits this line.
    prevent_destroy = true

    # The provider replaces the data store where one of these changes, and some of them read back otherwise than they were
    # written. The first is changed in place, with the output update_command; the others cannot be changed at all.
    ignore_changes = [identity_provider_configuration, preload_data_config, sse_configuration]
  }
}
