# Those of the container are in container.tf.

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

variable "private_subnet_ids" {
  description = "Where the VPC connector is: private subnets in two zones or more, with a way to the FHIR servers."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.private_subnet_ids) >= 2
    error_message = "Two zones at the least, so that one may fail."
  }
}

variable "database_url_secret_arn" {
  description = "The secret with the URL of the PostgreSQL database."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$", var.database_url_secret_arn))
    error_message = "The database_url_secret_arn is the ARN of a secret, such as arn:aws:secretsmanager:us-east-1:123456789012:secret:admit/database-url-AbCdEf."
  }
}

variable "database_security_group_id" {
  description = "The database's security group, which is opened for the tasks."
  type        = string
  nullable    = false
}

variable "instances" {
  description = "How many instances there are, and how many requests at once make one more."
  type = object({
    min             = optional(number, 2)
    max             = optional(number, 6)
    max_concurrency = optional(number, 50)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.instances.min >= 1 && var.instances.max >= var.instances.min && var.instances.max <= 25 && var.instances.max_concurrency >= 1 && var.instances.max_concurrency <= 200
    error_message = "App Runner has 1 to 25 instances, max no less than min, and 1 to 200 requests at once for each."
  }
}

variable "cpu" {
  description = "Processor of an instance, in 1/1024."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.cpu)
    error_message = "App Runner has 256, 512, 1024, 2048 or 4096."
  }
}

variable "memory" {
  description = "Memory of an instance, in MiB."
  type        = number
  default     = 1024
  nullable    = false

  validation {
    condition = contains(lookup({
      "256"  = [512, 1024]
      "512"  = [1024]
      "1024" = [2048, 3072, 4096]
      "2048" = [4096, 6144]
      "4096" = [8192, 10240, 12288]
    }, var.cpu, []), var.memory)
    error_message = "App Runner gives so much memory for a processor: 256: 512 or 1024; 512: 1024; 1024: 2048, 3072 or 4096; 2048: 4096 or 6144; 4096: 8192, 10240 or 12288."
  }
}
