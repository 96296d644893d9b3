variable "name" {
  description = "Prefix of all names."
  type        = string
  default     = "clinic"
  nullable    = false
}

variable "region" {
  description = "A region that has HealthLake."
  type        = string
  default     = "us-east-1"
  nullable    = false
}

variable "domain_prefix" {
  description = "The pool's host is PREFIX.auth.REGION.amazoncognito.com."
  type        = string
  nullable    = false
}

variable "callback_urls" {
  description = "Where the app may be sent back to."
  type        = set(string)
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

variable "test_user" {
  description = "Email address of a synthetic person to try it with. Null: none."
  type        = string
  default     = null
}

variable "alarm_actions" {
  description = "Whom alarms tell: ARNs of SNS topics."
  type        = list(string)
  default     = []
  nullable    = false
}
