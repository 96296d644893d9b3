variable "name" {
  description = "Prefix of everything that is made."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name takes 2 to 31 lower-case letters, digits and hyphens, and begins with a letter."
  }

  validation {
    condition     = !startswith(var.name, "internal-") && !endswith(var.name, "-")
    error_message = "A load balancer's name does not begin with internal-, nor end with a hyphen."
  }
}

variable "domain_name" {
  description = "The host by which Admit is known, such as auth.example.org."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$", var.domain_name)) && length(var.domain_name) <= 64
    error_message = "The domain_name is a host in lower case, such as auth.example.org: no https://, no path. A certificate takes 64 characters."
  }
}

variable "zone_id" {
  description = "The hosted zone of Route 53 in which that name is."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^Z[A-Z0-9]{7,31}$", var.zone_id))
    error_message = "The zone_id is that of a public hosted zone, such as Z0123456789ABCDEFGHIJ."
  }
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

  validation {
    condition     = length(var.public_subnet_ids) >= 2
    error_message = "A load balancer needs subnets in two zones at the least."
  }
}

variable "target_type" {
  description = "What is behind it: ip (tasks) or instance."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["ip", "instance"], var.target_type)
    error_message = "The target_type is ip or instance."
  }
}

variable "target_security_group_id" {
  description = "The security group of what is behind it, which is opened for the load balancer."
  type        = string
  nullable    = false
}

variable "allowed_cidrs" {
  description = "Who may reach it. Apps, browsers and the validator's key fetches have to."
  type        = set(string)
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = length(var.allowed_cidrs) > 0 && alltrue([for cidr in var.allowed_cidrs : can(cidrnetmask(cidr))])
    error_message = "Name IPv4 networks, such as 203.0.113.0/24."
  }
}

variable "access_logs" {
  description = "The S3 bucket for access logs, and a prefix in it; null: none. Query strings are in them."
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

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
  nullable    = false
}
