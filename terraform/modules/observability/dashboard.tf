locals {
  charts = concat(
    var.load_balancer == null ? [] : [
      {
        title   = "Requests and errors"
        stat    = "Sum"
        metrics = [for metric in ["RequestCount", "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count"] : concat(["AWS/ApplicationELB", metric], flatten([for name, value in local.target_group : [name, value]]))]
      },
      {
        title   = "Time to an answer, the slowest in a hundred (s)"
        stat    = "p99"
        metrics = [concat(["AWS/ApplicationELB", "TargetResponseTime"], flatten([for name, value in local.target_group : [name, value]]))]
      },
      {
        title   = "Who is ready"
        stat    = "Minimum"
        metrics = [for metric in ["HealthyHostCount", "UnHealthyHostCount"] : concat(["AWS/ApplicationELB", metric], flatten([for name, value in local.target_group : [name, value]]))]
      },
    ],
    [
      {
        title   = "Sign-ins and tokens"
        stat    = "Sum"
        metrics = [for metric in ["sign_ins", "codes_redeemed", "refreshes"] : [local.namespace, metric]]
      },
      {
        title   = "Refused, stolen, opened in an emergency"
        stat    = "Sum"
        metrics = [for metric in ["refused_sign_ins", "refused_clients", "stolen_tokens", "emergency_access"] : [local.namespace, metric]]
      },
      {
        title   = "Trouble"
        stat    = "Sum"
        metrics = [for metric in ["errors", "database_away", "audit_stuck", "clock"] : [local.namespace, metric]]
      },
    ],
    var.database == null ? [] : [
      {
        title   = "Database"
        stat    = "Average"
        metrics = [for metric in concat(["CPUUtilization", "DatabaseConnections"], local.is_aurora ? ["ACUUtilization"] : []) : concat(["AWS/RDS", metric], flatten([for name, value in local.database : [name, value]]))]
      },
    ],
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = concat(
      [
        for index, chart in local.charts : {
          type       = "metric"
          x          = (index % 3) * 8
          y          = floor(index / 3) * 6
          width      = 8
          height     = 6
          properties = merge(chart, { region = local.region, period = 300, view = "timeSeries" })
        }
      ],
      [
        {
          type   = "log"
          x      = 0
          y      = ceil(length(local.charts) / 3) * 6
          width  = 24
          height = 6
          properties = {
            title  = "Warnings and errors"
            region = local.region
            view   = "table"
            query  = "SOURCE '${var.log_group_name}' | fields @timestamp, level, message, error | filter level in ['WARN', 'ERROR'] | sort @timestamp desc | limit 50"
          }
        },
      ],
    )
  })
}
