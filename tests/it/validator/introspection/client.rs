//! How the validator says who it is, from the settings to the wire.

use admit::listener::RustlsConfig;
use admit::token::{Jwks, Unverified};
use admit::validate::{Fault, Silence};
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};

use super::*;
use crate::support::certificate::{ending, self_signed};
use crate::support::{ISSUER, Question};
use crate::validator::{ENDPOINT, ROLE, good};

const SIGNED: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A validator with these variables besides those that every one has, which trusts the word of `authority` alone.
fn of_settings(authority: &Authority, settings: &[(&str, &str)]) -> Validator {
    let endpoint = authority.endpoint();
    let usual = [
        ("ADMIT_ISSUER", ISSUER),
        ("ADMIT_DATASTORES", ENDPOINT),
        ("USER_ROLE_ARN", ROLE),
        ("ADMIT_INTROSPECTION", "only"),
        ("ADMIT_INTROSPECTION_ENDPOINT", &endpoint),
    ];
    let environment = usual.iter().chain(settings).copied().collect();
    Validator::from_environment(&environment).unwrap_or_else(|bad| panic!("{bad}"))
}

/// The question that a validator of these settings asks.
async fn question(settings: &[(&str, &str)]) -> Question {
    let authority = Authority::vouching(&genuine_claims(noon().unix_timestamp())).await;
    let validator = of_settings(&authority, settings);
    assert!(is_allowed(&validator, "opaque").await);
    authority.questions().remove(0)
}

/// RFC 6749 §2.3.1: the id and the secret are form-encoded, then joined, then in Base64.
#[tokio::test]
async fn a_secret_goes_into_the_header_and_nowhere_else() {
    for (id, secret, joined) in [
        ("rs", "plain-secret_1.2", "rs:plain-secret_1.2"),
        ("https://rs.test/a", "a:b+c d%&=/", "https%3A%2F%2Frs.test%2Fa:a%3Ab%2Bc%20d%25%26%3D%2F"),
        ("ä", "ö€", "%C3%A4:%C3%B6%E2%82%AC"),
    ] {
        let expected = format!("Basic {}", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, joined));
        for names in [["ADMIT_INTROSPECTION_CLIENT_ID", "ADMIT_INTROSPECTION_CLIENT_SECRET"], ["CLIENT_ID", "CLIENT_SECRET"]] {
            let question = question(&[(names[0], id), (names[1], secret)]).await;
            assert_eq!(question.header("authorization"), Some(expected.as_str()));
            assert_eq!(question.form.keys().collect::<Vec<_>>(), ["token", "token_type_hint"]);
        }
    }
}

/// The assertion in a question, once its signature was found right.
fn assertion(question: &Question, public: &Value) -> (Value, String) {
    assert_eq!(question.header("authorization"), None);
    assert_eq!(question.form.keys().collect::<Vec<_>>(), ["client_assertion", "client_assertion_type", "token", "token_type_hint"]);
    assert_eq!(question.form["client_assertion_type"], SIGNED);
    let keys = Jwks::parse(json!({ "keys": [public] }).to_string().as_bytes()).expect("a key set");
    let token = Unverified::parse(&question.form["client_assertion"]).expect("a JWT");
    let algorithm = token.algorithm().to_owned();
    assert_eq!(token.typ(), "jwt");
    (Value::Object(token.verify(&keys).expect("a good signature")), algorithm)
}

/// RFC 7523 §3
#[tokio::test]
async fn an_assertion_names_the_client_and_whom_it_is_for_and_ends_within_a_minute() {
    let forge = Forge::new(Algorithm::Es384);
    let pem = forge.private_pem();
    let settings =
        [("ADMIT_INTROSPECTION_CLIENT_ID", "rs"), ("ADMIT_INTROSPECTION_KEY", &pem), ("ADMIT_INTROSPECTION_KEY_ID", forge.kid.as_str())];
    let now = noon().unix_timestamp();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let (claims, _) = assertion(&question(&settings).await, &forge.public_jwk);
        let jti = claims["jti"].as_str().expect("a jti").to_owned();
        assert_eq!(claims, json!({ "iss": "rs", "sub": "rs", "aud": ISSUER, "iat": now, "exp": now + 60, "jti": jti }));
        assert!(jti.len() == 22 && seen.insert(jti), "each has a name of its own");
    }
    // Some want to be called by the address that is asked; and a usual secret beside a key is somebody else's.
    let elsewhere =
        [&settings[..], &[("ADMIT_INTROSPECTION_AUDIENCE", "https://okta.test/v1/introspect"), ("CLIENT_SECRET", "x")]].concat();
    let (claims, _) = assertion(&question(&elsewhere).await, &forge.public_jwk);
    assert_eq!(claims["aud"], "https://okta.test/v1/introspect");
}

#[tokio::test]
async fn a_key_may_be_of_any_usual_kind_and_form() {
    for (algorithm, expected) in [(Algorithm::Es256, "ES256"), (Algorithm::Es384, "ES384"), (Algorithm::Rs384, "RS256")] {
        let forge = Forge::new(algorithm);
        let mut public = forge.public_jwk.clone();
        public.as_object_mut().expect("an object").remove("alg");
        public["kid"] = json!("mine");
        let pem = forge.private_pem();
        let question = question(&[("CLIENT_ID", "rs"), ("ADMIT_INTROSPECTION_KEY", &pem), ("ADMIT_INTROSPECTION_KEY_ID", "mine")]).await;
        assert_eq!(assertion(&question, &public).1, expected);
    }
    let (rsa_public, rsa_private) = rsa_jwk();
    let pair = elliptic_jwk();
    for (public, private, algorithms) in [
        (&rsa_public, &rsa_private, &[None, Some("RS256"), Some("RS384"), Some("RS512"), Some("PS256")][..]),
        (&pair.0, &pair.1, &[None, Some("ES256")]),
    ] {
        for algorithm in algorithms {
            let mut private = private.clone();
            if let Some(algorithm) = algorithm {
                private["alg"] = json!(algorithm);
            }
            let question = question(&[("CLIENT_ID", "rs"), ("ADMIT_INTROSPECTION_KEY", &private.to_string())]).await;
            let usual = if private["kty"] == "RSA" { "RS256" } else { "ES256" };
            assert_eq!(assertion(&question, public).1, algorithm.unwrap_or(usual));
        }
    }
}

fn rsa_jwk() -> (Value, Value) {
    use admit::token::base64url;
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).expect("a key");
    let number = |number: &rsa::BigUint| base64url(&number.to_bytes_be());
    let public = json!({ "kty": "RSA", "kid": "k1", "n": number(key.n()), "e": number(key.e()) });
    let mut private = public.clone();
    let inverse = key.crt_coefficient().expect("two primes");
    for (name, value) in [
        ("d", key.d()),
        ("p", &key.primes()[0]),
        ("q", &key.primes()[1]),
        ("dp", key.dp().expect("precomputed")),
        ("dq", key.dq().expect("precomputed")),
        ("qi", &inverse),
    ] {
        private[name] = json!(number(value));
    }
    (public, private)
}

/// The key of RFC 7517, appendix A.2: everybody has it.
fn elliptic_jwk() -> (Value, Value) {
    let public = json!({
        "kty": "EC", "crv": "P-256", "kid": "1",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    });
    let mut private = public.clone();
    private["d"] = json!("870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE");
    (public, private)
}

/// Over TLS, from an authority that a setting adds; to anybody else the token is not even sent.
#[tokio::test(flavor = "multi_thread")]
async fn only_an_issuer_with_a_certificate_that_is_trusted_is_asked() {
    let (certificate, key) = self_signed();
    let tls = RustlsConfig::from_pem(certificate.clone().into_bytes(), key.into_bytes()).await.expect("a usable certificate");
    let answer = Saying::active(&genuine_claims(noon().unix_timestamp()));
    let authority = Authority::start_on(answer, Some(tls)).await;
    assert!(authority.endpoint().starts_with("https://localhost:"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, certificate).expect("written");
    let client = [("CLIENT_ID", "rs"), ("CLIENT_SECRET", SECRET)];
    assert_eq!(error(&of_settings(&authority, &client), "opaque").await, UNKNOWN);
    assert_eq!(authority.asked(), 0);
    let trusting = [&client[..], &[("ADMIT_CA_FILE", file.to_str().expect("UTF-8"))]].concat();
    assert!(is_allowed(&of_settings(&authority, &trusting), "opaque").await);
    assert_eq!(authority.asked(), 1);
}

/// An issuer that cannot be trusted is no issuer that is away: the token does not pass by its signature either.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_stands_in_the_way_with_another_certificate_is_no_outage() {
    let (own, other) = (self_signed(), self_signed());
    for ((certificate, key), trusted, host, is_trusted) in [
        (&own, &own.0, "localhost", true),
        (&own, &other.0, "localhost", false),
        (&own, &own.0, "127.0.0.1", false),
        (&ending("250102000000Z"), &String::new(), "localhost", false),
    ] {
        let trusted = if trusted.is_empty() { certificate } else { trusted };
        let tls = RustlsConfig::from_pem(certificate.clone().into_bytes(), key.clone().into_bytes()).await.expect("a certificate");
        let authority = Authority::start_on(Saying::Json(json!({ "active": true })), Some(tls)).await;
        let endpoint = authority.endpoint().replace("localhost", host);
        let client = ClientAuthentication::secret("rs", SECRET);
        let introspector = Arc::new(Introspector::new(&endpoint, client, 0, Some(trusted.as_bytes())).expect("a client"));
        let by = tokio::time::Instant::now() + Duration::from_secs(5);
        let word = introspector.ask("x", noon(), None, by).await;
        let silence = word.err();
        assert_eq!(silence, (!is_trusted).then_some(Silence::Fault(Fault::NotTrusted)), "{endpoint}");
        assert!(silence.is_none_or(|silence| !silence.is_outage()));
        let forge = Forge::new(Algorithm::Es256);
        let keys = Arc::new(KeySource::embedded(forge.jwks()));
        let proof = Proof::Both { keys, introspector, when_unreachable: WhenUnreachable::Allow };
        let validator = Validator::of(vec![Rule { trust: trust(), proof }]);
        assert_eq!(is_allowed(&validator, &good(&forge)).await, is_trusted, "{endpoint}");
        assert_eq!(authority.asked(), if is_trusted { 2 } else { 0 });
    }
    // What is no TLS at all is not to be trusted either; a handshake that is cut short is like any other connection that is.
    let plain = Authority::start(Saying::Json(json!({ "active": true }))).await;
    let cut = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let of_cut = format!("https://{}/introspect", cut.local_addr().expect("an address"));
    tokio::spawn(async move { while cut.accept().await.is_ok() {} });
    for (endpoint, fault) in [(plain.endpoint().replace("http:", "https:"), Fault::NotTrusted), (of_cut, Fault::NoAnswer)] {
        let introspector = Introspector::new(&endpoint, ClientAuthentication::secret("rs", SECRET), 0, None).expect("a client");
        let by = tokio::time::Instant::now() + Duration::from_secs(5);
        assert_eq!(introspector.ask("x", noon(), None, by).await.err(), Some(Silence::Fault(fault)), "{endpoint}");
    }
}

/// Neither a secret nor a key is repeated where settings are complained about.
#[tokio::test]
async fn a_key_that_cannot_sign_is_named_and_not_shown() {
    let (_, rsa) = rsa_jwk();
    let (public, elliptic) = elliptic_jwk();
    let change = |jwk: &Value, name: &str, value: &str| {
        let mut jwk = jwk.clone();
        jwk[name] = json!(value);
        jwk.to_string()
    };
    let pem = Forge::new(Algorithm::Es256).private_pem();
    for bad in [
        "words".to_owned(),
        "[]".to_owned(),
        public.to_string(),
        change(&elliptic, "d", "AAAA"),
        change(&elliptic, "alg", "RS256"),
        change(&elliptic, "alg", "ES384"),
        change(&elliptic, "alg", "HS256"),
        change(&elliptic, "crv", "P-384"),
        change(&rsa, "alg", "ES256"),
        change(&rsa, "p", "AQAB"),
        change(&rsa, "kty", "oct"),
        pem.replace("PRIVATE", "EC PRIVATE"),
        pem.replace("MI", "MJ"),
    ] {
        let environment = [
            ("ADMIT_ISSUER", ISSUER),
            ("USER_ROLE_ARN", ROLE),
            ("ADMIT_INTROSPECTION", "only"),
            ("ADMIT_INTROSPECTION_ENDPOINT", "https://idp.test/introspect"),
            ("ADMIT_INTROSPECTION_CLIENT_ID", "rs"),
            ("ADMIT_INTROSPECTION_KEY", bad.as_str()),
            ("ADMIT_INTROSPECTION_KEY_ID", "k1"),
        ];
        let complaint = Validator::from_environment(&environment.into_iter().collect()).err().map(|bad| bad.to_string());
        let expected = "ADMIT_INTROSPECTION_KEY is neither a private JWK nor a PKCS#8 key in PEM, RSA, P-256 or P-384";
        assert_eq!(complaint.as_deref(), Some(expected), "{bad}");
    }
}
