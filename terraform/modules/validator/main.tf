data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account       = data.aws_caller_identity.current.account_id
  partition     = data.aws_partition.current.partition
  region        = data.aws_region.current.region
  function_name = "${var.name}-validator"

  # The roles of this module are what an entry hands out that names none of its own. Where it names one, a second
  # from here might allow more.
  roles = var.healthlake ? {
    role_arn           = aws_iam_role.service["full"].arn
    read_only_role_arn = aws_iam_role.service["read_only"].arn
  } : {}

  credential = merge(
    var.introspection_client_secret == null ? {} : { client_secret = var.introspection_client_secret },
    var.introspection_key == null ? {} : { key = var.introspection_key },
  )

  said = [for entry in var.trust : { for member, value in entry : member => value if value != null }]
  trust = [
    for entry in local.said : merge(
      contains(keys(entry), "role_arn") ? {} : local.roles,
      # Admit and Cognito publish their keys at this address.
      length(setintersection(keys(entry), ["jwks", "jwks_uri"])) > 0 || try(entry.introspection.mode, "") == "only" ? {} : {
        jwks_uri = "${trimsuffix(entry.issuer, "/")}/.well-known/jwks.json"
      },
      entry,
      contains(keys(entry), "introspection") ? {
        introspection = merge({ for member, value in entry.introspection : member => value if value != null }, local.credential)
      } : {},
    )
  ]

  # What is not said is not set: the function refuses to guess.
  environment = { for variable, value in {
    ADMIT_TRUST                 = length(var.trust) == 0 ? "" : jsonencode(local.trust)
    ADMIT_CA_FILE               = var.ca_file == null ? "" : "/var/task/${var.ca_file}"
    ADMIT_CONTEXT_CLAIMS        = join(",", var.context_claims)
    ADMIT_BOOLEAN_IS_AUTHORIZED = var.boolean_is_authorized ? "true" : ""
    ADMIT_FHIR_BASE             = var.fhir_base == null ? "" : var.fhir_base
    ADMIT_GATEWAY_ANSWER        = var.fhir_base == null ? "" : var.gateway_answer
    ADMIT_METRICS_NAMESPACE     = var.metrics_namespace
    ADMIT_LOG                   = var.log_level
  } : variable => value if variable == "ADMIT_TRUST" ? length(var.trust) > 0 : value != "" }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${local.function_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:HealthLake and API Gateway call synchronously: there are no dead letters.
  #checkov:skip=CKV_AWS_117:It reaches nothing inside a VPC, and within one it would need a way out to the issuer's keys.
  #checkov:skip=CKV_AWS_272:The zip is built from source by whoever deploys it; its hash is in the plan.
  function_name = local.function_name
  description   = "Decides for HealthLake or API Gateway whether a bearer token is good"
  role          = aws_iam_role.execution.arn

  filename         = var.zip_path
  source_code_hash = fileexists(var.zip_path) ? filebase64sha256(var.zip_path) : null
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  architectures    = [var.architecture]

  memory_size                    = var.memory_size
  timeout                        = var.timeout
  reserved_concurrent_executions = var.reserved_concurrency == null ? -1 : var.reserved_concurrency
  publish                        = true
  kms_key_arn                    = var.kms_key_arn
  tags                           = var.tags

  environment {
    variables = local.environment
  }

  # The function writes lines of JSON that are metrics as well. As text they reach CloudWatch as they are.
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.this.name
  }

  tracing_config {
    mode = "Active"
  }

  lifecycle {
    precondition {
      condition     = sum(concat([0], [for variable, value in local.environment : length(variable) + length(value)])) <= 4096
      error_message = "Lambda takes 4 KB of environment. Pack the trust into the zip: scripts/package-lambda --with trust.json, and trust = []."
    }
  }

  # Before its first call the function has to be allowed to say something.
  depends_on = [aws_iam_role_policy.execution]
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "What HealthLake and API Gateway call"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  count = var.provisioned_concurrency > 0 ? 1 : 0

  function_name                     = aws_lambda_function.this.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = var.provisioned_concurrency
}

resource "aws_lambda_permission" "healthlake" {
  count = var.healthlake ? 1 : 0

  statement_id   = "healthlake"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this.function_name
  qualifier      = aws_lambda_alias.live.name
  principal      = "healthlake.amazonaws.com"
  source_account = var.restrict_to_account ? local.account : null
  source_arn     = var.source_arn
}
