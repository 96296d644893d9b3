variable "name" {
  description = "Prefix of everything that is made."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name takes 2 to 31 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "log_group_name" {
  description = "The log of Admit: log_group_name of an admit-* module."
  type        = string
  nullable    = false
}

variable "load_balancer" {
  description = "The load balancer and its target group, as their metrics name them; null: there is none of ours."
  type = object({
    arn_suffix              = string
    target_group_arn_suffix = string
  })
  default = null
}

variable "database" {
  description = "The PostgreSQL database: identifier and engine of the module database; null: SQLite."
  type = object({
    identifier = string
    engine     = string
  })
  default = null

  validation {
    condition     = var.database == null ? true : contains(["aurora-postgresql", "postgres"], var.database.engine)
    error_message = "The database's engine is aurora-postgresql or postgres."
  }
}

variable "alarm_topic_arns" {
  description = "The SNS topics that alarms go to."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", arn))])
    error_message = "Name topics by their ARNs, such as arn:aws:sns:us-east-1:123456789012:operations."
  }
}

variable "thresholds" {
  description = "What more than this is an alarm: counts in five minutes, and the seconds that one request in a hundred may take."
  type = object({
    server_errors    = optional(number, 10)
    latency_seconds  = optional(number, 2)
    refused_sign_ins = optional(number, 50)
    refused_clients  = optional(number, 20)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for threshold in values(var.thresholds) : threshold >= 0])
    error_message = "A threshold is no less than 0."
  }
}

variable "audit_archive" {
  description = "Keeps a copy of the audit trail in S3, for so many years. COMPLIANCE: nobody can delete it before, not even AWS; GOVERNANCE: who has a special permission can. null: no copy."
  type = object({
    mode  = string
    years = optional(number, 6)
  })
  default = null

  validation {
    condition     = var.audit_archive == null ? true : contains(["COMPLIANCE", "GOVERNANCE"], var.audit_archive.mode)
    error_message = "The mode is COMPLIANCE or GOVERNANCE."
  }

  validation {
    condition     = var.audit_archive == null ? true : var.audit_archive.years >= 6 && var.audit_archive.years <= 100 && floor(var.audit_archive.years) == var.audit_archive.years
    error_message = "HIPAA wants six years (45 CFR 164.316(b)(2)(i)); S3 takes up to 100."
  }
}

variable "kms_key_arn" {
  description = "The key that encrypts the archive; null: AWS's own."
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
