//! Tokens of other issuers: what each profile takes, and what it does not take all the same.

use admit::token::Algorithm;
use admit::validate::{KeySource, Profile, Trust, Validator};
use serde_json::{Value, json};

use super::{ENDPOINT, ROLE, event, noon};
use crate::jose::assert_refused;
use crate::support::Forge;

const ISSUER: &str = "https://idp.example/tenant";
const FOREIGN: [Profile; 4] = [Profile::Cognito, Profile::Keycloak, Profile::Okta, Profile::Generic];

/// The header and the claims that tokens of this kind really have (values synthetic).
fn genuine(profile: Profile, forge: &Forge) -> (Value, Value) {
    let now = noon().unix_timestamp();
    let header = |typ: Option<&str>| {
        let mut header = json!({ "alg": forge.algorithm.as_str(), "kid": forge.kid });
        if let Some(typ) = typ {
            header["typ"] = json!(typ);
        }
        header
    };
    match profile {
        Profile::Admit => unreachable!("not foreign"),
        Profile::Cognito => (
            header(None),
            json!({
                "sub": "aaaaaaaa-synthetic", "iss": ISSUER, "version": 2, "client_id": "app", "origin_jti": "synthetic", "token_use": "access",
                "scope": "openid user/*.read", "auth_time": now - 60, "exp": now + 3600, "iat": now, "jti": "synthetic", "username": "somebody",
            }),
        ),
        Profile::Keycloak => (
            header(Some("JWT")),
            json!({
                "exp": now + 300, "iat": now, "auth_time": now - 60, "jti": "onrtac:synthetic", "iss": ISSUER, "aud": [ENDPOINT, "account"],
                "sub": "bbbbbbbb-synthetic", "typ": "Bearer", "azp": "app", "sid": "synthetic", "acr": "1", "scope": "openid user/*.rs",
                "realm_access": { "roles": ["offline_access"] },
            }),
        ),
        Profile::Okta => (
            header(None),
            json!({
                "ver": 1, "jti": "AT.synthetic", "iss": ISSUER, "aud": ENDPOINT, "iat": now, "exp": now + 3600, "cid": "app",
                "uid": "00synthetic", "scp": ["openid", "user/*.rs"], "sub": "somebody@idp.example",
            }),
        ),
        Profile::Generic => (
            header(Some("at+jwt")),
            json!({
                "iss": ISSUER, "sub": "cccccccc-synthetic", "aud": [ENDPOINT], "exp": now + 900, "nbf": now, "iat": now, "client_id": "app",
                "scope": "user/*.rs",
            }),
        ),
    }
}

struct Stage {
    profile: Profile,
    forge: Forge,
    validator: Validator,
}

impl Stage {
    fn of(profile: Profile) -> Self {
        Self::with(profile, |trust| trust)
    }

    fn with(profile: Profile, change: impl FnOnce(Trust) -> Trust) -> Self {
        let forge = Forge::new(Algorithm::Rs256);
        let clients = if profile == Profile::Cognito { vec!["app".to_owned()] } else { vec![] };
        let trust = Trust { datastores: vec![ENDPOINT.to_owned()], clients, ..Trust::new(ISSUER, profile, ROLE) };
        let validator = Validator::new(change(trust), KeySource::embedded(forge.jwks()));
        Self { profile, forge, validator }
    }

    async fn ask(&self, change: impl FnOnce(&mut Value, &mut Value)) -> Value {
        let (mut header, mut claims) = genuine(self.profile, &self.forge);
        change(&mut header, &mut claims);
        self.validator.answer(&event(&self.forge.token(&header, &claims)), noon()).await
    }

    async fn allow(&self, why: &str, change: impl FnOnce(&mut Value, &mut Value)) -> Value {
        let answer = self.ask(change).await;
        assert_eq!(answer["authPayload"]["isAuthorized"], "true", "{}: {why}: {answer}", self.profile);
        answer
    }

    async fn refuse(&self, why: &str, change: impl FnOnce(&mut Value, &mut Value)) {
        assert_refused(&format!("{}: {why}", self.profile), &self.ask(change).await);
    }
}

fn remove(object: &mut Value, name: &str) {
    object.as_object_mut().expect("an object").remove(name);
}

#[tokio::test]
async fn each_profile_takes_the_tokens_of_its_issuer() {
    let now = noon().unix_timestamp();
    for (profile, subject, scope, id, life) in [
        (Profile::Cognito, "aaaaaaaa-synthetic", "openid user/*.read", Some("synthetic"), 3600),
        (Profile::Keycloak, "bbbbbbbb-synthetic", "openid user/*.rs", Some("onrtac:synthetic"), 300),
        (Profile::Okta, "somebody@idp.example", "openid user/*.rs", Some("AT.synthetic"), 3600),
        (Profile::Generic, "cccccccc-synthetic", "user/*.rs", None, 900),
    ] {
        let answer = Stage::of(profile).allow("genuine", |_, _| {}).await;
        let mut expected = json!({
            "iss": ISSUER, "aud": ENDPOINT, "iat": now, "nbf": now, "exp": now + life, "isAuthorized": "true",
            "uid": subject, "sub": subject, "client_id": "app", "scope": scope,
        });
        if let Some(id) = id {
            expected["jti"] = json!(id);
        }
        assert_eq!(answer, json!({ "authPayload": expected, "iamRoleARN": ROLE }));
    }
}

/// What tokens of some issuers say of themselves besides.
#[tokio::test]
async fn a_token_may_say_that_it_is_an_access_token() {
    for profile in FOREIGN {
        let stage = Stage::of(profile);
        for word in ["Bearer", "bearer", "access", "Access_Token"] {
            stage.allow(word, |_, claims| claims["token_type"] = json!(word)).await;
        }
    }
}

/// A patient by one name, and another by the other: refused, whatever the scopes.
#[tokio::test]
async fn two_patients_in_one_token_are_none() {
    for profile in FOREIGN {
        let stage = Stage::of(profile);
        let answer = stage
            .ask(|_, claims| {
                claims["patient"] = json!("p1");
                claims["launch_response_patient"] = json!("Patient/p2");
            })
            .await;
        let expected = json!({ "authPayload": { "isAuthorized": "false", "error": admit::token::Rejection::NoPatient.to_string() } });
        assert_eq!(answer, expected, "{profile}");
        stage
            .allow("the same", |_, claims| {
                claims["patient"] = json!("p1");
                claims["launch_response_patient"] = json!("Patient/p1");
            })
            .await;
    }
}

/// What no profile relaxes: groups H and P, of every issuer.
#[tokio::test]
async fn what_is_wrong_everywhere_is_refused_in_every_profile() {
    let now = noon().unix_timestamp();
    for profile in FOREIGN {
        let stage = Stage::of(profile);
        for (name, value) in [
            ("crit", json!(["exp"])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("jku", json!("https://evil.test/jwks")),
            ("x5u", json!("https://evil.test/x")),
            ("jwk", stage.forge.public_jwk.clone()),
            ("alg", json!("none")),
            ("alg", json!("HS256")),
            ("alg", json!("RS384")),
            ("kid", json!("another")),
            ("kid", json!("")),
            ("typ", json!("logout+jwt")),
            ("typ", json!("dpop+jwt")),
            ("typ", json!("client-authentication+jwt")),
            ("typ", json!(5)),
        ] {
            stage.refuse(&format!("header {name} {value}"), |header, _| header[name] = value).await;
        }
        stage.refuse("no kid", |header, _| remove(header, "kid")).await;
        for (name, value) in [
            ("iss", json!("https://idp.example/other")),
            ("iss", json!("https://idp.example/tenant/")),
            ("iss", json!([ISSUER])),
            ("aud", json!("https://other.test/r4/")),
            ("aud", json!(["https://other.test/r4/", "account"])),
            ("aud", json!([])),
            ("aud", json!("")),
            ("aud", json!(5)),
            ("aud", json!([ENDPOINT, 5])),
            ("aud", json!(vec![ENDPOINT; 21])),
            ("aud", json!(null)),
            ("exp", json!(now - 5)),
            ("exp", json!((now + 60).to_string())),
            ("exp", json!(now + 86_400 + 61)),
            ("exp", json!(u64::MAX)),
            ("nbf", json!(now + 31)),
            ("nbf", json!("now")),
            ("iat", json!(now + 31)),
            ("sub", json!("")),
            ("sub", json!(5)),
            ("sub", json!("x".repeat(256))),
            ("jti", json!(5)),
            ("at_hash", json!("AAAA")),
            ("c_hash", json!("AAAA")),
            ("cnf", json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" })),
            ("events", json!({ "http://schemas.openid.net/event/backchannel-logout": {} })),
            ("token_use", json!("id")),
            ("token_use", json!(["access"])),
            ("token_use", json!("access_token")),
            ("typ", json!("bearer")),
            ("typ", json!("ID")),
            ("typ", json!("Refresh")),
            ("typ", json!("Offline")),
            ("typ", json!("Logout")),
            ("token_type", json!("refresh")),
            ("token_type", json!("Refresh_Token")),
            ("token_type", json!("id_token")),
            ("token_type", json!("DPoP")),
            ("token_type", json!("")),
            ("token_type", json!(["Bearer"])),
            ("token_type", json!(null)),
        ] {
            stage.refuse(&format!("claim {name} {value}"), |_, claims| claims[name] = value).await;
        }
        for name in ["iss", "exp", "iat", "scope", "scp", "client_id", "azp", "cid"] {
            if genuine(profile, &stage.forge).1.get(name).is_some() {
                stage.refuse(&format!("no {name}"), |_, claims| remove(claims, name)).await;
            }
        }
        let scope = if profile == Profile::Okta { "scp" } else { "scope" };
        for value in [
            json!("openid profile"),
            json!(""),
            json!([]),
            json!(["openid"]),
            json!(["user/*.rs", 5]),
            json!(["user/*.rs openid", ""]),
            json!(5),
        ] {
            stage.refuse(&format!("scope {value}"), |_, claims| claims[scope] = value).await;
        }
        stage
            .refuse("a patient scope and no patient", |_, claims| {
                claims[scope] = if profile == Profile::Okta { json!(["patient/*.rs"]) } else { json!("patient/*.rs") };
            })
            .await;
        let stranger = Forge::new(Algorithm::Rs256);
        let (mut header, claims) = genuine(profile, &stage.forge);
        assert_refused("a stranger's key", &stage.validator.answer(&event(&stranger.token(&header, &claims)), noon()).await);
        header["kid"] = json!(stranger.kid);
        assert_refused("a stranger's token", &stage.validator.answer(&event(&stranger.token(&header, &claims)), noon()).await);
    }
}

/// Cognito's access tokens name no audience: their client is on a list, or they are refused.
#[tokio::test]
async fn cognito_is_bound_by_its_clients() {
    let stage = Stage::of(Profile::Cognito);
    stage.refuse("another client", |_, claims| claims["client_id"] = json!("another-app")).await;
    stage.refuse("no token_use", |_, claims| remove(claims, "token_use")).await;
    // An ID token of Cognito's: the client is its audience, and nothing says scope.
    stage
        .refuse("an ID token", |_, claims| {
            claims["token_use"] = json!("id");
            claims["aud"] = json!("app");
            remove(claims, "client_id");
            remove(claims, "scope");
        })
        .await;
    // Where a resource was asked for, there is an audience, and it has to be right.
    stage.allow("bound to this resource", |_, claims| claims["aud"] = json!(ENDPOINT)).await;
    stage.refuse("bound to another resource", |_, claims| claims["aud"] = json!("https://other.test/r4/")).await;
    // A token of the client's own.
    let answer = stage
        .allow("client credentials", |_, claims| {
            claims["sub"] = json!("app");
            claims["scope"] = json!("system/*.read");
            remove(claims, "username");
        })
        .await;
    assert_eq!(answer["authPayload"]["uid"], "app");
    let nobody = Stage::with(Profile::Cognito, |trust| Trust { clients: vec![], ..trust });
    nobody.refuse("no client is listed", |_, _| {}).await;
}

#[tokio::test]
async fn keycloak_marks_its_access_tokens() {
    let stage = Stage::of(Profile::Keycloak);
    stage.refuse("no typ claim", |_, claims| remove(claims, "typ")).await;
    stage.allow("RFC 9068 switched on", |header, _| header["typ"] = json!("at+jwt")).await;
    stage.refuse("no typ in the header", |header, _| remove(header, "typ")).await;
    // A service account's token names its client twice.
    stage
        .allow("a service account", |_, claims| {
            claims["client_id"] = json!("app");
            claims["scope"] = json!("system/*.rs");
        })
        .await;
}

#[tokio::test]
async fn okta_lists_its_scopes() {
    let stage = Stage::with(Profile::Okta, |trust| Trust { audiences: vec!["api://default".to_owned()], ..trust });
    let query = "patient/Observation.rs?category=laboratory&status=final";
    let answer = stage
        .allow("a query scope, and an audience of another name", |_, claims| {
            claims["aud"] = json!("api://default");
            claims["scp"] = json!(["launch/patient", query]);
            claims["launch_response_patient"] = json!("Patient/p1");
        })
        .await;
    assert_eq!(answer["authPayload"]["scope"], format!("launch/patient {query}"));
    assert_eq!(answer["authPayload"]["patient"], "p1");
    assert_eq!(answer["authPayload"]["aud"], ENDPOINT);
    stage
        .refuse("the scopes as text", |_, claims| {
            remove(claims, "scp");
            claims["scope"] = json!("user/*.rs");
        })
        .await;
}

#[tokio::test]
async fn generic_takes_what_is_common() {
    let stage = Stage::of(Profile::Generic);
    for typ in ["JWT", "at+jwt", "application/at+jwt", "AT+JWT"] {
        stage.allow(typ, |header, _| header["typ"] = json!(typ)).await;
    }
    stage.allow("no typ", |header, _| remove(header, "typ")).await;
    for client in ["azp", "cid"] {
        stage
            .allow(client, |_, claims| {
                remove(claims, "client_id");
                claims[client] = json!("app");
            })
            .await;
    }
    stage
        .allow("the scopes as a list", |_, claims| {
            remove(claims, "scope");
            claims["scp"] = json!(["user/*.rs"]);
        })
        .await;
    stage.allow("no subject", |_, claims| remove(claims, "sub")).await;
    stage.allow("a day's life", |_, claims| claims["exp"] = json!(noon().unix_timestamp() + 86_400)).await;
    stage.refuse("a client in two forms", |_, claims| claims["client_id"] = json!(["app"])).await;
    let listed = Stage::with(Profile::Generic, |trust| Trust { clients: vec!["app".to_owned()], ..trust });
    listed.allow("a listed client", |_, _| {}).await;
    listed.refuse("another client", |_, claims| claims["client_id"] = json!("b")).await;
    let no_audience = |_: &mut Value, claims: &mut Value| remove(claims, "aud");
    listed.refuse("no audience: a list of clients is no substitute here", no_audience).await;
}

/// What Admit's own profile asks for is not what others' tokens have.
#[tokio::test]
async fn no_foreign_token_is_taken_for_one_of_admits() {
    for profile in FOREIGN {
        let stage = Stage::of(profile);
        let trust = Trust { datastores: vec![ENDPOINT.to_owned()], ..Trust::new(ISSUER, Profile::Admit, ROLE) };
        let strict = Validator::new(trust, KeySource::embedded(stage.forge.jwks()));
        let (header, claims) = genuine(profile, &stage.forge);
        assert_refused(profile.as_str(), &strict.answer(&event(&stage.forge.token(&header, &claims)), noon()).await);
    }
}
