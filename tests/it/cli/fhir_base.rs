//! `admit fhir-base`

use serde_json::{Value, json};

use super::Admin;

#[test]
fn what_a_fhir_base_publishes_is_added_changed_and_taken_back() {
    let admin = Admin::with_base();
    let added = admin.json(&["fhir-base", "add", "b", "--url", "https://b.test/r4", "--brand-bundle", "https://b.test/brands.json"]);
    assert_eq!((&added["brand_bundle"], &added["brand_identifier"]), (&json!("https://b.test/brands.json"), &Value::Null));
    let changed = admin.json(&[
        "fhir-base",
        "update",
        "main",
        "--brand-bundle",
        "https://a.test/brands.json",
        "--brand-identifier",
        "urn:ietf:rfc:3986|https://a.test",
        "--associated-endpoint",
        "https://state.test/r4=smart-app-state,permission-v2",
    ]);
    assert_eq!(changed["brand_identifier"], json!({ "system": "urn:ietf:rfc:3986", "value": "https://a.test" }));
    assert_eq!(
        changed["associated_endpoints"],
        json!([{ "url": "https://state.test/r4", "capabilities": ["smart-app-state", "permission-v2"] }])
    );
    // What is not named stays.
    let kept = admin.json(&["fhir-base", "update", "main", "--no-associated-endpoints"]);
    assert_eq!((&kept["associated_endpoints"], &kept["brand_bundle"]), (&json!([]), &json!("https://a.test/brands.json")));
    let bare = admin.json(&["fhir-base", "update", "main", "--no-brand"]);
    assert_eq!((&bare["brand_bundle"], &bare["brand_identifier"]), (&Value::Null, &Value::Null));

    for wrong in [
        &["--brand-identifier", "x"][..],
        &["--brand-bundle", "http://a.test/b"],
        &["--brand-bundle", "https://a.test/b", "--brand-identifier", "no uri|x"],
        &["--brand-bundle", "https://a.test/b", "--brand-identifier", "urn:x:y|"],
        &["--brand-bundle", "https://a.test/b", "--no-brand"],
        &["--associated-endpoint", "https://a.test/r4"],
        &["--associated-endpoint", "https://a.test/r4="],
        &["--associated-endpoint", "https://a.test/r4=a b"],
        &["--associated-endpoint", "ftp://a.test/r4=a"],
    ] {
        admin.fails(2, &[&["fhir-base", "update", "main"], wrong].concat());
    }
    admin.fails(3, &["fhir-base", "update", "other", "--no-brand"]);
}
