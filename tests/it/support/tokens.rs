//! Short words for what most tests of the app's half begin with: a code, its tokens, a refresh.

use std::future::Future;

use admit::client::{Client, ClientAuth};
use admit::secret::ClientSecret;
use admit::store::NewClient;
use axum::body::Body;
use axum::http::Request;
use futures_util::future::join_all;
use serde_json::Value;
use sqlx::Connection as _;

use super::seed::SECRET;
use super::{Browser, Reply, TestApp, VERIFIER};

/// What most tests ask for.
pub const SCOPE: &str = "openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.rs";

/// The redirect URI that a client of the seed uses.
pub fn redirect_uri(client: &str) -> &'static str {
    match client {
        "pub" => "com.example.app:/cb",
        "webq" => "https://web.test/cb?tenant=1",
        "strict" => "https://strict.test/cb",
        "post" => "https://post.test/cb",
        "evil" => "https://evil.test/cb",
        "clinic" => "https://clinic.test/cb",
        _ => "https://app.test/cb",
    }
}

/// The claims of a token, unverified.
pub fn claims(token: &Value) -> Value {
    let payload = token.as_str().and_then(|token| token.split('.').nth(1)).expect("a JWT");
    serde_json::from_slice(&admit::token::from_base64url(payload).expect("base64url")).expect("JSON")
}

/// As often as a race is run, each time a second later: a person who signs in for the eleventh time
/// loses their oldest session, and that has to be an older one.
pub fn rounds(app: &TestApp) -> impl Iterator<Item = usize> {
    let count = std::env::var("TEST_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    (0..count).inspect(|_| app.advance(time::Duration::seconds(1)))
}

/// Starts `count` calls at once, on as many threads as there are, and waits for all of them.
pub async fn at_once<F>(count: usize, call: impl Fn(usize) -> F) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let calls: Vec<_> = (0..count).map(|nth| tokio::spawn(call(nth))).collect();
    join_all(calls).await.into_iter().map(|joined| joined.expect("no call panics")).collect()
}

impl Browser<'_> {
    /// A code for dr.a and patient p2, or for pat1 alone where the scopes need no choice.
    pub async fn code(&mut self, client: &str, scope: &str) -> String {
        self.launch(client, redirect_uri(client), scope, "dr.a", Some("p2")).await.code()
    }
}

impl TestApp {
    /// A code that dr.a allows this client, for patient p2.
    pub async fn code(&self, client: &str, scope: &str) -> String {
        self.browser().code(client, scope).await
    }

    /// The form that redeems a code rightly.
    pub async fn redeem(&self, client: &str, code: &str) -> Reply {
        self.redeem_with(client, code, redirect_uri(client), VERIFIER).await
    }

    pub async fn redeem_with(&self, client: &str, code: &str, redirect_uri: &str, verifier: &str) -> Reply {
        let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri), ("code_verifier", verifier)];
        self.token(client, &form).await
    }

    /// The tokens that dr.a allows this client, for patient p2.
    pub async fn tokens(&self, client: &str, scope: &str) -> Value {
        let code = self.code(client, scope).await;
        self.redeem(client, &code).await.tokens()
    }

    pub async fn refresh(&self, client: &str, token: &Value) -> Reply {
        self.refresh_to(client, token, None).await
    }

    /// A refresh with `scope` as it is given.
    pub async fn refresh_to(&self, client: &str, token: &Value, scope: Option<&str>) -> Reply {
        let token = token.as_str().expect("a refresh token");
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
        form.extend(scope.map(|scope| ("scope", scope)));
        self.token(client, &form).await
    }

    /// Whether the resource server is told that this access token is good.
    pub async fn is_active(&self, token: &Value) -> bool {
        let answer = self.introspect(token.as_str().expect("a token")).await;
        if answer["active"] == false {
            assert_eq!(answer, serde_json::json!({ "active": false }), "an inactive token says nothing more");
        }
        answer["active"] == true
    }

    pub async fn userinfo(&self, token: &str) -> Reply {
        self.call(Request::get("/userinfo").header("authorization", format!("Bearer {token}")).body(Body::empty()).expect("a request"))
            .await
    }

    /// Posts a body as it is, as a form.
    pub async fn post_raw(&self, path: &str, body: String) -> Reply {
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded").body(Body::from(body));
        self.call(request.expect("a request")).await
    }

    /// Registers one more client.
    pub async fn register(&self, client: Client) {
        let secret = (client.auth != ClientAuth::None).then(|| ClientSecret::presented(SECRET).digest());
        self.store().create_client(&self.origin(), NewClient { client, secret }).await.expect("a client");
    }

    /// What a `select count(*)` says.
    pub async fn count(&self, statement: &'static str) -> i64 {
        self.database.number(statement).await
    }

    /// Everything that stands in a table of PostgreSQL.
    pub async fn dump(&self, table: &str) -> String {
        let admit::store::Location::Postgres(url) = self.location() else { panic!("a file can be read without asking") };
        let mut connection = sqlx::PgConnection::connect(url).await.expect("the database");
        let statement = sqlx::AssertSqlSafe(format!("select coalesce(string_agg(t::text, ' '), '') from {table} t"));
        sqlx::query_scalar(statement).fetch_one(&mut connection).await.expect("a table")
    }
}

impl Reply {
    /// `TOK200` of the threat catalogue: tokens, and headers that keep them out of caches.
    #[track_caller]
    pub fn tokens(&self) -> Value {
        assert_eq!(self.status.as_u16(), 200, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!((self.header("cache-control"), self.header("pragma")), ("no-store", "no-cache"));
        let body = self.json();
        assert!(body["access_token"].is_string() && body["scope"].is_string() && body["expires_in"].is_i64(), "{body}");
        assert_eq!(body["token_type"], "Bearer");
        body
    }

    /// `TOK(400, invalid_grant)`
    #[track_caller]
    pub fn assert_invalid_grant(&self) {
        self.assert_token_error(400, "invalid_grant");
    }
}
