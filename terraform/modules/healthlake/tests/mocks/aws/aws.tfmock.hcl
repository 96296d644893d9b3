# What AWS would choose, well-formed: the modules look at such values.

mock_data "aws_region" {
  defaults = {
    description = "US East (N. Virginia)"
    id          = "us-east-1"
  }
}
