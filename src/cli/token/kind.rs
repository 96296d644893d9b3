//! What kind of token something looks like: a guess, by what the kinds have in common at the issuers that we know.

use serde_json::{Map, Value};

use crate::secret::{self, Kind as _};

/// A kind of token, or what is taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    AccessToken,
    IdToken,
    RefreshToken,
    ClientAssertion,
    LogoutToken,
    DpopProof,
    Jwt,
    Encrypted,
    Opaque,
    AdmitRefreshToken,
    AdmitCode,
    AdmitClientSecret,
}

impl Kind {
    /// By header and claims: what says it outright comes before what merely hints at it.
    pub(super) fn of_jwt(header: &Map<String, Value>, claims: &Map<String, Value>) -> Self {
        let text =
            |members: &Map<String, Value>, name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let has = |name: &str| claims.contains_key(name);
        let typ = text(header, "typ");
        match typ.strip_prefix("application/").unwrap_or(&typ) {
            "at+jwt" | "okta-internal-at+jwt" => return Self::AccessToken, // RFC 9068 §2.1
            "logout+jwt" => return Self::LogoutToken,                      // OpenID Connect Back-Channel Logout §2.4
            "dpop+jwt" => return Self::DpopProof,                          // RFC 9449 §4.2
            "client-authentication+jwt" => return Self::ClientAssertion,
            _ => {}
        }
        // Cognito says it in token_use, Keycloak in a claim typ.
        match (text(claims, "token_use").as_str(), text(claims, "typ").as_str()) {
            ("access", _) | (_, "bearer") => return Self::AccessToken,
            ("id", _) | (_, "id") => return Self::IdToken,
            (_, "refresh" | "offline") => return Self::RefreshToken,
            (_, "logout") => return Self::LogoutToken,
            _ => {}
        }
        if has("events") {
            Self::LogoutToken
        } else if ["nonce", "at_hash", "c_hash", "s_hash"].into_iter().any(has) {
            Self::IdToken
        } else if has("scope") || has("scp") {
            Self::AccessToken
        } else if has("iss") && claims.get("iss") == claims.get("sub") {
            Self::ClientAssertion // RFC 7523 §3
        } else if has("sub") && has("aud") && has("auth_time") {
            Self::IdToken
        } else {
            Self::Jwt
        }
    }

    pub(super) fn of_opaque(token: &str) -> Self {
        match token {
            _ if token.starts_with(secret::Refresh::PREFIX) => Self::AdmitRefreshToken,
            _ if token.starts_with(secret::Code::PREFIX) => Self::AdmitCode,
            _ if token.starts_with(secret::Client::PREFIX) => Self::AdmitClientSecret,
            _ => Self::Opaque,
        }
    }

    /// For scripts.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::IdToken => "id_token",
            Self::RefreshToken | Self::AdmitRefreshToken => "refresh_token",
            Self::ClientAssertion => "client_assertion",
            Self::LogoutToken => "logout_token",
            Self::DpopProof => "dpop_proof",
            Self::Jwt => "jwt",
            Self::Encrypted => "encrypted",
            Self::Opaque => "opaque",
            Self::AdmitCode => "authorization_code",
            Self::AdmitClientSecret => "client_secret",
        }
    }

    /// For people; it follows "It looks like".
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::AccessToken => "an access token",
            Self::IdToken => "an ID token",
            Self::RefreshToken => "a refresh token",
            Self::ClientAssertion => "a client assertion (private_key_jwt)",
            Self::LogoutToken => "a logout token, or another security event",
            Self::DpopProof => "a DPoP proof",
            Self::Jwt => "a JWT; of which kind, nothing in it says",
            Self::Encrypted => "an encrypted token (JWE): only its header can be read here",
            Self::Opaque => "an opaque token: it says nothing by itself, and its issuer alone knows what it is good for (introspection)",
            Self::AdmitRefreshToken => {
                "a refresh token of Admit's, which is opaque: it says nothing by itself, and only the token endpoint takes it"
            }
            Self::AdmitCode => {
                "an authorization code of Admit's, which is opaque: only the token endpoint takes it, once and within a minute"
            }
            Self::AdmitClientSecret => {
                "a client secret of Admit's, and no token. If others have seen it, rotate it: `admit client rotate-secret`"
            }
        }
    }

    /// Why no FHIR server takes it.
    pub(super) fn warning(self) -> Option<&'static str> {
        match self {
            Self::IdToken => Some("an ID token is for the app that asked for it: a FHIR server wants the access token"),
            Self::RefreshToken => Some("a refresh token is for the token endpoint: a FHIR server wants the access token"),
            Self::Encrypted => Some("Admit's validator reads no encrypted tokens: let the issuer sign them only"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_are_told_by_what_issuers_put_in() {
        for (header, claims, kind) in [
            (json!({ "typ": "at+jwt" }), json!({ "nonce": "x" }), Kind::AccessToken),
            (json!({ "typ": "application/AT+JWT" }), json!({}), Kind::AccessToken),
            (json!({ "typ": "JWT" }), json!({ "scope": "x" }), Kind::AccessToken),
            (json!({}), json!({ "scp": ["x"] }), Kind::AccessToken),
            (json!({}), json!({ "token_use": "access" }), Kind::AccessToken),
            (json!({}), json!({ "token_use": "id" }), Kind::IdToken),
            (json!({}), json!({ "typ": "Bearer" }), Kind::AccessToken),
            (json!({}), json!({ "typ": "ID" }), Kind::IdToken),
            (json!({}), json!({ "typ": "Offline", "scope": "x" }), Kind::RefreshToken),
            (json!({}), json!({ "nonce": "x", "scope": "x" }), Kind::IdToken),
            (json!({}), json!({ "sub": "a", "aud": "b", "auth_time": 1 }), Kind::IdToken),
            (json!({}), json!({ "iss": "a", "sub": "a", "aud": "b" }), Kind::ClientAssertion),
            (json!({}), json!({ "events": {} }), Kind::LogoutToken),
            (json!({ "typ": "dpop+jwt" }), json!({}), Kind::DpopProof),
            (json!({ "typ": 7 }), json!({ "token_use": 7 }), Kind::Jwt),
            (json!({}), json!({}), Kind::Jwt),
        ] {
            let (header, claims) = (header.as_object().expect("an object"), claims.as_object().expect("an object"));
            assert_eq!(Kind::of_jwt(header, claims), kind, "{header:?} {claims:?}");
        }
        for (token, kind) in [
            ("sr_x", Kind::AdmitRefreshToken),
            ("sc_x", Kind::AdmitCode),
            ("cs_x", Kind::AdmitClientSecret),
            ("abc", Kind::Opaque),
            ("", Kind::Opaque),
        ] {
            assert_eq!(Kind::of_opaque(token), kind);
        }
    }
}
