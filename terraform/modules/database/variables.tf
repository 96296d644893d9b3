variable "name" {
  description = "Prefix of everything that is made."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name takes 2 to 31 lower-case letters, digits and hyphens, and begins with a letter."
  }

  validation {
    condition     = !can(regex("--|-$", var.name))
    error_message = "RDS takes no name with two hyphens in a row, or one at its end."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
  nullable    = false
}

variable "private_subnet_ids" {
  description = "Where the database is: subnets in two zones or more."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.private_subnet_ids) >= 2
    error_message = "RDS needs subnets in two zones at the least."
  }
}

variable "engine" {
  description = "aurora-postgresql (Aurora Serverless v2), or postgres (RDS)."
  type        = string
  default     = "aurora-postgresql"
  nullable    = false

  validation {
    condition     = contains(["aurora-postgresql", "postgres"], var.engine)
    error_message = "The engine is aurora-postgresql or postgres."
  }
}

variable "engine_version" {
  description = "The major version of PostgreSQL. Minor ones follow by themselves."
  type        = string
  default     = "17"
  nullable    = false

  validation {
    condition     = can(regex("^(1[5-9]|2[0-9])$", var.engine_version))
    error_message = "Give a major version, such as 17. Admit needs PostgreSQL 15 or later."
  }
}

variable "aurora" {
  description = "How large Aurora is: instances, and the least and most of its capacity units (about 2 GiB of memory each)."
  type = object({
    instances    = optional(number, 2)
    min_capacity = optional(number, 0.5)
    max_capacity = optional(number, 4)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.aurora.instances >= 1 && var.aurora.instances <= 15
    error_message = "Aurora takes 1 to 15 instances; with 1, a failed one is away for as long as a new one takes."
  }

  validation {
    # With 0 it would go to sleep, and wake up for longer than Admit waits.
    condition     = var.aurora.min_capacity >= 0.5 && var.aurora.max_capacity >= max(1, var.aurora.min_capacity) && var.aurora.max_capacity <= 256
    error_message = "The capacity is 0.5 to 256 units, in steps of a half; the most is 1 at the least, and not below the least."
  }
}

variable "rds" {
  description = "How large RDS is, and whether it has a standby in another zone."
  type = object({
    instance_class = optional(string, "db.t4g.small")
    multi_az       = optional(bool, true)
    storage_gb     = optional(number, 20)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^db\\.[a-z0-9-]+\\.[a-z0-9]+$", var.rds.instance_class)) && var.rds.storage_gb >= 20
    error_message = "The instance class is one such as db.t4g.small, and gp3 begins at 20 GB."
  }
}

variable "database_name" {
  description = "The name of the database."
  type        = string
  default     = "admit"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.database_name))
    error_message = "The database is named with lower-case letters, digits and underscores."
  }
}

variable "username" {
  description = "The user that owns the database."
  type        = string
  default     = "admit"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.username)) && !contains(["admin", "postgres", "rdsadmin"], var.username)
    error_message = "The user is named with lower-case letters, digits and underscores, and not as one that is reserved."
  }
}

variable "password_version" {
  description = "Raise it to change the password; README.md says what to do then."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.password_version >= 1 && floor(var.password_version) == var.password_version
    error_message = "The version is a whole number from 1 on."
  }
}

variable "ca_file" {
  description = "Where the container has the authorities of RDS."
  type        = string
  default     = "/etc/ssl/rds/global-bundle.pem"
  nullable    = false

  validation {
    condition     = can(regex("^/[A-Za-z0-9._/-]+$", var.ca_file))
    error_message = "The ca_file is an absolute path in the container, such as /etc/ssl/rds/global-bundle.pem."
  }
}

variable "backup_retention_days" {
  description = "For how many days the database can be brought back to any moment."
  type        = number
  default     = 14
  nullable    = false

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "RDS keeps backups for 1 to 35 days."
  }
}

variable "recovery_window_in_days" {
  description = "For so many days a deleted URL can be brought back."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.recovery_window_in_days >= 7 && var.recovery_window_in_days <= 30
    error_message = "Secrets Manager takes 7 to 30 days."
  }
}

variable "deletion_protection" {
  description = "Whether nobody can delete the database."
  type        = bool
  default     = true
  nullable    = false
}

variable "log_retention_days" {
  description = "How long PostgreSQL's log is kept."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}

variable "kms_key_arn" {
  description = "The key that encrypts the database, its URL and its log; null: AWS's own keys. It cannot be changed later."
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
