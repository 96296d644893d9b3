variable "name" {
  description = "Prefix of everything that is made."
  type        = string
  default     = "admit"
  nullable    = false
}

variable "region" {
  description = "Where everything is made: a region that has HealthLake."
  type        = string
  default     = "us-east-1"
  nullable    = false
}

variable "domain_name" {
  description = "The host of Admit. The issuer is https:// and this, and stands in every token: it cannot be changed later."
  type        = string
  nullable    = false
}

variable "zone_id" {
  description = "The Route 53 zone of the host."
  type        = string
  nullable    = false
}

variable "image" {
  description = "The container image of Admit, by its digest or a tag that does not move."
  type        = string
  nullable    = false
}

variable "validator_zip" {
  description = "What scripts/package-lambda made."
  type        = string
  default     = "../../../target/lambda/admit-validator-arm64.zip"
  nullable    = false
}

variable "datastore_endpoint" {
  description = "The output datastore_endpoint of the first apply: from then on the validator opens this data store alone. Null until it is known."
  type        = string
  default     = null

  validation {
    condition     = var.datastore_endpoint == null ? true : can(regex("^https://healthlake\\.[a-z0-9-]+\\.amazonaws\\.com/datastore/[0-9a-f]{32}/r4/$", var.datastore_endpoint))
    error_message = "It is written as the output datastore_endpoint has it, with the slash at its end."
  }
}

variable "enable_execute_command" {
  description = "Whether administrators may run commands in a task. Each change replaces the tasks."
  type        = bool
  default     = false
  nullable    = false
}

variable "audit_archive_mode" {
  description = "GOVERNANCE: somebody with a special permission can delete the archive of the audit trail. COMPLIANCE, for when it is meant: nobody can for six years, and so nobody can undo this."
  type        = string
  default     = "GOVERNANCE"
  nullable    = false
}

variable "alarm_actions" {
  description = "Whom alarms tell: ARNs of SNS topics."
  type        = list(string)
  default     = []
  nullable    = false
}
