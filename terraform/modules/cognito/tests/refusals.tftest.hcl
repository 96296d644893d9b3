# What can be wrong is said before anything is made.
mock_provider "aws" {
  source = "./tests/mocks/aws"
}

variables {
  name          = "clinic"
  domain_prefix = "clinic-smart"
  callback_urls = ["https://app.example.org/callback"]
}

run "a_scope_with_a_slash_within" {
  command = plan
  variables {
    scopes = { user = ["Observation.rs?category=http://example.org|laboratory"] }
  }
  expect_failures = [var.scopes]
}

run "a_scope_that_smart_does_not_know" {
  command = plan
  variables {
    scopes = { user = ["*.sr"] }
  }
  expect_failures = [var.scopes]
}

run "a_scope_that_allows_nothing" {
  command = plan
  variables {
    scopes = { user = ["Patient."] }
  }
  expect_failures = [var.scopes]
}

run "a_level_that_smart_does_not_know" {
  command = plan
  variables {
    scopes = { admin = ["*.rs"] }
  }
  expect_failures = [var.scopes]
}

run "more_scopes_than_the_service_takes" {
  command = plan
  variables {
    scopes = { system = [for number in range(51) : "Observation.rs?code=${number}"] }
  }
  expect_failures = [var.scopes]
}

run "more_scopes_than_the_app_takes" {
  command = plan
  variables {
    scopes = { user = [for number in range(49) : "Observation.rs?code=${number}"] }
  }
  expect_failures = [var.scopes]
}

run "patient_scopes_without_a_patient" {
  command = plan
  variables {
    scopes = { patient = ["*.rs"] }
  }
  expect_failures = [var.scopes]
}

run "a_callback_without_tls" {
  command = plan
  variables {
    callback_urls = ["http://app.example.org/callback"]
  }
  expect_failures = [var.callback_urls]
}

run "no_callback" {
  command = plan
  variables {
    callback_urls = []
  }
  expect_failures = [var.callback_urls]
}

run "a_domain_that_cognito_keeps_for_itself" {
  command = plan
  variables {
    domain_prefix = "my-cognito"
  }
  expect_failures = [var.domain_prefix]
}

run "access_tokens_for_a_day" {
  command = plan
  variables {
    access_token_minutes = 1440
  }
  expect_failures = [var.access_token_minutes]
}

run "a_test_user_that_ends_the_commands_argument" {
  command = plan
  variables {
    test_user = "test'@example.org"
  }
  expect_failures = [var.test_user]
}
