output "issuer" {
  description = "Admit's URL."
  value       = module.admit.issuer
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

output "audit_bucket" {
  description = "The archive of the audit trail."
  value       = module.observability.audit_bucket
}

output "next_steps" {
  description = "What to do after the first apply: terraform output -raw next_steps."
  value       = <<-TEXT
    # Let yourself into a task, for as long as this takes.
    terraform apply -var enable_execute_command=true
    admit() {
      aws ecs execute-command --region ${var.region} --cluster ${module.admit.cluster_name} --container admit --interactive --command "/admit $1" \
        --task "$(aws ecs list-tasks --region ${var.region} --cluster ${module.admit.cluster_name} --service-name ${module.admit.service_name} --query 'taskArns[0]' --output text)"
    }

    # Tell Admit of the data store, and let a person and an app in.
    admit "fhir-base add main --url ${trimsuffix(module.healthlake.datastore_endpoint, "/")} --audience ${module.healthlake.datastore_endpoint} --patients-from fhir"
    admit "user create dr.example --name 'Dr. Example' --fhir-user Practitioner/example"
    admit "client create growth-chart --name 'Growth chart' --redirect-uri https://app.example.org/callback --scope 'openid fhirUser launch/patient patient/*.rs'"

    # Compare what the data store publishes with what Admit does.
    admit "healthlake check main"

    # Tell the validator of the data store, and close the way into the tasks.
    echo 'datastore_endpoint = "${module.healthlake.datastore_endpoint}"' >>terraform.tfvars
    terraform apply
  TEXT
}
