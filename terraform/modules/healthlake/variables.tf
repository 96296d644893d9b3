variable "name" {
  description = "Name of the data store. It cannot be changed afterwards."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name takes 2 to 31 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "tags" {
  description = "Tags of the data store."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "idp_lambda_arn" {
  description = "The function that HealthLake asks about each token: alias_arn of the module validator."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:lambda:[a-z]{2}(-[a-z]+)+-[0-9]:[0-9]{12}:function:[A-Za-z0-9_.-]+(:[A-Za-z0-9_-]+)?$", var.idp_lambda_arn))
    error_message = "The function is named by its ARN, best with its alias: arn:aws:lambda:REGION:ACCOUNT:function:NAME:live."
  }
}

variable "issuer" {
  description = "The authorization server, which the metadata are about: an https URL without a slash at its end."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://[^\\s/\"\\\\]+[^\\s\"\\\\]*$", var.issuer)) && !endswith(var.issuer, "/")
    error_message = "The issuer is an https URL without a slash at its end, such as https://auth.example.org."
  }
}

variable "authorization_strategy" {
  description = "SMART_ON_FHIR takes v1 and v2 scopes, SMART_ON_FHIR_V1 v1 scopes alone. Say the same to the authorization server."
  type        = string
  default     = "SMART_ON_FHIR"
  nullable    = false

  validation {
    condition     = contains(["SMART_ON_FHIR", "SMART_ON_FHIR_V1"], var.authorization_strategy)
    error_message = "The strategy is SMART_ON_FHIR or SMART_ON_FHIR_V1."
  }
}

variable "fine_grained_authorization" {
  description = "Whether HealthLake narrows user/ scopes to the patients of the person in fhirUser."
  type        = bool
  default     = true
  nullable    = false
}

variable "metadata" {
  description = "SMART metadata as JSON, where they are not those that Admit has for the issuer."
  type        = string
  default     = null

  validation {
    condition     = var.metadata == null ? true : can(keys(jsondecode(var.metadata)))
    error_message = "The metadata are a JSON object; take jsonencode({ … }) or file(…)."
  }

  validation {
    condition = var.metadata == null ? true : length(setsubtract(
      ["authorization_endpoint", "token_endpoint", "grant_types_supported", "capabilities", "code_challenge_methods_supported"],
      try(keys(jsondecode(var.metadata)), [])
    )) == 0
    error_message = "HealthLake needs authorization_endpoint, token_endpoint, grant_types_supported, capabilities and code_challenge_methods_supported."
  }

  validation {
    condition     = var.metadata == null ? true : contains(try(jsondecode(var.metadata).code_challenge_methods_supported, []), "S256")
    error_message = "code_challenge_methods_supported has to name S256."
  }

  validation {
    condition = var.metadata == null ? true : try(length(jsondecode(var.metadata).grant_types_supported) > 0, false) && length(setsubtract(
      try(jsondecode(var.metadata).grant_types_supported, []), ["authorization_code", "client_credentials"]
    )) == 0
    error_message = "HealthLake knows the grant types authorization_code and client_credentials, and wants at least one."
  }
}

variable "kms_key_arn" {
  description = "The customer's key that the data are encrypted with. Null: a key of AWS's. It cannot be changed afterwards."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "The key is named by its ARN: arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "preload_synthea" {
  description = "Whether the data store begins with AWS's synthetic records (Synthea). It cannot be changed afterwards."
  type        = bool
  default     = false
  nullable    = false
}
