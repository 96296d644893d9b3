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

variable "domain_prefix" {
  description = "The pool's host is PREFIX.auth.REGION.amazoncognito.com. Nobody else in the region may have it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.domain_prefix)) && !can(regex("aws|amazon|cognito", var.domain_prefix))
    error_message = "The prefix takes up to 63 lower-case letters, digits and hyphens, no hyphen at either end, and none of the words aws, amazon and cognito."
  }
}

variable "scopes" {
  description = "SMART scopes by what stands before their slash: patient, user, system or launch. Cognito knows only scopes that are listed one by one."
  type        = map(set(string))
  nullable    = false
  default = {
    user   = ["*.rs", "*.read"]
    system = ["*.rs", "*.read"]
  }

  validation {
    condition     = length(setsubtract(keys(var.scopes), ["patient", "user", "system", "launch"])) == 0
    error_message = "Scopes begin with patient, user, system or launch."
  }

  validation {
    condition = alltrue(flatten([
      for level, names in var.scopes : [
        for name in names : level == "launch" ? contains(["patient", "encounter"], name) : can(regex(
          "^(\\*|[A-Z][A-Za-z]*)\\.(read|write|\\*|c?r?u?d?s|c?r?u?d|c?r?u|c?r|c)(\\?[!#-.0-\\[\\]-~]+)?$", name
        ))
      ]
    ]))
    error_message = "A scope is what stands behind the slash, such as *.rs, Observation.read or Observation.rs?category=laboratory; Cognito takes no further slash, no space, quote or backslash. Behind launch it is patient or encounter."
  }

  validation {
    condition     = length(flatten([for level, names in var.scopes : tolist(names) if level != "system"])) <= 48 && length(lookup(var.scopes, "system", [])) <= 50
    error_message = "Cognito takes 50 scopes per client, and with that fewer than the 100 of a resource server: 50 behind system, 48 behind all others together, as openid and profile count too."
  }

  validation {
    condition     = length(lookup(var.scopes, "patient", [])) == 0 || var.pre_token_generation_lambda_arn != null
    error_message = "A patient/ scope is worth something only with a patient in the token, and Cognito puts none there: it needs pre_token_generation_lambda_arn."
  }
}

variable "pre_token_generation_lambda_arn" {
  description = "A function of yours that adds the claim patient to access tokens (Cognito's trigger, event version V2_0)."
  type        = string
  default     = null

  validation {
    condition     = var.pre_token_generation_lambda_arn == null ? true : can(regex("^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)?$", var.pre_token_generation_lambda_arn))
    error_message = "The function is named by its ARN: arn:aws:lambda:REGION:ACCOUNT:function:NAME."
  }
}

variable "callback_urls" {
  description = "Where the app may be sent back to."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.callback_urls) > 0 && alltrue([for url in var.callback_urls : can(regex("^(https://|http://localhost[:/])[^\\s#]+$", url))])
    error_message = "A callback is an https URL without a fragment, or one on http://localhost; there is at least one."
  }
}

variable "logout_urls" {
  description = "Where the browser may be sent after signing out."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for url in var.logout_urls : can(regex("^(https://|http://localhost[:/])[^\\s#]+$", url))])
    error_message = "A URL is https, or on http://localhost, and has no fragment."
  }
}

variable "access_token_minutes" {
  description = "How long access tokens live. Nothing takes them back before that: the validator cannot ask Cognito."
  type        = number
  default     = 15
  nullable    = false

  validation {
    condition     = var.access_token_minutes >= 5 && var.access_token_minutes <= 60 && floor(var.access_token_minutes) == var.access_token_minutes
    error_message = "Access tokens live for 5 (Cognito's least) to 60 minutes (SMART's most)."
  }
}

variable "refresh_token_hours" {
  description = "How long a person stays signed in to an app."
  type        = number
  default     = 24
  nullable    = false

  validation {
    condition     = var.refresh_token_hours >= 1 && var.refresh_token_hours <= 720 && floor(var.refresh_token_hours) == var.refresh_token_hours
    error_message = "Refresh tokens live for 1 to 720 hours."
  }
}

variable "mfa" {
  description = "A second factor (an authenticator app): OFF, OPTIONAL or ON."
  type        = string
  default     = "OPTIONAL"
  nullable    = false

  validation {
    condition     = contains(["OFF", "OPTIONAL", "ON"], var.mfa)
    error_message = "The second factor is OFF, OPTIONAL or ON."
  }
}

variable "deletion_protection" {
  description = "Whether Cognito refuses to delete the pool, and its people with it."
  type        = bool
  default     = true
  nullable    = false
}

variable "test_user" {
  description = "Email address of a synthetic person to try it with. Null: none. The password is set outside Terraform: see the output test_user_password_command."
  type        = string
  default     = null

  validation {
    condition     = var.test_user == null ? true : can(regex("^[a-z0-9._+-]+@[a-z0-9.-]+\\.[a-z]+$", var.test_user))
    error_message = "The test user is an email address in lower case, such as test@example.org."
  }
}
