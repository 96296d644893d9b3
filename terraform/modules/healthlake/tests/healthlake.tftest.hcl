mock_provider "aws" {
  source = "./tests/mocks/aws"

  override_data {
    target = data.aws_region.current
    values = { region = "us-east-1" }
  }
}

mock_provider "awscc" {
  source = "./tests/mocks/awscc"
}

variables {
  name           = "clinic"
  issuer         = "https://auth.example.org"
  idp_lambda_arn = "arn:aws:lambda:us-east-1:123456789012:function:clinic-validator:live"
}

run "the_data_store_asks_the_validator" {
  command = apply

  assert {
    condition     = awscc_healthlake_fhir_datastore.this.identity_provider_configuration.idp_lambda_arn == var.idp_lambda_arn
    error_message = "HealthLake asks the alias."
  }
  assert {
    condition     = awscc_healthlake_fhir_datastore.this.identity_provider_configuration.authorization_strategy == "SMART_ON_FHIR" && awscc_healthlake_fhir_datastore.this.identity_provider_configuration.fine_grained_authorization_enabled
    error_message = "The data store speaks SMART, v1 and v2, with fine-grained authorization."
  }
  assert {
    condition     = jsondecode(awscc_healthlake_fhir_datastore.this.identity_provider_configuration.metadata) == jsondecode(replace(file("./metadata/SMART_ON_FHIR.json"), "https://issuer.example", "https://auth.example.org"))
    error_message = "The metadata are the server's, about this issuer."
  }
  assert {
    condition     = !strcontains(output.metadata, "issuer.example") && jsondecode(output.metadata).token_endpoint == "https://auth.example.org/token"
    error_message = "Nothing of the model issuer is left."
  }
  assert {
    condition     = contains(jsondecode(output.metadata).capabilities, "permission-v2")
    error_message = "v2 scopes are claimed."
  }
  assert {
    condition     = awscc_healthlake_fhir_datastore.this.sse_configuration.kms_encryption_config.cmk_type == "AWS_OWNED_KMS_KEY"
    error_message = "Without a key of the customer's it is AWS's."
  }
  assert {
    condition     = !output.needs_update
    error_message = "A new data store has what it ought to have."
  }
}

# The same state as before: an edit is neither a change nor a replacement, and says how it is made.
run "an_edit_leaves_the_data_store_alone" {
  command = apply

  variables {
    issuer                     = "https://login.example.org"
    authorization_strategy     = "SMART_ON_FHIR_V1"
    fine_grained_authorization = false
    idp_lambda_arn             = "arn:aws:lambda:us-east-1:123456789012:function:other:live"
    kms_key_arn                = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555"
    preload_synthea            = true
  }

  assert {
    condition     = awscc_healthlake_fhir_datastore.this.identity_provider_configuration.metadata == run.the_data_store_asks_the_validator.metadata
    error_message = "The data store keeps its metadata."
  }
  assert {
    condition     = awscc_healthlake_fhir_datastore.this.identity_provider_configuration.authorization_strategy == "SMART_ON_FHIR" && endswith(awscc_healthlake_fhir_datastore.this.identity_provider_configuration.idp_lambda_arn, ":clinic-validator:live")
    error_message = "The data store keeps its strategy and its function."
  }
  assert {
    condition     = awscc_healthlake_fhir_datastore.this.sse_configuration.kms_encryption_config.cmk_type == "AWS_OWNED_KMS_KEY"
    error_message = "The data store keeps its encryption."
  }
  assert {
    condition     = output.needs_update
    error_message = "That the data store is not as it ought to be is said."
  }
  assert {
    condition = jsondecode(output.identity_provider_configuration) == {
      AuthorizationStrategy           = "SMART_ON_FHIR_V1"
      FineGrainedAuthorizationEnabled = false
      IdpLambdaArn                    = "arn:aws:lambda:us-east-1:123456789012:function:other:live"
      Metadata                        = output.metadata
    }
    error_message = "The update holds the whole configuration: what it leaves out, HealthLake clears."
  }
  assert {
    condition     = output.update_command == "aws healthlake update-fhir-datastore --region us-east-1 --datastore-id ${output.datastore_id} --identity-provider-configuration '${output.identity_provider_configuration}'"
    error_message = "The command can be run as it is."
  }
}

run "v1_claims_no_v2_scopes" {
  command = plan

  variables {
    authorization_strategy = "SMART_ON_FHIR_V1"
  }

  assert {
    condition     = !anytrue([for capability in jsondecode(output.metadata).capabilities : startswith(capability, "permission-v2")])
    error_message = "HealthLake would refuse v2 scopes under this strategy."
  }
  assert {
    condition     = alltrue([for scope in jsondecode(output.metadata).scopes_supported : !endswith(scope, ".rs") && !endswith(scope, ".cruds")])
    error_message = "No v2 scope is offered."
  }
}

run "metadata_of_ones_own" {
  command = plan

  variables {
    metadata = <<-EOT
      {
        "authorization_endpoint": "https://idp.example.org/a'b", "token_endpoint": "https://idp.example.org/token",
        "grant_types_supported": ["client_credentials"], "capabilities": ["permission-v1"], "code_challenge_methods_supported": ["S256"]
      }
    EOT
  }

  assert {
    condition     = jsondecode(output.metadata).authorization_endpoint == "https://idp.example.org/a'b" && length(jsondecode(output.metadata)) == 5
    error_message = "They are taken as they are."
  }
  assert {
    condition     = strcontains(output.update_command, "idp.example.org/a'\\''b")
    error_message = "A quote does not end the command's argument."
  }
}
