mock_provider "aws" {
  source = "../../mocks/aws"
}

mock_provider "awscc" {
  source = "../../mocks/awscc"
}

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

run "each_tenant_has_everything_of_its_own" {
  command = apply

  assert {
    condition     = output.issuers == { clinic-a = "https://auth.clinic-a.example.org", clinic-b = "https://auth.clinic-b.example.org" }
    error_message = "Each tenant has an issuer of its own."
  }
  assert {
    condition     = alltrue([for name, endpoints in output.oauth_endpoints : endpoints.token_endpoint == "https://auth.${name}.example.org/token"])
    error_message = "Each data store sends apps to its own tenant's Admit."
  }
}

run "two_tenants_with_one_host" {
  command = plan

  variables {
    tenants = {
      clinic-a = { domain_name = "auth.example.org" }
      clinic-b = { domain_name = "auth.example.org" }
    }
  }

  expect_failures = [var.tenants]
}

run "a_name_that_is_none" {
  command = plan

  variables {
    tenants = { "Clinic A" = { domain_name = "auth.example.org" } }
  }

  expect_failures = [var.tenants]
}

run "a_url_that_is_no_data_store" {
  command = plan

  variables {
    tenants = { clinic-a = { domain_name = "auth.example.org", datastore_endpoint = "https://fhir.example.org/r4/" } }
  }

  expect_failures = [var.tenants]
}
