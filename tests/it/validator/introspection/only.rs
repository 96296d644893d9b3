//! The issuer's word alone.

use std::time::Instant;

use admit::validate::{BearerToken, Step};

use super::*;
use crate::jose::assert_refused;
use crate::validator::{ENDPOINT, READER, ROLE};

/// A token that says nothing to anybody but its issuer.
const OPAQUE: &str = "ory_at_Zm9v+/=~.aGVs bG8";

fn opaque() -> String {
    OPAQUE.replace(' ', "_")
}

fn claims() -> Value {
    genuine_claims(noon().unix_timestamp())
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().expect("an object").remove(name);
    claims
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

/// What a server of somebody else's says of a token.
fn foreign() -> Value {
    let now = noon().unix_timestamp();
    json!({
        "iss": crate::support::ISSUER, "sub": "ada", "username": "ada", "client_id": "app", "aud": [ENDPOINT], "iat": now - 60, "exp": now + 60,
        "scope": "openid system/*.rs", "token_type": "Bearer", "token_use": "access_token", "ext": null,
    })
}

fn generic() -> Trust {
    Trust { profile: Profile::Generic, tenant: None, ..trust() }
}

#[tokio::test]
async fn a_token_that_only_its_issuer_knows_is_answered_with_the_issuers_word() {
    let authority = Authority::vouching(&foreign()).await;
    let validator = only(generic(), &authority.endpoint());
    let now = noon().unix_timestamp();
    let expected = json!({
        "authPayload": {
            "iss": crate::support::ISSUER, "aud": ENDPOINT, "iat": now - 60, "nbf": now - 60, "exp": now + 60, "isAuthorized": "true",
            "uid": "ada", "sub": "ada", "client_id": "app", "scope": "openid system/*.rs",
        },
        "iamRoleARN": READER,
    });
    assert_eq!(validator.answer(&event(&opaque()), noon()).await, expected);
    let questions = authority.questions();
    assert_eq!(questions.len(), 1);
    assert_eq!((questions[0].method.as_str(), questions[0].path.as_str()), ("POST", "/introspect"));
    assert_eq!(questions[0].header("accept"), Some("application/json"));
    let form = [("token".to_owned(), opaque()), ("token_type_hint".to_owned(), "access_token".to_owned())];
    assert_eq!(questions[0].form, form.into());
    // Answers have words of their own for an access token.
    authority.turn(Saying::active(&with(foreign(), "typ", json!("bearer"))));
    assert_eq!(validator.answer(&event(&opaque()), noon()).await, expected);
    authority.turn(Saying::inactive());
    assert_eq!(error(&validator, &opaque()).await, INACTIVE);
}

/// Nothing is asked less of an answer than of a token.
#[tokio::test]
async fn every_check_of_a_token_is_one_of_the_answer() {
    let authority = Authority::vouching(&claims()).await;
    let validator = only(Trust { clients: vec!["spa".to_owned()], ..trust() }, &authority.endpoint());
    assert_eq!(validator.answer(&event(&opaque()), noon()).await["iamRoleARN"], READER);
    authority.turn(Saying::active(&with(claims(), "scope", json!("patient/*.rs patient/Observation.c"))));
    assert_eq!(validator.answer(&event(&opaque()), noon()).await["iamRoleARN"], ROLE);
    let now = noon().unix_timestamp();
    for (name, value, why) in [
        ("iss", json!("https://evil.test"), "the token comes from another issuer"),
        ("aud", json!("https://other.test/r4/"), "the token is for another audience"),
        ("client_id", json!("other"), "the token belongs to a client that is not allowed"),
        ("tenant_id", json!("other"), "the token belongs to another tenant"),
        ("exp", json!(now - 5), "the token has expired"),
        ("exp", json!(now + 3661), "the token lives too long"),
        ("exp", json!(format!("{}", now + 60)), "the claim exp is missing or has the wrong type"),
        ("nbf", json!(now + 6), "the token is not valid yet"),
        ("scope", json!("openid"), "the token has no FHIR scope"),
        ("patient", Value::Null, "the token has a patient scope and no patient"),
        ("token_type", json!("refresh_token"), "the token is of another type"),
        ("token_type", json!("DPoP"), "the token is of another type"),
        ("token_use", json!("refresh_token"), "the token is of another type"),
        ("typ", json!("Refresh"), "the token is of another type"),
    ] {
        authority.turn(Saying::active(&with(claims(), name, value.clone())));
        assert_eq!(error(&validator, &opaque()).await, why, "{name}: {value}");
    }
    for name in ["exp", "iat", "aud", "client_id", "scope", "sub", "tenant_id"] {
        authority.turn(Saying::active(&without(claims(), name)));
        assert_eq!(error(&validator, &opaque()).await, format!("the claim {name} is missing or has the wrong type"));
    }
}

#[tokio::test]
async fn a_foreign_answer_has_to_say_whom_for_how_long_and_what() {
    let authority = Authority::vouching(&foreign()).await;
    let validator = only(generic(), &authority.endpoint());
    for (name, why) in [
        ("exp", "the claim exp is missing or has the wrong type"),
        ("iat", "the claim iat is missing or has the wrong type"),
        ("client_id", "the claim client_id is missing or has the wrong type"),
        ("scope", "the claim scope is missing or has the wrong type"),
        ("aud", "the token is for another audience"),
    ] {
        authority.turn(Saying::active(&without(foreign(), name)));
        assert_eq!(error(&validator, &opaque()).await, why);
    }
    for (name, value) in [
        ("at_hash", json!("x")),
        ("events", json!({})),
        ("token_use", json!("id")),
        ("exp", json!(noon().unix_timestamp() + 86_401)),
        ("aud", json!([])),
        ("iss", json!(5)),
    ] {
        authority.turn(Saying::active(&with(foreign(), name, value)));
        assert_refused(name, &validator.answer(&event(&opaque()), noon()).await);
    }
}

/// LM-15
#[tokio::test]
async fn whatever_is_no_answer_is_no() {
    let authority = Authority::start(Saying::inactive()).await;
    let validator = only(trust(), &authority.endpoint());
    for (trouble, _) in troubles() {
        authority.turn(trouble.clone());
        let begin = Instant::now();
        assert_eq!(error(&validator, &opaque()).await, UNKNOWN, "{trouble:?}");
        assert!(begin.elapsed() < Duration::from_secs(1), "{trouble:?}: {:?}", begin.elapsed());
    }
    let elsewhere = Authority::vouching(&claims()).await;
    authority.turn(Saying::Redirect(elsewhere.endpoint()));
    assert_eq!(error(&validator, &opaque()).await, UNKNOWN);
    assert_eq!(elsewhere.asked(), 0);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    assert_eq!(error(&only(trust(), &format!("http://{nobody}/introspect")), &opaque()).await, UNKNOWN);
}

/// A token that nobody can read is not shown to several to see whose it is.
#[tokio::test]
async fn an_opaque_token_is_put_to_the_one_issuer_that_may_know_it() {
    let (ours, theirs) = (Authority::vouching(&without(claims(), "iss")).await, Authority::vouching(&claims()).await);
    let rule = |issuer: &str, datastore: &str, authority: &Authority| Rule {
        trust: Trust { issuer: issuer.to_owned(), datastores: vec![datastore.to_owned()], ..trust() },
        proof: Proof::Introspection(introspector(&authority.endpoint(), 0)),
    };
    let forge = Forge::new(Algorithm::Es256);
    let signed = Rule { trust: trust(), proof: Proof::Signature(Arc::new(KeySource::embedded(forge.jwks()))) };
    // Alone at its data store, the issuer need not say its name.
    let apart = Validator::of(vec![
        rule(crate::support::ISSUER, ENDPOINT, &ours),
        rule("https://b.test", "https://other.test/r4/", &theirs),
        signed,
    ]);
    assert_eq!(apart.answer(&event(&opaque()), noon()).await["authPayload"]["iss"], crate::support::ISSUER);
    assert_eq!((ours.asked(), theirs.asked()), (1, 0));
    let together = Validator::of(vec![rule(crate::support::ISSUER, ENDPOINT, &ours), rule("https://b.test", ENDPOINT, &theirs)]);
    assert_eq!(error(&together, &opaque()).await, "the token is malformed");
    assert_eq!((ours.asked(), theirs.asked()), (0, 0));
    // A JWT says whose it is, and so has the answer to.
    let token = forge.access_token(&claims());
    assert_eq!(error(&together, &token).await, "the claim iss is missing or has the wrong type");
    assert_eq!((ours.asked(), theirs.asked()), (1, 0));
    ours.turn(Saying::active(&claims()));
    assert!(is_allowed(&together, &token).await);
    // Where signatures alone count, an opaque token is nothing.
    let local = Validator::new(trust(), KeySource::embedded(forge.jwks()));
    assert_eq!(error(&local, &opaque()).await, "the token is malformed");
}

/// Whatever can be seen without asking is not asked about; nor is anybody asked about another's tokens.
#[tokio::test]
async fn what_cannot_be_good_is_not_asked_about() {
    let authority = Authority::vouching(&claims()).await;
    let validator = only(trust(), &authority.endpoint());
    let forge = Forge::new(Algorithm::Es256);
    let mut jku = forge.header("at+jwt");
    jku["jku"] = json!(authority.endpoint());
    for (token, why) in [
        (forge.access_token(&with(claims(), "iss", json!("https://evil.test"))), "the token comes from another issuer"),
        (forge.access_token(&without(claims(), "iss")), "the token comes from another issuer"),
        (forge.token(&forge.header("jwt"), &claims()), "the token is of another type"),
        (forge.token(&forge.header("logout+jwt"), &claims()), "the token is of another type"),
        (forge.token(&jku, &claims()), "the token's header has a member that is not allowed"),
        ("x".repeat(9000), "the token is too long"),
        (String::new(), "bearerToken holds no token"),
        ("a b".to_owned(), "bearerToken holds no token"),
    ] {
        assert_eq!(error(&validator, &token).await, why);
    }
    let mut elsewhere = event(&opaque());
    elsewhere["datastoreEndpoint"] = json!("https://other.test/r4/");
    assert_refused("another data store", &validator.answer(&elsewhere, noon()).await);
    assert_eq!(authority.asked(), 0);
    // The signature is the issuer's to look at here.
    assert!(is_allowed(&validator, &forge.access_token(&claims())).await);
    assert_eq!(authority.asked(), 1);
}

/// What is remembered of one token says nothing of any other.
#[tokio::test]
async fn an_answer_is_remembered_for_its_own_token_alone() {
    let authority = Authority::vouching(&claims()).await;
    let proof = Proof::Introspection(introspector(&authority.endpoint(), 60));
    let validator = Validator::of(vec![Rule { trust: trust(), proof }]);
    assert!(is_allowed(&validator, "one").await);
    authority.turn(Saying::inactive());
    assert!(!is_allowed(&validator, "two").await && !is_allowed(&validator, "One").await);
    assert!(is_allowed(&validator, "one").await);
    assert_eq!(authority.asked(), 3);
}

#[tokio::test]
async fn an_explanation_says_who_was_asked_and_what_they_said() {
    let authority = Authority::vouching(&foreign()).await;
    let validator = only(generic(), &authority.endpoint());
    let token = BearerToken::read(&opaque()).expect("a token");
    let (steps, decision) = validator.explain(ENDPOINT, &token, noon()).await;
    assert!(decision.is_allowed() && steps.iter().all(Step::is_good), "{steps:?}");
    let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
    assert_eq!(names[..6], ["data store", "form", "trusted issuer", "introspection", "claims", "issuer"]);
    assert!(steps[1].found.contains("no JWT"), "{steps:?}");
    let asked = format!("asked {} as client rs (client_secret_basic): active, with aud client_id exp iat iss", authority.endpoint());
    assert!(steps[3].found.starts_with(&asked), "{steps:?}");
    for (saying, found) in [
        (Saying::inactive(), "not active"),
        (Saying::Text(401, "application/json", String::new()), "the answer has status 401"),
        (Saying::Text(200, "text/html", String::new()), "the answer is not application/json"),
        (Saying::Nothing, "timeout"),
    ] {
        authority.turn(saying);
        let (steps, decision) = validator.explain(ENDPOINT, &token, noon()).await;
        let last = steps.last().expect("a step");
        assert!(!decision.is_allowed() && last.name == "introspection" && !last.is_good(), "{steps:?}");
        assert!(last.found.ends_with(found), "{last:?}");
    }
    assert!(!format!("{steps:?}").contains(SECRET));
}
