mock_provider "aws" {
  source = "./tests/mocks/aws"

  override_data {
    target = module.cognito.data.aws_region.current
    values = { region = "us-east-1" }
  }

  override_data {
    target = module.validator.data.aws_region.current
    values = { region = "us-east-1" }
  }

  override_data {
    target = module.healthlake.data.aws_region.current
    values = { region = "us-east-1" }
  }
}

mock_provider "awscc" {
  source = "./tests/mocks/awscc"
}

variables {
  domain_prefix = "clinic-smart"
  callback_urls = ["http://localhost:4000/callback"]
  validator_zip = "../../modules/validator/tests/files/admit-validator-arm64.zip"
}

run "pool_validator_and_data_store_fit" {
  command = apply

  assert {
    condition     = jsondecode(module.healthlake.metadata).issuer == module.cognito.issuer && jsondecode(module.healthlake.metadata).token_endpoint == output.oauth_endpoints.token
    error_message = "The data store publishes the pool's endpoints."
  }
  assert {
    condition     = strcontains(module.healthlake.identity_provider_configuration, module.validator.alias_arn)
    error_message = "The data store asks the validator."
  }
  assert {
    condition     = !output.needs_update
    error_message = "The data store has what it ought to have."
  }
}

run "the_data_store_is_written_down_afterwards" {
  command = apply

  variables {
    datastore_endpoint = "https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef0123456789abcdef/r4/"
  }

  assert {
    condition     = output.datastore_endpoint == run.pool_validator_and_data_store_fit.datastore_endpoint && !output.needs_update
    error_message = "The data store does not notice."
  }
}

run "another_url_is_no_data_store" {
  command = plan

  variables {
    datastore_endpoint = "https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef0123456789abcdef"
  }

  expect_failures = [var.datastore_endpoint]
}
