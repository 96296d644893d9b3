variable "name" {
  description = "Prefix of everything that is made."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name takes 2 to 31 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "cidr" {
  description = "The addresses of the VPC: a private IPv4 network of /16 to /19."
  type        = string
  default     = "10.20.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.cidr)) && can(regex("^(10\\.|192\\.168\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.).*/(16|17|18|19)$", var.cidr))
    error_message = "The cidr is a private IPv4 network of /16 to /19, such as 10.20.0.0/16: a load balancer needs subnets of /27 at the least."
  }
}

variable "zones" {
  description = "In how many availability zones: 2 or 3."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = contains([2, 3], var.zones)
    error_message = "Take 2 or 3 zones."
  }
}

variable "nat_gateways" {
  description = "How private subnets reach the internet: by one NAT gateway, by one in each-zone, or not at all (none)."
  type        = string
  default     = "one"
  nullable    = false

  validation {
    condition     = contains(["none", "one", "each-zone"], var.nat_gateways)
    error_message = "nat_gateways is none, one or each-zone."
  }
}

variable "interface_endpoints" {
  description = "AWS services that private subnets reach without NAT, such as secretsmanager, ecr.api, ecr.dkr, logs."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for service in var.interface_endpoints : can(regex("^[a-z0-9][a-z0-9.-]+$", service)) && service != "s3"])
    error_message = "Name services as AWS does behind com.amazonaws.REGION, such as ecr.api. S3 has an endpoint anyway."
  }

  validation {
    condition     = var.nat_gateways != "none" || length(setsubtract(["ecr.api", "ecr.dkr", "logs", "secretsmanager"], var.interface_endpoints)) == 0
    error_message = "Without NAT, tasks cannot start unless there are endpoints for ecr.api, ecr.dkr, logs and secretsmanager."
  }
}

variable "flow_log_retention_days" {
  description = "How long the flow log is kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.flow_log_retention_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}

variable "kms_key_arn" {
  description = "The key that encrypts the flow log; null: CloudWatch's own."
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
