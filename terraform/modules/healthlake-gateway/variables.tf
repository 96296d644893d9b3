variable "name" {
  description = "Prefix of all names."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name takes 2 to 31 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "datastore_endpoint" {
  description = "The data store behind: datastore_endpoint of the module healthlake."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://[^\\s?#{}]+/$", var.datastore_endpoint))
    error_message = "The endpoint is https://healthlake.REGION.amazonaws.com/datastore/ID/r4/, with the slash at its end."
  }
}

variable "discovery_url" {
  description = "The SMART configuration that is handed out without credentials: ISSUER/fhir-bases/NAME/.well-known/smart-configuration, or a document of your own."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://[^\\s?#{}]+$", var.discovery_url))
    error_message = "The document is an https URL, such as https://auth.example.org/fhir-bases/lake/.well-known/smart-configuration."
  }
}

variable "allowed_origins" {
  description = "Web pages whose scripts may call: origins, or * for all, as SMART has it. Requests carry tokens, no cookies: an origin is no credential."
  type        = set(string)
  default     = ["*"]
  nullable    = false

  validation {
    condition     = length(var.allowed_origins) > 0 && alltrue([for origin in var.allowed_origins : origin == "*" || can(regex("^https?://[^\\s/*]+$", origin))])
    error_message = "An origin is a scheme and a host without a slash at its end, such as https://app.example.org; or *."
  }
}

variable "domain" {
  description = "A host of your own: its name, the ARN of its certificate in this region, and its Route 53 zone, or null where its record is made elsewhere. Null: API Gateway's host."
  type = object({
    name            = string
    certificate_arn = string
    zone_id         = optional(string)
  })
  default = null

  validation {
    condition     = var.domain == null ? true : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain.name))
    error_message = "The host is a name in lower case, such as fhir.example.org."
  }

  validation {
    condition     = var.domain == null ? true : can(regex("^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/", var.domain.certificate_arn))
    error_message = "The certificate is named by its ARN: arn:aws:acm:REGION:ACCOUNT:certificate/ID."
  }
}

variable "throttle" {
  description = "Requests a second that are let through, and how many at once. Those beyond get 429."
  type = object({
    rate  = optional(number, 500)
    burst = optional(number, 1000)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.throttle.rate > 0 && var.throttle.burst > 0
    error_message = "Rate and burst are numbers above 0: 0 would let nothing through."
  }
}

variable "kms_key_arn" {
  description = "KMS key for the access log. Its policy has to allow logs.REGION.amazonaws.com to use it. Null: AWS's own key."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "The key is named by its ARN: arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "log_retention_days" {
  description = "For how many days the access log is kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch knows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653 days."
  }
}
