data "aws_region" "current" {}

locals {
  issuer = "https://${aws_cognito_user_pool.this.endpoint}"
  host   = "https://${aws_cognito_user_pool_domain.this.domain}.auth.${data.aws_region.current.region}.amazoncognito.com"

  people  = flatten([for level, names in var.scopes : [for name in names : "${level}/${name}"] if level != "system"])
  service = [for name in lookup(var.scopes, "system", []) : "system/${name}"]
}

resource "aws_cognito_user_pool" "this" {
  name                = var.name
  user_pool_tier      = "ESSENTIALS"
  deletion_protection = var.deletion_protection ? "ACTIVE" : "INACTIVE"
  mfa_configuration   = var.mfa
  tags                = var.tags

  username_attributes      = ["email"]
  auto_verified_attributes = ["email"]

  username_configuration {
    case_sensitive = false
  }

  # Nobody registers themselves for patients' records.
  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  password_policy {
    minimum_length                   = 14
    require_lowercase                = true
    require_uppercase                = true
    require_numbers                  = true
    require_symbols                  = true
    temporary_password_validity_days = 1
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }

  dynamic "software_token_mfa_configuration" {
    for_each = var.mfa == "OFF" ? [] : [true]

    content {
      enabled = true
    }
  }

  dynamic "lambda_config" {
    for_each = compact([var.pre_token_generation_lambda_arn])

    content {
      pre_token_generation_config {
        lambda_arn     = lambda_config.value
        lambda_version = "V2_0"
      }
    }
  }
}

resource "aws_lambda_permission" "pre_token_generation" {
  count = var.pre_token_generation_lambda_arn == null ? 0 : 1

  statement_id  = "${var.name}-cognito"
  action        = "lambda:InvokeFunction"
  function_name = var.pre_token_generation_lambda_arn
  principal     = "cognito-idp.amazonaws.com"
  source_arn    = aws_cognito_user_pool.this.arn
}

resource "aws_cognito_user_pool_domain" "this" {
  domain       = var.domain_prefix
  user_pool_id = aws_cognito_user_pool.this.id
}

# Cognito writes a scope as RESOURCE-SERVER/NAME and takes no slash in the name. So the resource servers are called patient, user,
# system and launch, and the scopes come out as SMART's own.
resource "aws_cognito_resource_server" "this" {
  for_each = var.scopes

  user_pool_id = aws_cognito_user_pool.this.id
  identifier   = each.key
  name         = "SMART ${each.key} scopes"

  dynamic "scope" {
    for_each = each.value

    content {
      scope_name        = scope.value
      scope_description = "${each.key}/${scope.value}"
    }
  }
}

resource "aws_cognito_user_pool_client" "app" {
  name         = "${var.name}-app"
  user_pool_id = aws_cognito_user_pool.this.id

  # An app in a browser or on a phone: it has PKCE (S256) in place of a secret.
  generate_secret                      = false
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = concat(["openid", "profile"], local.people)
  supported_identity_providers         = ["COGNITO"]
  callback_urls                        = var.callback_urls
  logout_urls                          = var.logout_urls

  # Passwords go to Cognito's own pages alone.
  explicit_auth_flows           = ["ALLOW_REFRESH_TOKEN_AUTH"]
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true

  access_token_validity  = var.access_token_minutes
  id_token_validity      = var.access_token_minutes
  refresh_token_validity = var.refresh_token_hours

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "hours"
  }

  depends_on = [aws_cognito_resource_server.this]
}

resource "aws_cognito_user_pool_client" "service" {
  count = length(local.service) > 0 ? 1 : 0

  name         = "${var.name}-service"
  user_pool_id = aws_cognito_user_pool.this.id

  generate_secret                      = true
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_scopes                 = local.service
  explicit_auth_flows                  = ["ALLOW_REFRESH_TOKEN_AUTH"]
  prevent_user_existence_errors        = "ENABLED"
  enable_token_revocation              = true
  access_token_validity                = var.access_token_minutes

  token_validity_units {
    access_token = "minutes"
  }

  depends_on = [aws_cognito_resource_server.this]
}

# Without a password Cognito makes one up and tells nobody: whoever applies this gives the person theirs afterwards.
resource "aws_cognito_user" "test" {
  count = var.test_user == null ? 0 : 1

  user_pool_id   = aws_cognito_user_pool.this.id
  username       = var.test_user
  message_action = "SUPPRESS"

  attributes = {
    email          = var.test_user
    email_verified = true
  }
}
