output "datastore_endpoint" {
  description = "FHIR base URL of the data store."
  value       = module.healthlake.datastore_endpoint
}

output "oauth_endpoints" {
  description = "Where apps go."
  value       = module.cognito.oauth_endpoints
}

output "scopes" {
  description = "What apps may ask for, besides openid and profile."
  value       = module.cognito.scopes
}

output "app_client_id" {
  description = "The public client: authorization code with PKCE."
  value       = module.cognito.app_client_id
}

output "service_client_id" {
  description = "The confidential client: client_credentials."
  value       = module.cognito.service_client_id
}

output "service_client_secret" {
  description = "Its secret."
  value       = module.cognito.service_client_secret
  sensitive   = true
}

output "test_user_password_command" {
  description = "Asks for the test user's password and gives it to Cognito."
  value       = module.cognito.test_user_password_command
}

output "needs_update" {
  description = "Whether the data store has another configuration than it ought to have: run update_command."
  value       = module.healthlake.needs_update
}

output "update_command" {
  description = "Changes the data store's configuration in place."
  value       = module.healthlake.update_command
}
