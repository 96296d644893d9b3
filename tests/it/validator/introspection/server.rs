//! The validator and the server, each the real one, with a socket between them.

use admit::validate::{BearerToken, Step};

use super::*;
use crate::support::visit::{SCOPE, text, tokens};
use crate::support::{self, TestApp, endpoint_of};
use crate::validator::ENDPOINT;

/// Whether this validator lets the token through at the server's own time.
async fn opens(app: &TestApp, validator: &Validator, token: &str) -> bool {
    validator.decide(&event(token), app.clock.now()).await.is_allowed()
}

/// A validator of each kind, all of which trust this server.
struct Stage {
    app: TestApp,
    local: Validator,
    combined: Validator,
    only: Validator,
    key_of: Arc<KeySource>,
}

impl Stage {
    async fn set(client: ClientAuthentication) -> Self {
        let app = TestApp::start().await;
        let endpoint = endpoint_of(&app).await;
        let jwks = app.get("/.well-known/jwks.json").await.body;
        let keys = Arc::new(KeySource::embedded(admit::token::Jwks::parse(jwks.as_bytes()).expect("a key set")));
        let introspector = Arc::new(Introspector::new(&endpoint, client, 0, None).expect("a client"));
        let of = |proof| Validator::of(vec![Rule { trust: trust(), proof }]);
        Self {
            local: of(Proof::Signature(Arc::clone(&keys))),
            combined: of(Proof::Both {
                keys: Arc::clone(&keys),
                introspector: Arc::clone(&introspector),
                when_unreachable: WhenUnreachable::Refuse,
            }),
            only: of(Proof::Introspection(introspector)),
            key_of: keys,
            app,
        }
    }

    /// Which of the three let it through: by signature alone, with the server's word besides, by that alone.
    async fn opens(&self, token: &str) -> [bool; 3] {
        [
            opens(&self.app, &self.local, token).await,
            opens(&self.app, &self.combined, token).await,
            opens(&self.app, &self.only, token).await,
        ]
    }
}

fn resource_server() -> ClientAuthentication {
    ClientAuthentication::secret("rs", support::SECRET)
}

/// Whatever proves it, a token is answered the same.
#[tokio::test]
async fn all_three_ways_give_the_same_answer() {
    let stage = Stage::set(resource_server()).await;
    let tokens = tokens(&stage.app, SCOPE, "dr.a", Some("p1")).await;
    let token = text(&tokens, "access_token");
    let now = stage.app.clock.now();
    let local = stage.local.answer(&event(token), now).await;
    assert_eq!(local["authPayload"]["isAuthorized"], "true", "{local}");
    assert_eq!(local["authPayload"]["patient"], "p1");
    assert_eq!(stage.combined.answer(&event(token), now).await, local);
    assert_eq!(stage.only.answer(&event(token), now).await, local);
    let (steps, decision) = stage.combined.explain(ENDPOINT, &BearerToken::read(token).expect("a token"), now).await;
    assert!(decision.is_allowed() && steps.iter().all(Step::is_good), "{steps:?}");
    assert_eq!(steps.last().map(|step| step.name), Some("introspection"));
    // What is no access token is none in any way.
    for other in ["id_token", "refresh_token"] {
        assert_eq!(stage.opens(text(&tokens, other)).await, [false; 3], "{other}");
    }
    assert_eq!(stage.key_of.take_fetches(), admit::validate::Fetches::default());
}

/// LM-16, JW-22: revoked, signed out, switched off: at once where the server is asked, at its end where not.
#[tokio::test]
async fn what_the_server_takes_back_is_refused_at_once_where_it_is_asked() {
    let stage = Stage::set(resource_server()).await;
    let app = &stage.app;
    let first = tokens(app, SCOPE, "dr.a", Some("p1")).await;
    let token = text(&first, "access_token");
    assert_eq!(stage.opens(token).await, [true; 3]);
    app.as_client("/revoke", "spa", &[("token", token)]).await;
    assert_eq!(stage.opens(token).await, [true, false, false], "by an access token");

    let second = tokens(app, SCOPE, "dr.a", Some("p1")).await;
    assert_eq!(stage.opens(text(&second, "access_token")).await, [true; 3]);
    app.as_client("/revoke", "spa", &[("token", text(&second, "refresh_token"))]).await;
    assert_eq!(stage.opens(text(&second, "access_token")).await, [true, false, false], "by a refresh token");

    let third = tokens(app, SCOPE, "dr.a", Some("p1")).await;
    assert_eq!(stage.opens(text(&third, "access_token")).await, [true; 3]);
    app.store().disable_user(&app.origin(), &admit::id::UserId::new("u-dr.a")).await.expect("switched off");
    assert_eq!(stage.opens(text(&third, "access_token")).await, [true, false, false], "a user");

    let service = app.token("bsc", &[("grant_type", "client_credentials"), ("scope", "system/Patient.rs")]).await.json();
    assert_eq!(stage.opens(text(&service, "access_token")).await, [true; 3]);
    app.store().disable_client(&app.origin(), &admit::id::ClientId::new("bsc")).await.expect("switched off");
    assert_eq!(stage.opens(text(&service, "access_token")).await, [true, false, false], "a client");

    app.advance(time::Duration::minutes(10) + time::Duration::seconds(5));
    for tokens in [&first, &second, &third, &service] {
        assert_eq!(stage.opens(text(tokens, "access_token")).await, [false; 3]);
    }
}

/// A client that may not ask, or cannot prove who it is, does not learn that a token stands.
#[tokio::test]
async fn a_client_that_may_not_introspect_gets_nobody_in() {
    for (client, why) in [
        (ClientAuthentication::secret("rs", "wrong"), UNKNOWN),
        (ClientAuthentication::secret("nobody", support::SECRET), UNKNOWN),
        (ClientAuthentication::secret("evil", support::SECRET), INACTIVE),
    ] {
        let stage = Stage::set(client).await;
        let tokens = tokens(&stage.app, SCOPE, "dr.a", Some("p1")).await;
        let token = text(&tokens, "access_token");
        assert_eq!(stage.opens(token).await, [true, false, false]);
        for validator in [&stage.combined, &stage.only] {
            let answer = validator.answer(&event(token), stage.app.clock.now()).await;
            assert_eq!(answer["authPayload"]["error"], why);
        }
    }
}
