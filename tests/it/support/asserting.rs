//! Clients that prove themselves by a key of their own, and assertions that a test bends.

use admit::client::{Client, ClientAuth, GrantType};
use admit::scope::ScopeSet;
use admit::token::CLIENT_ASSERTION_TYPE;
use serde_json::{Value, json};

use super::{Forge, ISSUER, Reply, TestApp, client};

/// A backend service that has these keys.
pub fn service(id: &str, jwks: &str) -> Client {
    Client { jwks: Some(jwks.to_owned()), ..published(id, "") }
}

/// A backend service that publishes its keys there.
pub fn published(id: &str, uri: &str) -> Client {
    Client {
        grant_types: vec![GrantType::ClientCredentials],
        scopes: ScopeSet::parse("system/Patient.rs system/Observation.rs").expect("scopes"),
        jwks_uri: Some(uri.to_owned()).filter(|uri| !uri.is_empty()),
        ..client(id, ClientAuth::PrivateKeyJwt, &[])
    }
}

/// What a good assertion of this client says; its name is new each time.
pub fn claims(app: &TestApp, id: &str) -> Value {
    let now = app.clock.now().unix_timestamp();
    json!({ "iss": id, "sub": id, "aud": ISSUER, "exp": now + 300, "iat": now, "jti": admit::secret::nonce() })
}

/// The same with some claims changed; `null` takes one away.
pub fn bent(app: &TestApp, id: &str, changes: &Value) -> Value {
    let mut claims = claims(app, id);
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => drop(claims.as_object_mut().expect("an object").remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

/// The parameters that carry an assertion.
pub fn form(assertion: &str) -> [(&str, &str); 2] {
    [("client_assertion_type", CLIENT_ASSERTION_TYPE), ("client_assertion", assertion)]
}

impl TestApp {
    /// A good assertion.
    pub fn assertion(&self, id: &str, key: &Forge) -> String {
        key.token(&key.header("JWT"), &claims(self, id))
    }

    /// Asks for a token of its own with this assertion.
    pub async fn assert(&self, assertion: &str) -> Reply {
        self.assert_with(assertion, &[]).await
    }

    pub async fn assert_with(&self, assertion: &str, more: &[(&str, &str)]) -> Reply {
        let ask = [("grant_type", "client_credentials"), ("scope", "system/Patient.rs")];
        self.post("/token", None, &[&ask[..], &form(assertion), more].concat()).await
    }
}

impl Reply {
    /// Turned away, with this in the sentence for the developer.
    #[track_caller]
    pub fn assert_turned_away(&self, why: &str) {
        self.assert_token_error(401, "invalid_client");
        assert!(self.headers.get("www-authenticate").is_none(), "the Authorization header was not used");
        let description = self.json()["error_description"].as_str().expect("a sentence").to_owned();
        assert!(description.contains(why), "{description:?} should say {why:?}");
    }
}
