# Against stand-in providers, which know what forces a replacement and give each new data store another id. Never run this with
# the real providers: it would deploy.
variables {
  name           = "clinic"
  issuer         = "https://auth.example.org"
  idp_lambda_arn = "arn:aws:lambda:us-east-1:123456789012:function:clinic-validator:live"
}

run "a_data_store" {
  command = apply
}

run "no_edit_replaces_it" {
  command = apply

  variables {
    issuer                     = "https://login.example.org"
    authorization_strategy     = "SMART_ON_FHIR_V1"
    fine_grained_authorization = false
    kms_key_arn                = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555"
    preload_synthea            = true
  }

  assert {
    condition     = output.datastore_id == run.a_data_store.datastore_id && output.datastore_endpoint == run.a_data_store.datastore_endpoint
    error_message = "It is the same data store, with the same records."
  }
  assert {
    condition     = awscc_healthlake_fhir_datastore.this.identity_provider_configuration.metadata == run.a_data_store.metadata
    error_message = "Its metadata are those that it was made with."
  }
}
