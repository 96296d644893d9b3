output "issuer" {
  description = "This tenant's Admit."
  value       = module.admit.issuer
}

output "instance_id" {
  description = "Where it runs."
  value       = module.admit.instance_id
}

output "datastore_endpoint" {
  description = "The FHIR base of the data store."
  value       = module.healthlake.datastore_endpoint
}

output "oauth_endpoints" {
  description = "Where apps send people, and where they ask for tokens."
  value = {
    for name, url in jsondecode(module.healthlake.metadata) : name => url if endswith(name, "_endpoint") || name == "jwks_uri"
  }
}

output "update_command" {
  description = "Gives the data store its identity configuration anew, in place."
  value       = module.healthlake.update_command
}

output "needs_update" {
  description = "Whether the data store has another identity configuration than it ought to have."
  value       = module.healthlake.needs_update
}
