name         = "admit-example"
resource_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/admit-example/0123456789abcdef"
