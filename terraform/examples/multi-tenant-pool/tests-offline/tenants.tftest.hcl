# Against stand-in providers, which give each data store an id of its own. Never run this with the real providers: it would deploy.
variables {
  tenants       = ["clinic-a", "clinic-b"]
  domain_name   = "auth.example.org"
  zone_id       = "Z0123456789ABCDEFGHIJ"
  image         = "123456789012.dkr.ecr.us-east-1.amazonaws.com/admit:1.0.0"
  validator_zip = "../../modules/validator/tests/files/admit-validator-arm64.zip"
}

run "first" {
  command = apply

  assert {
    condition     = length(distinct(values(output.datastore_endpoints))) == 2
    error_message = "Each tenant has a data store."
  }
  assert {
    condition = alltrue([
      for tenant, endpoint in output.datastore_endpoints :
      strcontains(output.next_steps, "fhir-base add ${tenant} --url ${trimsuffix(endpoint, "/")} --audience ${endpoint} ")
    ])
    error_message = "Admit is told of each tenant's data store."
  }
}

run "another_tenant" {
  command = apply

  variables {
    tenants             = ["clinic-a", "clinic-b", "clinic-c"]
    datastore_endpoints = run.first.datastore_endpoints
  }

  assert {
    condition = alltrue([
      for tenant in ["clinic-a", "clinic-b"] : output.datastore_endpoints[tenant] == run.first.datastore_endpoints[tenant]
    ])
    error_message = "Another tenant changes nothing of those who are there."
  }
  assert {
    condition     = toset(local.known_arns) == toset([for tenant in ["clinic-a", "clinic-b"] : module.healthlake[tenant].datastore_arn])
    error_message = "The roles open what the validator has been told of, and not the new data store."
  }
}
