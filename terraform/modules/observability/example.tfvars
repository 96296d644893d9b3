name           = "admit-example"
log_group_name = "/admit/admit-example/server"
load_balancer = {
  arn_suffix              = "app/admit-example/0123456789abcdef"
  target_group_arn_suffix = "targetgroup/admit-example/0123456789abcdef"
}
database      = { identifier = "admit-example", engine = "aurora-postgresql" }
audit_archive = { mode = "GOVERNANCE" }
