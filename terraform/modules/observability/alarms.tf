locals {
  log_alarms = {
    for name, metric in local.log_metrics : name => {
      namespace  = local.namespace
      metric     = name
      dimensions = {}
      statistic  = "Sum"
      period     = 300
      periods    = 1
      comparison = "GreaterThanThreshold"
      threshold  = metric.at_most
      missing    = "notBreaching"
      why        = metric.why
    } if metric.at_most != null
  }

  load_balancer = try({ LoadBalancer = var.load_balancer.arn_suffix }, {})
  target_group  = try({ LoadBalancer = var.load_balancer.arn_suffix, TargetGroup = var.load_balancer.target_group_arn_suffix }, {})

  load_balancer_alarms = var.load_balancer == null ? {} : {
    server_errors = {
      namespace  = "AWS/ApplicationELB"
      metric     = "HTTPCode_Target_5XX_Count"
      dimensions = local.target_group
      statistic  = "Sum"
      period     = 300
      periods    = 1
      comparison = "GreaterThanThreshold"
      threshold  = var.thresholds.server_errors
      missing    = "notBreaching"
      why        = "Admit answers with 5xx: look at its log."
    }
    load_balancer_errors = {
      namespace  = "AWS/ApplicationELB"
      metric     = "HTTPCode_ELB_5XX_Count"
      dimensions = local.load_balancer
      statistic  = "Sum"
      period     = 300
      periods    = 1
      comparison = "GreaterThanThreshold"
      threshold  = var.thresholds.server_errors
      missing    = "notBreaching"
      why        = "The load balancer finds nobody who answers."
    }
    latency = {
      namespace  = "AWS/ApplicationELB"
      metric     = "TargetResponseTime"
      dimensions = local.target_group
      statistic  = "p99"
      period     = 300
      periods    = 3
      comparison = "GreaterThanThreshold"
      threshold  = var.thresholds.latency_seconds
      missing    = "notBreaching"
      why        = "One request in a hundred takes too long: the processor is busy hashing passwords, or the database is slow."
    }
    no_healthy_hosts = {
      namespace  = "AWS/ApplicationELB"
      metric     = "HealthyHostCount"
      dimensions = local.target_group
      statistic  = "Minimum"
      period     = 60
      periods    = 2
      comparison = "LessThanThreshold"
      threshold  = 1
      # A load balancer with no target at all says nothing.
      missing = "breaching"
      why     = "Nobody can sign in: no Admit is ready."
    }
    unhealthy_hosts = {
      namespace  = "AWS/ApplicationELB"
      metric     = "UnHealthyHostCount"
      dimensions = local.target_group
      statistic  = "Minimum"
      period     = 60
      periods    = 10
      comparison = "GreaterThanThreshold"
      threshold  = 0
      missing    = "notBreaching"
      why        = "An Admit has not been ready for ten minutes."
    }
  }

  is_aurora = try(var.database.engine == "aurora-postgresql", false)
  database  = try({ (local.is_aurora ? "DBClusterIdentifier" : "DBInstanceIdentifier") = var.database.identifier }, {})

  database_alarms = var.database == null ? {} : merge(
    {
      database_cpu = {
        namespace  = "AWS/RDS"
        metric     = "CPUUtilization"
        dimensions = local.database
        statistic  = "Average"
        period     = 300
        periods    = 3
        comparison = "GreaterThanThreshold"
        threshold  = 80
        missing    = "missing"
        why        = "The database is too small, or something asks too much of it."
      }
    },
    local.is_aurora ? {
      database_capacity = {
        namespace  = "AWS/RDS"
        metric     = "ACUUtilization"
        dimensions = local.database
        statistic  = "Average"
        period     = 300
        periods    = 3
        comparison = "GreaterThanThreshold"
        threshold  = 90
        missing    = "missing"
        why        = "Aurora has nearly all of the capacity that it may have: raise max_capacity."
      }
      } : {
      database_storage = {
        namespace  = "AWS/RDS"
        metric     = "FreeStorageSpace"
        dimensions = local.database
        statistic  = "Minimum"
        period     = 300
        periods    = 3
        comparison = "LessThanThreshold"
        threshold  = 2 * 1024 * 1024 * 1024
        missing    = "missing"
        why        = "The database has less than 2 GiB left."
      }
    },
  )

  archive_alarms = var.audit_archive == null ? {} : {
    audit_archive = {
      namespace  = "AWS/Firehose"
      metric     = "DeliveryToS3.DataFreshness"
      dimensions = { DeliveryStreamName = "${var.name}-audit" }
      statistic  = "Maximum"
      period     = 300
      periods    = 3
      comparison = "GreaterThanThreshold"
      threshold  = 3600
      missing    = "notBreaching"
      why        = "Audit entries have waited for an hour on their way to the archive. After a day, Firehose gives them up."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = merge(local.log_alarms, local.load_balancer_alarms, local.database_alarms, local.archive_alarms)

  alarm_name          = "${var.name}-${replace(each.key, "_", "-")}"
  alarm_description   = each.value.why
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  period              = each.value.period
  evaluation_periods  = each.value.periods
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags
}
