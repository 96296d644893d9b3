data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region
  namespace = "Admit/${var.name}"

  # What the log says. Lines with a level are the server's own, in its words; those with an event are the audit trail's
  # (docs/audit.md). What more than `at_most` in five minutes is an alarm; null: it stands on the dashboard alone.
  log_metrics = {
    errors           = { pattern = "{ $.level = \"ERROR\" }", at_most = 0, why = "The server has failed at something, and says at what." }
    audit_stuck      = { pattern = "{ ($.message = \"the audit trail cannot be sealed*\") || ($.message = \"audit entries cannot be written out*\") }", at_most = 0, why = "The audit trail waits. Nothing is lost, but nothing protects what waits." }
    database_away    = { pattern = "{ $.message = \"not ready\" }", at_most = 3, why = "The database does not answer the health check." }
    clock            = { pattern = "{ $.message = \"this machine's clock is not the database's*\" }", at_most = 0, why = "Tokens live by the clock." }
    stolen_tokens    = { pattern = "{ ($.event = \"refresh.reuse\") || ($.event = \"code.replay\") }", at_most = 0, why = "A code or refresh token came back that had been used: somebody else may have it. What it belonged to was revoked." }
    refused_sign_ins = { pattern = "{ ($.event = \"login\") && ($.outcome = \"refused\") }", at_most = var.thresholds.refused_sign_ins, why = "Somebody guesses passwords, or nobody can sign in." }
    refused_clients  = { pattern = "{ ($.event = \"client.authenticated\") && ($.outcome = \"refused\") }", at_most = var.thresholds.refused_clients, why = "A client has a wrong secret or key, or somebody guesses." }
    key_revoked      = { pattern = "{ $.event = \"key.revoked\" }", at_most = 0, why = "A signing key was revoked: every token that it signed is void." }
    restored         = { pattern = "{ $.event = \"database.restored\" }", at_most = 0, why = "A backup was brought back." }
    emergency_access = { pattern = "{ ($.event = \"patient.emergency_access\") && ($.outcome = \"success\") }", at_most = null, why = "Somebody opened a patient outside of their panel, with a reason." }
    sign_ins         = { pattern = "{ ($.event = \"login\") && ($.outcome = \"success\") }", at_most = null, why = "People signed in." }
    codes_redeemed   = { pattern = "{ ($.event = \"code.redeemed\") && ($.outcome = \"success\") }", at_most = null, why = "An app got tokens for a person." }
    refreshes        = { pattern = "{ ($.event = \"token.refreshed\") && ($.outcome = \"success\") }", at_most = null, why = "An app refreshed its tokens." }
  }
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each = local.log_metrics

  name           = "${var.name}-${each.key}"
  log_group_name = var.log_group_name
  pattern        = each.value.pattern

  metric_transformation {
    namespace     = local.namespace
    name          = each.key
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}
