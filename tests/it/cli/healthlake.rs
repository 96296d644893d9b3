//! `admit healthlake`: the metadata of a data store, its comparison with the server's, and a read with a token.

use std::collections::BTreeSet;

use admit::demo::{Demo, Ports};
use admit::tenant::{FhirBase, Strategy};
use axum::Router;
use axum::http::{StatusCode, Uri};
use serde_json::{Value, json};

use super::{Admin, Done};
use crate::support::{ISSUER, TestApp};

/// The documents that the Terraform module gives its data stores, for the issuer of this name.
const OF_TERRAFORM: [(&str, &str); 2] = [
    ("SMART_ON_FHIR", include_str!("../../../terraform/modules/healthlake/metadata/SMART_ON_FHIR.json")),
    ("SMART_ON_FHIR_V1", include_str!("../../../terraform/modules/healthlake/metadata/SMART_ON_FHIR_V1.json")),
];
const PLACEHOLDER: &str = "https://issuer.example";
const ID: &str = "0123456789abcdef0123456789abcdef";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:admit-validator:live";
/// Whoever calls HealthLake's API gives these (API Reference, `IdentityProviderConfiguration`).
const REQUIRED: [&str; 5] =
    ["authorization_endpoint", "token_endpoint", "grant_types_supported", "capabilities", "code_challenge_methods_supported"];

/// The arguments that need no database.
fn bare(strategy: &'static str) -> [&'static str; 6] {
    ["healthlake", "metadata", "--issuer", PLACEHOLDER, "--strategy", strategy]
}

#[test]
fn the_module_of_terraform_has_what_the_command_prints() {
    for (strategy, file) in OF_TERRAFORM {
        let admin = Admin::new();
        let done = admin.run(&bare(strategy));
        assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{strategy}");
        assert_eq!(done.out, file, "{strategy}.json: print it again with `admit {}`", bare(strategy).join(" "));
        assert!(!admin.0.path().join("test.db").exists());
        let document: Value = serde_json::from_str(file).expect("JSON");
        for member in REQUIRED {
            assert!(document.get(member).is_some(), "HealthLake wants {member}");
        }
        assert_eq!(document["grant_types_supported"], json!(["authorization_code", "client_credentials"]));
    }
}

/// What Terraform makes of the file for an issuer is what that server says of itself, but for one word.
#[tokio::test]
async fn the_module_of_terraform_has_what_the_server_says() {
    let seeded = TestApp::start().await;
    for (strategy, _) in OF_TERRAFORM {
        let name = strategy.to_ascii_lowercase().replace('_', "-");
        let url = format!("https://{name}.test/r4");
        let base = FhirBase { strategy: Strategy::parse(strategy).expect("a strategy"), ..FhirBase::new(&name, &url) };
        seeded.store().add_fhir_base(&seeded.origin(), &base).await.expect("a FHIR base");
    }
    let app = seeded.another_with(|setup| setup.is_open_to_registration = false).await;
    for (strategy, file) in OF_TERRAFORM {
        let name = strategy.to_ascii_lowercase().replace('_', "-");
        let served = app.get(&format!("/fhir-bases/{name}/.well-known/smart-configuration")).await.json();
        let given: Value = serde_json::from_str(&file.replace(PLACEHOLDER, ISSUER)).expect("JSON");
        let (given, served) = (given.as_object().expect("an object"), served.as_object().expect("an object"));
        let members: BTreeSet<&String> = given.keys().chain(served.keys()).collect();
        let differing: Vec<&String> = members.into_iter().filter(|member| given.get(*member) != served.get(*member)).collect();
        assert_eq!(differing, ["grant_types_supported"], "{strategy}");
        let items = |document: &serde_json::Map<String, Value>| -> BTreeSet<String> {
            let list = document["grant_types_supported"].as_array().expect("a list");
            list.iter().map(|item| item.as_str().expect("a word").to_owned()).collect()
        };
        assert_eq!(&items(served) - &items(given), BTreeSet::from(["refresh_token".to_owned()]), "{strategy}");
        assert!(items(given).is_subset(&items(served)), "{strategy}");
    }
}

#[test]
fn each_format_carries_the_same_document() {
    let admin = Admin::with_base();
    admin.json(&["fhir-base", "update", "main", "--brand-bundle", "https://a.test/b.json", "--brand-identifier", "urn:x:y|${z}"]);
    let printed = |more: &[&str]| {
        let done = admin.run(&[&["healthlake", "metadata", "main", "--issuer", "https://auth.test"], more].concat());
        assert_eq!(done.code, Some(0), "{more:?}: {}", done.err);
        done
    };
    let pretty = printed(&[]);
    let document: Value = serde_json::from_str(&pretty.out).expect("JSON");
    assert_eq!((pretty.err.as_str(), &document["token_endpoint"]), ("", &json!("https://auth.test/token")));
    assert_eq!(document["user_access_brand_identifier"], json!({ "system": "urn:x:y", "value": "${z}" }));

    let line = printed(&["--format", "line"]);
    assert_eq!(line.out.lines().count(), 1);
    let text: String = serde_json::from_str(&line.out).expect("a JSON string");
    assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), document);

    let hcl = printed(&["--format", "hcl"]).out;
    assert!(hcl.starts_with("metadata = jsonencode({\n") && hcl.ends_with("\n})\n"), "{hcl}");
    assert_eq!(hcl.lines().count(), document.as_object().expect("an object").len() + 2);
    assert!(hcl.contains(r#"{ system = "urn:x:y", value = "$${z}" }"#), "{hcl}");
    let capabilities = hcl.lines().find_map(|line| line.trim().strip_prefix("capabilities ")).expect("the member");
    let list = capabilities.trim_start().strip_prefix("= ").expect("its value");
    assert_eq!(serde_json::from_str::<Value>(list).expect("a list"), document["capabilities"]);

    let update = printed(&["--format", "update", "--datastore-id", ID, "--idp-lambda-arn", FUNCTION, "--fine-grained-authorization"]);
    assert!(update.err.contains("whole") && update.err.contains("--cli-input-json"), "{}", update.err);
    let input: Value = serde_json::from_str(&update.out).expect("JSON");
    let configuration = json!({
        "AuthorizationStrategy": "SMART_ON_FHIR",
        "FineGrainedAuthorizationEnabled": true,
        "IdpLambdaArn": FUNCTION,
        "Metadata": text,
    });
    assert_eq!(input, json!({ "DatastoreId": ID, "IdentityProviderConfiguration": configuration }));
}

#[test]
fn the_metadata_say_what_is_missing_or_too_much() {
    let admin = Admin::with_base();
    let metadata = |more: &[&'static str]| [&["healthlake", "metadata"], more].concat();
    let unsaid = admin.run(&metadata(&["main"]));
    assert!(unsaid.err.contains("--issuer") && unsaid.out.contains("http://127.0.0.1:8080/token"), "{}", unsaid.err);
    let of_settings = admin.command(&metadata(&[])).env("ADMIT_ISSUER", "https://auth.test").output().expect("the program runs");
    assert!(String::from_utf8_lossy(&of_settings.stdout).contains("https://auth.test/token"));
    admin.fails(3, &metadata(&["other"]));
    for wrong in [
        &["--strategy", "SMART_ON_FHIR"][..],
        &["main", "--issuer", PLACEHOLDER, "--strategy", "SMART_ON_FHIR"],
        &["--issuer", "http://issuer.example"],
        &["--issuer", "https://issuer.example/"],
        &["--format", "update"],
        &["--format", "update", "--datastore-id", ID],
        &["--format", "update", "--datastore-id", "../x", "--idp-lambda-arn", FUNCTION],
        &["--format", "update", "--datastore-id", ID, "--idp-lambda-arn", "admit-validator"],
        &["--datastore-id", ID],
        &["--fine-grained-authorization"],
    ] {
        admin.fails(2, &metadata(wrong));
    }
}

/// A demonstration of our own, and a folder for commands beside it.
async fn demo() -> (Demo, Admin) {
    let demo = Demo::start(Ports { server: 38_080, fhir: 38_180, app: 38_280 }, None).await.expect("the demo starts");
    (demo, Admin::new())
}

/// A command, while those whom it asks go on answering.
fn run(admin: &Admin, args: &[&str], input: &str) -> Done {
    tokio::task::block_in_place(|| admin.run_with(args, input))
}

fn describe(document: &Value, strategy: &str) -> String {
    let configuration = json!({ "AuthorizationStrategy": strategy, "IdpLambdaArn": FUNCTION, "Metadata": document.to_string() });
    json!({ "DatastoreProperties": { "DatastoreId": ID, "IdentityProviderConfiguration": configuration } }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_store_is_compared_with_its_server() {
    let (demo, admin) = demo().await;
    let check = ["healthlake", "check", &demo.fhir_base, "--issuer", &demo.issuer];
    let same = run(&admin, &check, "");
    assert_eq!((same.code, same.out.as_str()), (Some(0), ""), "{}", same.err);
    assert!(same.err.contains("say the same"), "{}", same.err);

    // What the command prints for it is right as well, though it is not the very same.
    let strategy = ["healthlake", "metadata", "--issuer", &demo.issuer, "--strategy", "SMART_ON_FHIR"];
    let mut document: Value = serde_json::from_str(&run(&admin, &strategy, "").out).expect("JSON");
    let owners = [&check[..], &["--metadata", "-"]].concat();
    assert_eq!(run(&admin, &owners, &describe(&document, "SMART_ON_FHIR")).code, Some(0));

    document["capabilities"].as_array_mut().expect("a list").retain(|own| own != "permission-v2.2");
    document["token_endpoint"] = json!("https://old.test/token\u{1b}[2J");
    let differs = run(&admin, &owners, &describe(&document, "SMART_ON_FHIR_V1"));
    assert_eq!((differs.code, differs.err.as_str()), (Some(1), ""), "{}", differs.out);
    for words in [
        "✘ AuthorizationStrategy: SMART_ON_FHIR_V1\n",
        "✘ capabilities: without permission-v2.2\n  HealthLake enforces the query",
        &format!("✘ token_endpoint: https://old.test/token\\u{{1b}}[2J, but the server's is {}/token\n", demo.issuer),
        "update-fhir-datastore",
    ] {
        assert!(differs.out.contains(words), "{words}: {}", differs.out);
    }
    assert_eq!(differs.out.matches('✘').count(), 3, "{}", differs.out);
    let as_json = run(&admin, &[&owners[..], &["--json"]].concat(), &document.to_string());
    let found: Value = serde_json::from_str(&as_json.out).expect("JSON");
    assert_eq!((as_json.code, found["data_store"].as_str()), (Some(1), Some(demo.fhir_base.as_str())));
    let members: Vec<&str> = found["differences"].as_array().expect("a list").iter().filter_map(|one| one["member"].as_str()).collect();
    assert_eq!(members, ["capabilities", "token_endpoint"]);

    // Beside a database, the FHIR base's name or its URL is enough.
    let audience = format!("{}/", demo.fhir_base);
    let settings = ["--config", "admit.toml"];
    admin.write("admit.toml", &format!("issuer = \"{}\"\n", demo.issuer));
    let add = ["fhir-base", "add", "demo", "--url", "https://gateway.test/r4", "--audience", &audience];
    assert_eq!(run(&admin, &add, "").code, Some(0));
    for named in ["demo", &audience, &demo.fhir_base] {
        let done = run(&admin, &[&["healthlake", "check", named], &settings[..]].concat(), "");
        assert_eq!(done.code, Some(0), "{named}: {}{}", done.out, done.err);
    }
    for wrong in ["other", "https://other.test/r4"] {
        let done = run(&admin, &[&["healthlake", "check", wrong], &settings[..]].concat(), "");
        assert_eq!((done.code, done.out.as_str()), (Some(3), ""), "{wrong}: {}", done.err);
    }
    demo.stop().await;
}

/// Somebody whose answer depends on the path, and who knows their own origin.
async fn answering(answer: fn(&str, &str) -> (u16, Value)) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let own = origin.clone();
    let respond = move |uri: Uri| {
        let (status, body) = answer(&own, uri.path());
        std::future::ready((StatusCode::from_u16(status).expect("a status"), body.to_string()))
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(respond)).await });
    origin
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_that_cannot_be_made_says_why() {
    let admin = Admin::new();
    let denied = answering(|_, _| (403, json!({ "message": "Missing Authentication Token" }))).await;
    let broken = answering(|_, _| (200, json!(["no", "object"]))).await;
    for (store, words) in [
        (denied.as_str(), &["HTTP 403: Missing Authentication Token", "describe-fhir-datastore", "--metadata -"][..]),
        (&broken, &["no JSON object"]),
        ("http://127.0.0.1:1/r4", &["nobody answers"]),
        ("http://store.test/r4", &["not an https:// URL"]),
    ] {
        let done = run(&admin, &["healthlake", "check", store, "--issuer", PLACEHOLDER], "");
        assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{store}: {}", done.err);
        assert!(words.iter().all(|word| done.err.contains(word)), "{store}: {}", done.err);
    }
    let unread = ["healthlake", "check", &denied, "--issuer", "http://127.0.0.1:1", "--metadata", "-"];
    let done = run(&admin, &unread, "{");
    assert!(done.code == Some(2) && done.err.contains("not JSON"), "{}", done.err);
    let done = run(&admin, &unread, "{}");
    assert!(done.code == Some(2) && done.err.contains("the server's own document"), "{}", done.err);
    let nowhere = run(&admin, &["healthlake", "check", &denied], "");
    assert!(nowhere.code == Some(5) && nowhere.err.contains("--issuer"), "{}", nowhere.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_takes_its_steps_and_says_which_one_failed() {
    let (demo, admin) = demo().await;
    let (service, secret) = (demo.service.0, demo.service.1.expose().to_owned());
    let call = |path: &str, more: &[&str], input: &str| {
        let fixed = ["healthlake", "call", path, "--url", &demo.fhir_base, "--client-id", service, "--secret-file", "-"];
        let done = run(&admin, &[&fixed[..], more].concat(), input);
        let all = done.out.clone() + &done.err;
        assert!(!all.contains(&secret) && !all.contains("eyJ"), "{all}");
        done
    };
    let read = call("Patient?_count=1", &[], &format!("{secret}\n"));
    assert_eq!(read.code, Some(0), "{}", read.err);
    let bundle: Value = serde_json::from_str(&read.out).expect("JSON");
    assert_eq!(bundle["entry"][0]["resource"]["resourceType"], "Patient");
    let steps: Vec<&str> = read.err.lines().map(|line| line.split(':').next().unwrap_or_default()).collect();
    assert_eq!(steps, ["✔ discovery", "✔ token", "✔ read"], "{}", read.err);
    assert!(read.err.contains("✔ token: system/*.rs, for 300 seconds, for nightly-report (client_secret_basic)\n"), "{}", read.err);
    assert_eq!(call("/metadata", &["--issuer", &demo.issuer], &secret).code, Some(0));

    for (more, input, words) in [
        (&[][..], "wrong", &["✘ token:", "HTTP 401: invalid_client", "rotate-secret"][..]),
        (&["--scope", "patient/*.rs"], &secret, &["✘ token:", "HTTP 400: invalid_scope", "--scope"]),
        (&["--scope", "system/Observation.rs"], &secret, &["✔ token", "✘ read:", "HTTP 403", "let in", "healthlake check"]),
        (
            &["--scope", "system/Observation.rs", "--datastore", "https://other.test/r4"],
            &secret,
            &["✘ read:", "HTTP 403", "✘ audience: the token is for", "refused: the token is for another audience", "reason above"],
        ),
        (&["--issuer", "http://127.0.0.1:1"], &secret, &["✘ discovery: nobody answers"]),
    ] {
        let done = call("Patient", more, input);
        assert_eq!((done.code, done.out.as_str()), (Some(1), ""), "{more:?}: {}", done.err);
        assert!(words.iter().all(|word| done.err.contains(word)), "{more:?}: {}", done.err);
    }
    // To the server, another FHIR base is none.
    let elsewhere = ["healthlake", "call", "Patient", "--url", "https://other.test/r4", "--issuer", &demo.issuer];
    let done = run(&admin, &[&elsewhere[..], &["--client-id", service, "--secret-file", "-"]].concat(), &secret);
    assert!(done.code == Some(1) && done.err.contains("invalid_target") && done.err.contains("fhir-base list"), "{}", done.err);
    let absent = call("Patient/nobody-there", &[], &secret);
    assert!(absent.code == Some(1) && absent.err.contains("HTTP 404") && absent.err.contains("PATH"), "{}", absent.err);
    for (path, input) in [("../elsewhere", secret.as_str()), ("Patient", ""), ("Patient", "\n")] {
        assert_eq!(call(path, &[], input).code, Some(2), "{path}");
    }

    let key = &demo.keyed_service;
    let file = key.key_file.to_string_lossy();
    let keyed = |kid: &str| {
        let fixed = ["healthlake", "call", "Condition?_count=1", "--url", &demo.fhir_base, "--client-id", key.client_id];
        run(&admin, &[&fixed[..], &["--key", &file, "--key-id", kid]].concat(), "")
    };
    let done = keyed(&key.key_id);
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.err.contains("population-report (private_key_jwt, ES384 with kid "), "{}", done.err);
    let done = keyed("another");
    assert!(done.code == Some(1) && done.err.contains("invalid_client"), "{}", done.err);
    demo.stop().await;
}

/// HealthLake says little of why it refuses; what it says is taken for what it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_data_store_of_aws_says_little_and_the_command_more() {
    fn slow(origin: &str, path: &str) -> (u16, Value) {
        match path {
            "/r4/.well-known/smart-configuration" => (200, json!({ "token_endpoint": format!("{origin}/token") })),
            "/token" => (200, json!({ "access_token": "opaque-token-of-a-test", "token_type": "bearer" })),
            _ => (403, json!({ "issue": [{ "diagnostics": "Timeout during custom Idp execution." }] })),
        }
    }
    fn denying(_: &str, _: &str) -> (u16, Value) {
        (403, json!({ "message": "Missing Authentication Token" }))
    }
    fn tokenless(origin: &str, path: &str) -> (u16, Value) {
        if path == "/token" { (200, json!({ "access_token": "" })) } else { slow(origin, path) }
    }
    fn nameless(_: &str, _: &str) -> (u16, Value) {
        (200, json!({ "issuer": "x" }))
    }
    let admin = Admin::new();
    for (answer, words) in [
        (slow as fn(&str, &str) -> (u16, Value), &["✔ token", "✘ read:", "HTTP 403: Timeout during", "provisioned concurrency"][..]),
        (denying, &["✘ discovery:", "HTTP 403: Missing Authentication Token", "--issuer"]),
        (tokenless, &["✘ token:", "without an access token"]),
        (nameless, &["✘ discovery:", "no token endpoint"]),
    ] {
        let url = format!("{}/r4", answering(answer).await);
        let done = run(&admin, &["healthlake", "call", "Patient", "--url", &url, "--client-id", "x", "--secret-file", "-"], "a secret");
        assert_eq!((done.code, done.out.as_str()), (Some(1), ""), "{}", done.err);
        assert!(words.iter().all(|word| done.err.contains(word)), "{words:?}: {}", done.err);
        assert!(!done.err.contains("opaque-token") && !done.err.contains("a secret"), "{}", done.err);
    }
}

/// Beside a database, the name of a FHIR base says where it is, and what its tokens are for.
#[tokio::test(flavor = "multi_thread")]
async fn a_fhir_base_is_read_by_its_name() {
    let (demo, admin) = demo().await;
    let call = ["healthlake", "call", "Patient?_count=1", "--fhir-base", "demo", "--issuer", &demo.issuer, "--client-id", demo.service.0];
    let call = [&call[..], &["--secret-file", "-"]].concat();
    let missing = run(&admin, &call, demo.service.1.expose());
    assert_eq!(missing.code, Some(5), "{}", missing.err);
    assert_eq!(run(&admin, &["fhir-base", "add", "demo", "--url", &demo.fhir_base], "").code, Some(0));
    let done = run(&admin, &call, demo.service.1.expose());
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.err.contains(&format!("✔ discovery: {}/fhir-bases/demo/.well-known/", demo.issuer)), "{}", done.err);
    demo.stop().await;
}
