# Those of the container are in container.tf, that of the log in log.tf.

variable "zone_id" {
  description = "The hosted zone of Route 53 in which domain_name is."
  type        = string
  nullable    = false
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
  nullable    = false
}

variable "public_subnet_ids" {
  description = "Where the load balancer is: public subnets in two zones or more."
  type        = list(string)
  nullable    = false
}

variable "private_subnet_ids" {
  description = "The first of these private subnets is where the instance and its volume are. It needs a way to AWS and to the FHIR servers."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.private_subnet_ids) >= 1
    error_message = "Name the private subnet for the instance."
  }
}

variable "instance_type" {
  description = "The instance: one of the Nitro kind, for architecture."
  type        = string
  default     = "t4g.small"
  nullable    = false

  validation {
    # Where a volume is found by its id; the older ones have other names for it.
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9]+$", var.instance_type)) && !can(regex("^(t1|t2|m1|m2|m3|m4|c1|c3|c4|r3|r4|d2|i2|x1|x1e)\\.", var.instance_type))
    error_message = "Take an instance of the Nitro kind, such as t4g.small."
  }

  validation {
    condition     = can(regex("^([a-z]+[0-9]+g|a1)", var.instance_type)) == (var.architecture == "arm64")
    error_message = "The instance type is for another processor than architecture says."
  }
}

variable "architecture" {
  description = "What the image was built for: arm64 or x86_64."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The architecture is arm64 or x86_64."
  }
}

variable "ami_id" {
  description = "An image of Amazon Linux 2023; null: the latest one when the instance is made."
  type        = string
  default     = null

  validation {
    condition     = var.ami_id == null ? true : can(regex("^ami-[0-9a-f]{8,17}$", var.ami_id))
    error_message = "The ami_id is one such as ami-0123456789abcdef0."
  }
}

variable "volume_size" {
  description = "The data volume, in GiB. It can be made larger; its file system follows at the next start."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.volume_size >= 8 && var.volume_size <= 16384 && floor(var.volume_size) == var.volume_size
    error_message = "The volume has 8 to 16384 GiB. A backup needs as much room again as the database has."
  }
}

variable "backup_recipient" {
  description = "For whom backups are encrypted: the public half of an age key, which begins with age1."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^age1[a-z0-9]{58}$", var.backup_recipient))
    error_message = "The backup_recipient begins with age1 and has 62 characters. age-keygen on another machine makes the pair."
  }
}

variable "backup_schedule" {
  description = "When backups are made, as systemd writes it (UTC), once a day at the least."
  type        = string
  default     = "*-*-* 03:00:00"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9*:/.,~ -]+$", var.backup_schedule))
    error_message = "The backup_schedule is a calendar event of systemd, such as *-*-* 03:00:00."
  }
}

variable "backup_retention_days" {
  description = "How long backups are kept."
  type        = number
  default     = 35
  nullable    = false

  validation {
    condition     = var.backup_retention_days >= 1 && floor(var.backup_retention_days) == var.backup_retention_days
    error_message = "Keep backups for a day at the least."
  }
}

variable "snapshots" {
  description = "Daily snapshots of the data volume: how many are kept, and when they are made (UTC); null: none."
  type = object({
    keep = optional(number, 14)
    time = optional(string, "04:00")
  })
  default = null

  validation {
    condition     = var.snapshots == null ? true : var.snapshots.keep >= 1 && var.snapshots.keep <= 1000 && can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]$", var.snapshots.time))
    error_message = "Keep 1 to 1000 snapshots, made at a time such as 04:00."
  }
}

variable "alarm_topic_arns" {
  description = "The SNS topics that are told when there was no backup."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", arn))])
    error_message = "Name topics by their ARNs, such as arn:aws:sns:us-east-1:123456789012:operations."
  }
}

variable "allowed_cidrs" {
  description = "Who may reach the load balancer. Apps, browsers and the validator's key fetches have to."
  type        = set(string)
  default     = ["0.0.0.0/0"]
  nullable    = false
}

variable "access_logs" {
  description = "The S3 bucket for the load balancer's access logs, and a prefix in it; null: none. Query strings are in them."
  type = object({
    bucket = string
    prefix = optional(string)
  })
  default = null
}

variable "deletion_protection" {
  description = "Whether nobody can delete the load balancer."
  type        = bool
  default     = true
  nullable    = false
}
