//! Finding a patient among many, in our own tables.

use admit::id::PatientId;
use admit::person::{FhirUser, Patient};
use admit::store::{ImportedPatient, Location, Opener};
use sqlx::Connection as _;
use time::{Duration, OffsetDateTime};

use crate::support::TestApp;
use crate::support::ask::Ask;

fn patient(id: &str, name: &str, birth_date: &str, mrn: &str) -> Patient {
    Patient {
        id: PatientId::new(id),
        name: name.to_owned(),
        birth_date: birth_date.to_owned(),
        sex: "female".to_owned(),
        mrn: mrn.to_owned(),
    }
}

async fn import(app: &TestApp, patient: Patient, opened_by: &[(&str, Option<OffsetDateTime>)], replace: bool) {
    let opened_by = opened_by.iter().map(|(who, since)| Opener { who: (*who).to_owned(), since: *since }).collect();
    let imported = ImportedPatient { patient, is_inactive: false, opened_by };
    app.store().import_patients(&app.origin(), "one", vec![imported], replace).await.expect("a patient");
}

fn who(text: &str) -> FhirUser {
    text.parse().expect("a person")
}

async fn found(app: &TestApp, person: &str, typed: &str) -> Vec<String> {
    let found = app.app.directory.search(&app.origin(), "one", &who(person), typed, 50).await.expect("an answer");
    found.into_iter().map(|patient| patient.id.to_string()).collect()
}

async fn people(app: &TestApp) {
    let z = [("Practitioner/z", None)];
    for (id, name, born, mrn) in [
        ("q1", "Ada Maria Garcia-Lopez", "1984-03-09", "A-100"),
        ("q2", "Bo Garcia", "1990-11-30", "A-101"),
        ("q3", "Lopez Ada", "2001-01-01", "0042"),
        ("q4", "Ångström Özil", "1970", ""),
        ("q5", "100% Test_er", "", "B!7"),
    ] {
        import(app, patient(id, name, born, mrn), &z, true).await;
    }
    import(app, patient("q6", "Ada Garcia", "1984-03-09", "A-102"), &[("Practitioner/y", None)], true).await;
}

/// So many letters of three bytes each, which no database can pack.
fn noise(count: usize) -> String {
    let numbers = std::iter::successors(Some(1_u32), |n| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
    numbers.take(count).map(|n| char::from_u32(0x4e00 + (n >> 16) % 0x5000).expect("a letter")).collect()
}

/// No name and no number is too long for an index, and each is found by as much of it as counts, or by all of it.
#[tokio::test]
async fn words_of_any_length_are_found() {
    let app = TestApp::start().await;
    let (long, number) = (noise(2000), format!("M{}", noise(2001)));
    import(&app, patient("q7", &format!("Ada {long} Test"), "1984-03-09", &number), &[("Practitioner/z", None)], true).await;
    let begins = |text: &str, count: usize| text.chars().take(count).collect::<String>();
    for typed in [begins(&long, 3), begins(&long, 201), format!("{long} ada"), begins(&number, 200), number.clone()] {
        assert_eq!(found(&app, "Practitioner/z", &typed).await, ["q7"], "{} characters", typed.chars().count());
    }
    let by_number = app.store().patients_by_mrn(&app.origin().tenant, "one", &number, 2).await.expect("an answer");
    assert_eq!(by_number.len(), 1);
}

#[tokio::test]
async fn a_search_finds_the_beginnings_of_names_numbers_and_dates() {
    let app = TestApp::start().await;
    people(&app).await;
    for (typed, ids) in [
        ("", &["q5", "q1", "q2", "q3", "q4"][..]),
        ("ada", &["q3", "q1"]),
        ("GARCIA", &["q2", "q1"]),
        ("garcia lopez", &["q1"]),
        ("lopez", &["q3", "q1"]),
        ("lopez, ada", &["q3", "q1"]),
        ("ada lop", &["q3", "q1"]),
        ("maria garcia-l", &["q1"]),
        ("dria", &[]),
        ("arcia", &[]),
        ("A-10", &["q1", "q2"]),
        ("a-101", &["q2"]),
        ("42", &[]),
        ("0042", &["q3"]),
        ("1984-03", &["q1"]),
        ("ada 1984", &["q1"]),
        ("bo 1984", &[]),
        ("ång", &["q4"]),
        ("özi", &["q4"]),
        ("%", &[]),
        ("_", &[]),
        ("100%", &["q5"]),
        ("test_", &["q5"]),
        ("te 100_", &[]),
        ("b!", &["q5"]),
        ("\u{10ffff}", &[]),
        ("a b c d e f g h", &[]),
        ("' or 1=1 --", &[]),
    ] {
        assert_eq!(found(&app, "Practitioner/z", typed).await, ids, "{typed:?}");
    }
    assert_eq!(found(&app, "Practitioner/y", "ada").await, ["q6"]);
    assert!(found(&app, "Practitioner/nobody", "ada").await.is_empty());
}

/// What is found follows what is imported, opened and closed.
#[tokio::test]
async fn the_index_follows_every_change() {
    let app = TestApp::start().await;
    people(&app).await;
    let z = "Practitioner/z";
    import(&app, patient("q2", "Bo Newname", "1990-11-30", "A-101"), &[], false).await;
    assert_eq!((found(&app, z, "garcia").await, found(&app, z, "newn").await), (vec!["q1".to_owned()], vec!["q2".to_owned()]));
    let (q6, opener) = (PatientId::new("q6"), Opener { who: z.to_owned(), since: None });
    assert!(app.store().open_patient_to(&app.origin(), "one", &q6, &opener).await.expect("opened"));
    assert!(!app.store().open_patient_to(&app.origin(), "one", &q6, &opener).await.expect("open"));
    assert_eq!(found(&app, z, "garcia").await, ["q6", "q1"]);
    assert!(app.store().close_patient_to(&app.origin(), "one", &q6, &who(z)).await.expect("closed"));
    assert!(!app.store().close_patient_to(&app.origin(), "one", &q6, &who(z)).await.expect("closed before"));
    assert_eq!(
        (found(&app, z, "garcia").await, found(&app, "Practitioner/y", "garcia").await),
        (vec!["q1".to_owned()], vec!["q6".to_owned()])
    );
    import(&app, patient("q1", "Ada Maria Garcia-Lopez", "1984-03-09", "A-100"), &[("Practitioner/y", None)], true).await;
    assert!(found(&app, z, "garcia").await.is_empty());
    let gone = ImportedPatient { patient: patient("q6", "Ada Garcia", "1984-03-09", "A-102"), is_inactive: true, opened_by: vec![] };
    app.store().import_patients(&app.origin(), "one", vec![gone], false).await.expect("closed");
    assert_eq!(found(&app, "Practitioner/y", "garcia").await, ["q1"]);
    assert!(app.store().remove_fhir_base(&app.origin(), "one", true).await.is_ok_and(|removed| removed));
    assert_eq!(app.count("select count(*) from panel_term").await, 0);
}

async fn rows(app: &TestApp) -> Vec<(String, String, String, String)> {
    let statement = "select fhir_user, patient_id, kind, term from panel_term order by fhir_user, patient_id, kind, term";
    let mut rows: Vec<(String, String, String, String)> = match app.location() {
        Location::Sqlite(path) => {
            let mut connection = sqlx::SqliteConnection::connect(&path.to_string_lossy()).await.expect("the database");
            sqlx::query_as(statement).fetch_all(&mut connection).await.expect("rows")
        }
        Location::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(url).await.expect("the database");
            sqlx::query_as(statement).fetch_all(&mut connection).await.expect("rows")
        }
    };
    rows.sort();
    rows
}

/// The migration writes for patients who were there what an import writes for those who come.
#[tokio::test]
async fn the_back_fill_writes_what_an_import_writes() {
    let app = TestApp::start().await;
    people(&app).await;
    import(&app, patient("q7", &format!("Ada {} Test", noise(2000)), "1984-03-09", &noise(2001)), &[("Practitioner/z", None)], true).await;
    let written = rows(&app).await;
    assert!(written.len() > 40);
    app.sql("delete from panel_term").await;
    let (mark, other) = match app.location() {
        Location::Sqlite(_) => ("--sqlite", "--postgres"),
        Location::Postgres(_) => ("--postgres", "--sqlite"),
    };
    let migration = include_str!("../../migrations/0005_directory.sql");
    let back_fill = migration.split("-- Back-fill:").nth(1).and_then(|rest| rest.split("-- End of the back-fill.").next()).expect("marks");
    let lines: Vec<&str> = back_fill.lines().skip(1).filter(|line| !line.trim_end().ends_with(other)).collect();
    assert!(lines.iter().any(|line| line.ends_with(mark)));
    app.sql(&lines.join("\n")).await;
    assert_eq!(rows(&app).await, written);
}

/// A page is one walk along the index, however many patients there are.
#[tokio::test]
async fn a_search_scans_no_table() {
    let app = TestApp::start().await;
    let Location::Sqlite(path) = app.location() else { return };
    let mut connection = sqlx::SqliteConnection::connect(&path.to_string_lossy()).await.expect("the database");
    const PANEL: &str = include_str!("../../src/store/panel.rs");
    const PATIENT: &str = include_str!("../../src/store/patient.rs");
    let one_patient = "sqlite_autoindex_patient_1 (tenant_id=? AND fhir_base=? AND patient_id=?)";
    let one_on_the_list = "sqlite_autoindex_panel_1 (tenant_id=? AND fhir_base=? AND fhir_user=? AND patient_id=?)";
    let terms = "PRIMARY KEY (tenant_id=? AND fhir_base=? AND fhir_user=? AND kind=? AND term>? AND term<?)";
    for (file, of, expected) in [
        (PANEL, "patients_open_to", &[terms, one_patient, one_on_the_list][..]),
        (PANEL, "patient_open_to", &[one_patient, one_on_the_list]),
        (PANEL, "recent_patients", &["access_grant_recent (tenant_id=? AND user_id=?)"]),
        (PATIENT, "patients_by_mrn", &["patient_mrn (tenant_id=? AND fhir_base=? AND search_mrn=?)"]),
        (PATIENT, "patients_by_birth_date", &["patient_birth (tenant_id=? AND fhir_base=? AND birth_date=?)"]),
    ] {
        let function = file.split(&format!("pub async fn {of}(")).nth(1).expect("the function");
        let statement = function.split("let statement = \"").nth(1).and_then(|rest| rest.split("\";").next()).expect("its statement");
        let explained = sqlx::AssertSqlSafe(format!("explain query plan {statement}"));
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explained).fetch_all(&mut connection).await.expect("a plan");
        let steps: Vec<&str> = plan.iter().map(|(_, _, _, step)| step.as_str()).collect();
        // Each by its index and as many of its columns; none sorts.
        assert_eq!(steps.len(), expected.len(), "{of}: {steps:#?}");
        for (step, expected) in steps.iter().zip(expected) {
            assert!(step.starts_with("SEARCH ") && step.ends_with(expected), "{of}: {steps:#?}");
        }
        if of == "patients_open_to" {
            // PostgreSQL must see what is looked for: of 200000 patients, a page is 5 ms, and 1300 ms by a plan for anything.
            assert!(function.split("pub async fn").next().is_some_and(|own| own.contains(".persistent(false)")), "{of}");
        }
    }
}

/// An import of what is there already changes nothing that finds anybody, and one that knows better changes just that.
#[tokio::test]
async fn an_import_writes_what_has_changed() {
    let app = TestApp::start().await;
    let opener = |who: &str| Opener { who: who.to_owned(), since: None };
    let imported = |id: &str, name: &str, is_inactive: bool, who: &[&str]| ImportedPatient {
        patient: patient(id, name, "1984-03-09", id),
        is_inactive,
        opened_by: who.iter().map(|who| opener(who)).collect(),
    };
    let import = async |patients: Vec<ImportedPatient>, replace: bool| {
        app.store().import_patients(&app.origin(), "one", patients, replace).await.expect("imported");
    };
    let (a, b) = ("Practitioner/z", "Practitioner/y");
    import(vec![imported("i1", "Ida Oak", false, &[a, b]), imported("i2", "Ola Elm", false, &[a])], true).await;
    let first = rows(&app).await;
    // What an import does to a row that it leaves alone shows where nothing may be written.
    let (forbid, allow) = match app.location() {
        Location::Sqlite(_) => (
            "create trigger no_more before insert on panel_term begin select raise(abort, 'written'); end;
             create trigger no_less before delete on panel_term begin select raise(abort, 'deleted'); end",
            "drop trigger no_more; drop trigger no_less",
        ),
        Location::Postgres(_) => (
            "create function no() returns trigger language plpgsql as $$ begin raise exception 'changed'; end $$;
             create trigger no_change before insert or delete on panel_term for each row execute function no()",
            "drop trigger no_change on panel_term",
        ),
    };
    app.sql(forbid).await;
    import(vec![imported("i1", "Ida Oak", false, &[a, b]), imported("i2", "Ola Elm", false, &[])], false).await;
    app.sql(allow).await;
    assert_eq!(rows(&app).await, first);
    // One twice in the same import: the later name counts, and both lists.
    import(vec![imported("i1", "Ida Birch", false, &[a]), imported("i1", "Ida Cedar", false, &[b])], true).await;
    for who in [a, b] {
        assert_eq!(found(&app, who, "cedar").await, ["i1"]);
        assert!(found(&app, who, "oak").await.is_empty() && found(&app, who, "birch").await.is_empty());
    }
    import(vec![imported("i1", "Ida Cedar", false, &[a]), imported("i2", "Ola Elm", true, &[a])], true).await;
    assert_eq!(found(&app, a, "").await, ["i1"]);
    assert!(found(&app, b, "").await.is_empty());
    assert!(rows(&app).await.iter().all(|(who, id, _, _)| who != b && id != "i2"));
}

/// Nor does opening one patient: what it costs must not grow with how many there are.
#[tokio::test]
async fn opening_looks_at_one_patient_only() {
    let app = TestApp::start().await;
    let Location::Sqlite(path) = app.location() else { return };
    let mut connection = sqlx::SqliteConnection::connect(&path.to_string_lossy()).await.expect("the database");
    let function = include_str!("../../src/store/term.rs").split("async fn index").nth(1).expect("the function");
    let statements: Vec<&str> =
        function.split("let statement = \"").skip(1).map(|rest| rest.split("\";").next().expect("a statement")).collect();
    assert_eq!(statements.len(), 2);
    for statement in statements {
        let explained = sqlx::AssertSqlSafe(format!("explain query plan {statement}"));
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explained).fetch_all(&mut connection).await.expect("a plan");
        assert!(plan.iter().all(|(_, _, _, step)| step.contains("fhir_base=? AND patient_id=?")), "{statement}: {plan:#?}");
    }
}

/// Those opened last come first, for a clinician with more patients than can be seen at once.
#[tokio::test]
async fn patients_opened_last_come_first() {
    let app = TestApp::start().await;
    for n in 10..20 {
        import(&app, patient(&format!("r{n}"), &format!("Synthetic R{n}"), "1984-03-09", ""), &[("Practitioner/a", None)], true).await;
    }
    for id in ["r15", "r12", "r15", "r17"] {
        let mut browser = app.browser();
        let ask = Ask::of("spa").with("scope", "openid launch/patient patient/*.rs");
        let page = browser.ask(&ask).await;
        browser.go_through(page, "dr.a", id).await.code();
        app.advance(Duration::seconds(1));
    }
    app.store().close_patient_to(&app.origin(), "one", &PatientId::new("r12"), &who("Practitioner/a")).await.expect("closed");
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("spa").with("scope", "openid launch/patient patient/*.rs")).await;
    let page = browser.log_in(&page, "dr.a").await;
    let (recent, all) = page.reply.body.split_once("All of your patients").expect("two lists");
    let ids = |part: &str| -> Vec<String> {
        let values = part.split("name=\"patient\" value=\"").skip(1);
        values.map(|rest| rest.split('"').next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(ids(recent), ["r17", "r15"]);
    assert_eq!(ids(all).len(), 11);
    // A search is a search.
    let page = browser.go(&format!("{}&q=r1", page.at)).await;
    assert!(!page.reply.body.contains("Opened last"));
}

/// What was given over a child ends when the child comes of age; what was given over a grown-up, and a doctor's, stays.
#[tokio::test]
async fn a_child_who_comes_of_age_is_no_longer_a_carer_s() {
    let app = TestApp::start().await;
    let now = app.clock.now();
    let child = patient("kid", "Kid Test", "2008-12-01", "K-1");
    let carers = [("RelatedPerson/x", Some(now)), ("Practitioner/a", None), ("RelatedPerson/unknown", None)];
    import(&app, child, &carers, true).await;
    let grown = patient("old", "Old Test", "1940-12-01", "K-2");
    import(&app, grown, &[("RelatedPerson/x", Some(now)), ("RelatedPerson/unknown", None)], true).await;
    let scope = "openid launch/patient patient/*.rs offline_access";
    let mut tokens = Vec::new();
    for id in ["kid", "old"] {
        let mut browser = app.browser();
        let landing = browser.launch("spa", "https://app.test/cb", scope, "proxy", Some(id)).await;
        tokens.push(app.exchange("spa", &landing).await);
    }
    assert_eq!(found(&app, "RelatedPerson/unknown", "").await, ["kid"], "since when is not known, and the patient is a grown-up");
    app.advance(Duration::days(9));
    assert_eq!(found(&app, "RelatedPerson/x", "test").await, ["p1", "p4", "old"]);
    assert!(found(&app, "RelatedPerson/unknown", "").await.is_empty());
    assert_eq!(found(&app, "Practitioner/a", "kid").await, ["kid"]);
    app.refresh("spa", &tokens[0]["refresh_token"]).await.assert_invalid_grant();
    assert_eq!(app.audit("grant.revoked").await[0].detail.as_deref(), Some("the patient has come of age"));
    assert_eq!(app.refresh("spa", &tokens[1]["refresh_token"]).await.tokens()["patient"], "old");
    // Another import does not begin anew what was given before; where it knows a later date, it is given anew.
    for (since, is_found) in [(None, false), (Some(now), false), (Some(app.clock.now()), true), (None, true), (Some(now), true)] {
        import(&app, patient("kid", "Kid Test", "2008-12-01", "K-1"), &[("RelatedPerson/x", since)], true).await;
        assert_eq!(found(&app, "RelatedPerson/x", "").await.contains(&"kid".to_owned()), is_found, "{since:?}");
    }
    app.sql("update panel set since = null where fhir_user = 'RelatedPerson/x'").await;
    // The administrator may say that nobody comes of age.
    let never = admit::tenant::Patients { majority: 0, ..admit::tenant::Patients::default() };
    app.store().update_patients(&app.origin(), "one", &never).await.expect("a FHIR base");
    assert!(found(&app, "RelatedPerson/x", "").await.contains(&"kid".to_owned()));
}

/// SL-13: a choice that is there is the person's. Whoever came of age takes up nobody's place among those who are looked at.
#[tokio::test]
async fn who_came_of_age_hides_nobody() {
    let app = TestApp::start().await;
    import(&app, patient("a", "Aaa Test", "2000-01-01", "A-1"), &[("RelatedPerson/x", None)], true).await;
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("spa").with("scope", "openid launch/patient patient/*.rs")).await;
    let page = browser.log_in(&page, "proxy").await;
    assert_eq!(page.path(), "/patient", "{}", page.reply.body);
    for (id, is_shown) in [("p1", true), ("p4", true), ("a", false)] {
        assert_eq!(page.reply.body.contains(&format!("value=\"{id}\"")), is_shown, "{id}");
    }
}

/// Whoever came of age may allow it again: the administrator opens them anew.
#[tokio::test]
async fn who_came_of_age_can_be_opened_again() {
    let app = TestApp::start().await;
    import(&app, patient("a", "Aaa Test", "2000-01-01", "A-1"), &[("RelatedPerson/x", None)], true).await;
    assert!(found(&app, "RelatedPerson/x", "aaa").await.is_empty());
    let now = app.clock.now();
    for (since, is_new) in [(None, false), (Some(now), true), (Some(now), false), (Some(now - Duration::days(1)), false), (None, false)] {
        let opener = Opener { who: "RelatedPerson/x".to_owned(), since };
        let opened = app.store().open_patient_to(&app.origin(), "one", &PatientId::new("a"), &opener).await;
        assert_eq!(opened.expect("a list"), is_new, "{since:?}");
    }
    assert_eq!(found(&app, "RelatedPerson/x", "aaa").await, ["a"]);
}
