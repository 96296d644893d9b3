locals {
  # Paths that cost something, or that somebody could guess at. What comes first is asked first.
  path_limits = {
    login = { path = "/login", limit = var.limits.login, priority = 10 }
    token = { path = "/token", limit = var.limits.token, priority = 11 }
  }

  # The rules of Amazon. The common ones only count, always: to them a redirect URI in a query is an attack, and so is the body of a
  # client that proves itself by a key, which has several kilobytes.
  managed_rules = {
    AWSManagedRulesAmazonIpReputationList = { priority = 30, blocks = var.block_by_managed_rules }
    AWSManagedRulesKnownBadInputsRuleSet  = { priority = 31, blocks = var.block_by_managed_rules }
    AWSManagedRulesCommonRuleSet          = { priority = 32, blocks = false }
  }
}

resource "aws_wafv2_web_acl" "this" {
  #checkov:skip=CKV_AWS_192:AWSManagedRulesKnownBadInputsRuleSet is below, in a dynamic block that checkov does not read; and there is no Java in Admit.
  name        = var.name
  description = "In front of Admit"
  scope       = "REGIONAL"
  tags        = var.tags

  default_action {
    allow {}
  }

  # For one address, in five minutes.
  dynamic "rule" {
    for_each = local.path_limits

    content {
      name     = rule.key
      priority = rule.value.priority

      action {
        block {
          custom_response {
            response_code = 429
          }
        }
      }

      statement {
        rate_based_statement {
          aggregate_key_type = "IP"
          limit              = rule.value.limit

          scope_down_statement {
            byte_match_statement {
              search_string         = rule.value.path
              positional_constraint = "STARTS_WITH"

              field_to_match {
                uri_path {}
              }

              text_transformation {
                priority = 0
                type     = "NORMALIZE_PATH"
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${var.name}-${rule.key}"
        # What is sampled has query strings in it, and launches in those.
        sampled_requests_enabled = false
      }
    }
  }

  rule {
    name     = "all"
    priority = 20

    action {
      block {
        custom_response {
          response_code = 429
        }
      }
    }

    statement {
      rate_based_statement {
        aggregate_key_type = "IP"
        limit              = var.limits.all
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${var.name}-all"
      sampled_requests_enabled   = false
    }
  }

  dynamic "rule" {
    for_each = local.managed_rules

    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        dynamic "none" {
          for_each = rule.value.blocks ? ["it blocks"] : []

          content {}
        }
        dynamic "count" {
          for_each = rule.value.blocks ? [] : ["it counts"]

          content {}
        }
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${var.name}-${rule.key}"
        sampled_requests_enabled   = false
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.name
    sampled_requests_enabled   = false
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  resource_arn = var.resource_arn
  web_acl_arn  = aws_wafv2_web_acl.this.arn
}

# --- what was blocked ---------------------------------------------------

# WAF demands this beginning of the name.
resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:Who was blocked is of use for as long as somebody looks for a fault.
  name              = "aws-waf-logs-${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.this.arn]

  # What opens something: launches in the query, secrets of clients and cookies of people in headers.
  redacted_fields {
    query_string {}
  }
  redacted_fields {
    single_header {
      name = "authorization"
    }
  }
  redacted_fields {
    single_header {
      name = "cookie"
    }
  }

  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }
      condition {
        action_condition {
          action = "COUNT"
        }
      }
      condition {
        action_condition {
          action = "EXCLUDED_AS_COUNT"
        }
      }
    }
  }
}
