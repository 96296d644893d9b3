# What they mean, and what they may be, is said in ../variables.tf and in the modules.
variable "name" {
  description = "Prefix of all that is this tenant's."
  type        = string
}

variable "domain_name" {
  description = "The host of this tenant's Admit."
  type        = string
}

variable "datastore_endpoint" {
  description = "This tenant's data store, once it is known."
  type        = string
}

variable "region" {
  description = "Where everything is made."
  type        = string
}

variable "zone_id" {
  description = "The Route 53 zone of the host."
  type        = string
}

variable "image" {
  description = "The container image of Admit."
  type        = string
}

variable "backup_recipient" {
  description = "For whom backups are encrypted."
  type        = string
}

variable "validator_zip" {
  description = "What scripts/package-lambda made."
  type        = string
}

variable "alarm_actions" {
  description = "Whom alarms tell."
  type        = list(string)
}

variable "network" {
  description = "Where the instance and its load balancer are."
  type = object({
    vpc_id             = string
    public_subnet_ids  = list(string)
    private_subnet_ids = list(string)
  })
}
