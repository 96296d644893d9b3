# --- what the function itself may do ---------------------------------------

resource "aws_iam_role" "execution" {
  name        = local.function_name
  description = "What the token validator may do itself: write its log and its traces"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "execution" {
  name = "execution"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "Log"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = "${aws_cloudwatch_log_group.this.arn}:*"
        },
        {
          Sid    = "Trace"
          Effect = "Allow"
          Action = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
          # X-Ray's actions take no resource.
          Resource = "*"
        },
      ],
      [for key in compact([var.kms_key_arn]) : {
        Sid       = "ReadEnvironment"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = key
        Condition = { StringEquals = { "kms:ViaService" = "lambda.${local.region}.amazonaws.com" } }
      }],
    )
  })
}

# --- what HealthLake may do for a token ------------------------------------

# HealthLake takes one of these roles on for each request: what a token may do is what its scopes and the role both allow.
locals {
  datastores = var.datastore_arns == null ? ["arn:${local.partition}:healthlake:${local.region}:${local.account}:datastore/fhir/*"] : var.datastore_arns

  reading = [
    "healthlake:GetCapabilities",
    "healthlake:GetHistoryByResourceId",
    "healthlake:ReadResource",
    "healthlake:SearchEverything",
    "healthlake:SearchWithGet",
    "healthlake:SearchWithPost",
    "healthlake:VersionReadResource",
  ]
  writing = [
    "healthlake:CreateResource",
    "healthlake:DeleteResource",
    "healthlake:PatchResource",
    "healthlake:ProcessBundle",
    "healthlake:UpdateResource",
  ]
  service_roles = var.healthlake ? {
    full = {
      name        = "${var.name}-smart"
      description = "What HealthLake may do for a SMART token"
      actions     = concat(local.reading, local.writing, var.additional_actions)
      key_actions = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
    }
    read_only = {
      name        = "${var.name}-smart-read-only"
      description = "What HealthLake may do for a SMART token that only reads"
      actions     = local.reading
      key_actions = ["kms:Decrypt", "kms:DescribeKey"]
    }
  } : {}
}

resource "aws_iam_role" "service" {
  for_each = local.service_roles

  name        = each.value.name
  description = each.value.description
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "healthlake.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        # A pattern, not the ARN of the data store: that one is made with this function, and the function with this role.
        ArnLike = { "aws:SourceArn" = local.datastores }
      }
    }]
  })
}

resource "aws_iam_role_policy" "service" {
  for_each = local.service_roles

  name = "fhir"
  role = aws_iam_role.service[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "Fhir"
        Effect   = "Allow"
        Action   = each.value.actions
        Resource = local.datastores
      }],
      [for key in compact([var.datastore_kms_key_arn]) : {
        Sid       = "Key"
        Effect    = "Allow"
        Action    = each.value.key_actions
        Resource  = key
        Condition = { StringEquals = { "kms:ViaService" = ["healthlake.amazonaws.com", "healthlake.${local.region}.amazonaws.com"] } }
      }],
    )
  })
}
