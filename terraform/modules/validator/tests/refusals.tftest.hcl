# What can be wrong is said before anything is made.
mock_provider "aws" {
  source = "./tests/mocks/aws"
}

variables {
  name     = "clinic"
  zip_path = "./tests/files/admit-validator-arm64.zip"
  trust    = [{ issuer = "https://auth.example.org" }]
}

run "a_zip_that_is_not_there" {
  command = plan
  variables {
    zip_path = "./target/lambda/admit-validator-arm64.zip"
  }
  expect_failures = [var.zip_path]
}

run "a_zip_for_another_processor" {
  command = plan
  variables {
    architecture = "x86_64"
  }
  expect_failures = [var.zip_path]
}

run "a_timeout_that_healthlake_does_not_wait_for" {
  command = plan
  variables {
    timeout = 30
  }
  expect_failures = [var.timeout]
}

run "a_name_that_aws_would_not_take" {
  command = plan
  variables {
    name = "Clinic_A"
  }
  expect_failures = [var.name]
}

run "a_misspelt_member_of_trust" {
  command = plan
  variables {
    trust = [{ issuer = "https://auth.example.org", tennant = "clinic-a" }]
  }
  expect_failures = [var.trust]
}

run "a_trust_that_is_no_list" {
  command = plan
  variables {
    trust = { issuer = "https://auth.example.org" }
  }
  expect_failures = [var.trust]
}

run "an_issuer_without_tls" {
  command = plan
  variables {
    trust = [{ issuer = "http://auth.example.org" }]
  }
  expect_failures = [var.trust]
}

run "an_entry_without_an_issuer" {
  command = plan
  variables {
    trust = [{ jwks_uri = "https://auth.example.org/.well-known/jwks.json" }]
  }
  expect_failures = [var.trust]
}

run "a_profile_that_does_not_exist" {
  command = plan
  variables {
    trust = [{ issuer = "https://auth.example.org", profile = "auth0", jwks_uri = "https://auth.example.org/jwks" }]
  }
  expect_failures = [var.trust]
}

run "an_okta_issuer_without_keys" {
  command = plan
  variables {
    trust = [{ issuer = "https://clinic.okta.com/oauth2/default", profile = "okta" }]
  }
  expect_failures = [var.trust]
}

run "keys_without_tls" {
  command = plan
  variables {
    trust = [{ issuer = "https://auth.example.org", jwks_uri = "http://auth.example.org/jwks" }]
  }
  expect_failures = [var.trust]
}

run "a_cognito_pool_without_clients" {
  command = plan
  variables {
    trust = [{ issuer = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEfGhI", profile = "cognito" }]
  }
  expect_failures = [var.trust]
}

run "several_entries_without_data_stores" {
  command = plan
  variables {
    trust = [{ issuer = "https://a.example.org" }, { issuer = "https://b.example.org" }]
  }
  expect_failures = [var.trust]
}

run "two_entries_for_the_same_tokens" {
  command = plan
  variables {
    trust = [
      { issuer = "https://auth.example.org", tenant = "a", datastores = ["https://fhir.example.org/r4"] },
      { issuer = "https://auth.example.org", tenant = "b", datastores = ["https://fhir.example.org/r4"] },
      { issuer = "https://auth.example.org", tenant = "a", datastores = ["https://fhir.example.org/r4/"] },
    ]
  }
  expect_failures = [var.trust]
}

run "a_fhir_base_that_nobody_opens" {
  command = plan
  variables {
    trust     = [{ issuer = "https://auth.example.org", datastores = ["https://lake.example.org/r4"] }]
    fhir_base = "https://fhir.example.org/r4"
  }
  expect_failures = [var.fhir_base]
}

run "audiences_without_data_stores" {
  command = plan
  variables {
    trust = [{ issuer = "https://auth.example.org", audiences = ["api://fhir"] }]
  }
  expect_failures = [var.trust]
}

run "a_role_that_is_no_arn" {
  command = plan
  variables {
    trust = [{ issuer = "https://auth.example.org", read_only_role_arn = "smart" }]
  }
  expect_failures = [var.trust]
}

run "a_secret_in_the_open" {
  command = plan
  variables {
    trust = [{
      issuer        = "https://auth.example.org"
      introspection = { mode = "combined", endpoint = "https://auth.example.org/introspect", client_id = "validator", client_secret = "synthetic" }
    }]
    introspection_client_secret = "synthetic"
  }
  expect_failures = [var.trust]
}

run "introspection_that_lets_everybody_in" {
  command = plan
  variables {
    trust = [{
      issuer        = "https://auth.example.org"
      introspection = { mode = "only", endpoint = "https://auth.example.org/introspect", client_id = "validator", when_unreachable = "allow" }
    }]
    introspection_client_secret = "synthetic"
  }
  expect_failures = [var.trust]
}

run "introspection_without_a_secret" {
  command = plan
  variables {
    trust = [{
      issuer        = "https://auth.example.org"
      introspection = { mode = "combined", endpoint = "https://auth.example.org/introspect", client_id = "validator" }
    }]
  }
  expect_failures = [var.introspection_client_secret]
}

run "a_secret_without_introspection" {
  command = plan
  variables {
    introspection_client_secret = "synthetic"
  }
  expect_failures = [var.introspection_client_secret]
}

run "nobody_who_asks" {
  command = plan
  variables {
    healthlake = false
  }
  expect_failures = [var.healthlake]
}

run "actions_beyond_healthlake" {
  command = plan
  variables {
    additional_actions = ["healthlake:*"]
  }
  expect_failures = [var.additional_actions]
}

run "an_alarm_on_a_reason_that_does_not_exist" {
  command = plan
  variables {
    refusal_alarms = { forged = 1 }
  }
  expect_failures = [var.refusal_alarms]
}

run "days_that_cloudwatch_does_not_know" {
  command = plan
  variables {
    log_retention_days = 100
  }
  expect_failures = [var.log_retention_days]
}

run "more_than_lambda_takes" {
  command = plan
  variables {
    trust = [for number in range(40) : {
      issuer     = "https://auth.example.org/tenants/${number}"
      datastores = ["https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef0123456789abcdef/r4/"]
      role_arn   = "arn:aws:iam::123456789012:role/clinic-${number}"
    }]
  }
  expect_failures = [aws_lambda_function.this]
}
