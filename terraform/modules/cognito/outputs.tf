output "user_pool_id" {
  description = "ID of the user pool."
  value       = aws_cognito_user_pool.this.id
}

output "issuer" {
  description = "The issuer, as it stands in iss."
  value       = local.issuer
}

output "oauth_endpoints" {
  description = "Where apps go."
  value = {
    authorization = "${local.host}/oauth2/authorize"
    token         = "${local.host}/oauth2/token"
    revocation    = "${local.host}/oauth2/revoke"
    logout        = "${local.host}/logout"
  }
}

output "app_client_id" {
  description = "The public client, for the authorization code flow with PKCE."
  value       = aws_cognito_user_pool_client.app.id
}

output "service_client_id" {
  description = "The confidential client, for client_credentials; null without system scopes."
  value       = one(aws_cognito_user_pool_client.service[*].id)
}

output "service_client_secret" {
  description = "Its secret, which Cognito made and Terraform's state holds."
  value       = one(aws_cognito_user_pool_client.service[*].client_secret)
  sensitive   = true
}

output "scopes" {
  description = "All SMART scopes, as apps ask for them."
  value       = sort(concat(local.people, local.service))
}

output "trust" {
  description = "An entry of the module validator's trust: this pool's tokens, of these clients alone."
  value = {
    issuer  = local.issuer
    profile = "cognito"
    clients = concat([aws_cognito_user_pool_client.app.id], aws_cognito_user_pool_client.service[*].id)
  }
}

output "metadata" {
  description = "SMART metadata for the module healthlake. They claim what Cognito does, and nothing that it cannot: no launch, no context, no offline_access."
  value = jsonencode({
    issuer                                = local.issuer
    jwks_uri                              = "${local.issuer}/.well-known/jwks.json"
    authorization_endpoint                = "${local.host}/oauth2/authorize"
    token_endpoint                        = "${local.host}/oauth2/token"
    revocation_endpoint                   = "${local.host}/oauth2/revoke"
    grant_types_supported                 = length(local.service) > 0 ? ["authorization_code", "client_credentials"] : ["authorization_code"]
    response_types_supported              = ["code"]
    token_endpoint_auth_methods_supported = ["none", "client_secret_basic", "client_secret_post"]
    code_challenge_methods_supported      = ["S256"]
    scopes_supported                      = concat(["openid", "profile"], sort(concat(local.people, local.service)))
    capabilities = concat(
      ["client-public", "client-confidential-symmetric"],
      contains(keys(var.scopes), "patient") ? ["permission-patient"] : [],
      contains(keys(var.scopes), "user") ? ["permission-user"] : [],
      ["permission-v1", "permission-v2"],
    )
  })
}

output "test_user_password_command" {
  description = "Asks for the test user's password and gives it to Cognito; null without a test user."
  value = var.test_user == null ? null : join(" ", [
    "read -rsp 'Password: ' password &&",
    "aws cognito-idp admin-set-user-password --region ${data.aws_region.current.region} --user-pool-id ${aws_cognito_user_pool.this.id}",
    "--username '${var.test_user}' --permanent --password \"$password\"",
  ])
}
