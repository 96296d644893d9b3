variable "name" {
  description = "Prefix of everything that is made."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name takes 2 to 31 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "resource_arn" {
  description = "What is protected: a load balancer, or a service of App Runner."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:(elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:loadbalancer/app/.+|apprunner:[a-z0-9-]+:[0-9]{12}:service/.+)$", var.resource_arn))
    error_message = "The resource_arn is that of an application load balancer, or of a service of App Runner."
  }
}

variable "limits" {
  description = "How many requests one address may make in five minutes: at /login, at /token, and in all. A hospital is often behind one address."
  type = object({
    login = optional(number, 300)
    token = optional(number, 3000)
    all   = optional(number, 10000)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for limit in values(var.limits) : limit >= 10 && limit <= 2000000000 && floor(limit) == limit])
    error_message = "WAF takes limits from 10 on."
  }
}

variable "block_by_managed_rules" {
  description = "Whether Amazon's rules about bad addresses and known attacks block. Let them count for some weeks first, and look at what they would have blocked."
  type        = bool
  default     = false
  nullable    = false
}

variable "log_retention_days" {
  description = "How long the log of what was blocked or counted is kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}

variable "kms_key_arn" {
  description = "The key that encrypts the log; null: CloudWatch's own."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of a key, such as arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555."
  }
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
  nullable    = false
}
