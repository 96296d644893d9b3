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

variable "api_type" {
  description = "HTTP (cheaper, quicker, answers CORS itself) or REST (takes AWS WAF, usage plans and resource policies)."
  type        = string
  default     = "HTTP"
  nullable    = false

  validation {
    condition     = contains(["HTTP", "REST"], var.api_type)
    error_message = "The type is HTTP or REST."
  }
}

variable "backend_url" {
  description = "The FHIR server behind, without a slash at its end."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://[^\\s?#{}]+[^\\s?#{}/]$", var.backend_url))
    error_message = "The FHIR server is an https URL without a slash at its end, such as https://fhir.example.org/r4."
  }
}

variable "validator" {
  description = "The module validator as a whole, with its fhir_base set to the output fhir_base of this one."
  type = object({
    function_name    = string
    alias_name       = string
    alias_invoke_arn = string
  })
  nullable = false
}

variable "discovery_url" {
  description = "The SMART configuration that is handed out without credentials. Null: requests for it go to the FHIR server, with credentials alone."
  type        = string
  default     = null

  validation {
    condition     = var.discovery_url == null ? true : can(regex("^https://[^\\s?#{}]+$", var.discovery_url))
    error_message = "The document is an https URL, such as https://auth.example.org/fhir-bases/main/.well-known/smart-configuration."
  }
}

variable "cache_seconds" {
  description = "For how long API Gateway remembers the answer to a token. A remembered yes outlives its token and its revocation by so much."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.cache_seconds >= 0 && var.cache_seconds <= 300 && floor(var.cache_seconds) == var.cache_seconds
    error_message = "Answers are remembered for 0 (not at all) to 300 seconds: well below the life of a token."
  }
}

variable "allowed_origins" {
  description = "HTTP APIs: web pages whose scripts may call; origins, or * for all. With a REST API the FHIR server answers that."
  type        = set(string)
  default     = ["*"]
  nullable    = false

  validation {
    condition     = length(var.allowed_origins) > 0 && alltrue([for origin in var.allowed_origins : origin == "*" || can(regex("^https?://[^\\s/*]+$", origin))])
    error_message = "An origin is a scheme and a host without a slash at its end, such as https://app.example.org; or *."
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

variable "access_log" {
  description = "Whether there is an access log. For a REST API, the account needs a role for it: see the README."
  type        = bool
  default     = true
  nullable    = false
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
