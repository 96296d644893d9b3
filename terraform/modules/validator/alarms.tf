locals {
  has_metrics = var.metrics_namespace != "off"

  # Lambda's own metrics. A REST API wants its 401 as a function error: those are no alarm.
  function_alarms = var.alarms ? merge(
    { throttles = { metric = "Throttles", why = "Requests were refused because no copy of the function was free" } },
    var.fhir_base != null ? {} : { errors = { metric = "Errors", why = "The function broke or ran out of time: those requests were refused" } },
  ) : {}
}

resource "aws_cloudwatch_metric_alarm" "duration" {
  count = var.alarms ? 1 : 0

  alarm_name          = "${local.function_name}-duration"
  alarm_description   = "HealthLake gives up after one second, the way there included"
  namespace           = "AWS/Lambda"
  metric_name         = "Duration"
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  extended_statistic  = "p99"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.duration_alarm_ms
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "function" {
  for_each = local.function_alarms

  alarm_name          = "${local.function_name}-${each.key}"
  alarm_description   = each.value.why
  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "refusals" {
  for_each = var.alarms && local.has_metrics ? var.refusal_alarms : {}

  alarm_name        = "${local.function_name}-refused-${replace(each.key, "_", "-")}"
  alarm_description = "Tokens were refused because of ${each.key}: docs/validator.md says what that means and what to do"
  namespace         = var.metrics_namespace
  metric_name       = "Decisions"
  dimensions = {
    FunctionName = aws_lambda_function.this.function_name
    Decision     = "refuse"
    Reason       = each.key
  }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "unconfirmed" {
  count = var.alarms && local.has_metrics ? 1 : 0

  alarm_name          = "${local.function_name}-unconfirmed"
  alarm_description   = "Tokens passed although their issuer could not be asked whether they were revoked"
  namespace           = var.metrics_namespace
  metric_name         = "Unconfirmed"
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags
}
