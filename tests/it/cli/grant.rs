//! `admit grant`, `admit client update`, `admit client set-logo`

use serde_json::json;

use super::{Admin, names};

#[test]
fn grants_can_be_listed_and_a_misspelt_name_is_not_taken_for_nothing() {
    let admin = Admin::with_base();
    admin.create_app("app");
    admin.create_user("somebody", &[]);
    assert_eq!(admin.json(&["grant", "list"]), json!([]));
    assert_eq!(
        admin.json(&["grant", "list", "--user", "Somebody", "--client", "app", "--patient", "p1", "--fhir-base", "main"]),
        json!([])
    );
    admin.fails(3, &["grant", "list", "--user", "nobody"]);
    admin.fails(3, &["grant", "list", "--client", "nothing"]);
    admin.fails(3, &["grant", "list", "--fhir-base", "nowhere"]);
    assert!(admin.run(&["grant", "list"]).err.contains("there is none yet"));
}

#[test]
fn revoking_wants_a_reason_and_something_to_revoke() {
    let admin = Admin::with_base();
    admin.create_app("app");
    admin.fails(2, &["grant", "revoke", "--reason", "x"]);
    admin.fails(2, &["grant", "revoke", "--client", "app"]);
    admin.fails(2, &["grant", "revoke", "--fhir-base", "main", "--reason", "x"]);
    admin.fails(2, &["grant", "revoke", "g", "--client", "app", "--reason", "x"]);
    admin.fails(2, &["grant", "revoke", "--client", "app", "--reason", "a\nb"]);
    assert!(admin.fails(3, &["grant", "revoke", "g", "--reason", "x"]).contains("admit grant list"));
    let none = admin.json(&["grant", "revoke", "--client", "app", "--reason", "ticket 4711"]);
    assert_eq!(none, json!({ "grants_revoked": 0, "decisions_forgotten": 0 }));
}

#[test]
fn what_people_see_of_an_app_can_be_changed() {
    let admin = Admin::with_base();
    let base = ["client", "create", "a", "--name", "A", "--redirect-uri", "https://a.test/cb", "--scope", "openid"];
    let more = [
        "--developer",
        "Maker",
        "--website",
        "https://a.test",
        "--policy-uri",
        "https://a.test/privacy?lang=en",
        "--terms-uri",
        "https://a.test/terms",
        "--attested",
        "yes",
        "--consent-clinicians",
        "pre-approved",
        "--consent-patients",
        "remembered",
    ];
    let created = admin.json(&[&base[..], &more].concat());
    let fields = ["developer", "website", "policy_uri", "terms_uri", "attested", "consent_clinicians", "consent_patients", "verified"];
    let shown = |record: &serde_json::Value| fields.map(|name| record[name].clone());
    assert_eq!(
        json!(shown(&created)),
        json!([
            "Maker",
            "https://a.test",
            "https://a.test/privacy?lang=en",
            "https://a.test/terms",
            true,
            "pre-approved",
            "remembered",
            false
        ])
    );
    let changed =
        admin.json(&["client", "update", "a", "--attested", "no", "--consent-clinicians", "always", "--verified", "yes", "--name", "B"]);
    assert_eq!(
        json!(shown(&changed)),
        json!(["Maker", "https://a.test", "https://a.test/privacy?lang=en", "https://a.test/terms", false, "always", "remembered", true])
    );
    assert_eq!((&changed["name"], &admin.json(&["client", "show", "a"])), (&json!("B"), &changed));
    assert_eq!(admin.json(&["client", "update", "a", "--verified", "no"])["verified"], json!(false));
    admin.fails(2, &["client", "update", "a"]);
    admin.fails(3, &["client", "update", "nothing", "--verified", "no"]);

    // Patients are never spared the question, and what an app says of itself leads to web pages only.
    admin.fails(2, &["client", "update", "a", "--consent-patients", "pre-approved"]);
    admin.fails(2, &[&base[..], &["--consent-patients", "pre-approved"]].concat());
    for bad in ["javascript:alert(1)", "http://a.test", "data:text/html,x"] {
        admin.fails(2, &["client", "update", "a", "--website", bad]);
        admin.fails(2, &["client", "update", "a", "--policy-uri", bad]);
        admin.fails(2, &["client", "update", "a", "--terms-uri", bad]);
    }
    let plain = admin.create_app("plain");
    assert_eq!(json!(shown(&plain)), json!([null, null, null, null, null, "always", "always", false]));
    assert_eq!(names(&admin.json(&["client", "list"]), "client_id"), ["a", "plain"]);
}

/// WB-07: a logo is a picture by its bytes, and small.
#[test]
fn a_logo_is_a_small_picture() {
    let admin = Admin::with_base();
    admin.create_app("app");
    let file = |name: &str, bytes: &[u8]| std::fs::write(admin.0.path().join(name), bytes).expect("a file in a temporary folder");
    file("good.png", b"\x89PNG\r\n\x1a\n and so on");
    file("svg.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>");
    file("large.png", &[&b"\x89PNG\r\n\x1a\n"[..], &[0; 64 * 1024]].concat());
    let set = admin.json(&["client", "set-logo", "app", "good.png"]);
    assert!(set["logo"].as_str().is_some_and(|path| path.starts_with("/client-logo/") && path.len() == 56), "{set}");
    admin.fails(2, &["client", "set-logo", "app", "svg.png"]);
    assert!(admin.fails(2, &["client", "set-logo", "app", "large.png"]).contains("64 KiB"));
    admin.fails(2, &["client", "set-logo", "app", "missing.png"]);
    admin.fails(3, &["client", "set-logo", "nothing", "good.png"]);
}
