output "issuers" {
  description = "Each tenant's Admit."
  value       = { for name, tenant in module.tenant : name => tenant.issuer }
}

output "datastore_endpoints" {
  description = "The FHIR base of each tenant's data store."
  value       = { for name, tenant in module.tenant : name => tenant.datastore_endpoint }
}

output "oauth_endpoints" {
  description = "For each tenant: where apps send people, and where they ask for tokens."
  value       = { for name, tenant in module.tenant : name => tenant.oauth_endpoints }
}

output "update_commands" {
  description = "Gives a data store its identity configuration anew, in place."
  value       = { for name, tenant in module.tenant : name => tenant.update_command }
}

output "needs_update" {
  description = "The tenants whose data stores have another identity configuration than they ought to have."
  value       = [for name, tenant in module.tenant : name if tenant.needs_update]
}

output "next_steps" {
  description = "What to do for each tenant after the apply that made its data store: terraform output -json next_steps | jq -r '.\"NAME\"'."
  value = {
    for name, tenant in module.tenant : name => <<-TEXT
      # A shell on the tenant's instance.
      aws ssm start-session --region ${var.region} --target ${tenant.instance_id}
      admit() { sudo docker exec --interactive --tty admit /admit "$@"; }

      # Tell this Admit of its data store, and let a person and an app in.
      admit fhir-base add main --url ${trimsuffix(tenant.datastore_endpoint, "/")} --audience ${tenant.datastore_endpoint} --patients-from fhir
      admit user create dr.example --name 'Dr. Example' --fhir-user Practitioner/example
      admit client create growth-chart --name 'Growth chart' --redirect-uri https://app.example.org/callback --scope 'openid fhirUser launch/patient patient/*.rs'

      # Compare what the data store publishes with what this Admit does, and leave the instance.
      admit healthlake check main
      exit

      # Tell the validator of the data store: in terraform.tfvars, add to this tenant
      #   datastore_endpoint = "${tenant.datastore_endpoint}"
      # and apply again.
      terraform apply
    TEXT
  }
}
