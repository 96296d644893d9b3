mock_provider "aws" {
  source = "./tests/mocks/aws"
}

variables {
  name         = "admit"
  resource_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/admit/0123456789abcdef"
}

run "each_address_has_its_limits" {
  command = apply

  assert {
    condition = {
      for rule in aws_wafv2_web_acl.this.rule : rule.name => {
        limit = rule.statement[0].rate_based_statement[0].limit
        by    = rule.statement[0].rate_based_statement[0].aggregate_key_type
        path  = try(rule.statement[0].rate_based_statement[0].scope_down_statement[0].byte_match_statement[0].search_string, "")
        code  = rule.action[0].block[0].custom_response[0].response_code
      } if length(rule.statement[0].rate_based_statement) > 0
      } == {
      all   = { limit = 10000, by = "IP", path = "", code = 429 }
      login = { limit = 300, by = "IP", path = "/login", code = 429 }
      token = { limit = 3000, by = "IP", path = "/token", code = 429 }
    }
    error_message = "The limits are other ones."
  }
  assert {
    condition     = aws_wafv2_web_acl_association.this.resource_arn == var.resource_arn && aws_wafv2_web_acl_association.this.web_acl_arn == aws_wafv2_web_acl.this.arn
    error_message = "The rules are in front of nothing."
  }
}

run "managed_rules_count_until_somebody_says_otherwise" {
  command = plan

  assert {
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : length(rule.override_action[0].count) == 1 if startswith(rule.name, "AWS")]) && length([for rule in aws_wafv2_web_acl.this.rule : rule if startswith(rule.name, "AWS")]) == 3
    error_message = "Three groups of rules, all of which only count."
  }
}

run "what_would_break_oauth_never_blocks" {
  command = plan

  variables {
    block_by_managed_rules = true
  }

  assert {
    condition = { for rule in aws_wafv2_web_acl.this.rule : rule.name => length(rule.override_action[0].none) == 1 && length(rule.override_action[0].count) == 0 if startswith(rule.name, "AWS") } == {
      AWSManagedRulesAmazonIpReputationList = true
      AWSManagedRulesCommonRuleSet          = false
      AWSManagedRulesKnownBadInputsRuleSet  = true
    }
    error_message = "The common rules block a redirect URI in a query, or the others do not block."
  }
}

run "nothing_that_opens_something_is_logged" {
  command = plan

  assert {
    condition     = length([for field in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : field if length(field.query_string) == 1]) == 1 && toset(flatten([for field in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : field.single_header[*].name])) == toset(["authorization", "cookie"])
    error_message = "Queries, client secrets or cookies are logged."
  }
  assert {
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : rule.visibility_config[0].sampled_requests_enabled == false]) && aws_wafv2_web_acl.this.visibility_config[0].sampled_requests_enabled == false
    error_message = "Requests are sampled, with their query strings."
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    name               = "1"
    resource_arn       = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/admit/0123456789abcdef"
    limits             = { login = 5 }
    log_retention_days = 10
    kms_key_arn        = "alias/admit"
  }

  expect_failures = [var.name, var.resource_arn, var.limits, var.log_retention_days, var.kms_key_arn]
}
