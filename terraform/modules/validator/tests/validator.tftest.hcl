mock_provider "aws" {
  source = "./tests/mocks/aws"

  override_data {
    target = data.aws_region.current
    values = { region = "us-east-1" }
  }
}

variables {
  name     = "clinic"
  zip_path = "./tests/files/admit-validator-arm64.zip"
  trust    = [{ issuer = "https://auth.example.org" }]
}

run "the_function_is_what_the_zip_was_built_for" {
  command = apply

  assert {
    condition     = aws_lambda_function.this.runtime == "provided.al2023" && aws_lambda_function.this.architectures[0] == "arm64" && aws_lambda_function.this.handler == "bootstrap"
    error_message = "The zip holds a static arm64 program named bootstrap."
  }
  assert {
    condition     = aws_lambda_function.this.source_code_hash == filebase64sha256("./tests/files/admit-validator-arm64.zip")
    error_message = "Another zip has to be another version."
  }
  assert {
    condition     = aws_lambda_function.this.publish && aws_lambda_alias.live.function_version == aws_lambda_function.this.version
    error_message = "The alias points at the version that was published."
  }
  assert {
    condition     = aws_lambda_function.this.tracing_config[0].mode == "Active"
    error_message = "X-Ray is on."
  }
  assert {
    condition     = aws_lambda_function.this.logging_config[0].log_group == aws_cloudwatch_log_group.this.name && aws_lambda_function.this.logging_config[0].log_format == "Text"
    error_message = "The log goes to the module's own group, line by line as it is written."
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 365
    error_message = "The log is kept for a year."
  }
  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == -1 && length(aws_lambda_provisioned_concurrency_config.live) == 0
    error_message = "Concurrency is neither limited nor provisioned unless it is asked for."
  }
}

run "an_issuer_is_enough" {
  command = apply

  assert {
    condition = jsondecode(aws_lambda_function.this.environment[0].variables.ADMIT_TRUST) == [{
      issuer             = "https://auth.example.org"
      jwks_uri           = "https://auth.example.org/.well-known/jwks.json"
      role_arn           = aws_iam_role.service["full"].arn
      read_only_role_arn = aws_iam_role.service["read_only"].arn
    }]
    error_message = "Keys and roles follow from the issuer and the module."
  }
  assert {
    condition     = toset(keys(aws_lambda_function.this.environment[0].variables)) == toset(["ADMIT_TRUST", "ADMIT_METRICS_NAMESPACE", "ADMIT_LOG"])
    error_message = "What is not said is not set."
  }
}

run "every_setting_reaches_the_function" {
  command = apply

  variables {
    trust = [
      {
        issuer             = "https://auth.example.org", tenant = "clinic-a", clients = null
        datastores         = ["https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef0123456789abcdef/r4/", "https://fhir.example.org/r4"]
        role_arn           = "arn:aws:iam::123456789012:role/clinic-a"
        introspection      = { mode = "combined", endpoint = "https://auth.example.org/introspect", client_id = "validator", cache_seconds = 5 }
        jwks               = { keys = [{ kty = "EC", kid = "1" }] }
        audiences          = ["api://fhir"]
        profile            = "admit"
        read_only_role_arn = null
      },
      {
        issuer     = "https://clinic.okta.com/oauth2/default", profile = "okta"
        jwks_uri   = "https://clinic.okta.com/oauth2/default/v1/keys", audience_by_datastore_id = true
        datastores = ["https://healthlake.us-east-1.amazonaws.com/datastore/fedcba9876543210fedcba9876543210/r4/"]
      },
    ]
    introspection_client_secret = "synthetic"
    ca_file                     = "ca.pem"
    context_claims              = ["department", "patient=launch_patient"]
    boolean_is_authorized       = true
    fhir_base                   = "https://fhir.example.org/r4"
    gateway_answer              = "policy"
    metrics_namespace           = "Clinic"
    log_level                   = "debug"
  }

  assert {
    condition = nonsensitive(jsondecode(aws_lambda_function.this.environment[0].variables.ADMIT_TRUST)) == [
      {
        issuer     = "https://auth.example.org", tenant = "clinic-a", profile = "admit", audiences = ["api://fhir"]
        datastores = ["https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef0123456789abcdef/r4/", "https://fhir.example.org/r4"]
        role_arn   = "arn:aws:iam::123456789012:role/clinic-a"
        jwks       = { keys = [{ kty = "EC", kid = "1" }] }
        introspection = {
          mode = "combined", endpoint = "https://auth.example.org/introspect", client_id = "validator", cache_seconds = 5, client_secret = "synthetic"
        }
      },
      {
        issuer             = "https://clinic.okta.com/oauth2/default", profile = "okta"
        jwks_uri           = "https://clinic.okta.com/oauth2/default/v1/keys", audience_by_datastore_id = true
        datastores         = ["https://healthlake.us-east-1.amazonaws.com/datastore/fedcba9876543210fedcba9876543210/r4/"]
        role_arn           = aws_iam_role.service["full"].arn
        read_only_role_arn = aws_iam_role.service["read_only"].arn
      },
    ]
    error_message = "Each entry is as it was written; a role of its own brings no role of the module's along."
  }
  assert {
    condition = nonsensitive({ for name, value in aws_lambda_function.this.environment[0].variables : name => value if name != "ADMIT_TRUST" }) == {
      ADMIT_CA_FILE               = "/var/task/ca.pem"
      ADMIT_CONTEXT_CLAIMS        = "department,patient=launch_patient"
      ADMIT_BOOLEAN_IS_AUTHORIZED = "true"
      ADMIT_FHIR_BASE             = "https://fhir.example.org/r4"
      ADMIT_GATEWAY_ANSWER        = "policy"
      ADMIT_METRICS_NAMESPACE     = "Clinic"
      ADMIT_LOG                   = "debug"
    }
    error_message = "Every other setting is its variable."
  }
  assert {
    condition     = issensitive(aws_lambda_function.this.environment[0].variables.ADMIT_TRUST)
    error_message = "The secret is not shown in plans."
  }
  # A REST API wants its 401 as a function error.
  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.function)) == toset(["throttles"])
    error_message = "Where API Gateway asks, function errors are no alarm."
  }
}

run "the_trust_may_lie_in_the_zip" {
  command = apply

  variables {
    trust = []
  }

  assert {
    condition     = !contains(keys(aws_lambda_function.this.environment[0].variables), "ADMIT_TRUST")
    error_message = "A variable beside trust.json would be a mistake."
  }
}

run "healthlake_may_call_the_alias_for_this_account" {
  command = apply

  assert {
    condition     = aws_lambda_permission.healthlake[0].qualifier == "live" && aws_lambda_permission.healthlake[0].action == "lambda:InvokeFunction"
    error_message = "The permission is on the alias."
  }
  assert {
    condition     = aws_lambda_permission.healthlake[0].principal == "healthlake.amazonaws.com" && aws_lambda_permission.healthlake[0].source_account == "123456789012"
    error_message = "HealthLake alone may call, for this account alone."
  }
}

run "the_callers_restriction_can_be_changed" {
  command = apply

  variables {
    restrict_to_account = false
    source_arn          = "arn:aws:healthlake:us-east-1:123456789012:datastore/fhir/*"
  }

  assert {
    condition     = aws_lambda_permission.healthlake[0].source_account == null && aws_lambda_permission.healthlake[0].source_arn == "arn:aws:healthlake:us-east-1:123456789012:datastore/fhir/*"
    error_message = "The restriction is the one that was asked for."
  }
}

run "roles_allow_no_more_than_they_have_to" {
  command = apply

  assert {
    condition = alltrue([
      for action in jsondecode(aws_iam_role_policy.service["read_only"].policy).Statement[0].Action :
      can(regex("^healthlake:(Read|VersionRead|Get|Search)[A-Za-z]+$", action))
    ])
    error_message = "The role for reading only reads."
  }
  assert {
    condition = alltrue([
      for action in jsondecode(aws_iam_role_policy.service["full"].policy).Statement[0].Action :
      can(regex("^healthlake:((Create|Read|VersionRead|Update|Patch|Delete)Resource|ProcessBundle|(Get|Search)[A-Za-z]+)$", action))
    ])
    error_message = "The full role reads and writes resources, and does not manage data stores."
  }
  assert {
    condition     = contains(jsondecode(aws_iam_role_policy.service["full"].policy).Statement[0].Action, "healthlake:CreateResource")
    error_message = "The full role writes."
  }
  assert {
    condition = alltrue([
      for policy in aws_iam_role_policy.service :
      jsondecode(policy.policy).Statement[*].Resource == [["arn:aws:healthlake:us-east-1:123456789012:datastore/fhir/*"]]
    ])
    error_message = "The roles open FHIR data stores of this account and region, and nothing else."
  }
  assert {
    condition = alltrue([
      for role in aws_iam_role.service : jsondecode(role.assume_role_policy).Statement == [{
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "healthlake.amazonaws.com" }
        Condition = {
          StringEquals = { "aws:SourceAccount" = "123456789012" }
          ArnLike      = { "aws:SourceArn" = ["arn:aws:healthlake:us-east-1:123456789012:datastore/fhir/*"] }
        }
      }]
    ])
    error_message = "HealthLake takes the roles on for this account's data stores alone."
  }
  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Sid => statement.Resource } == {
      Log   = "${aws_cloudwatch_log_group.this.arn}:*"
      Trace = "*"
    }
    error_message = "The function itself writes its log and its traces, and nothing else."
  }
}

run "roles_can_be_narrowed_and_widened" {
  command = apply

  variables {
    datastore_arns        = ["arn:aws:healthlake:us-east-1:123456789012:datastore/fhir/0123456789abcdef0123456789abcdef"]
    datastore_kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555"
    additional_actions    = ["healthlake:StartFHIRExportJobWithPost"]
    kms_key_arn           = "arn:aws:kms:us-east-1:123456789012:key/66666666-2222-4333-8444-555555555555"
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.service["full"].policy).Statement[0].Resource == [var.datastore_arns[0]] && jsondecode(aws_iam_role.service["full"].assume_role_policy).Statement[0].Condition.ArnLike["aws:SourceArn"] == [var.datastore_arns[0]]
    error_message = "Permissions and trust are about the named data store."
  }
  assert {
    condition     = contains(jsondecode(aws_iam_role_policy.service["full"].policy).Statement[0].Action, "healthlake:StartFHIRExportJobWithPost") && !contains(jsondecode(aws_iam_role_policy.service["read_only"].policy).Statement[0].Action, "healthlake:StartFHIRExportJobWithPost")
    error_message = "Additional actions are the full role's."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.service["read_only"].policy).Statement[1].Action == ["kms:Decrypt", "kms:DescribeKey"] && contains(jsondecode(aws_iam_role_policy.service["full"].policy).Statement[1].Action, "kms:GenerateDataKey")
    error_message = "Reading decrypts; only writing makes data keys."
  }
  assert {
    condition = alltrue([
      for policy in aws_iam_role_policy.service :
      jsondecode(policy.policy).Statement[1].Resource == var.datastore_kms_key_arn && contains(keys(jsondecode(policy.policy).Statement[1].Condition.StringEquals), "kms:ViaService")
    ])
    error_message = "The data stores' key is used through HealthLake alone."
  }
  assert {
    condition     = aws_lambda_function.this.kms_key_arn == var.kms_key_arn && aws_cloudwatch_log_group.this.kms_key_id == var.kms_key_arn
    error_message = "The key is for environment and log."
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Resource if statement.Sid == "ReadEnvironment"] == [var.kms_key_arn]
    error_message = "The function may read its environment."
  }
}

run "alarms_look_at_the_functions_own_metrics" {
  command = apply

  variables {
    alarm_actions = ["arn:aws:sns:us-east-1:123456789012:oncall"]
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.duration[0].extended_statistic == "p99" && aws_cloudwatch_metric_alarm.duration[0].threshold == 800
    error_message = "The alarm rings before HealthLake gives up."
  }
  assert {
    condition     = toset([for alarm in aws_cloudwatch_metric_alarm.function : alarm.metric_name]) == toset(["Errors", "Throttles"])
    error_message = "Errors and throttles ring."
  }
  assert {
    condition = aws_cloudwatch_metric_alarm.refusals["no_keys"].namespace == "Admit" && aws_cloudwatch_metric_alarm.refusals["no_keys"].metric_name == "Decisions" && aws_cloudwatch_metric_alarm.refusals["no_keys"].dimensions == tomap({
      FunctionName = "clinic-validator", Decision = "refuse", Reason = "no_keys"
    })
    error_message = "A refusal is the metric that the function writes."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.unconfirmed[0].metric_name == "Unconfirmed" && aws_cloudwatch_metric_alarm.unconfirmed[0].dimensions == tomap({ FunctionName = "clinic-validator" })
    error_message = "What passed unconfirmed rings."
  }
  assert {
    condition     = alltrue([for alarm in values(aws_cloudwatch_metric_alarm.refusals) : alarm.alarm_actions == toset(var.alarm_actions)])
    error_message = "Alarms tell whoever is to be told."
  }
}

run "alarms_without_metrics_are_not_made" {
  command = apply

  variables {
    metrics_namespace = "off"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.refusals) + length(aws_cloudwatch_metric_alarm.unconfirmed) == 0 && length(aws_cloudwatch_metric_alarm.duration) == 1
    error_message = "Without metrics of its own, Lambda's are left."
  }
}

run "concurrency_is_provisioned_on_the_alias" {
  command = apply

  variables {
    provisioned_concurrency = 2
    reserved_concurrency    = 50
  }

  assert {
    condition     = aws_lambda_provisioned_concurrency_config.live[0].qualifier == "live" && aws_lambda_provisioned_concurrency_config.live[0].provisioned_concurrent_executions == 2
    error_message = "What is called is what is kept warm."
  }
  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == 50
    error_message = "The limit is the one that was asked for."
  }
}

run "api_gateway_alone_needs_no_role" {
  command = apply

  variables {
    healthlake = false
    fhir_base  = "https://fhir.example.org/r4"
  }

  assert {
    condition     = length(aws_iam_role.service) == 0 && length(aws_lambda_permission.healthlake) == 0 && output.service_role_arn == null
    error_message = "Nothing is there for HealthLake."
  }
  assert {
    condition     = !strcontains(aws_lambda_function.this.environment[0].variables.ADMIT_TRUST, "role_arn")
    error_message = "No role is handed out."
  }
}
