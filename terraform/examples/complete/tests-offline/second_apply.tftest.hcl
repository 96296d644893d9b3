# Against stand-in providers, which give each new data store another id. Never run this with the real providers: it would deploy.
variables {
  domain_name   = "auth.example.org"
  zone_id       = "Z0123456789ABCDEFGHIJ"
  image         = "123456789012.dkr.ecr.us-east-1.amazonaws.com/admit:1.0.0"
  validator_zip = "../../modules/validator/tests/files/admit-validator-arm64.zip"
}

run "first" {
  command = apply
}

run "second" {
  command = apply

  variables {
    datastore_endpoint = run.first.datastore_endpoint
  }

  assert {
    condition     = output.datastore_endpoint == run.first.datastore_endpoint
    error_message = "The validator has been told of the data store, and that is another one now."
  }
  assert {
    condition     = local.known_arns == [module.healthlake.datastore_arn]
    error_message = "The roles open the data store that there is."
  }
}
