//! EHR launches: an EHR with its token, and apps that it opens.

use admit::scope::ScopeSet;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use time::Duration;

use super::ask::Ask;
use super::{FHIR1, Forge, ISSUER, Landing, Reply, TestApp};
use admit::client::{Client, ClientAuth, GrantType};
use admit::key::Purpose;
use admit::secret::nonce;

/// What most launches ask for: no `launch/patient`, because the EHR has a patient open.
pub const LAUNCH_SCOPE: &str = "launch openid fhirUser offline_access patient/Patient.rs";

/// The claims of an EHR's token at the time `now`.
pub fn ehr_claims(now: i64) -> Value {
    json!({
        "iss": ISSUER, "sub": "ehr", "client_id": "ehr", "aud": ISSUER, "exp": now + 300, "iat": now, "nbf": now,
        "jti": nonce(), "scope": "__launch", "tenant_id": "default",
    })
}

impl TestApp {
    /// The same server, with an EHR that may begin launches here.
    pub async fn with_ehr() -> Self {
        Self::with_ehr_on(super::fresh().await).await
    }

    /// The same, on this database.
    pub async fn with_ehr_on(database: super::Database) -> Self {
        let app = Self::start_on(database).await;
        let ehr = Client {
            grant_types: vec![GrantType::ClientCredentials],
            scopes: ScopeSet::parse("__launch").expect("a scope"),
            ..super::client("ehr", ClientAuth::ClientSecretBasic, &[])
        };
        app.register(ehr).await;
        app
    }

    /// A token that says this of its bearer.
    pub async fn token_of(&self, claims: &Value) -> String {
        Forge::of(self, Purpose::Access).await.access_token(claims)
    }

    /// `POST /launch` with this token, whatever the body is.
    pub async fn post_launch(&self, token: Option<&str>, body: &str) -> Reply {
        let mut request = Request::post("/launch").header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.call(request.body(Body::from(body.to_owned())).expect("a request")).await
    }

    /// What the EHR is told when it asks for a launch.
    pub async fn ask_launch(&self, wish: &Value) -> Reply {
        let form = [("grant_type", "client_credentials"), ("scope", "__launch")];
        let tokens = self.token("ehr", &form).await.tokens();
        self.post_launch(tokens["access_token"].as_str(), &wish.to_string()).await
    }

    /// A launch of this app with this patient open, for dr.a.
    pub async fn launch(&self, client: &str, patient: &str) -> String {
        self.launch_of(&json!({ "client_id": client, "username": "dr.a", "patient": patient })).await
    }

    /// The launch that comes of this wish.
    pub async fn launch_of(&self, wish: &Value) -> String {
        let reply = self.ask_launch(wish).await;
        assert_eq!(reply.status.as_u16(), 201, "{wish}: {}", reply.body);
        reply.json()["launch"].as_str().expect("a launch").to_owned()
    }

    /// The token response for the code that `landing` brought.
    pub async fn tokens_of(&self, client: &str, landing: &Landing) -> Value {
        let tokens = self.exchange(client, landing).await;
        assert!(tokens["access_token"].is_string(), "{tokens}");
        tokens
    }

    /// Past the life of a launch, to the second.
    pub fn outlive_a_launch(&self) {
        self.advance(Duration::minutes(5));
    }
}

impl Ask {
    /// A request that comes of this launch.
    pub fn launched(client: &str, launch: &str) -> Self {
        Self::of(client).with("scope", LAUNCH_SCOPE).with("launch", launch).with("aud", FHIR1)
    }
}
