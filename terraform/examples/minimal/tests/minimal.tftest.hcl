mock_provider "aws" {
  source = "../../mocks/aws"
}

mock_provider "awscc" {
  source = "../../mocks/awscc"
}

variables {
  domain_name      = "auth.example.org"
  zone_id          = "Z0123456789ABCDEFGHIJ"
  image            = "123456789012.dkr.ecr.us-east-1.amazonaws.com/admit:1.0.0"
  backup_recipient = "age14z8jhe7w6kw2q6asdjyas50pcjpg9a27mw5vw67xy9qrq7nak9asualnj7"
  validator_zip    = "../../modules/validator/tests/files/admit-validator-arm64.zip"
}

run "one_apply_makes_everything" {
  command = apply

  assert {
    condition     = output.issuer == "https://auth.example.org" && jsondecode(module.healthlake.metadata).issuer == output.issuer
    error_message = "The data store publishes the metadata of this Admit."
  }
  assert {
    condition     = jsondecode(module.healthlake.identity_provider_configuration).IdpLambdaArn == module.validator.alias_arn
    error_message = "The data store asks the alias of the validator."
  }
  assert {
    condition = alltrue([
      for name, url in output.oauth_endpoints : startswith(url, "https://auth.example.org/")
      ]) && length(setsubtract(
      ["authorization_endpoint", "token_endpoint", "introspection_endpoint", "revocation_endpoint", "jwks_uri"], keys(output.oauth_endpoints)
    )) == 0
    error_message = "The endpoints are all there, and all Admit's."
  }
  assert {
    condition     = strcontains(output.next_steps, "--url ${trimsuffix(output.datastore_endpoint, "/")} --audience ${output.datastore_endpoint} ")
    error_message = "Admit is told of the data store: by a URL without a slash at its end, and as the audience that HealthLake names."
  }
  assert {
    condition     = strcontains(output.next_steps, "datastore_endpoint = \"${output.datastore_endpoint}\"")
    error_message = "The validator is told of the data store as well."
  }
  assert {
    condition     = strcontains(output.next_steps, "--target ${module.admit.instance_id}\n")
    error_message = "The commands go to Admit's own instance."
  }
}

run "another_url_is_no_data_store" {
  command = plan

  variables {
    datastore_endpoint = "https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef0123456789abcdef"
  }

  expect_failures = [var.datastore_endpoint]
}
