//! `admit validate`

use admit::audit::Origin;
use admit::clock::Clock;
use admit::id::TenantId;
use admit::key::{MasterKey, Purpose};
use admit::store::{Location, Store};
use admit::token::Algorithm;
use serde_json::{Value, json};

use super::{Admin, Done};
use crate::support::{Forge, ISSUER, KeyServer, Mood, READER, ROLE, genuine_claims};

const STORE: &str = "https://fhir.test/r4/";

fn now() -> i64 {
    Clock::System.now().unix_timestamp()
}

fn event(token: &str) -> String {
    json!({ "datastoreEndpoint": STORE, "operationName": "ReadResource", "bearerToken": token }).to_string()
}

/// A folder with an issuer's key set, and the flags that trust it.
fn stage() -> (Admin, Forge, Vec<&'static str>) {
    let (admin, forge) = (Admin::new(), Forge::new(Algorithm::Es256));
    admin.write("jwks.json", &forge.jwks_text());
    (admin, forge, vec!["validate", "--issuer", ISSUER, "--jwks", "jwks.json", "--role-arn", ROLE, "--read-only-role-arn", READER])
}

fn answer(done: &Done) -> Value {
    serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error} in {:?}, {}", done.out, done.err))
}

#[test]
fn it_answers_in_the_functions_shape_and_needs_no_database() {
    let (admin, forge, flags) = stage();
    let args = [&flags[..], &["--event", "-"]].concat();
    let refusal = json!({
        "authPayload": { "isAuthorized": "false", "error": "Missing required fields: datastoreEndpoint, operationName, bearerToken" },
    });
    for event in ["{}", "[1]", "null"] {
        let done = admin.run_with(&args, event);
        assert_eq!((done.code, answer(&done), done.err.as_str()), (Some(1), refusal.clone(), ""), "{event}");
    }
    let done = admin.run_with(&[&args[..], &["--boolean"]].concat(), "{}");
    assert_eq!(answer(&done)["authPayload"]["isAuthorized"], false);

    let done = admin.run_with(&args, &event(&forge.access_token(&genuine_claims(now()))));
    assert_eq!((done.code, &answer(&done)["iamRoleARN"]), (Some(0), &json!(READER)), "{}", done.err);
    assert_eq!(answer(&done)["authPayload"]["isAuthorized"], "true");
    for event in ["", "not JSON", "{"] {
        let done = admin.run_with(&args, event);
        assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{event}");
        assert!(done.err.contains("is not JSON") && done.err.contains("datastoreEndpoint"), "{}", done.err);
    }
    assert!(!admin.0.path().join("test.db").exists());
}

#[test]
fn a_token_comes_from_a_file_or_standard_input_and_its_checks_are_shown() {
    let (admin, forge, flags) = stage();
    let explain = [&flags[..], &["--datastore", STORE, "--explain", "--token"]].concat();
    let token = forge.access_token(&genuine_claims(now()));
    admin.write("token.txt", &format!("{token}\r\n"));
    let from_file = admin.run(&[&explain[..], &["@token.txt"]].concat());
    let from_input = admin.run_with(&[&explain[..], &["-"]].concat(), &format!("  {token}\n"));
    let from_flag = admin.run(&[&explain[..], &[&token]].concat());
    for done in [&from_file, &from_input, &from_flag] {
        assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
        assert!(
            done.out.contains("✔ audience: the token is for https://fhir.test/r4/, the store is https://fhir.test/r4/\n"),
            "{}",
            done.out
        );
        assert!(done.out.ends_with(&format!("✔ role: {READER}\n\nlet in\n")) && !done.out.contains('✘'), "{}", done.out);
        assert!(!(done.out.clone() + &done.err).contains(token.rsplit('.').next().expect("a signature")));
    }
    assert_eq!((from_file.err.as_str(), from_input.err.as_str()), ("", ""));
    assert!(from_flag.err.contains("process list"), "{}", from_flag.err);

    let mut elsewhere = genuine_claims(now());
    elsewhere["aud"] = json!("https://other.test/r4/");
    let done = admin.run_with(&[&explain[..], &["-"]].concat(), &forge.access_token(&elsewhere));
    assert_eq!((done.code, done.err.as_str()), (Some(1), ""));
    assert!(done.out.contains("✘ audience: the token is for https://other.test/r4/, the store is https://fhir.test/r4/\n"), "{}", done.out);
    assert!(done.out.contains("\nrefused: the token is for another audience\n") && done.out.contains("--audience"), "{}", done.out);
    assert_eq!(done.out.matches('✘').count(), 1, "{}", done.out);

    let as_json = [&flags[..], &["--datastore", STORE, "--explain", "--json", "--token", "-"]].concat();
    let shown = answer(&admin.run_with(&as_json, &forge.access_token(&elsewhere)));
    assert_eq!((&shown["decision"], &shown["reason"]), (&json!("refuse"), &json!("audience")));
    let check = shown["checks"].as_array().expect("checks").iter().find(|check| check["name"] == "audience").expect("a check");
    assert_eq!((&check["good"], &check["reason"]), (&json!(false), &json!("audience")));
    assert_eq!(shown["answer"]["authPayload"]["error"], "the token is for another audience");
    let shown = answer(&admin.run_with(&as_json, &token));
    assert_eq!((&shown["decision"], &shown["reason"], &shown["advice"]), (&json!("allow"), &json!(null), &json!(null)));
    assert_eq!(shown["answer"]["iamRoleARN"], READER);
}

#[test]
fn a_moment_may_be_named() {
    let (admin, forge, flags) = stage();
    let token = forge.access_token(&genuine_claims(1_700_000_000));
    let at = |time: &str| {
        let args = [&flags[..], &["--datastore", STORE, "--explain", "--token", "-", "--at", time]].concat();
        admin.run_with(&args, &token)
    };
    assert_eq!(at("2023-11-14T22:20:00Z").code, Some(0));
    assert_eq!(at("2023-11-14T23:20:00+01:00").code, Some(0));
    let late = at("2023-11-14T22:30:00Z");
    assert!(late.code == Some(1) && late.out.contains("✘ expiry: it expired 400 s ago"), "{}", late.out);
    assert_eq!(at("yesterday").code, Some(2));
}

/// Neither a claim nor a header steers the terminal, nor does the token get into any output.
#[test]
fn what_a_token_says_is_shown_harmlessly() {
    let (admin, forge, flags) = stage();
    let evil = "\u{1b}[2J\u{9b}31m\u{202e}\u{7f}\r\n";
    for name in ["iss", "aud", "client_id", "scope", "tenant_id", "sub", "jti"] {
        let mut claims = genuine_claims(now());
        claims[name] = json!(evil);
        let token = forge.access_token(&claims);
        let base = [&flags[..], &["--datastore", STORE, "--token", "-"]].concat();
        for more in [&[][..], &["--explain"], &["--explain", "--json"]] {
            let done = admin.run_with(&[&base[..], more].concat(), &token);
            assert_eq!(
                done.code,
                Some(i32::from(!["sub", "jti", "client_id", "tenant_id"].contains(&name))),
                "{name}: {}{}",
                done.out,
                done.err
            );
            let said = done.out + &done.err;
            assert!(!said.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{name}: {said:?}");
            assert!(token.split('.').all(|part| !said.contains(part)), "{name}");
        }
    }
    let mut header = forge.header("at+jwt");
    (header["kid"], header["typ"]) = (json!(evil), json!(evil));
    let done = admin.run_with(
        &[&flags[..], &["--datastore", STORE, "--token", "-", "--explain"]].concat(),
        &forge.token(&header, &genuine_claims(now())),
    );
    assert!(done.code == Some(1) && done.out.contains("\\u{1b}") && !done.out.contains('\u{1b}'), "{:?}", done.out);
}

/// Other issuers, by flags: what each kind needs is asked for by the flag's name.
#[test]
fn other_kinds_of_issuers_are_described_by_flags() {
    let (admin, forge, flags) = stage();
    let mut claims = genuine_claims(now());
    for name in ["aud", "tenant_id"] {
        claims.as_object_mut().expect("an object").remove(name);
    }
    claims["token_use"] = json!("access");
    let token = forge.token(&forge.header("JWT"), &claims);
    let cognito = [&flags[..], &["--datastore", STORE, "--profile", "cognito", "--token", "-"]].concat();
    let done = admin.run_with(&cognito, &token);
    assert!(
        done.code == Some(2) && done.err.contains("--client is missing: tokens of the profile cognito name no audience"),
        "{}",
        done.err
    );
    assert_eq!(admin.run_with(&[&cognito[..], &["--client", "spa"]].concat(), &token).code, Some(0));
    assert_eq!(admin.run_with(&[&cognito[..], &["--client", "other"]].concat(), &token).code, Some(1));

    claims["aud"] = json!("api://default");
    let token = forge.token(&forge.header("JWT"), &claims);
    let generic = [&flags[..], &["--profile", "generic", "--token", "-", "--datastore", STORE]].concat();
    assert_eq!(admin.run_with(&generic, &token).code, Some(1));
    assert_eq!(admin.run_with(&[&generic[..], &["--audience", "api://default"]].concat(), &token).code, Some(0));
    let unbound = [&flags[..], &["--profile", "generic", "--event", "-", "--audience", "api://default"]].concat();
    assert!(admin.run_with(&unbound, &event(&token)).err.contains("--datastore is missing"));
}

#[test]
fn a_file_of_trusts_and_the_functions_variables_are_tried_as_they_are() {
    let (admin, forge, _) = stage();
    let token = forge.access_token(&genuine_claims(now()));
    let keys: Value = serde_json::from_str(&forge.jwks_text()).expect("keys");
    let trust = json!([{ "issuer": ISSUER, "jwks": keys, "datastores": [STORE], "role_arn": ROLE }]);
    admin.write("trust.json", &trust.to_string());
    // The only data store need not be named.
    let done = admin.run_with(&["validate", "--trust", "trust.json", "--token", "-"], &token);
    assert_eq!((done.code, &answer(&done)["iamRoleARN"]), (Some(0), &json!(ROLE)), "{}", done.err);
    assert_eq!(admin.run_with(&["validate", "--trust", "trust.json", "--event", "-"], &event(&token)).code, Some(0));
    admin.write("bad.json", "[{}]");
    let error = admin.fails(2, &["validate", "--trust", "bad.json", "--token", "-"]);
    assert!(error.contains("bad.json: trust[0].issuer is missing"), "{error}");

    let ask = |variables: &[(&str, &str)]| {
        let mut command = admin.command(&["validate", "--environment", "--datastore", STORE, "--token", "@token.txt", "--explain"]);
        command.envs(variables.iter().copied());
        Done::from(command.output().expect("the program"))
    };
    admin.write("token.txt", &token);
    let jwks = forge.jwks_text();
    let done = ask(&[("ADMIT_ISSUER", ISSUER), ("ADMIT_JWKS", &jwks), ("USER_ROLE_ARN", ROLE), ("ADMIT_TENANT", "default")]);
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    let done = ask(&[("ADMIT_ISSUER", ISSUER), ("ADMIT_JWKS", &jwks)]);
    assert!(done.code == Some(2) && done.err.contains("USER_ROLE_ARN is missing"), "{}", done.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_come_from_the_issuers_address_too() {
    let (admin, forge, _) = stage();
    let server = KeyServer::start(Mood::Publishes(forge.jwks_text())).await;
    let token = forge.access_token(&genuine_claims(now()));
    let uri = server.uri();
    let ask = |uri: &str| {
        let args = ["validate", "--issuer", ISSUER, "--jwks", uri, "--role-arn", ROLE, "--datastore", STORE, "--explain", "--token", "-"];
        admin.run_with(&args, &token)
    };
    assert_eq!(ask(&uri).code, Some(0));
    server.turn(Mood::Fails);
    let done = ask(&uri);
    assert_eq!(done.code, Some(1));
    assert!(done.out.contains("✘ key") && done.out.contains("can it be reached from here"), "{}", done.out);
    assert!(ask("http://idp.test/jwks").err.contains("--jwks is not an https:// URL"));
}

/// Beside the server: its keys, its FHIR bases, and what only its database knows.
#[tokio::test]
async fn beside_the_servers_database_nothing_has_to_be_said() {
    let admin = Admin::with_base();
    admin.create_service("svc");
    let location: Location = admin.0.path().join("test.db").to_str().expect("UTF-8").parse().expect("a place");
    let origin = Origin::command(TenantId::default_tenant(), Clock::System.now());
    let store = Store::open(&location, origin.now).await.expect("a store");
    let master = std::fs::read_to_string(admin.0.path().join("test.key")).expect("the master key");
    let forge = Forge::kept_in(&store, &MasterKey::parse(master.trim()).expect("a key"), &origin, Purpose::Access).await;
    let mut claims = genuine_claims(now());
    (claims["iss"], claims["client_id"], claims["aud"]) = (json!("http://127.0.0.1:8080"), json!("svc"), json!("https://fhir.test/r4"));
    let token = forge.access_token(&claims);
    let explain = ["validate", "--explain", "--token", "-"];

    let done = admin.run_with(&explain, &token);
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    assert!(
        done.out.contains("✔ standing") && done.out.ends_with("\nlet in\n") && done.err.contains("--role-arn ARN"),
        "{}",
        done.out + &done.err
    );
    // HealthLake would need a role.
    let bare = admin.run_with(&["validate", "--token", "-"], &token);
    assert!(bare.code == Some(2) && bare.out.is_empty() && bare.err.contains("--role-arn ARN"), "{}", bare.err);
    let with_role = admin.run_with(&["validate", "--token", "-", "--role-arn", ROLE], &token);
    assert_eq!((with_role.code, &answer(&with_role)["iamRoleARN"]), (Some(0), &json!(ROLE)));
    // The server's own settings, as they stand beside it.
    let mut command = admin.command(&["validate", "--token", "@token.txt"]);
    admin.write("token.txt", &token);
    let done = Done::from(command.env("ADMIT_ROLE_ARN", ROLE).env("ADMIT_ISSUER", "https://auth.test").output().expect("the program"));
    assert_eq!((done.code, &answer(&done)["authPayload"]["error"]), (Some(1), &json!("the token comes from another issuer")));
    // Its flags stand nowhere: what is not known here is told, unless it was said.
    where_the_issuer_was_looked_up_is_told(&admin, &forge, &claims);
    let odd = Done::from(admin.command(&explain).env("ADMIT_HASH_SLOTS", "many").output().expect("the program"));
    assert!(odd.code == Some(2) && odd.err.contains("the settings of `admit serve`: invalid value 'many'"), "{}", odd.err);
    let other = admin.run_with(&[&explain[..], &["--issuer", "https://auth.test"]].concat(), &token);
    assert!(other.out.contains("✘ trusted issuer: the token says http://127.0.0.1:8080; trusted here: https://auth.test"), "{}", other.out);
    let elsewhere = admin.run_with(&[&explain[..], &["--datastore", "https://other.test/r4"]].concat(), &token);
    assert!(elsewhere.out.contains("✘ data store") && elsewhere.out.contains("admit fhir-base list"), "{}", elsewhere.out);

    store.disable_client(&origin, &admit::id::ClientId::new("svc")).await.expect("switched off");
    let gone = admin.run_with(&[&explain[..], &["--role-arn", ROLE]].concat(), &token);
    assert_eq!(gone.code, Some(1));
    assert!(gone.out.contains("✘ standing") && gone.out.contains("refused: the token is not active"), "{}", gone.out);
}

fn where_the_issuer_was_looked_up_is_told(admin: &Admin, forge: &Forge, claims: &Value) {
    let mut claims = claims.clone();
    claims["iss"] = json!("https://auth.test");
    let token = forge.access_token(&claims);
    let explain = ["validate", "--explain", "--token", "-"];
    const HINT: &str = "Where `admit serve` was told by a flag";
    let lost = admin.run_with(&explain, &token);
    assert!(lost.code == Some(1) && lost.out.contains("trusted here: http://127.0.0.1:8080\n") && lost.out.contains(HINT), "{}", lost.out);
    let as_json = answer(&admin.run_with(&[&explain[..], &["--json"]].concat(), &token));
    assert!(as_json["advice"].as_str().is_some_and(|advice| advice.contains(HINT)), "{as_json}");
    let said = admin.run_with(&[&explain[..], &["--issuer", "https://auth.test"]].concat(), &token);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let wrong = admin.run_with(&[&explain[..], &["--issuer", "https://auth.test/"]].concat(), &token);
    assert!(wrong.code == Some(1) && wrong.out.contains("compared byte for byte") && !wrong.out.contains(HINT), "{}", wrong.out);
}

/// A token in the place of something else is not repeated.
#[test]
fn a_token_that_was_typed_in_a_wrong_place_is_not_repeated() {
    let (admin, forge, flags) = stage();
    let token = forge.access_token(&genuine_claims(now()));
    let (named, at, equals) = (format!("--token @{token}"), format!("@{token}"), format!("--profile={token}"));
    let (token, named, at, equals) = (token.as_str(), named.as_str(), at.as_str(), equals.as_str());
    let mut lines: Vec<Vec<&str>> = [&[token][..], &["--token", token, token], &["--event", token], &["--token", at], &[named]]
        .iter()
        .map(|more| [&flags[..], more].concat())
        .collect();
    lines.extend([
        vec![token],
        vec!["validate", token],
        vec!["validate", "--token", "-", "--issuer", ISSUER, "--jwks", token],
        vec!["validate", "--token", "-", "--issuer", ISSUER, "--jwks", "jwks.json", equals],
        vec!["validate", "--token", "-", "--trust", token],
        vec!["validate", "--token", "-", "--at", token],
        vec!["validate", "--token", "-", "--role-arn", token],
        vec!["--config", token, "validate", "--token", "-"],
        vec!["token", token],
        vec!["token", "inspect", token],
    ]);
    for args in lines {
        let done = admin.run(&args);
        assert!(done.code.is_some_and(|code| code > 0) && done.out.is_empty(), "{args:?}: {}", done.out);
        assert!(done.err.contains("which could be a token]"), "{args:?}: {}", done.err);
        for part in token.split('.') {
            assert!(!done.err.contains(part), "{args:?}: {}", done.err);
        }
    }
}

#[test]
fn wrong_usage_is_never_taken_for_a_refusal() {
    let (admin, forge, flags) = stage();
    let token = forge.access_token(&genuine_claims(now()));
    let with = |more: &[&'static str]| [&flags[..], more].concat();
    for (code, args, error) in [
        (2, with(&[]), "--token"),
        (2, with(&["--token", "-", "--event", "-"]), "cannot be used with"),
        (2, with(&["--token", "-"]), "--datastore URL"),
        (2, with(&["--token", "-", "--datastore", STORE, "--datastore", "https://b.test"]), "one --datastore"),
        (2, with(&["--token", "-", "--datastore", "fhir.test"]), "for '--datastore <URL>': it must be a URL"),
        (2, with(&["--token", "-", "--profile", "auth0"]), "known: admit cognito"),
        (2, with(&["--token", "-", "--trust", "trust.json"]), "cannot be used with"),
        (2, with(&["--token", "-", "--environment"]), "cannot be used with"),
        (3, with(&["--token", "@none.txt", "--datastore", STORE]), "none.txt"),
        (3, with(&["--event", "none.json"]), "none.json"),
        (3, vec!["validate", "--event", "-", "--issuer", ISSUER, "--jwks", "none.json"], "none.json"),
        (2, vec!["validate", "--event", "-", "--issuer", ISSUER, "--jwks", "empty.json"], "the keys in empty.json, which --jwks names"),
        (2, vec!["validate", "--event", "-", "--issuer", "", "--jwks", "jwks.json"], "'--issuer <URL>'"),
        (2, vec!["validate", "--event", "-", "--issuer", ""], "'--issuer <URL>'"),
        (2, with(&["--event", "-", "--tenant", ""]), "'--tenant <TENANT>'"),
        (2, with(&["--event", "-", "--client", ""]), "'--client <CLIENT_ID>'"),
        (2, with(&["--event", "-", "--audience", "", "--datastore", STORE]), "'--audience <AUDIENCE>'"),
        (2, with(&["--event", "-", "--ca-file", "jwks.json"]), "--ca-file is for an address"),
        (2, vec!["validate", "--event", "-", "--issuer", ISSUER, "--jwks", "ftp://idp.test/jwks"], "--jwks is not an https:// URL"),
        (2, vec!["validate", "--event", "-", "--issuer", ISSUER, "--jwks", "https://u@idp.test/jwks"], "--jwks is not an https:// URL"),
        (
            2,
            vec!["validate", "--event", "-", "--issuer", ISSUER, "--jwks", "https://idp.test", "--ca-file", "jwks.json"],
            "--ca-file holds",
        ),
        (2, vec!["validate", "--event", "-", "--issuer", ISSUER, "--jwks", "none-usable.json"], "--jwks has no usable key"),
        (2, vec!["validate", "--event", "-", "--jwks", "jwks.json"], "--issuer"),
        (2, vec!["validate", "--event", "-", "--trust", "trust.json"], "trust.json"),
        (2, vec!["validate", "--token", "-", "--role-arn", "smart"], "arn:aws:iam"),
        (2, vec!["validate", "--token", "-", "--ca-file", "jwks.json"], "--ca-file is for"),
        (5, vec!["validate", "--token", "-"], "--issuer and --jwks"),
    ] {
        admin.write("empty.json", "");
        admin.write("trust.json", "{}");
        admin.write("none-usable.json", r#"{"keys":[]}"#);
        let done = admin.run_with(&args, &token);
        assert_eq!((done.code, done.out.as_str()), (Some(code), ""), "{args:?}: {}", done.err);
        assert!(done.err.contains(error) && !done.err.contains(&token), "{args:?}: {}", done.err);
        // No complaint speaks of a file of trusts where flags were given.
        assert!(!done.err.contains("trust["), "{args:?}: {}", done.err);
    }
    let based = Admin::with_base();
    based.json(&["fhir-base", "add", "other", "--url", "https://other.test/r4"]);
    assert!(based.fails(2, &["validate", "--event", "-", "--datastore", STORE]).contains("leave out --datastore"));
    let several = based.run_with(&["validate", "--token", "-"], &token);
    assert!(several.code == Some(2) && several.err.contains("https://fhir.test/r4 or https://other.test/r4"), "{}", several.err);
    // No FHIR base, no data store: not every one.
    based.json(&["fhir-base", "remove", "main"]);
    based.json(&["fhir-base", "remove", "other"]);
    assert!(based.fails(3, &["validate", "--token", "-"]).contains("admit fhir-base add"));
}
