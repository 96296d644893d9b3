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
  description = "Where the tasks are: private subnets in two zones or more, with a way to ECR, Secrets Manager, CloudWatch Logs and the FHIR servers."
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

variable "secrets_version" {
  description = "Raise it after a secret has changed: the tasks are replaced, and read it anew."
  type        = number
  default     = 1
  nullable    = false
}

variable "tasks" {
  description = "How many tasks there are, and at which share of the processor there are more."
  type = object({
    min        = optional(number, 2)
    max        = optional(number, 6)
    target_cpu = optional(number, 60)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.tasks.min >= 2 && var.tasks.max >= var.tasks.min && var.tasks.target_cpu >= 10 && var.tasks.target_cpu <= 90
    error_message = "There are two tasks at the least, so that one may fail; max is no less than min, and target_cpu 10 to 90."
  }
}

variable "cpu" {
  description = "Processor of a task, in 1/1024. Signing in costs most: a password hash keeps a processor busy."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.cpu)
    error_message = "Fargate has 256, 512, 1024, 2048 or 4096."
  }
}

variable "memory" {
  description = "Memory of a task, in MiB."
  type        = number
  default     = 1024
  nullable    = false

  validation {
    condition = contains(lookup({
      "256"  = [512, 1024, 2048]
      "512"  = range(1024, 4097, 1024)
      "1024" = range(2048, 8193, 1024)
      "2048" = range(4096, 16385, 1024)
      "4096" = range(8192, 30721, 1024)
    }, var.cpu, []), var.memory)
    error_message = "Fargate gives whole GiB, two to eight for each processor: 1024 to 4096 with 512, for instance."
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

variable "enable_execute_command" {
  description = "Whether administrators may run commands in a task. Its root file system is writable as long."
  type        = bool
  default     = false
  nullable    = false
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
