# What is decided once, when the data store is made; and what is refused before.
mock_provider "aws" {
  source = "./tests/mocks/aws"
}

mock_provider "awscc" {
  source = "./tests/mocks/awscc"
}

variables {
  name           = "clinic"
  issuer         = "https://auth.example.org"
  idp_lambda_arn = "arn:aws:lambda:us-east-1:123456789012:function:clinic-validator:live"
  metadata       = null
}

run "a_key_of_the_customers" {
  command = plan

  variables {
    kms_key_arn     = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555"
    preload_synthea = true
    tags            = { team = "fhir" }
  }

  assert {
    condition = awscc_healthlake_fhir_datastore.this.sse_configuration.kms_encryption_config == {
      cmk_type   = "CUSTOMER_MANAGED_KMS_KEY"
      kms_key_id = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555"
    }
    error_message = "The key is the customer's."
  }
  assert {
    condition     = awscc_healthlake_fhir_datastore.this.preload_data_config.preload_data_type == "SYNTHEA"
    error_message = "Synthetic records are there where they are asked for."
  }
  assert {
    condition     = awscc_healthlake_fhir_datastore.this.tags[0].key == "team" && awscc_healthlake_fhir_datastore.this.tags[0].value == "fhir"
    error_message = "The tags are the data store's."
  }
}

run "a_key_that_is_no_arn" {
  command = plan
  variables {
    kms_key_arn = "alias/clinic"
  }
  expect_failures = [var.kms_key_arn]
}

run "an_issuer_with_a_slash" {
  command = plan
  variables {
    issuer = "https://auth.example.org/"
  }
  expect_failures = [var.issuer]
}

run "an_issuer_without_tls" {
  command = plan
  variables {
    issuer = "http://auth.example.org"
  }
  expect_failures = [var.issuer]
}

run "an_issuer_that_would_end_the_json" {
  command = plan
  variables {
    issuer = "https://auth.example.org/\",\"x"
  }
  expect_failures = [var.issuer]
}

run "a_strategy_without_smart" {
  command = plan
  variables {
    authorization_strategy = "AWS_AUTH"
  }
  expect_failures = [var.authorization_strategy]
}

run "a_function_that_is_no_arn" {
  command = plan
  variables {
    idp_lambda_arn = "clinic-validator"
  }
  expect_failures = [var.idp_lambda_arn]
}

run "metadata_that_are_no_json" {
  command = plan
  variables {
    metadata = "issuer"
  }
  expect_failures = [var.metadata]
}

run "metadata_without_a_token_endpoint" {
  command = plan
  variables {
    metadata = "{\"authorization_endpoint\":\"https://a.example.org\",\"grant_types_supported\":[\"client_credentials\"],\"capabilities\":[],\"code_challenge_methods_supported\":[\"S256\"]}"
  }
  expect_failures = [var.metadata]
}

run "metadata_without_s256" {
  command = plan
  variables {
    metadata = "{\"authorization_endpoint\":\"https://a.example.org\",\"token_endpoint\":\"https://a.example.org/t\",\"grant_types_supported\":[\"client_credentials\"],\"capabilities\":[],\"code_challenge_methods_supported\":[\"plain\"]}"
  }
  expect_failures = [var.metadata]
}

run "metadata_with_a_grant_that_healthlake_does_not_know" {
  command = plan
  variables {
    metadata = "{\"authorization_endpoint\":\"https://a.example.org\",\"token_endpoint\":\"https://a.example.org/t\",\"grant_types_supported\":[\"password\"],\"capabilities\":[],\"code_challenge_methods_supported\":[\"S256\"]}"
  }
  expect_failures = [var.metadata]
}
