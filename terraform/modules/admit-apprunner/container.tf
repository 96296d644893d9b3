# The container of Admit and what it is told. This file is the same in every admit-* module; a test sees to that.

variable "name" {
  description = "Prefix of everything that is made."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name takes 2 to 31 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "image" {
  description = "The image in ECR, with a tag of its own or a digest."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/[a-z0-9._/-]+(:[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})$", var.image))
    error_message = "The image is one of ECR with a tag or a digest, such as 123456789012.dkr.ecr.us-east-1.amazonaws.com/admit:1.0.0."
  }

  validation {
    condition     = !endswith(var.image, ":latest")
    error_message = "Nobody can say which version :latest is, nor go back to it. Give the image a tag of its own."
  }
}

variable "domain_name" {
  description = "The host by which Admit is known, such as auth.example.org. With https:// it is the issuer, and stands in every token: do not change it later."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$", var.domain_name)) && length(var.domain_name) <= 64
    error_message = "The domain_name is a host in lower case, such as auth.example.org: no https://, no path. A certificate takes 64 characters."
  }
}

variable "settings" {
  description = "Further settings: variables of docs/administration.md, such as ADMIT_ORGANIZATION."
  type        = map(string)
  default     = {}
  nullable    = false

  # With a variable that it does not know, the server does not start: better that the plan says so.
  validation {
    condition = length(setsubtract(keys(var.settings), [
      "ADMIT_ALLOWED_HOSTS", "ADMIT_ALLOW_NETWORK_DISK", "ADMIT_ALLOW_PRIVATE_JWKS", "ADMIT_AUDIT_RETENTION_YEARS",
      "ADMIT_BOOLEAN_IS_AUTHORIZED", "ADMIT_DATABASE_CONNECTIONS", "ADMIT_HASH_SLOTS", "ADMIT_JWKS_CA_FILE", "ADMIT_KEY_ROTATION",
      "ADMIT_LOG", "ADMIT_ORGANIZATION", "ADMIT_READ_ONLY_ROLE_ARN", "ADMIT_REGISTRATION", "ADMIT_ROLE_ARN",
    ])) == 0
    error_message = "Admit does not know one of the settings (docs/administration.md has their names), or it is not for you to set here."
  }

  validation {
    condition     = alltrue([for value in values(var.settings) : !strcontains(value, "\n")])
    error_message = "A setting is one line."
  }

  validation {
    condition     = length(setintersection(keys(var.settings), ["ADMIT_MASTER_KEY", "ADMIT_DATABASE"])) == 0
    error_message = "Secrets do not belong into settings, where everybody reads them: give the ARNs of their secrets."
  }

  validation {
    condition = length(setintersection(keys(var.settings), [
      "ADMIT_AUDIT_LOG", "ADMIT_CONFIG", "ADMIT_ISSUER", "ADMIT_LISTEN", "ADMIT_LOG_FORMAT", "ADMIT_MASTER_KEY_FILE",
      "ADMIT_SHUTDOWN_DELAY", "ADMIT_TLS_CERTIFICATE_FILE", "ADMIT_TLS_KEY_FILE", "ADMIT_TRUSTED_PROXIES",
    ])) == 0
    error_message = "The module itself sets issuer, addresses, TLS, proxies, logs and the master key."
  }
}

variable "master_key_secret_arn" {
  description = "The secret with the master key."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$", var.master_key_secret_arn))
    error_message = "The master_key_secret_arn is the ARN of a secret, such as arn:aws:secretsmanager:us-east-1:123456789012:secret:admit/master-key-AbCdEf."
  }
}

variable "secrets_kms_key_arn" {
  description = "The key that encrypts the secrets; null: AWS's own."
  type        = string
  default     = null

  validation {
    condition     = var.secrets_kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.secrets_kms_key_arn))
    error_message = "secrets_kms_key_arn is the ARN of a key, such as arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555."
  }
}

variable "kms_key_arn" {
  description = "The key that encrypts what the module makes itself, such as the log; null: AWS's own keys."
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

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  issuer    = "https://${var.domain_name}"
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region

  # 123456789012.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG
  image          = regex("^(?P<account>[0-9]{12})\\.dkr\\.ecr\\.(?P<region>[a-z0-9-]+)\\.[^/]+/(?P<repository>[^:@]+)", var.image)
  repository_arn = "arn:${local.partition}:ecr:${local.image.region}:${local.image.account}:repository/${local.image.repository}"

  container_environment = merge(var.settings, {
    PORT             = "8080"
    ADMIT_ISSUER     = local.issuer
    ADMIT_LOG_FORMAT = "json"
    # Every audit entry is a line of the log as well, from where it can be kept elsewhere.
    ADMIT_AUDIT_LOG       = "stdout"
    ADMIT_TRUSTED_PROXIES = join(",", local.trusted_proxies)
  })

  pull_statements = [
    {
      # It is not for a certain repository.
      Effect   = "Allow"
      Action   = ["ecr:GetAuthorizationToken"]
      Resource = ["*"]
    },
    {
      Effect   = "Allow"
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = [local.repository_arn]
    },
  ]
  secret_statements = concat(
    [
      {
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = local.secret_arns
      },
    ],
    [
      for key in var.secrets_kms_key_arn[*] : {
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = [key]
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${local.region}.amazonaws.com" } }
      }
    ],
  )
}
