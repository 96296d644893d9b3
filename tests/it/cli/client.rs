//! `admit client`

use serde_json::{Value, json};

use super::{Admin, names};

#[test]
fn a_client_is_created_shown_switched_off_and_deleted() {
    let admin = Admin::with_base();
    let created = admin.create_app("growth-chart");
    assert_eq!(created["grants"], json!(["authorization_code", "refresh_token"]));
    assert_eq!((&created["auth"], created.get("client_secret")), (&json!("none"), None));
    assert_eq!(admin.json(&["client", "show", "growth-chart"]), created);
    assert_eq!(names(&admin.json(&["client", "list"]), "client_id"), ["growth-chart"]);

    assert!(admin.json(&["client", "disable", "growth-chart"])["disabled_at"].is_string());
    let refused = admin.fails(2, &["client", "delete", "growth-chart"]);
    assert!(refused.contains("--yes"), "{refused}");
    admin.json(&["client", "delete", "growth-chart", "--yes"]);
    assert_eq!(admin.json(&["client", "list"]), json!([]));
}

#[test]
fn a_client_without_an_id_gets_one() {
    let admin = Admin::with_base();
    let created = admin.json(&["client", "create", "--name", "A", "--redirect-uri", "https://a.test/cb", "--scope", "openid"]);
    let id = created["client_id"].as_str().expect("an id");
    assert_eq!((id.len(), &admin.json(&["client", "show", id])), (36, &created));
}

#[test]
fn a_secret_is_shown_once() {
    let admin = Admin::with_base();
    let secret = |answer: &Value| answer["client_secret"].as_str().unwrap_or_default().to_owned();
    let created = admin.create_service("export");
    assert_eq!(created["grants"], json!(["client_credentials"]));
    let first = secret(&created);
    assert!(first.starts_with("cs_") && first.len() == 46);
    let rotated = admin.json(&["client", "rotate-secret", "export", "--keep-old", "0"]);
    assert_ne!(secret(&rotated), first);

    let plain = admin.run(&["client", "rotate-secret", "export"]);
    let line = plain.out.lines().find(|line| line.starts_with("client secret ")).expect("a labelled line").to_owned();
    assert!(line.contains("cs_") && plain.err.contains("not shown again"), "{line} {}", plain.err);

    let shown = admin.run(&["client", "show", "export"]).out + &admin.run(&["client", "list", "--json"]).out;
    assert!(!shown.contains("cs_"), "{shown}");
    for file in ["test.db", "test.db-wal"] {
        let bytes = std::fs::read(admin.0.path().join(file)).unwrap_or_default();
        assert!(!bytes.windows(first.len()).any(|window| window == first.as_bytes()), "{file} holds the secret");
    }
}

#[test]
fn a_public_client_has_no_secret_to_rotate() {
    let admin = Admin::with_base();
    admin.create_app("app");
    admin.fails(4, &["client", "rotate-secret", "app"]);
}

#[test]
fn what_does_not_fit_together_is_no_client() {
    let admin = Admin::with_base();
    let create = |more: &[&str]| admin.fails(2, &[&["client", "create", "app", "--name", "A"], more].concat());
    let bad_uri = |uri: &str| create(&["--scope", "openid", "--redirect-uri", uri]);
    assert!(bad_uri("http://app.test/cb").contains("https"));
    assert!(bad_uri("https://app.test/cb#x").contains("fragment"));
    assert!(bad_uri("https://u@app.test/cb").contains("user name"));
    assert!(bad_uri("myapp:/cb").contains("reversed domain name"));

    let misspelt = create(&["--redirect-uri", "https://a.test", "--scope", "openid patient/Observation.sr patient/Foo.rs"]);
    assert!(misspelt.contains("patient/Observation.sr patient/Foo.rs"), "{misspelt}");

    let service = ["--auth", "client_secret_basic", "--scope", "system/*.rs"];
    create(&["--scope", "openid"]); // public, and nowhere to go
    create(&["--redirect-uri", "https://a.test"]); // no scope
    create(&["--redirect-uri", "https://a.test", "--scope", "openid", "--grant", "client_credentials"]);
    create(&["--redirect-uri", "https://a.test", "--scope", "system/*.rs", "--grant", "authorization_code,client_credentials"]);
    create(&[&service[..], &["--grant", "authorization_code"]].concat());
    create(&[&service[..], &["--grant", "refresh_token"]].concat());
    create(&["--redirect-uri", "https://a.test", "--scope", "openid", "--may-introspect"]);
    create(&["--redirect-uri", "https://a.test", "--scope", "openid", "--name", "A\u{202e}B"]);
    admin.fails(2, &["client", "create", "a b", "--name", "A", "--redirect-uri", "https://a.test", "--scope", "openid"]);
    admin.fails(2, &["client", "create", "a", "--name", " ", "--redirect-uri", "https://a.test", "--scope", "openid"]);
    admin.fails(3, &["client", "create", "a", "--name", "A", "--redirect-uri", "https://a.test", "--scope", "openid", "--fhir-base", "x"]);
    assert_eq!(admin.json(&["client", "list"]), json!([]));
}

#[test]
fn what_can_never_be_given_and_what_is_unsafe_is_warned_about() {
    let admin = Admin::with_base();
    let create =
        ["client", "create", "a", "--name", "A", "--redirect-uri", "https://a.test", "--scope", "openid system/*.rs", "--pkce-exempt"];
    let done = admin.run(&create);
    assert_eq!(done.code, Some(0));
    assert!(done.err.contains("system/*.rs") && done.err.contains("PKCE"), "{}", done.err);
}

/// LCH-1: an EHR opens an app where it was registered, and the address can be changed.
#[test]
fn an_app_is_registered_for_ehr_launches() {
    let admin = Admin::with_base();
    let create = |id, scope| {
        let uris = ["--redirect-uri", "https://a.test/cb", "--launch-uri", "https://a.test/launch?site=1"];
        let rest = ["--scope", scope, "--smart-version", "2.0", "--json"];
        let all = [&["client", "create", id, "--name", "A"][..], &uris, &rest].concat();
        admin.run(&all)
    };
    assert_eq!(create("a", "openid launch").err, "");
    let shown = admin.json(&["client", "show", "a"]);
    assert_eq!((&shown["launch_uri"], &shown["smart_version"]), (&json!("https://a.test/launch?site=1"), &json!("2.0")));
    let changed = admin.json(&["client", "update", "a", "--launch-uri", "https://a.test/start", "--smart-version", "2.2"]);
    assert_eq!((&changed["launch_uri"], &changed["smart_version"]), (&json!("https://a.test/start"), &json!("2.2")));
    // What was not named stays.
    assert_eq!(admin.json(&["client", "update", "a", "--developer", "B"])["launch_uri"], json!("https://a.test/start"));

    let in_vain = create("b", "openid");
    assert!(in_vain.code == Some(0) && in_vain.err.contains("lacks `launch`"), "{}", in_vain.err);
    for bad in ["javascript:alert(1)", "http://a.test/launch", "https://a.test/launch#x", "/launch"] {
        admin.fails(2, &["client", "update", "a", "--launch-uri", bad]);
    }
    admin.fails(2, &["client", "update", "a", "--smart-version", "3.0"]);
}

#[test]
fn a_client_that_only_introspects_needs_no_scope() {
    let admin = Admin::with_base();
    let gateway = admin.json(&["client", "create", "gw", "--name", "Gateway", "--auth", "client_secret_basic", "--may-introspect"]);
    assert_eq!((&gateway["grants"], &gateway["scopes"], &gateway["may_introspect"]), (&json!([]), &json!([]), &json!(true)));
}

#[test]
fn the_key_that_a_client_needs_is_made() {
    let admin = Admin::with_base();
    let more = ["--redirect-uri", "https://a.test", "--scope", "openid", "--id-token-alg", "ES384", "--refresh-max-life", "30"];
    let client = admin.json(&[&["client", "create", "a", "--name", "A", "--refresh-grace", "0"], &more[..]].concat());
    assert_eq!((&client["refresh_max_life_days"], &client["refresh_grace_seconds"]), (&json!(30), &json!(0)));
    assert!(names(&admin.json(&["key", "list"]), "algorithm").contains(&"ES384".to_owned()));
}
