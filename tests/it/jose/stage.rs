//! Everybody who reads tokens: userinfo, introspection, `id_token_hint` at two places, the validator.

use admit::key::Purpose;
use admit::token::{Jwks, from_base64url};
use admit::validate::{KeySource, Profile, Trust, Validator};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::support::{Browser, FHIR1, Forge, ISSUER, Reply, TestApp, VERIFIER, challenge};

/// The app that the tokens are for.
pub const SPA: &str = "https://app.test/cb";
/// Where it wants the browser after signing out.
const BYE: &str = "https://app.test/bye";

/// A server that has given out a pair of tokens, and a validator that knows its keys.
pub struct Stage {
    pub app: TestApp,
    pub validator: Validator,
    /// The server's own key for access tokens (ES256), and for ID tokens (RS256).
    pub access: Forge,
    pub id: Forge,
    pub access_token: String,
    pub id_token: String,
}

/// The payload of a token, unverified.
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a JWT");
    serde_json::from_slice(&from_base64url(payload).expect("base64url")).expect("JSON")
}

impl Stage {
    pub async fn start() -> Self {
        let app = TestApp::start().await;
        let landing = app.browser().launch("spa", SPA, "openid fhirUser launch/patient patient/*.rs", "dr.a", Some("p2")).await;
        let form = [("grant_type", "authorization_code"), ("code", &landing.code()), ("redirect_uri", SPA), ("code_verifier", VERIFIER)];
        let tokens = app.token("spa", &form).await.json();
        let text = |name: &str| tokens[name].as_str().expect("a token").to_owned();
        let keys = app.get("/.well-known/jwks.json").await;
        let trust = Trust {
            tenant: Some("default".to_owned()),
            datastores: vec![format!("{FHIR1}/")],
            ..Trust::new(ISSUER, Profile::Admit, "arn:aws:iam::123456789012:role/smart")
        };
        let validator = Validator::new(trust, KeySource::embedded(Jwks::parse(keys.body.as_bytes()).expect("a key set")));
        let (access, id) = (Forge::of(&app, Purpose::Access).await, Forge::of(&app, Purpose::Id).await);
        Self { validator, access, id, access_token: text("access_token"), id_token: text("id_token"), app }
    }

    pub fn access_claims(&self) -> Value {
        claims(&self.access_token)
    }

    pub fn id_claims(&self) -> Value {
        claims(&self.id_token)
    }

    pub async fn userinfo(&self, token: &str) -> Reply {
        let request = Request::get("/userinfo").header("authorization", format!("Bearer {token}"));
        self.app.call(request.body(Body::empty()).expect("a request")).await
    }

    pub async fn validate(&self, token: &str) -> Value {
        let event = json!({ "datastoreEndpoint": format!("{FHIR1}/"), "operationName": "ReadResource", "bearerToken": token });
        self.validator.answer(&event, self.app.clock.now()).await
    }

    /// A silent request for a code, in a browser that is signed in, with this hint.
    pub async fn hinted(&self, browser: &mut Browser<'_>, hint: &str) -> Reply {
        let challenge = challenge(VERIFIER);
        let mut form = crate::support::request("spa", SPA, "openid", &challenge);
        form.extend([("id_token_hint", hint), ("prompt", "none")]);
        browser.submit("/authorize", &form).await.reply
    }

    /// A browser that wants to sign out with this hint.
    pub async fn signed_out(&self, hint: &str) -> Reply {
        self.app.browser().submit("/logout", &[("id_token_hint", hint), ("post_logout_redirect_uri", BYE)]).await.reply
    }

    /// Whether the hint named an app that the browser may be sent back to.
    pub fn is_believed_at_logout(reply: &Reply) -> bool {
        reply.header("location") == BYE
    }

    /// No reader of access tokens believes it.
    #[track_caller]
    pub fn refuse_access<'a>(&'a self, why: &'a str, token: &'a str) -> impl Future<Output = ()> + 'a {
        let at = std::panic::Location::caller();
        async move {
            let reply = self.userinfo(token).await;
            assert_eq!(reply.status.as_u16(), 401, "{why} ({at}): {}", reply.body);
            assert_eq!(reply.header("www-authenticate"), r#"Bearer error="invalid_token""#, "{why} ({at})");
            assert_eq!(self.app.introspect(token).await, json!({ "active": false }), "{why} ({at})");
            self.refuse_by_validator(why, token).await;
        }
    }

    /// The validator's "no" has the shape of the contract.
    pub async fn refuse_by_validator(&self, why: &str, token: &str) {
        assert_refused(why, &self.validate(token).await);
    }

    /// No reader of ID tokens believes it.
    pub async fn refuse_hint(&self, why: &str, token: &str) {
        let mut browser = self.app.browser();
        let reply = self.hinted(&mut browser, token).await;
        reply.assert_redirect_error(SPA, "invalid_request");
        let reply = self.signed_out(token).await;
        assert!(!Self::is_believed_at_logout(&reply), "{why}: {}", reply.header("location"));
    }

    /// What is made of the genuine key and claims is believed by nobody: once as an access token
    /// under ES256, once as an ID token under RS256.
    pub async fn refuse(&self, why: &str, make: impl Fn(&Forge, &Value, &str) -> String) {
        self.refuse_access(why, &make(&self.access, &self.access_claims(), "at+jwt")).await;
        self.refuse_hint(why, &make(&self.id, &self.id_claims(), "JWT")).await;
    }
}

/// `DENY` of the threat catalogue, as the architecture's table has it.
#[track_caller]
pub fn assert_refused(why: &str, answer: &Value) {
    let error = answer["authPayload"]["error"].as_str().unwrap_or_default();
    assert!(!error.is_empty() && error.len() < 100, "{why}: {answer}");
    assert_eq!(*answer, json!({ "authPayload": { "isAuthorized": "false", "error": error } }), "{why}");
}
