# What AWS would choose, well-formed: the modules look at such values.

mock_resource "awscc_healthlake_fhir_datastore" {
  defaults = {
    created_at         = { seconds = "1704067200", nanos = 0 }
    datastore_arn      = "arn:aws:healthlake:us-east-1:123456789012:datastore/fhir/ec864fe99b539704b8872ac591067ef2"
    datastore_endpoint = "https://healthlake.us-east-1.amazonaws.com/datastore/ec864fe99b539704b8872ac591067ef2/r4/"
    datastore_id       = "ec864fe99b539704b8872ac591067ef2"
    datastore_status   = "ACTIVE"
    id                 = "ec864fe99b539704b8872ac591067ef2"
  }
}
