output "datastore_id" {
  description = "ID of the data store."
  value       = awscc_healthlake_fhir_datastore.this.datastore_id
}

output "datastore_arn" {
  description = "ARN of the data store."
  value       = awscc_healthlake_fhir_datastore.this.datastore_arn
}

output "datastore_endpoint" {
  description = "FHIR base URL of the data store: the audience of its tokens."
  value       = awscc_healthlake_fhir_datastore.this.datastore_endpoint
}

output "metadata" {
  description = "SMART metadata that the data store ought to publish, as JSON."
  value       = local.wanted.Metadata
}

output "identity_provider_configuration" {
  description = "The whole IdentityProviderConfiguration that the data store ought to have, as JSON for the AWS CLI."
  value       = jsonencode(local.wanted)
}

output "update_command" {
  description = "Changes the data store's configuration in place: terraform output -raw update_command | sh"
  value = join(" ", [
    "aws healthlake update-fhir-datastore",
    "--region ${data.aws_region.current.region}",
    "--datastore-id ${awscc_healthlake_fhir_datastore.this.datastore_id}",
    "--identity-provider-configuration '${replace(jsonencode(local.wanted), "'", "'\\''")}'",
  ])
}

output "needs_update" {
  description = "Whether the data store has another configuration than it ought to have: run update_command."
  value = anytrue([
    local.found.authorization_strategy != local.wanted.AuthorizationStrategy,
    local.found.fine_grained_authorization_enabled != local.wanted.FineGrainedAuthorizationEnabled,
    local.found.idp_lambda_arn != local.wanted.IdpLambdaArn,
    # Spaces and the order of members are no difference.
    try(jsondecode(local.found.metadata), null) != local.metadata,
  ])
}
