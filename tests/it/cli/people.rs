//! `admit user`, `admit patient`

use serde_json::json;

use super::{Admin, PASSWORD, PATIENTS, names};

#[test]
fn a_user_is_created_with_a_password_from_standard_input() {
    let admin = Admin::with_base();
    let created = admin.create_user("Dr.Example", &["--fhir-user", "Practitioner/example"]);
    assert_eq!((&created["username"], &created["fhir_user"]), (&json!("dr.example"), &json!("Practitioner/example")));
    assert_eq!(admin.json(&["user", "show", "DR.EXAMPLE"])["user_id"], created["user_id"]);
    let again = ["user", "create", "dr.example", "--name", "X", "--password-file", "-"];
    assert_eq!(admin.run_with(&again, PASSWORD).code, Some(4));
    assert!(admin.json(&["user", "disable", "dr.example"])["disabled_at"].is_string());
    assert_eq!(names(&admin.json(&["user", "list"]), "username"), ["dr.example"]);
    let listed = admin.run(&["user", "list", "--json"]).out + &admin.run(&["user", "show", "dr.example", "--json"]).out;
    assert!(!listed.contains("argon2"), "{listed}");
}

#[test]
fn a_password_comes_from_a_file_and_never_from_a_flag() {
    let admin = Admin::with_base();
    admin.create_user("a.user", &[]);
    admin.write("password.txt", &format!("{PASSWORD} again\n"));
    admin.json(&["user", "set-password", "a.user", "--password-file", "password.txt"]);
    admin.fails(2, &["user", "set-password", "a.user", "--password", PASSWORD]);
    // Without a terminal there is nobody to ask.
    assert!(admin.fails(2, &["user", "set-password", "a.user"]).contains("--password-file"));
}

#[test]
fn a_weak_password_is_refused_with_a_reason() {
    let admin = Admin::with_base();
    let create = ["user", "create", "a.user", "--name", "A User", "--password-file", "-"];
    for (weak, reason) in
        [("short", "15 characters"), ("aaaaaaaaaaaaaaaaaaaa", "too easy"), ("the password of a.user", "user name"), ("", "15 characters")]
    {
        let done = admin.run_with(&create, weak);
        assert!(done.code == Some(2) && done.err.contains(reason), "{weak}: {:?} {}", done.code, done.err);
    }
    assert_eq!(admin.json(&["user", "list"]), json!([]));
}

#[test]
fn names_of_people_are_checked() {
    let admin = Admin::with_base();
    for (username, name) in [("", "A"), ("a b", "A"), ("a\u{202e}b", "A"), ("ab", ""), ("ab", "A\nB"), ("ab", "\u{2066}x")] {
        let done = admin.run_with(&["user", "create", username, "--name", name, "--password-file", "-"], PASSWORD);
        assert_eq!(done.code, Some(2), "{username:?} {name:?}: {}", done.err);
    }
    admin.fails(2, &["user", "create", "ab", "--name", "A", "--fhir-user", "Organization/1", "--password-file", "-"]);
    admin.fails(2, &["user", "create", "ab", "--name", "A", "--patient", "p1", "--password-file", "-"]);
}

#[test]
fn patients_are_imported_with_those_who_may_open_them() {
    let admin = Admin::with_base();
    let done = admin.json_with(&["patient", "import", "-"], PATIENTS);
    let expected = json!({
        "fhir_base": "main", "patients": 3, "inactive": 1, "encounters": 0, "openings": 3, "unknown_patients": 0, "references_left_out": 1,
        "ignored": { "Practitioner": 1 },
    });
    assert_eq!(done, expected);
    let listed = admin.json(&["patient", "list"]);
    assert_eq!(names(&listed, "patient_id"), ["p1", "p2"]);
    assert_eq!(
        listed[0],
        json!({ "patient_id": "p1", "name": "Ada Synthetic", "birth_date": "1980-02-29", "sex": "female", "mrn": "MRN-1" })
    );
    assert_eq!(admin.json(&["patient", "list", "--limit", "1"]).as_array().map(Vec::len), Some(1));
    // The file may come again, and in parts.
    admin.write("again.ndjson", PATIENTS);
    assert_eq!(admin.json(&["patient", "import", "again.ndjson", "--replace-panels"]), expected);
    let part = r#"{"resourceType":"RelatedPerson","id":"r","patient":{"reference":"Patient/p1"}}
{"resourceType":"RelatedPerson","id":"r","patient":{"reference":"Patient/nobody"}}"#;
    let part = admin.json_with(&["patient", "import", "-"], part);
    assert_eq!((&part["openings"], &part["unknown_patients"]), (&json!(1), &json!(1)));
}

#[test]
fn a_bad_line_imports_nothing() {
    let admin = Admin::with_base();
    for (line, why) in [
        (r#"{"resourceType":"Patient""#, "not JSON"),
        (r#"{"resourceType":"Patient","id":"p9","birthDate":"01/02/1980"}"#, "birthDate"),
        (r#"{"resourceType":"Patient"}"#, "id"),
        (r#"{"resourceType":"Patient","id":"p1"}"#, "twice"),
        ("[]]", "not JSON"),
    ] {
        let done = admin.run_with(&["patient", "import", "-"], &format!("{PATIENTS}{line}\n"));
        assert_eq!(done.code, Some(1), "{line}");
        assert!(done.err.contains("line 8: ") && done.err.contains(why) && done.err.contains("Nothing was imported"), "{}", done.err);
        assert_eq!(admin.json(&["patient", "list"]), json!([]));
    }
}

#[test]
fn an_import_larger_than_one_batch_is_whole() {
    let admin = Admin::with_base();
    let many: String = (0..1234).map(|n| format!("{{\"resourceType\":\"Patient\",\"id\":\"p{n}\"}}\n")).collect();
    assert_eq!(admin.json_with(&["patient", "import", "-"], &many)["patients"], 1234);
    assert_eq!(admin.json(&["patient", "list", "--limit", "5000"]).as_array().map(Vec::len), Some(1234));
}

#[test]
fn a_user_can_be_let_open_patients_who_are_there() {
    let admin = Admin::with_base();
    admin.json_with(&["patient", "import", "-"], PATIENTS);
    let doctor = ["--fhir-user", "Practitioner/other", "--patient", "p1", "--patient", "p2"];
    assert_eq!(admin.create_user("other", &doctor)["patients"], json!(["p1", "p2"]));
    let create = ["user", "create", "third", "--name", "X", "--fhir-user", "Practitioner/x", "--patient", "p1", "--patient", "nobody"];
    let done = admin.run_with(&[&create[..], &["--password-file", "-"]].concat(), PASSWORD);
    assert!(done.code == Some(3) && done.err.contains("nobody"), "{}", done.err);
    admin.fails(3, &["user", "show", "third"]);
}
