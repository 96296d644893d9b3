output "issuer" {
  description = "Admit's URL."
  value       = module.admit.issuer
}

output "datastore_endpoints" {
  description = "The FHIR base of each tenant's data store."
  value       = local.endpoints
}

output "oauth_endpoints" {
  description = "Where apps send people, and where they ask for tokens."
  value = {
    for name, url in jsondecode(values(module.healthlake)[0].metadata) : name => url if endswith(name, "_endpoint") || name == "jwks_uri"
  }
}

output "update_commands" {
  description = "Gives a data store its identity configuration anew, in place."
  value       = { for tenant, store in module.healthlake : tenant => store.update_command }
}

output "needs_update" {
  description = "The tenants whose data stores have another identity configuration than they ought to have."
  value       = [for tenant, store in module.healthlake : tenant if store.needs_update]
}

output "next_steps" {
  description = "What to do after the first apply, and after each that brings a tenant: terraform output -raw next_steps."
  value       = <<-TEXT
    # Let yourself into a task, for as long as this takes.
    terraform apply -var enable_execute_command=true
    admit() {
      aws ecs execute-command --region ${var.region} --cluster ${module.admit.cluster_name} --container admit --interactive --command "/admit $1" \
        --task "$(aws ecs list-tasks --region ${var.region} --cluster ${module.admit.cluster_name} --service-name ${module.admit.service_name} --query 'taskArns[0]' --output text)"
    }

    # Tell Admit of the data stores. Name at each app which of them it may use.
    %{for tenant, endpoint in local.endpoints~}
    admit "fhir-base add ${tenant} --url ${trimsuffix(endpoint, "/")} --audience ${endpoint} --patients-from fhir"
    %{endfor~}
    admit "client create growth-chart --name 'Growth chart' --redirect-uri https://app.example.org/callback --scope 'openid fhirUser launch/patient patient/*.rs' --fhir-base ${keys(local.endpoints)[0]}"
    admit "user create dr.example --name 'Dr. Example' --fhir-user Practitioner/example"

    # Tell the validator of the data stores, and close the way into the tasks.
    terraform output -json datastore_endpoints | sed 's/^/{"datastore_endpoints":/; s/$/}/' >datastores.auto.tfvars.json
    terraform apply
  TEXT
}
