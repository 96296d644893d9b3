variable "name" {
  description = "Prefix of all names."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name takes 2 to 31 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
  nullable    = false
}

# --- the function -----------------------------------------------------------

variable "zip_path" {
  description = "The zip that scripts/package-lambda makes, such as target/lambda/admit-validator-arm64.zip."
  type        = string
  nullable    = false

  validation {
    condition     = fileexists(var.zip_path)
    error_message = "There is no file ${var.zip_path}. Make it with scripts/package-lambda, or say where it is."
  }

  validation {
    condition = alltrue([
      for other in setsubtract(["arm64", "x86_64"], [var.architecture]) : !strcontains(basename(var.zip_path), other)
    ])
    error_message = "By its name, ${basename(var.zip_path)} is for another processor than ${var.architecture}. Set architecture to match."
  }
}

variable "architecture" {
  description = "The processor that the zip was built for: arm64 or x86_64."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The architecture is arm64 or x86_64."
  }
}

variable "memory_size" {
  description = "Memory in MB. It is also the share of processor time, and with it the time of a cold start."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 3008 && floor(var.memory_size) == var.memory_size
    error_message = "The memory is a whole number of MB from 128 to 3008."
  }
}

variable "timeout" {
  description = "Seconds after which Lambda stops the function. HealthLake has given up by then: it waits for one second."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = contains([2, 3], var.timeout)
    error_message = "The timeout is 2 or 3 seconds: HealthLake waits for one, and a cold start may take the rest."
  }
}

variable "provisioned_concurrency" {
  description = "Copies of the function that are kept started, so that no request meets a cold start. They cost while they stand. 0: none."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.provisioned_concurrency >= 0 && floor(var.provisioned_concurrency) == var.provisioned_concurrency
    error_message = "The provisioned concurrency is a whole number, 0 for none."
  }
}

variable "reserved_concurrency" {
  description = "At most so many copies at once, set aside from the account's limit. Null: no limit of its own. Too low a number refuses requests."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null ? true : var.reserved_concurrency >= max(var.provisioned_concurrency, 1)
    error_message = "The reserved concurrency is null, or at least 1 and at least the provisioned concurrency: 0 would stop the function."
  }
}

variable "kms_key_arn" {
  description = "KMS key for the function's environment and its log. Its policy has to allow logs.REGION.amazonaws.com to use it. Null: AWS's own keys."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "The key is named by its ARN: arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "log_retention_days" {
  description = "For how many days the log of decisions is kept."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch knows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653 days."
  }
}

# --- who calls it -----------------------------------------------------------

variable "healthlake" {
  description = "Whether HealthLake calls the function: makes the permission and the service roles. False where only API Gateway asks."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = var.healthlake || var.fhir_base != null
    error_message = "Without HealthLake, fhir_base is needed: the audience of the tokens that API Gateway asks about."
  }
}

variable "restrict_to_account" {
  description = "Whether HealthLake may call the function for data stores of this account only (aws:SourceAccount)."
  type        = bool
  default     = true
  nullable    = false
}

variable "source_arn" {
  description = "The data stores that HealthLake may call the function for, as a pattern of ARNs (aws:SourceArn). Null: any of the account."
  type        = string
  default     = null

  validation {
    condition     = var.source_arn == null ? true : can(regex("^arn:aws[a-z-]*:healthlake:[a-z0-9*-]+:[0-9]{12}:datastore/", var.source_arn))
    error_message = "The source is arn:aws:healthlake:REGION:ACCOUNT:datastore/fhir/ID, or a pattern of such."
  }
}

variable "datastore_arns" {
  description = "The data stores that the service roles open. Null: all FHIR data stores of this account and region. Write ARNs that exist already: the ARN of a data store that waits for this function would be a cycle."
  type        = list(string)
  default     = null

  validation {
    condition = var.datastore_arns == null ? true : length(var.datastore_arns) > 0 && alltrue([
      for arn in var.datastore_arns : can(regex("^arn:aws[a-z-]*:healthlake:[a-z0-9-]+:[0-9]{12}:datastore/fhir/[0-9a-f]{32}$", arn))
    ])
    error_message = "Each data store is arn:aws:healthlake:REGION:ACCOUNT:datastore/fhir/ID, and there is at least one."
  }
}

variable "datastore_kms_key_arn" {
  description = "The customer's key that the data stores are encrypted with: the service roles may use it through HealthLake. Null: AWS's key."
  type        = string
  default     = null

  validation {
    condition     = var.datastore_kms_key_arn == null ? true : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.datastore_kms_key_arn))
    error_message = "The key is named by its ARN: arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "additional_actions" {
  description = "What else tokens may do that write, such as healthlake:StartFHIRExportJobWithPost: the full service role may do it too."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for action in var.additional_actions : can(regex("^healthlake:[A-Za-z]+$", action))])
    error_message = "Each action is one of HealthLake's, such as healthlake:StartFHIRExportJobWithPost, without *."
  }
}

# --- whom it believes -------------------------------------------------------

# No object type: Terraform drops the members that such a type does not have, and one that is misspelt would then narrow
# nothing. The validations below are the type.
variable "trust" {
  description = "The issuers that are believed, as docs/validator.md has them. An empty list: the zip holds a file trust.json."
  type        = any
  nullable    = false

  validation {
    condition     = can([for entry in var.trust : keys(entry)]) && !can(keys(var.trust))
    error_message = "The trust is a list of objects, such as [{ issuer = \"https://auth.example.org\" }]."
  }

  validation {
    condition = alltrue([
      for entry in try([for entry in var.trust : keys(entry)], []) : length(setsubtract(entry, [
        "issuer", "profile", "jwks", "jwks_uri", "datastores", "audiences", "audience_by_datastore_id",
        "tenant", "clients", "role_arn", "read_only_role_arn", "introspection"
      ])) == 0
    ])
    error_message = "A member of trust is none of issuer, profile, jwks, jwks_uri, datastores, audiences, audience_by_datastore_id, tenant, clients, role_arn, read_only_role_arn, introspection."
  }

  validation {
    condition     = alltrue([for entry in var.trust : can(regex("^https://[^\\s/]+[^\\s]*$", entry.issuer))])
    error_message = "Each entry of trust needs its issuer: an https URL, byte for byte as it stands in iss."
  }

  validation {
    condition     = alltrue([for entry in var.trust : contains(["admit", "cognito", "keycloak", "okta", "generic"], try(coalesce(entry.profile), "admit"))])
    error_message = "A profile is admit, cognito, keycloak, okta or generic."
  }

  validation {
    condition = alltrue([
      for entry in var.trust : anytrue([
        contains(["admit", "cognito"], try(coalesce(entry.profile), "admit")),
        try(entry.jwks, null) != null,
        try(entry.jwks_uri, null) != null,
        try(entry.introspection.mode, "") == "only",
      ])
    ])
    error_message = "An entry with the profile keycloak, okta or generic needs jwks_uri, or jwks."
  }

  validation {
    condition     = alltrue([for entry in var.trust : can(regex("^https://", coalesce(try(entry.jwks_uri, null), "https://")))])
    error_message = "A jwks_uri is an https URL."
  }

  validation {
    condition = alltrue(flatten([
      for entry in var.trust : [for url in try(coalesce(entry.datastores), []) : can(regex("^https://[^\\s]+$", url))]
    ]))
    error_message = "A data store is its endpoint: https://healthlake.REGION.amazonaws.com/datastore/ID/r4/."
  }

  validation {
    condition = alltrue([
      for entry in var.trust : try(length(entry.datastores) > 0, false) || (length(var.trust) < 2 && !try(length(entry.audiences) > 0, false))
    ])
    error_message = "With several entries, or with audiences, each says which data stores it opens: datastores = [\"https://…/r4/\"]."
  }

  validation {
    condition = length(distinct(flatten([
      for entry in var.trust : [
        for url in try(coalesce(entry.datastores), []) : jsonencode([entry.issuer, try(entry.tenant, null), trimsuffix(url, "/")])
      ]
    ]))) == length(flatten([for entry in var.trust : try(coalesce(entry.datastores), [])]))
    error_message = "Two entries decide on the same tokens: same issuer, same tenant, same data store. One of them would never be asked."
  }

  validation {
    condition     = alltrue([for entry in var.trust : try(entry.profile, null) != "cognito" || try(length(entry.clients) > 0, false)])
    error_message = "Cognito's tokens name no audience: list their clients, clients = [\"…\"]."
  }

  validation {
    condition = alltrue(flatten([
      for entry in var.trust : [
        for arn in [try(entry.role_arn, null), try(entry.read_only_role_arn, null)] :
        arn == null ? true : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$", arn))
      ]
    ]))
    error_message = "A role is named by its ARN: arn:aws:iam::ACCOUNT:role/NAME."
  }

  validation {
    condition = alltrue([
      for entry in var.trust : try(entry.introspection, null) == null ? true : alltrue([
        length(setsubtract(keys(entry.introspection), ["mode", "endpoint", "client_id", "key_id", "audience", "when_unreachable", "cache_seconds"])) == 0,
        contains(["only", "combined"], try(entry.introspection.mode, "")),
        can(regex("^https://[^\\s@]+$", entry.introspection.endpoint)),
        try(length(entry.introspection.client_id) > 0, false),
        contains(["refuse", "allow"], try(coalesce(entry.introspection.when_unreachable), "refuse")),
        try(entry.introspection.mode, "") != "only" || try(entry.introspection.when_unreachable, null) != "allow",
        try(coalesce(entry.introspection.cache_seconds), 0) >= 0 && try(coalesce(entry.introspection.cache_seconds), 0) <= 60,
      ])
    ])
    error_message = "Introspection has mode (only or combined), endpoint (https), client_id, and where wanted key_id, audience, when_unreachable (refuse; allow with combined alone) and cache_seconds (0 to 60). Its secret stands in introspection_client_secret or introspection_key."
  }
}

variable "introspection_client_secret" {
  description = "The secret of the client that asks the issuer. It reaches the function's environment, and so Terraform's state: see the README for a way around."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.introspection_client_secret == null || var.introspection_key == null
    error_message = "A client authenticates with introspection_client_secret or with introspection_key, not with both."
  }

  validation {
    condition = (var.introspection_client_secret != null || var.introspection_key != null) == anytrue([
      for entry in var.trust : try(entry.introspection, null) != null
    ])
    error_message = "Introspection needs introspection_client_secret or introspection_key, and neither has a use without an introspection in trust."
  }
}

variable "introspection_key" {
  description = "In place of the secret, a private key: a JWK, or PKCS#8 in PEM. It reaches Terraform's state likewise."
  type        = string
  default     = null
  sensitive   = true
}

variable "ca_file" {
  description = "Name of a file in the zip with certificates (PEM) of further authorities. Null: the public ones alone."
  type        = string
  default     = null

  validation {
    condition     = var.ca_file == null ? true : can(regex("^[A-Za-z0-9._-]+$", var.ca_file))
    error_message = "The file lies at the root of the zip (scripts/package-lambda --with FILE): give its name alone."
  }
}

variable "context_claims" {
  description = "Claims that are passed on besides patient, encounter and fhirUser, such as department or patient=launch_patient."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for claim in var.context_claims : can(regex("^[^\\s,=]+(=[^\\s,=]+)?$", claim))])
    error_message = "A claim is its name, or NAME=CLAIM where it is passed on under another name."
  }
}

variable "boolean_is_authorized" {
  description = "Whether isAuthorized is a boolean, not the string that AWS's example shows."
  type        = bool
  default     = false
  nullable    = false
}

variable "fhir_base" {
  description = "The audience of the tokens that API Gateway asks about. Null: the function does not answer API Gateway."
  type        = string
  default     = null

  validation {
    condition     = var.fhir_base == null ? true : can(regex("^https://[^\\s]+$", var.fhir_base))
    error_message = "The FHIR base is an https URL."
  }

  validation {
    condition = var.fhir_base == null || length(var.trust) == 0 ? true : anytrue([
      for entry in var.trust : contains(
        [for url in try(coalesce(entry.datastores), [var.fhir_base]) : trimsuffix(url, "/")], trimsuffix(coalesce(var.fhir_base, "/"), "/")
      )
    ])
    error_message = "No entry of trust opens the FHIR base: name it among the datastores of one."
  }
}

variable "gateway_answer" {
  description = "What HTTP APIs are answered with: simple or policy."
  type        = string
  default     = "simple"
  nullable    = false

  validation {
    condition     = contains(["simple", "policy"], var.gateway_answer)
    error_message = "The answer is simple or policy."
  }
}

variable "metrics_namespace" {
  description = "CloudWatch namespace of the function's own metrics; off for none, and none of the alarms that need them."
  type        = string
  default     = "Admit"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._/# -][A-Za-z0-9._/#: -]{0,254}$", var.metrics_namespace)) && !startswith(var.metrics_namespace, "AWS/")
    error_message = "The namespace takes letters, digits and . - _ / # : and spaces, does not begin with AWS/ or a colon; or it is off."
  }
}

variable "log_level" {
  description = "How much the function says besides its decisions: info, warn or debug."
  type        = string
  default     = "info"
  nullable    = false

  validation {
    condition     = contains(["info", "warn", "debug"], var.log_level)
    error_message = "The level is info, warn or debug."
  }
}

# --- alarms -----------------------------------------------------------------

variable "alarms" {
  description = "Whether there are alarms."
  type        = bool
  default     = true
  nullable    = false
}

variable "alarm_actions" {
  description = "Whom alarms tell, and that they are over: ARNs of SNS topics."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.alarm_actions : can(regex("^arn:aws[a-z-]*:[a-z0-9-]+:", arn))])
    error_message = "An action is an ARN, such as arn:aws:sns:REGION:ACCOUNT:TOPIC."
  }
}

variable "duration_alarm_ms" {
  description = "The 99th percentile of the function's duration, in milliseconds, from which there is an alarm. HealthLake gives up at 1000, the way there included."
  type        = number
  default     = 800
  nullable    = false

  validation {
    condition     = var.duration_alarm_ms > 0 && var.duration_alarm_ms < 1000
    error_message = "The limit lies below the 1000 ms after which HealthLake gives up."
  }
}

variable "refusal_alarms" {
  description = "Refusals in five minutes from which there is an alarm, by reason. By default: what is the operator's to mend, at once, and what points at forgery, in numbers."
  type        = map(number)
  nullable    = false
  default = {
    not_configured   = 1
    no_keys          = 1
    no_introspection = 1
    too_slow         = 1
    failed           = 1
    signature        = 10
    unknown_key      = 50
  }

  validation {
    condition = length(setsubtract(keys(var.refusal_alarms), [
      "missing_fields", "no_token", "bad_arn", "unknown_datastore", "no_keys", "inactive", "no_introspection", "contradicted",
      "not_configured", "too_slow", "failed", "too_long", "malformed", "header", "type", "unknown_key", "algorithm", "signature",
      "claim", "issuer", "audience", "client", "tenant", "expired", "not_yet", "lives_too_long", "scope", "no_patient"
    ])) == 0
    error_message = "A reason is one of those in docs/validator.md, such as no_keys or signature."
  }

  validation {
    condition     = alltrue([for count in values(var.refusal_alarms) : count >= 1])
    error_message = "An alarm takes at least one refusal."
  }
}
