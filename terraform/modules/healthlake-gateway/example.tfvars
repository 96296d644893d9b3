name               = "clinic"
datastore_endpoint = "https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef0123456789abcdef/r4/"
discovery_url      = "https://auth.example.org/fhir-bases/lake/.well-known/smart-configuration"
domain = {
  name            = "fhir.example.org"
  certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-4333-8444-555555555555"
  zone_id         = "Z0123456789ABCDEFGHIJ"
}
