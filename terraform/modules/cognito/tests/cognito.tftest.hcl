mock_provider "aws" {
  source = "./tests/mocks/aws"

  override_data {
    target = data.aws_region.current
    values = { region = "us-east-1" }
  }
}

variables {
  name          = "clinic"
  domain_prefix = "clinic-smart"
  callback_urls = ["https://app.example.org/callback"]
}

run "scopes_come_out_as_smarts_own" {
  command = apply

  variables {
    scopes = {
      user   = ["*.rs", "Observation.rs?category=laboratory"]
      system = ["*.read"]
      launch = ["encounter"]
    }
  }

  assert {
    condition     = { for level, server in aws_cognito_resource_server.this : server.identifier => toset([for scope in server.scope : scope.scope_name]) } == { user = toset(["*.rs", "Observation.rs?category=laboratory"]), system = toset(["*.read"]), launch = toset(["encounter"]) }
    error_message = "What stands before the slash is a resource server."
  }
  assert {
    condition     = aws_cognito_user_pool_client.app.allowed_oauth_scopes == toset(["openid", "profile", "user/*.rs", "user/Observation.rs?category=laboratory", "launch/encounter"])
    error_message = "A person's app gets no system scope."
  }
  assert {
    condition     = aws_cognito_user_pool_client.service[0].allowed_oauth_scopes == toset(["system/*.read"])
    error_message = "A service gets system scopes alone."
  }
}

run "the_app_is_public_and_the_service_is_not" {
  command = apply

  assert {
    condition     = !aws_cognito_user_pool_client.app.generate_secret && aws_cognito_user_pool_client.app.allowed_oauth_flows == toset(["code"])
    error_message = "The app has the code flow and no secret; there is no implicit flow."
  }
  assert {
    condition     = aws_cognito_user_pool_client.service[0].generate_secret && aws_cognito_user_pool_client.service[0].allowed_oauth_flows == toset(["client_credentials"])
    error_message = "The service has a secret and client_credentials alone."
  }
  assert {
    condition     = aws_cognito_user_pool_client.app.explicit_auth_flows == toset(["ALLOW_REFRESH_TOKEN_AUTH"]) && aws_cognito_user_pool_client.service[0].explicit_auth_flows == toset(["ALLOW_REFRESH_TOKEN_AUTH"])
    error_message = "No client takes passwords."
  }
  assert {
    condition     = aws_cognito_user_pool_client.app.access_token_validity == 15 && one(aws_cognito_user_pool_client.app.token_validity_units).access_token == "minutes"
    error_message = "Access tokens live for a quarter of an hour."
  }
  assert {
    condition     = issensitive(output.service_client_secret)
    error_message = "The secret is not shown."
  }
}

run "the_pool_is_closed" {
  command = apply

  assert {
    condition     = aws_cognito_user_pool.this.admin_create_user_config[0].allow_admin_create_user_only && aws_cognito_user_pool.this.deletion_protection == "ACTIVE" && aws_cognito_user_pool.this.mfa_configuration == "OPTIONAL"
    error_message = "Nobody registers themselves; nobody deletes the pool by mistake; there is a second factor."
  }
  assert {
    condition     = length(aws_cognito_user.test) == 0 && output.test_user_password_command == null
    error_message = "There is no test user unless one is asked for."
  }
}

run "the_test_users_password_is_nowhere_here" {
  command = apply

  variables {
    test_user = "test@example.org"
  }

  assert {
    condition     = aws_cognito_user.test[0].password == null && aws_cognito_user.test[0].temporary_password == null && aws_cognito_user.test[0].message_action == "SUPPRESS"
    error_message = "No password reaches Terraform's state."
  }
  assert {
    condition     = strcontains(output.test_user_password_command, "--user-pool-id ${output.user_pool_id} --username 'test@example.org' --permanent --password \"$password\"")
    error_message = "The command is about this person."
  }
}

run "validator_and_data_store_are_told_of_the_pool" {
  command = apply

  assert {
    condition = output.trust == {
      issuer  = "https://${aws_cognito_user_pool.this.endpoint}"
      profile = "cognito"
      clients = [output.app_client_id, output.service_client_id]
    }
    error_message = "The validator believes these clients alone."
  }
  assert {
    condition     = jsondecode(output.metadata).token_endpoint == "https://clinic-smart.auth.us-east-1.amazoncognito.com/oauth2/token" && jsondecode(output.metadata).jwks_uri == "${output.issuer}/.well-known/jwks.json"
    error_message = "The endpoints are the pool's."
  }
  assert {
    condition     = jsondecode(output.metadata).scopes_supported == ["openid", "profile", "system/*.read", "system/*.rs", "user/*.read", "user/*.rs"]
    error_message = "What is offered is what can be had."
  }
  assert {
    condition     = !anytrue([for capability in jsondecode(output.metadata).capabilities : startswith(capability, "launch") || startswith(capability, "context") || contains(["permission-offline", "permission-patient", "sso-openid-connect"], capability)])
    error_message = "Nothing is claimed that Cognito cannot do."
  }
}

run "a_patient_comes_from_a_function_of_ones_own" {
  command = apply

  variables {
    scopes                          = { patient = ["*.rs"] }
    pre_token_generation_lambda_arn = "arn:aws:lambda:us-east-1:123456789012:function:patient-claim"
  }

  assert {
    condition     = aws_cognito_user_pool.this.lambda_config[0].pre_token_generation_config[0].lambda_version == "V2_0" && aws_cognito_user_pool.this.user_pool_tier == "ESSENTIALS"
    error_message = "Only this version of the event, and this tier, change access tokens."
  }
  assert {
    condition     = aws_lambda_permission.pre_token_generation[0].principal == "cognito-idp.amazonaws.com" && aws_lambda_permission.pre_token_generation[0].source_arn == aws_cognito_user_pool.this.arn
    error_message = "This pool may call it."
  }
  assert {
    condition     = length(aws_cognito_user_pool_client.service) == 0 && output.service_client_secret == null && jsondecode(output.metadata).grant_types_supported == ["authorization_code"]
    error_message = "Without system scopes there is no service."
  }
}
