# Well-formed values for what the cloud would choose: Terraform's own are random text, which is no ARN.

mock_resource "aws_cloudwatch_log_group" {
  defaults = {
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:terraform-ec864fe99b53"
    id  = "terraform-ec864fe99b53"
  }
}

mock_resource "aws_wafv2_web_acl" {
  defaults = {
    arn        = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/mock-name/ec864fe9-9b53-4704-8887-2ac591067ef2"
    capacity   = 700
    id         = "ec864fe9-9b53-4704-8887-2ac591067ef2"
    lock_token = "ec864fe9-9b53-4704-8887-2ac591067ef2"
  }
}
