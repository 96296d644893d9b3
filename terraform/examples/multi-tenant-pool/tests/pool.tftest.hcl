mock_provider "aws" {
  source = "../../mocks/aws"
}

mock_provider "awscc" {
  source = "../../mocks/awscc"
}

variables {
  tenants       = ["clinic-a", "clinic-b"]
  domain_name   = "auth.example.org"
  zone_id       = "Z0123456789ABCDEFGHIJ"
  image         = "123456789012.dkr.ecr.us-east-1.amazonaws.com/admit:1.0.0"
  validator_zip = "../../modules/validator/tests/files/admit-validator-arm64.zip"
}

run "each_tenant_has_a_data_store" {
  command = apply

  assert {
    condition     = toset(keys(output.datastore_endpoints)) == toset(["clinic-a", "clinic-b"])
    error_message = "There is a data store for each tenant."
  }
  assert {
    condition = alltrue([
      for store in values(module.healthlake) : jsondecode(store.identity_provider_configuration).IdpLambdaArn == module.validator.alias_arn
    ])
    error_message = "All data stores ask the one validator."
  }
  assert {
    condition     = output.oauth_endpoints.token_endpoint == "https://auth.example.org/token"
    error_message = "All tenants have the one Admit."
  }
}

run "a_data_store_of_nobody" {
  command = plan

  variables {
    datastore_endpoints = { clinic-c = "https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef0123456789abcdef/r4/" }
  }

  expect_failures = [var.datastore_endpoints]
}

run "a_url_that_is_no_data_store" {
  command = plan

  variables {
    datastore_endpoints = { clinic-a = "https://fhir.example.org/r4/" }
  }

  expect_failures = [var.datastore_endpoints]
}

run "a_name_that_is_none" {
  command = plan

  variables {
    tenants = ["Clinic A"]
  }

  expect_failures = [var.tenants]
}
