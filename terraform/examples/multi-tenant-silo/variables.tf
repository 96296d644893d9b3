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
  description = "Each tenant's host, which is never changed later, and from the second apply on the endpoint of its data store."
  type = map(object({
    domain_name        = string
    datastore_endpoint = optional(string)
  }))
  nullable = false

  validation {
    condition     = length(var.tenants) > 0 && alltrue([for tenant in keys(var.tenants) : can(regex("^[a-z][a-z0-9-]{1,20}$", tenant))])
    error_message = "A tenant's name takes 2 to 21 lower-case letters, digits and hyphens, and begins with a letter; there is one at least."
  }

  validation {
    condition     = length(distinct([for tenant in values(var.tenants) : tenant.domain_name])) == length(var.tenants)
    error_message = "Each tenant has a host of its own: it is the issuer of its tokens."
  }

  validation {
    condition = alltrue([
      for tenant in values(var.tenants) : tenant.datastore_endpoint == null ? true : can(regex(
        "^https://healthlake\\.[a-z0-9-]+\\.amazonaws\\.com/datastore/[0-9a-f]{32}/r4/$", tenant.datastore_endpoint
      ))
    ])
    error_message = "A datastore_endpoint is written as the output datastore_endpoints has it, with the slash at its end."
  }
}

variable "zone_id" {
  description = "The Route 53 zone of the hosts."
  type        = string
  nullable    = false
}

variable "image" {
  description = "The container image of Admit, by its digest or a tag that does not move."
  type        = string
  nullable    = false
}

variable "backup_recipient" {
  description = "For whom backups are encrypted: the public half of an age key, which begins with age1."
  type        = string
  nullable    = false
}

variable "validator_zip" {
  description = "What scripts/package-lambda made."
  type        = string
  default     = "../../../target/lambda/admit-validator-arm64.zip"
  nullable    = false
}

variable "alarm_actions" {
  description = "Whom alarms tell: ARNs of SNS topics."
  type        = list(string)
  default     = []
  nullable    = false
}
