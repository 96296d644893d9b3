//! The signature, and then the issuer's word that the token still stands.

use std::time::Instant;

use admit::token::Jwks;
use admit::validate::{BearerToken, Decision, Refusal};
use time::OffsetDateTime;

use super::*;
use crate::support::{KeyServer, Log, Mood};
use crate::validator::{ENDPOINT, good, journal};

fn at(seconds: i64) -> OffsetDateTime {
    noon() + time::Duration::seconds(seconds)
}

/// A good token of this name.
fn named(forge: &Forge, id: &str) -> String {
    let mut claims = genuine_claims(noon().unix_timestamp());
    claims["jti"] = json!(id);
    forge.access_token(&claims)
}

/// JW-22, LM-16: at once.
#[tokio::test]
async fn a_token_that_was_taken_back_is_refused_with_a_good_signature() {
    let forge = Forge::new(Algorithm::Es256);
    let authority = Authority::start(Saying::Json(json!({ "active": true }))).await;
    let validator = combined(&forge, &authority.endpoint(), 0, WhenUnreachable::Refuse);
    let local = Validator::new(trust(), KeySource::embedded(forge.jwks()));
    let token = event(&good(&forge));
    assert_eq!(validator.answer(&token, noon()).await, local.answer(&token, noon()).await);
    authority.turn(Saying::inactive());
    assert_eq!(validator.answer(&token, noon()).await["authPayload"]["error"], INACTIVE);
    // Whose token was refused is known: the signature says so.
    let Decision::Refuse(refused) = validator.decide(&token, noon()).await else { panic!("allowed") };
    assert_eq!(refused.claims.expect("claims").id.as_deref(), Some("synthetic-jti"));
}

/// Local first: nobody learns of tokens that are not theirs, and no stranger can make us ask.
#[tokio::test]
async fn a_token_that_is_refused_anyway_is_not_asked_about() {
    let (forge, stranger) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256));
    let authority = Authority::start(Saying::Json(json!({ "active": true }))).await;
    let validator = combined(&forge, &authority.endpoint(), 0, WhenUnreachable::Allow);
    let mut claims = genuine_claims(noon().unix_timestamp());
    let mut bad = vec![good(&stranger), "opaque".to_owned(), format!("{}x", good(&forge)), forge.token(&forge.header("jwt"), &claims)];
    for (name, value) in [("aud", json!("https://other.test/")), ("scope", json!("openid")), ("exp", json!(0)), ("iat", json!("now"))] {
        let mut claims = claims.clone();
        claims[name] = value;
        bad.push(forge.access_token(&claims));
    }
    claims["iss"] = json!("https://evil.test");
    bad.push(forge.access_token(&claims));
    for token in bad {
        assert!(!is_allowed(&validator, &token).await, "{token}");
        // Not for an explanation either.
        let (steps, _) = validator.explain(ENDPOINT, &BearerToken::read(&token).expect("a token"), noon()).await;
        assert!(steps.iter().all(|step| step.name != "introspection"), "{steps:?}");
    }
    assert_eq!(authority.asked(), 0);
}

/// The answer may add nothing, and take nothing back.
#[tokio::test]
async fn an_answer_about_another_token_is_no_answer() {
    let forge = Forge::new(Algorithm::Es256);
    let genuine = genuine_claims(noon().unix_timestamp());
    let authority = Authority::vouching(&genuine).await;
    let validator = combined(&forge, &authority.endpoint(), 0, WhenUnreachable::Allow);
    assert!(is_allowed(&validator, &good(&forge)).await);
    for (name, value) in [
        ("iss", json!("https://evil.test")),
        ("sub", json!("u-other")),
        ("client_id", json!("evil")),
        ("jti", json!("another")),
        ("tenant_id", json!("other")),
        ("patient", json!("p2")),
        ("scope", json!("openid launch/patient patient/Observation.rs")),
        ("exp", json!(noon().unix_timestamp() + 599)),
        ("aud", json!("https://other.test/r4/")),
    ] {
        let mut answer = genuine.clone();
        answer[name] = value;
        authority.turn(Saying::active(&answer));
        let validator = combined(&forge, &authority.endpoint(), 0, WhenUnreachable::Allow);
        assert_eq!(error(&validator, &good(&forge)).await, "the issuer describes the token differently", "{name}");
        let validator = combined(&forge, &authority.endpoint(), 0, WhenUnreachable::Allow);
        let token = BearerToken::read(&good(&forge)).expect("a token");
        let (steps, _) = validator.explain(ENDPOINT, &token, noon()).await;
        let last = steps.last().expect("a step");
        assert!(!last.is_good() && last.found.ends_with(&format!("but {name} is not what the token says")), "{last:?}");
    }
    let mut wider = genuine.clone();
    wider["scope"] = json!("openid launch/patient patient/*.rs system/*.cruds");
    wider["exp"] = json!(noon().unix_timestamp() + 9999);
    wider["fhirUser"] = json!("https://fhir.test/r4/Practitioner/evil");
    authority.turn(Saying::active(&wider));
    let answer = validator.answer(&event(&good(&forge)), noon()).await;
    assert_eq!(answer["authPayload"]["scope"], genuine["scope"]);
    assert_eq!(answer["authPayload"]["exp"], genuine["exp"]);
    assert_eq!(answer["authPayload"].get("fhirUser"), None);
    for (name, value) in [("token_type", "refresh_token"), ("token_use", "id"), ("typ", "Refresh")] {
        authority.turn(Saying::active(&json!({ name: value })));
        let validator = combined(&forge, &authority.endpoint(), 0, WhenUnreachable::Allow);
        assert_eq!(error(&validator, &good(&forge)).await, "the token is of another type", "{name}");
    }
}

/// LM-15: the policy is for an issuer that is away, not for one that answers oddly.
#[tokio::test]
async fn while_the_issuer_is_away_the_setting_decides() {
    let forge = Forge::new(Algorithm::Es256);
    let authority = Authority::start(Saying::inactive()).await;
    let strict = combined(&forge, &authority.endpoint(), 0, WhenUnreachable::Refuse);
    let lenient = combined(&forge, &authority.endpoint(), 0, WhenUnreachable::Allow);
    for (trouble, is_outage) in troubles() {
        authority.turn(trouble.clone());
        let begin = Instant::now();
        assert_eq!(error(&strict, &good(&forge)).await, UNKNOWN, "{trouble:?}");
        assert!(begin.elapsed() < Duration::from_secs(1), "{trouble:?}: {:?}", begin.elapsed());
        let begin = Instant::now();
        assert_eq!(is_allowed(&lenient, &good(&forge)).await, is_outage, "{trouble:?}");
        assert!(begin.elapsed() < Duration::from_secs(1), "{trouble:?}: {:?}", begin.elapsed());
    }
    let elsewhere = Authority::start(Saying::Json(json!({ "active": true }))).await;
    authority.turn(Saying::Redirect(elsewhere.endpoint()));
    assert!(!is_allowed(&strict, &good(&forge)).await && !is_allowed(&lenient, &good(&forge)).await);
    assert_eq!(elsewhere.asked(), 0);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let nobody = format!("http://{nobody}/introspect");
    assert_eq!(error(&combined(&forge, &nobody, 0, WhenUnreachable::Refuse), &good(&forge)).await, UNKNOWN);
    let alone = combined(&forge, &nobody, 0, WhenUnreachable::Allow);
    assert!(is_allowed(&alone, &good(&forge)).await);
    let (steps, decision) = alone.explain(ENDPOINT, &BearerToken::read(&good(&forge)).expect("a token"), noon()).await;
    let last = steps.last().expect("a step");
    assert!(decision.is_allowed() && last.is_good() && last.found.ends_with("no answer; the settings let the signature do"), "{last:?}");
}

/// LM-11: both the keys and the word are late, and the answer is not.
#[tokio::test]
async fn slow_keys_and_a_slow_word_together_cost_less_than_a_second() {
    let forge = Forge::new(Algorithm::Es256);
    let authority = Authority::start(Saying::Nothing).await;
    let no_keys = json!("no signing keys can be had from the issuer at the moment");
    for (first, when_unreachable, expected) in [
        (Mood::Fails, WhenUnreachable::Allow, no_keys),
        (Mood::Publishes(forge.jwks_text()), WhenUnreachable::Refuse, json!(UNKNOWN)),
        (Mood::Publishes(forge.jwks_text()), WhenUnreachable::Allow, Value::Null),
    ] {
        let key_server = KeyServer::start(first).await;
        let keys = Arc::new(KeySource::remote(&key_server.uri(), Jwks::default()).expect("a client"));
        let proof = Proof::Both { keys, introspector: introspector(&authority.endpoint(), 0), when_unreachable };
        let validator = Validator::of(vec![Rule { trust: trust(), proof }]);
        // So long ago that the keys are asked for again before they are believed.
        validator.warm(at(-400)).await;
        key_server.turn(Mood::Hangs);
        let begin = Instant::now();
        let answer = validator.answer(&event(&good(&forge)), noon()).await;
        assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
        assert_eq!(answer["authPayload"].get("error").cloned().unwrap_or_default(), expected);
    }
}

/// So long is a revoked token good where a cache is wanted; and no answer outlives the token.
#[tokio::test]
async fn an_answer_is_believed_for_as_long_as_the_setting_says() {
    let forge = Forge::new(Algorithm::Es256);
    let authority = Authority::start(Saying::Json(json!({ "active": true }))).await;
    let validator = combined(&forge, &authority.endpoint(), 20, WhenUnreachable::Refuse);
    let token = event(&good(&forge));
    let is_allowed = async |second: i64| validator.decide(&token, at(second)).await.is_allowed();
    assert!(is_allowed(0).await && is_allowed(1).await && is_allowed(19).await);
    assert_eq!(authority.asked(), 1);
    authority.turn(Saying::inactive());
    assert!(is_allowed(19).await);
    assert_eq!(authority.asked(), 0);
    assert!(!is_allowed(20).await && !is_allowed(21).await);
    assert_eq!(authority.asked(), 2, "a no is not kept");
    authority.turn(Saying::Json(json!({ "active": true })));
    let other = event(&named(&forge, "other"));
    let is_allowed = async |second: i64| validator.decide(&other, at(second)).await.is_allowed();
    assert!(is_allowed(595).await && is_allowed(604).await);
    assert_eq!(authority.asked(), 1);
    assert!(!is_allowed(605).await, "it has expired, whatever is remembered of it");
    assert_eq!(authority.asked(), 0);
    // The end that the answer itself names.
    authority.turn(Saying::Json(json!({ "active": true, "exp": noon().unix_timestamp() + 600 })));
    let third = event(&named(&forge, "third"));
    for (second, asked) in [(590, 1), (599, 0), (600, 1), (601, 1)] {
        assert!(validator.decide(&third, at(second)).await.is_allowed());
        assert_eq!(authority.asked(), asked, "after {second} s");
    }
}

/// Whoever has a token that was taken back cannot wait for the issuer to fall silent, nor make it: not even with an answer in
/// between that says otherwise.
#[tokio::test]
async fn a_no_outlives_every_silence_until_the_token_ends() {
    let forge = Forge::new(Algorithm::Es256);
    let mut fewer = genuine_claims(noon().unix_timestamp());
    fewer["scope"] = json!("openid");
    for (no, why) in [
        (Saying::inactive(), INACTIVE),
        (Saying::active(&fewer), "the issuer describes the token differently"),
        (Saying::active(&json!({ "token_type": "refresh_token" })), "the token is of another type"),
    ] {
        let authority = Authority::start(no).await;
        let validator = combined(&forge, &authority.endpoint(), 60, WhenUnreachable::Allow);
        let token = good(&forge);
        assert_eq!(error(&validator, &token).await, why);
        assert_eq!(authority.asked(), 1);
        for saying in [Saying::Text(503, "text/plain", String::new()), Saying::Nothing, Saying::Json(json!({ "active": true }))] {
            authority.turn(saying);
            for second in [0, 300, 604] {
                let answer = validator.answer(&event(&token), at(second)).await;
                assert_eq!(answer["authPayload"]["error"], why, "after {second} s");
            }
            // The same claims, signed once more, are the same token.
            assert_eq!(error(&validator, &good(&forge)).await, why);
        }
        assert_eq!(authority.asked(), 0, "nothing that it says could help");
        let (steps, _) = validator.explain(ENDPOINT, &BearerToken::read(&token).expect("a token"), noon()).await;
        assert!(steps.last().is_some_and(|step| !step.is_good() && step.found.contains("before")), "{steps:?}");
        assert_eq!(error(&validator, &token).await, why);
        assert!(is_allowed(&validator, &named(&forge, "other")).await, "that was of one token");
        assert_eq!(authority.asked(), 1);
    }
}

/// Where silence is a "no" anyway, there is nothing to wait for, and the issuer is asked each time: a replica may be late.
#[tokio::test]
async fn a_no_is_not_remembered_where_silence_is_one() {
    let forge = Forge::new(Algorithm::Es256);
    let authority = Authority::start(Saying::inactive()).await;
    let validator = combined(&forge, &authority.endpoint(), 60, WhenUnreachable::Refuse);
    let token = good(&forge);
    assert_eq!(error(&validator, &token).await, INACTIVE);
    authority.turn(Saying::Nothing);
    assert_eq!(error(&validator, &token).await, UNKNOWN);
    authority.turn(Saying::Json(json!({ "active": true })));
    assert!(is_allowed(&validator, &token).await);
}

/// A token for two data stores, of which the issuer names one: it opens that one, in whichever order they are tried.
#[tokio::test]
async fn an_answer_for_one_of_two_data_stores_opens_that_one() {
    const OTHER: &str = "https://fhir.test/other/r4/";
    let forge = Forge::new(Algorithm::Es256);
    let mut claims = json!({
        "iss": crate::support::ISSUER, "sub": "u-dr.a", "client_id": "spa", "tenant_id": "default", "scope": "user/*.rs",
        "aud": [ENDPOINT, OTHER], "iat": noon().unix_timestamp(), "exp": noon().unix_timestamp() + 600,
    });
    let token = BearerToken::read(&forge.access_token(&claims)).expect("a token");
    claims["aud"] = json!([ENDPOINT]);
    let authority = Authority::vouching(&claims).await;
    let proof = Proof::Both {
        keys: Arc::new(KeySource::embedded(forge.jwks())),
        introspector: introspector(&authority.endpoint(), 0),
        when_unreachable: WhenUnreachable::Allow,
    };
    let datastores = vec![ENDPOINT.to_owned(), OTHER.to_owned()];
    let validator = Validator::of(vec![Rule { trust: Trust { profile: Profile::Generic, datastores, ..trust() }, proof }]);
    let refusal = async |endpoint| match validator.decide_on(endpoint, &token, noon(), None).await {
        Decision::Allow(_) => None,
        Decision::Refuse(refused) => Some(refused.why),
    };
    for _ in 0..2 {
        assert_eq!(refusal(OTHER).await, Some(Refusal::Contradicted));
        assert_eq!(refusal(ENDPOINT).await, None);
    }
    assert_eq!(authority.asked(), 3);
    // What is taken back is taken back everywhere.
    authority.turn(Saying::inactive());
    assert_eq!(refusal(ENDPOINT).await, Some(Refusal::Inactive));
    assert_eq!(refusal(OTHER).await, Some(Refusal::Inactive));
    assert_eq!(authority.asked(), 1);
}

/// What was no answer is asked about again.
#[tokio::test]
async fn silence_is_not_remembered() {
    let forge = Forge::new(Algorithm::Es256);
    let authority = Authority::start(Saying::Text(429, "application/json", String::new())).await;
    let validator = combined(&forge, &authority.endpoint(), 0, WhenUnreachable::Allow);
    assert_eq!(error(&validator, &good(&forge)).await, UNKNOWN);
    authority.turn(Saying::Json(json!({ "active": true })));
    assert!(is_allowed(&validator, &good(&forge)).await);
    assert_eq!(authority.asked(), 2);
}

/// A token that passed on its signature alone says so, where somebody looks.
#[tokio::test]
async fn a_token_that_nobody_confirmed_is_marked() {
    let forge = Forge::new(Algorithm::Es256);
    let authority = Authority::start(Saying::Json(json!({ "active": true }))).await;
    let endpoint = authority.endpoint();
    let more = [
        ("ADMIT_INTROSPECTION", "combined"),
        ("ADMIT_INTROSPECTION_ENDPOINT", endpoint.as_str()),
        ("ADMIT_INTROSPECTION_CLIENT_ID", "rs"),
        ("ADMIT_INTROSPECTION_CLIENT_SECRET", SECRET),
        ("ADMIT_INTROSPECTION_WHEN_UNREACHABLE", "allow"),
    ];
    let (function, lines) = journal::function(&journal::settings(&forge, &more));
    let outage = Saying::Text(503, "text/plain", String::new());
    for (saying, decision, is_unconfirmed) in [
        (Saying::Json(json!({ "active": true })), "allow", false),
        (outage.clone(), "allow", true),
        (Saying::Text(429, "text/plain", String::new()), "refuse", false),
        (Saying::inactive(), "refuse", false),
        (outage, "refuse", false),
    ] {
        authority.turn(saying);
        let answer = function.answer(&event(&good(&forge)), &journal::call()).await.expect("an answer");
        assert_eq!(answer["authPayload"].get("unconfirmed"), None, "{answer}");
        let line = lines.lock().expect("the lines").pop().expect("a line");
        assert_eq!(line["decision"], decision, "{line}");
        assert_eq!(line.get("unconfirmed"), is_unconfirmed.then_some(&json!(true)), "{line}");
        let metrics = journal::metrics_of(&line, noon());
        assert_eq!(metrics.get("Admit Unconfirmed"), is_unconfirmed.then_some(&json!({ "FunctionName": "admit" })), "{line}");
        assert_eq!(line.get("Unconfirmed"), is_unconfirmed.then_some(&json!(1)), "{line}");
    }
}

#[tokio::test]
async fn without_a_cache_every_event_is_a_question() {
    let forge = Forge::new(Algorithm::Es256);
    let authority = Authority::start(Saying::Json(json!({ "active": true }))).await;
    let validator = combined(&forge, &authority.endpoint(), 0, WhenUnreachable::Refuse);
    for _ in 0..3 {
        assert!(is_allowed(&validator, &good(&forge)).await);
    }
    assert_eq!(authority.asked(), 3);
}

#[tokio::test]
async fn the_trace_is_passed_on_where_it_can_be_one() {
    let forge = Forge::new(Algorithm::Es256);
    let authority = Authority::start(Saying::Json(json!({ "active": true }))).await;
    let validator = combined(&forge, &authority.endpoint(), 0, WhenUnreachable::Refuse);
    let token = BearerToken::read(&good(&forge)).expect("a token");
    let real = "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1";
    let lineage = format!("{real};Lineage=1:a87bd80c:0");
    for (trace, sent) in [
        (Some(real), Some(real)),
        (Some(lineage.as_str()), Some(real)),
        (real.get(..40), real.get(..40)),
        (None, None),
        (Some(""), None),
        (Some("x"), None),
        (Some("Root=1\r\nx-evil: 1"), None),
        (Some("Root=1\u{0}"), None),
        (Some("Rööt"), None),
    ] {
        assert!(validator.decide_on(ENDPOINT, &token, noon(), trace).await.is_allowed());
        let questions = authority.questions();
        assert_eq!(questions[0].header("x-amzn-trace-id"), sent);
        assert_eq!(questions[0].header("x-evil"), None);
    }
}

/// LM-17: neither what was asked with nor what was asked about.
#[tokio::test]
async fn no_token_and_no_secret_gets_into_the_log() {
    let log = Log::listen();
    let forge = Forge::new(Algorithm::Es256);
    let authority = Authority::start(Saying::Text(500, "text/plain", good(&forge))).await;
    let validator = combined(&forge, &authority.endpoint(), 0, WhenUnreachable::Refuse);
    let token = good(&forge);
    assert!(!is_allowed(&validator, &token).await);
    let text = log.text();
    assert_eq!(log.lines_with("the answer has status 500").len(), 1, "{text}");
    let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("rs:{SECRET}"));
    for secret in token.split('.').chain([SECRET, &basic]) {
        assert!(!text.contains(secret), "{text}");
    }
}
