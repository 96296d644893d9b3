# Written by `tfcheck mocks`: well-formed values for what the cloud would choose.

mock_data "aws_region" {
  defaults = {
    description = "US East (N. Virginia)"
    id          = "us-east-1"
  }
}
