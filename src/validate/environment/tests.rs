use super::super::{Proof, WhenUnreachable};
use super::*;

const GOOD: &[(&str, &str)] = &[
    ("ADMIT_ISSUER", "https://idp.test"),
    ("JWKS_URI", "https://idp.test/.well-known/jwks.json"),
    ("USER_ROLE_ARN", "arn:aws:iam::123456789012:role/smart"),
];

fn read(changes: &[(&str, &str)]) -> Result<Validator, BadSettings> {
    Validator::from_environment(&GOOD.iter().chain(changes).copied().collect())
}

fn complaint(changes: &[(&str, &str)]) -> String {
    read(changes).err().map(|bad| bad.to_string()).unwrap_or_default()
}

#[test]
fn three_settings_are_enough() {
    assert!(read(&[]).is_ok());
    let all = [("ADMIT_READ_ONLY_ROLE_ARN", "arn:aws-cn:iam::123456789012:role/a/b"), ("ADMIT_DATASTORES", "https://a/r4/, https://b/r4/")];
    let validator = read(&all).expect("good settings");
    assert_eq!(validator.rules[0].trust.datastores, ["https://a/r4/", "https://b/r4/"]);
    assert!(!validator.boolean_is_authorized);
    assert!(read(&[("ADMIT_BOOLEAN_IS_AUTHORIZED", "true")]).expect("good settings").boolean_is_authorized);
}

/// LM-20: whatever is missing or wrong is named, and nothing is guessed.
#[test]
fn every_bad_setting_is_named() {
    for (name, value, why) in [
        ("ADMIT_ISSUER", "", "ADMIT_ISSUER is missing"),
        ("ADMIT_ISSUER", "  ", "ADMIT_ISSUER is missing"),
        ("USER_ROLE_ARN", "", "USER_ROLE_ARN is missing"),
        ("USER_ROLE_ARN", "smart-role", "USER_ROLE_ARN is not the ARN of an IAM role"),
        ("USER_ROLE_ARN", "arn:aws:iam::123456789012:user/x", "USER_ROLE_ARN is not the ARN of an IAM role"),
        ("ADMIT_READ_ONLY_ROLE_ARN", "arn:aws:iam::1:role/x", "ADMIT_READ_ONLY_ROLE_ARN is not the ARN of an IAM role"),
        ("JWKS_URI", "", "JWKS_URI is missing, and so is ADMIT_JWKS"),
        ("JWKS_URI", "http://idp.test/jwks", "JWKS_URI is not an https:// URL"),
        ("JWKS_URI", "file:///etc/jwks", "JWKS_URI is not an https:// URL"),
        ("JWKS_URI", "idp.test", "JWKS_URI is not an https:// URL"),
        ("ADMIT_JWKS", "{}", "ADMIT_JWKS cannot be used: not a JSON Web Key Set"),
        ("ADMIT_JWKS", r#"{"keys":[]}"#, "ADMIT_JWKS has no usable key"),
        ("ADMIT_CA_FILE", "/nowhere/ca.pem", "ADMIT_CA_FILE cannot be read"),
        ("ADMIT_CA_FILE", "/dev/null", "ADMIT_CA_FILE holds no usable certificates"),
        ("ADMIT_DATASTORES", " , ", "ADMIT_DATASTORES names nothing between its commas"),
        ("ADMIT_CLIENTS", ",", "ADMIT_CLIENTS names nothing between its commas"),
        ("ADMIT_DATASTORE", "https://fhir.test/r4/", "ADMIT_DATASTORE is no variable that the function knows"),
        ("ADMIT_TENNANT", "", "ADMIT_TENNANT is no variable that the function knows"),
        ("ADMIT_DATASTORES", "fhir.test", "ADMIT_DATASTORES has an entry that is no URL"),
        ("ADMIT_PROFILE", "auth0", "ADMIT_PROFILE is none of admit, cognito, keycloak, okta, generic"),
        ("ADMIT_AUDIENCES", "api://x", "ADMIT_DATASTORES is missing: audiences of another name have to be tied to data stores"),
        ("ADMIT_CONTEXT_CLAIMS", "scope", "ADMIT_CONTEXT_CLAIMS names a claim that the answer already has, such as iss, aud, exp or scope"),
        ("ADMIT_AUDIENCE_BY_DATASTORE_ID", "x", "ADMIT_AUDIENCE_BY_DATASTORE_ID is neither true nor false"),
        ("ADMIT_BOOLEAN_IS_AUTHORIZED", "perhaps", "ADMIT_BOOLEAN_IS_AUTHORIZED is neither true nor false"),
    ] {
        assert_eq!(complaint(&[(name, value)]), why);
    }
    let all = complaint(&[("ADMIT_ISSUER", ""), ("USER_ROLE_ARN", ""), ("JWKS_URI", "")]);
    assert_eq!(all, "ADMIT_ISSUER is missing; USER_ROLE_ARN is missing; JWKS_URI is missing, and so is ADMIT_JWKS");
}

/// The five variables of the usual Python function describe a Cognito user pool.
#[test]
fn the_five_usual_variables_are_enough() {
    const FIVE: &[(&str, &str)] = &[
        ("ADMIT_ISSUER", ""),
        ("CLIENT_ID", "app-one, app-two"),
        ("CLIENT_SECRET", "synthetic"),
        ("USER_POOL_ID", "eu-west-2_AbCd12345"),
        ("JWKS_URI", "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_AbCd12345/.well-known/jwks.json"),
    ];
    let validator = read(FIVE).expect("good settings");
    let trust = &validator.rules[0].trust;
    assert_eq!(trust.profile, Profile::Cognito);
    assert_eq!(trust.issuer, "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_AbCd12345");
    assert_eq!(trust.clients, ["app-one", "app-two"]);
    let china = [FIVE, &[("USER_POOL_ID", "cn-north-1_x")]].concat();
    assert_eq!(read(&china).expect("good settings").rules[0].trust.issuer, "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_x");
    let without = [FIVE, &[("CLIENT_ID", "")]].concat();
    assert!(complaint(&without).starts_with("CLIENT_ID is missing: tokens of this profile name no audience"), "{}", complaint(&without));
    for odd in ["", "pool", "https://evil.test/_x", "us-east-1_", "us_east_1", "us-east-1_x/../y"] {
        let odd = [FIVE, &[("USER_POOL_ID", odd)]].concat();
        assert!(complaint(&odd).contains("ADMIT_ISSUER is missing"), "{}", complaint(&odd));
    }
    // Beside an issuer that is named they change nothing: an Admit server's tokens name no pool.
    let beside = read(&[("CLIENT_ID", "x"), ("USER_POOL_ID", "eu-west-2_AbCd12345")]).expect("good settings");
    assert_eq!((beside.rules[0].trust.profile, beside.rules[0].trust.clients.len()), (Profile::Admit, 0));
}

const ASKING: &[(&str, &str)] = &[
    ("ADMIT_INTROSPECTION", "combined"),
    ("ADMIT_INTROSPECTION_ENDPOINT", "https://idp.test/introspect"),
    ("ADMIT_INTROSPECTION_CLIENT_ID", "rs"),
    ("ADMIT_INTROSPECTION_CLIENT_SECRET", "synthetic"),
];

#[test]
fn introspection_is_for_everything_or_for_revocation() {
    let proof = |changes: &[(&str, &str)]| {
        let mut rules = read(&[ASKING, changes].concat()).map_err(|bad| bad.to_string()).expect("good settings").rules;
        rules.remove(0).proof
    };
    let (refuse, allow) = (WhenUnreachable::Refuse, WhenUnreachable::Allow);
    assert!(matches!(proof(&[]), Proof::Both { when_unreachable, .. } if when_unreachable == refuse));
    let lenient = [("ADMIT_INTROSPECTION_WHEN_UNREACHABLE", "allow"), ("ADMIT_INTROSPECTION_CACHE_SECONDS", "60")];
    assert!(matches!(proof(&lenient), Proof::Both { when_unreachable, .. } if when_unreachable == allow));
    // Keys are not asked for where no signature is looked at; those that are there do no harm.
    assert!(matches!(proof(&[("ADMIT_INTROSPECTION", "only"), ("JWKS_URI", "")]), Proof::Introspection(_)));
    assert!(matches!(proof(&[("ADMIT_INTROSPECTION", "only")]), Proof::Introspection(_)));
    // The usual names, where they do not describe a user pool.
    let usual = [("CLIENT_ID", "rs"), ("CLIENT_SECRET", "x"), ("ADMIT_INTROSPECTION_CLIENT_ID", ""), ("USER_POOL_ID", "p")];
    assert!(matches!(proof(&[&usual[..], &[("ADMIT_INTROSPECTION_CLIENT_SECRET", "")]].concat()), Proof::Both { .. }));
    assert!(matches!(read(&usual).expect("good settings").rules[0].proof, Proof::Signature(_)));
}

/// LM-20, and no secret is repeated.
#[test]
fn every_bad_setting_of_introspection_is_named() {
    let secret = "ADMIT_INTROSPECTION_CLIENT_SECRET";
    for (changes, why) in [
        (&[("ADMIT_INTROSPECTION", "")][..], "ADMIT_INTROSPECTION is missing: it is only or combined"),
        (&[("ADMIT_INTROSPECTION", "both")], "ADMIT_INTROSPECTION is neither only nor combined"),
        (&[("ADMIT_INTROSPECTION_ENDPOINT", "")], "ADMIT_INTROSPECTION_ENDPOINT is missing"),
        (&[("ADMIT_INTROSPECTION_ENDPOINT", "http://idp.test/introspect")], "ADMIT_INTROSPECTION_ENDPOINT is not an https:// URL"),
        (&[("ADMIT_INTROSPECTION_ENDPOINT", "https://rs:synthetic@idp.test/")], "ADMIT_INTROSPECTION_ENDPOINT is not an https:// URL"),
        (&[("ADMIT_INTROSPECTION_WHEN_UNREACHABLE", "ask")], "ADMIT_INTROSPECTION_WHEN_UNREACHABLE is neither refuse nor allow"),
        (
            &[("ADMIT_INTROSPECTION", "only"), ("ADMIT_INTROSPECTION_WHEN_UNREACHABLE", "allow")],
            "ADMIT_INTROSPECTION_WHEN_UNREACHABLE cannot be allow: where nothing but introspection proves a token, nothing would",
        ),
        (&[("ADMIT_INTROSPECTION_CACHE_SECONDS", "61")], "ADMIT_INTROSPECTION_CACHE_SECONDS is more than 60"),
        (&[("ADMIT_INTROSPECTION_CACHE_SECONDS", "-1")], "ADMIT_INTROSPECTION_CACHE_SECONDS is not a number of seconds"),
        (&[("ADMIT_INTROSPECTION_CACHE_SECONDS", "1m")], "ADMIT_INTROSPECTION_CACHE_SECONDS is not a number of seconds"),
        (&[("ADMIT_INTROSPECTION_CLIENT_ID", "")], "ADMIT_INTROSPECTION_CLIENT_ID is missing"),
        (&[(secret, "")], "ADMIT_INTROSPECTION_CLIENT_SECRET is missing, and so is ADMIT_INTROSPECTION_KEY"),
        (
            &[("ADMIT_INTROSPECTION_KEY", "{}")],
            "ADMIT_INTROSPECTION_CLIENT_SECRET is one way to authenticate, and ADMIT_INTROSPECTION_KEY another: one of them is enough",
        ),
        (&[("JWKS_URI", "")], "JWKS_URI is missing, and so is ADMIT_JWKS"),
        (
            &[("ADMIT_INTROSPECTION_KEY", "synthetic"), (secret, "")],
            "ADMIT_INTROSPECTION_KEY_ID is missing, and the key does not name itself; \
             ADMIT_INTROSPECTION_KEY is neither a private JWK nor a PKCS#8 key in PEM, RSA, P-256 or P-384",
        ),
        (
            &[("ADMIT_INTROSPECTION_KEY", "synthetic"), (secret, ""), ("ADMIT_INTROSPECTION_KEY_ID", "a\"b")],
            "ADMIT_INTROSPECTION_KEY_ID is not plain text without quotes; \
             ADMIT_INTROSPECTION_KEY is neither a private JWK nor a PKCS#8 key in PEM, RSA, P-256 or P-384",
        ),
    ] {
        assert_eq!(complaint(&[ASKING, changes].concat()), why);
    }
    for (name, _) in ASKING {
        assert!(complaint(&[(name, "x")]).contains("ADMIT_INTROSPECTION"), "{name} alone is not enough");
    }
    // A pool's own client is not the validator's.
    let pool = [("ADMIT_PROFILE", "cognito"), ("CLIENT_ID", "app"), ("CLIENT_SECRET", "x")];
    let asking = [("ADMIT_INTROSPECTION", "combined"), ("ADMIT_INTROSPECTION_ENDPOINT", "https://idp.test/introspect")];
    let missing = "ADMIT_INTROSPECTION_CLIENT_ID is missing; \
                   ADMIT_INTROSPECTION_CLIENT_SECRET is missing, and so is ADMIT_INTROSPECTION_KEY";
    assert_eq!(complaint(&[&pool[..], &asking].concat()), missing);
}

#[test]
fn several_issuers_stand_in_one_variable_or_beside_the_program() {
    let list = r#"[{ "issuer": "https://a.test", "jwks_uri": "https://a.test/jwks", "role_arn": "arn:aws:iam::123456789012:role/a" }]"#;
    let read = |variables: &[(&str, &str)]| Validator::from_environment(&variables.iter().copied().collect());
    let complaint = |variables: &[(&str, &str)]| read(variables).err().map(|bad| bad.to_string()).unwrap_or_default();
    let issuer = |variables: &[(&str, &str)]| read(variables).map(|validator| validator.rules[0].trust.issuer.clone()).unwrap_or_default();
    assert_eq!(issuer(&[("ADMIT_TRUST", list)]), "https://a.test");
    assert_eq!(complaint(&[("ADMIT_TRUST", "[]")]), "ADMIT_TRUST is empty");
    let everything = complaint(&[("ADMIT_TRUST", "[]"), ("ADMIT_CONTEXT_CLAIMS", "scope"), ("ADMIT_BOOLEAN_IS_AUTHORIZED", "x")]);
    assert!(everything.contains("ADMIT_TRUST") && everything.contains("ADMIT_CONTEXT_CLAIMS") && everything.contains("BOOLEAN"));
    // What would have no effect narrows nothing, though somebody thinks it does.
    for (name, value) in [("ADMIT_TENANT", "clinic-a"), ("ADMIT_INTROSPECTION", "combined"), ("ADMIT_ISSUER", "https://a.test")] {
        let why = format!("{name} has no meaning beside ADMIT_TRUST, which says it for each issuer");
        assert_eq!(complaint(&[("ADMIT_TRUST", list), (name, value)]), why);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let root = ("LAMBDA_TASK_ROOT", folder.path().to_str().expect("UTF-8"));
    let file = folder.path().join("trust.json");
    std::fs::write(&file, list).expect("a file");
    assert_eq!(issuer(&[root]), "https://a.test");
    // As some editors write it. It restricts, and what it restricts must not open because it cannot be read.
    let utf16: Vec<u8> = format!("\u{feff}{list}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(&file, utf16).expect("a file");
    let unreadable = complaint(&[GOOD, &[root]].concat());
    assert_eq!(unreadable, "trust.json lies beside the program and cannot be read");
}

#[test]
fn keys_stand_in_a_variable_or_beside_the_program() {
    let key = r#"{"kty":"EC","crv":"P-256","kid":"1","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
    let keys = format!(r#"{{"keys":[{key}]}}"#);
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().to_str().expect("UTF-8");
    let alone = [("JWKS_URI", ""), ("LAMBDA_TASK_ROOT", root)];
    assert_eq!(complaint(&alone), "JWKS_URI is missing, and so is ADMIT_JWKS");
    std::fs::write(folder.path().join("jwks.json"), &keys).expect("a file");
    assert!(read(&alone).is_ok());
    std::fs::write(folder.path().join("jwks.json"), [0xff, 0xfe]).expect("a file");
    assert!(complaint(&alone).starts_with("jwks.json lies beside the program and cannot be read"), "{}", complaint(&alone));
    assert!(read(&[("JWKS_URI", ""), ("ADMIT_JWKS", &keys)]).is_ok());
    // What is odd in the text is not lost on the way.
    let twice = format!(r#"{{"keys":[],"keys":[{key}]}}"#);
    assert_eq!(complaint(&[("ADMIT_JWKS", &twice)]), "ADMIT_JWKS cannot be used: not a JSON Web Key Set");
}
