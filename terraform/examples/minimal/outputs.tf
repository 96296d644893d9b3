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

output "next_steps" {
  description = "What to do after the first apply: terraform output -raw next_steps."
  value       = <<-TEXT
    # A shell on the instance.
    aws ssm start-session --region ${var.region} --target ${module.admit.instance_id}
    admit() { sudo docker exec --interactive --tty admit /admit "$@"; }

    # Tell Admit of the data store, and let a person and an app in.
    admit fhir-base add main --url ${trimsuffix(module.healthlake.datastore_endpoint, "/")} --audience ${module.healthlake.datastore_endpoint} --patients-from fhir
    admit user create dr.example --name 'Dr. Example' --fhir-user Practitioner/example
    admit client create growth-chart --name 'Growth chart' --redirect-uri https://app.example.org/callback --scope 'openid fhirUser launch/patient patient/*.rs'

    # Compare what the data store publishes with what Admit does, and leave the instance.
    admit healthlake check main
    exit

    # Tell the validator of the data store.
    echo 'datastore_endpoint = "${module.healthlake.datastore_endpoint}"' >>terraform.tfvars
    terraform apply
  TEXT
}
