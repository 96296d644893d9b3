mock_provider "aws" {
  source = "./tests/mocks/aws"
}

variables {
  name             = "admit"
  log_group_name   = "/admit/admit/server"
  load_balancer    = { arn_suffix = "app/admit/0123456789abcdef", target_group_arn_suffix = "targetgroup/admit/0123456789abcdef" }
  database         = { identifier = "admit", engine = "aurora-postgresql" }
  alarm_topic_arns = ["arn:aws:sns:us-east-1:123456789012:operations"]
  audit_archive    = { mode = "COMPLIANCE" }
  kms_key_arn      = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

run "alarms_for_what_matters" {
  command = apply

  assert {
    condition = output.alarm_names == tolist([
      "admit-audit-archive", "admit-audit-stuck", "admit-clock", "admit-database-away", "admit-database-capacity", "admit-database-cpu",
      "admit-errors", "admit-key-revoked", "admit-latency", "admit-load-balancer-errors", "admit-no-healthy-hosts", "admit-refused-clients",
      "admit-refused-sign-ins", "admit-restored", "admit-server-errors", "admit-stolen-tokens", "admit-unhealthy-hosts",
    ])
    error_message = "The alarms are other ones."
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset(var.alarm_topic_arns)])
    error_message = "An alarm tells nobody."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["no_healthy_hosts"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.this["no_healthy_hosts"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.this["no_healthy_hosts"].threshold == 1
    error_message = "Nobody is told that nobody can sign in."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["latency"].extended_statistic == "p99" && aws_cloudwatch_metric_alarm.this["errors"].extended_statistic == null && aws_cloudwatch_metric_alarm.this["errors"].statistic == "Sum"
    error_message = "A percentile is no statistic, and the other way round."
  }
  assert {
    condition = alltrue([
      for name, alarm in aws_cloudwatch_metric_alarm.this : contains([for filter in aws_cloudwatch_log_metric_filter.this : filter.metric_transformation[0].name], alarm.metric_name)
      if alarm.namespace == "Admit/admit"
    ])
    error_message = "An alarm is about a metric that nothing makes."
  }
}

run "every_chart_shows_something_that_is_there" {
  command = apply

  assert {
    condition = alltrue(flatten([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [
        for metric in widget.properties.metrics : contains([for filter in aws_cloudwatch_log_metric_filter.this : filter.metric_transformation[0].name], metric[1]) if metric[0] == "Admit/admit"
      ] if widget.type == "metric"
    ]))
    error_message = "A chart is about a metric that nothing makes."
  }
  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 8 && length(distinct([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : "${widget.x} ${widget.y}"])) == 8
    error_message = "Charts lie on one another."
  }
}

run "the_archive_cannot_be_changed" {
  command = apply

  assert {
    condition     = aws_s3_bucket.archive[0].object_lock_enabled && aws_s3_bucket_object_lock_configuration.archive[0].rule[0].default_retention[0].mode == "COMPLIANCE" && aws_s3_bucket_object_lock_configuration.archive[0].rule[0].default_retention[0].years == 6
    error_message = "What is in it is kept for six years."
  }
  assert {
    condition     = alltrue([aws_s3_bucket_public_access_block.archive[0].block_public_acls, aws_s3_bucket_public_access_block.archive[0].block_public_policy, aws_s3_bucket_public_access_block.archive[0].ignore_public_acls, aws_s3_bucket_public_access_block.archive[0].restrict_public_buckets]) && one(aws_s3_bucket_server_side_encryption_configuration.archive[0].rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn
    error_message = "It is public, or not encrypted with the key."
  }
  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.archive[0].rule[0].expiration) == 0
    error_message = "Something is deleted."
  }
  assert {
    condition     = [for processor in aws_kinesis_firehose_delivery_stream.archive[0].extended_s3_configuration[0].processing_configuration[0].processors : processor.type] == ["Decompression", "CloudWatchLogProcessing", "AppendDelimiterToRecord"]
    error_message = "What is kept are not the lines of Admit."
  }
  assert {
    condition     = aws_cloudwatch_log_subscription_filter.archive[0].log_group_name == var.log_group_name && aws_cloudwatch_log_subscription_filter.archive[0].destination_arn == aws_kinesis_firehose_delivery_stream.archive[0].arn
    error_message = "Nothing gets there."
  }
  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.archive[0].policy).Statement : join(" ", statement.Action) => statement.Resource } == {
      "s3:AbortMultipartUpload s3:GetBucketLocation s3:ListBucket s3:ListBucketMultipartUploads s3:PutObject" = [aws_s3_bucket.archive[0].arn, "${aws_s3_bucket.archive[0].arn}/*"]
      "logs:PutLogEvents"                                                                                     = ["${aws_cloudwatch_log_group.archive[0].arn}:log-stream:delivery"]
      "kms:Decrypt kms:GenerateDataKey"                                                                       = [var.kms_key_arn]
    }
    error_message = "Firehose may do more, or less: read or delete what is kept, for instance."
  }
}

run "without_a_load_balancer_and_with_sqlite" {
  command = plan

  variables {
    load_balancer = null
    database      = null
    audit_archive = null
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.namespace == "Admit/admit"]) && length(aws_cloudwatch_metric_alarm.this) == 9 && length(aws_s3_bucket.archive) == 0
    error_message = "There are alarms about what is not there."
  }
}

run "rds_can_run_out_of_disk" {
  command = plan

  variables {
    database = { identifier = "admit", engine = "postgres" }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["database_storage"].dimensions == tomap({ DBInstanceIdentifier = "admit" }) && aws_cloudwatch_metric_alarm.this["database_storage"].comparison_operator == "LessThanThreshold" && !contains(keys(aws_cloudwatch_metric_alarm.this), "database_capacity")
    error_message = "Nobody looks at the disk."
  }
}

run "what_is_wrong_is_refused" {
  command = plan

  variables {
    name             = "Admit"
    database         = { identifier = "admit", engine = "mysql" }
    alarm_topic_arns = ["operations"]
    thresholds       = { server_errors = -1 }
    audit_archive    = { mode = "COMPLIANCE", years = 5 }
    kms_key_arn      = "alias/admit"
  }

  expect_failures = [var.name, var.database, var.alarm_topic_arns, var.thresholds, var.audit_archive, var.kms_key_arn]
}

run "the_mode_is_said" {
  command = plan

  variables {
    audit_archive = { mode = "NONE" }
  }

  expect_failures = [var.audit_archive]
}

run "a_name_that_s3_would_not_take_is_refused" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { region = "ap-southeast-1" }
  }

  variables {
    name = "a-name-that-is-far-too-long-abc"
  }

  expect_failures = [aws_s3_bucket.archive[0]]
}
