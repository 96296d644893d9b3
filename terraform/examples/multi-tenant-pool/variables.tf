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

variable "tenants" {
  description = "Who gets a data store each. The name is that of the FHIR base too."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.tenants) > 0 && alltrue([for tenant in var.tenants : can(regex("^[a-z][a-z0-9-]{1,20}$", tenant))])
    error_message = "A tenant's name takes 2 to 21 lower-case letters, digits and hyphens, and begins with a letter; there is one at least."
  }
}

variable "domain_name" {
  description = "The host of Admit, which all tenants share. The issuer is https:// and this, and stands in every token: it cannot be changed later."
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

variable "datastore_endpoints" {
  description = "The output datastore_endpoints of the apply before: from then on the validator opens these data stores alone."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.datastore_endpoints), var.tenants)) == 0
    error_message = "There is a data store of somebody who is no tenant."
  }

  validation {
    condition = alltrue([
      for endpoint in values(var.datastore_endpoints) : can(regex("^https://healthlake\\.[a-z0-9-]+\\.amazonaws\\.com/datastore/[0-9a-f]{32}/r4/$", endpoint))
    ])
    error_message = "They are written as the output datastore_endpoints has them, with the slash at the end."
  }
}

variable "enable_execute_command" {
  description = "Whether administrators may run commands in a task. Each change replaces the tasks."
  type        = bool
  default     = false
  nullable    = false
}

variable "alarm_actions" {
  description = "Whom alarms tell: ARNs of SNS topics."
  type        = list(string)
  default     = []
  nullable    = false
}
