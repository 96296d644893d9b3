# Against stand-in providers, which give each data store an id of its own. Never run this with the real providers: it would deploy.
variables {
  tenants = {
    clinic-a = { domain_name = "auth.clinic-a.example.org" }
    clinic-b = { domain_name = "auth.clinic-b.example.org" }
  }
  zone_id          = "Z0123456789ABCDEFGHIJ"
  image            = "123456789012.dkr.ecr.us-east-1.amazonaws.com/admit:1.0.0"
  backup_recipient = "age14z8jhe7w6kw2q6asdjyas50pcjpg9a27mw5vw67xy9qrq7nak9asualnj7"
  validator_zip    = "../../modules/validator/tests/files/admit-validator-arm64.zip"
}

run "first" {
  command = apply

  assert {
    condition     = length(distinct(values(output.datastore_endpoints))) == 2
    error_message = "Each tenant has a data store."
  }
  assert {
    condition = alltrue([
      for name, steps in output.next_steps : alltrue([
        for owner, endpoint in output.datastore_endpoints :
        strcontains(steps, "--audience ${endpoint} ") == (name == owner) && strcontains(steps, "datastore_endpoint = \"${endpoint}\"") == (name == owner)
      ])
    ])
    error_message = "Each Admit, and each validator, is told of its own data store and of no other."
  }
  assert {
    condition = alltrue([
      for name, command in output.update_commands : alltrue([
        for owner in keys(output.update_commands) :
        strcontains(command, "function:admit-${owner}-validator:live") == (name == owner) && strcontains(command, "https://auth.${owner}.example.org/") == (name == owner)
      ])
    ])
    error_message = "Each data store asks its own tenant's validator, and publishes its own tenant's Admit."
  }
}

run "second" {
  command = apply

  variables {
    tenants = {
      for name in ["clinic-a", "clinic-b"] : name => {
        domain_name        = "auth.${name}.example.org"
        datastore_endpoint = run.first.datastore_endpoints[name]
      }
    }
  }

  assert {
    condition     = output.datastore_endpoints == run.first.datastore_endpoints
    error_message = "The validators have been told of the data stores, and those are others now."
  }
}
