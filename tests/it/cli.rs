//! The administrators' command line: the real program, in a folder of its own. Everybody in here is
//! synthetic.

mod backup;
mod client;
mod client_keys;
mod db;
mod fhir_base;
mod grant;
mod healthlake;
mod people;
mod token;
mod validate;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use admit::key::MasterKey;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with a database, and the program beside it.
struct Admin(TempDir);

/// What a command came to.
struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

const PASSWORD: &str = "five synthetic words in a row";
const SCOPES: &str = "openid fhirUser launch/patient patient/*.rs offline_access";
/// Two whom somebody may open, and one who is no longer treated.
const PATIENTS: &str = r#"{"resourceType":"Patient","id":"p1","name":[{"use":"official","given":["Ada"],"family":"Synthetic"}],"gender":"female","birthDate":"1980-02-29","identifier":[{"value":"x"},{"type":{"coding":[{"code":"MR"}]},"value":"MRN-1"}],"generalPractitioner":[{"reference":"Practitioner/example"}]}
{"resourceType":"Patient","id":"p2","name":[{"text":"Bo Synthetic"}],"gender":"male","birthDate":"2015"}
{"resourceType":"Patient","id":"p3","active":false,"name":[{"family":"Gone"}]}

{"resourceType":"Practitioner","id":"example"}
{"resourceType":"RelatedPerson","id":"parent","patient":{"reference":"https://fhir.test/r4/Patient/p2"}}
{"resourceType":"CareTeam","id":"t","status":"active","subject":{"reference":"Patient/p2"},"participant":[{"member":{"reference":"Practitioner/example"}},{"member":{"reference":"Organization/o"}}]}
"#;

impl Admin {
    /// An empty folder.
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// With one FHIR base.
    fn with_base() -> Self {
        let admin = Self::new();
        admin.json(&["fhir-base", "add", "main", "--url", "https://fhir.test/r4"]);
        admin
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_admit"));
        // Settings of whoever runs the tests are none of theirs.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ADMIT_")) {
            command.env_remove(name);
        }
        command.current_dir(&self.0).args(args);
        if !args.contains(&"--database") {
            command.args(["--database", "test.db"]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run_with(&self, args: &[&str], input: &str) -> Done {
        let mut child = self.command(args).spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("its input is ours");
        // A command that refuses before it reads closes its end.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("the program ends").into()
    }

    fn run(&self, args: &[&str]) -> Done {
        self.run_with(args, "")
    }

    /// A command that has to succeed, and its answer.
    fn json(&self, args: &[&str]) -> Value {
        self.json_with(args, "")
    }

    fn json_with(&self, args: &[&str], input: &str) -> Value {
        let done = self.run_with(&[args, &["--json"]].concat(), input);
        assert_eq!(done.code, Some(0), "{args:?}: {}", done.err);
        serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{args:?}: {error} in {}", done.out))
    }

    /// A command that has to fail with this code; its message.
    fn fails(&self, code: i32, args: &[&str]) -> String {
        let done = self.run(args);
        assert_eq!((done.code, done.out.as_str()), (Some(code), ""), "{args:?}: {}", done.err);
        done.err
    }

    fn create_app(&self, id: &str) -> Value {
        self.json(&["client", "create", id, "--name", "An app", "--redirect-uri", "https://app.test/cb", "--scope", SCOPES])
    }

    fn create_service(&self, id: &str) -> Value {
        self.json(&["client", "create", id, "--name", "A service", "--auth", "client_secret_basic", "--scope", "system/*.rs"])
    }

    fn create_user(&self, name: &str, more: &[&str]) -> Value {
        let args = ["user", "create", name, "--name", "Somebody Synthetic", "--password-file", "-"];
        self.json_with(&[&args, more].concat(), PASSWORD)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).expect("a file in a temporary folder");
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

fn names(list: &Value, field: &str) -> Vec<String> {
    let list = list.as_array().expect("an array");
    list.iter().map(|one| one[field].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_misspelt_database_is_not_made() {
    let admin = Admin::new();
    assert!(admin.fails(5, &["client", "list"]).contains("--database"));
    assert!(!admin.0.path().join("test.db").exists());
}

#[test]
fn a_fhir_base_comes_with_its_key_and_its_audience() {
    let admin = Admin::with_base();
    let base = admin.json(&["fhir-base", "add", "lake", "--url", "https://lake.test/r4", "--audience", "https://store.test/r4/"]);
    assert_eq!((&base["audience"], &base["urls"]), (&json!("https://store.test/r4/"), &json!(["https://lake.test/r4"])));
    let bases = admin.json(&["fhir-base", "list"]);
    assert_eq!(names(&bases, "name"), ["lake", "main"]);
    assert_eq!(bases[1]["audience"], "https://fhir.test/r4");
    let keys = admin.json(&["key", "list"]);
    assert_eq!((names(&keys, "purpose"), names(&keys, "algorithm")), (vec!["access".to_owned()], vec!["ES256".to_owned()]));
    admin.json(&["fhir-base", "add", "old", "--url", "https://old.test", "--access-token-alg", "RS256", "--smart-version", "1.0"]);
    assert_eq!(admin.json(&["key", "list"]).as_array().map(Vec::len), Some(2));
}

#[test]
fn fhir_bases_do_not_overlap() {
    let admin = Admin::with_base();
    for taken in [
        ["fhir-base", "add", "main", "--url", "https://other.test"],
        ["fhir-base", "add", "other", "--url", "https://fhir.test/r4"],
        ["fhir-base", "add", "other", "--url", "https://fhir.test/r4/"],
    ] {
        admin.fails(4, &taken);
    }
    for bad in ["http://fhir.test/r4", "https://fhir.test?x", "https://fhir.test/#x", "fhir.test", "https://FHIR.test"] {
        admin.fails(2, &["fhir-base", "add", "other", "--url", bad]);
    }
    admin.fails(2, &["fhir-base", "add", "Other", "--url", "https://other.test"]);
}

#[test]
fn a_fhir_base_that_something_hangs_on_stays() {
    let admin = Admin::with_base();
    admin.create_service("a");
    admin.json(&["client", "delete", "a", "--yes"]);
    admin.json(&["client", "create", "b", "--name", "B", "--redirect-uri", "https://b.test", "--scope", "openid", "--fhir-base", "main"]);
    assert!(admin.fails(4, &["fhir-base", "remove", "main"]).contains("client b"));
    admin.json(&["client", "delete", "b", "--yes"]);
    admin.json_with(&["patient", "import", "-"], PATIENTS);
    assert!(admin.fails(4, &["fhir-base", "remove", "main"]).contains("--with-patients"));
    admin.fails(2, &["fhir-base", "remove", "main", "--with-patients"]);
    admin.json(&["fhir-base", "remove", "main", "--with-patients", "--yes"]);
    admin.fails(3, &["fhir-base", "remove", "main"]);
    assert_eq!(admin.json(&["fhir-base", "list"]), json!([]));
}

#[test]
fn exit_codes_tell_failures_apart() {
    let admin = Admin::with_base();
    admin.create_app("app");
    for unknown in [
        vec!["client", "show", "x"],
        vec!["client", "disable", "x"],
        vec!["client", "delete", "x", "--yes"],
        vec!["client", "rotate-secret", "x"],
        vec!["user", "show", "x"],
        vec!["user", "disable", "x"],
        vec!["user", "set-password", "x", "--password-file", "-"],
        vec!["patient", "import", "no-such-file"],
        vec!["patient", "list", "--fhir-base", "x"],
        vec!["key", "rotate", "--alg", "ES384"],
    ] {
        admin.fails(3, &unknown);
    }
    let taken = ["client", "create", "app", "--name", "A", "--redirect-uri", "https://a.test", "--scope", "openid"];
    assert!(admin.fails(4, &taken).contains("app"));
    admin.fails(2, &["client"]);
    admin.fails(2, &["client", "show"]);
    admin.fails(2, &["key", "rotate", "--alg", "none"]);
}

#[test]
fn several_fhir_bases_have_to_be_told_apart() {
    let admin = Admin::with_base();
    admin.json(&["fhir-base", "add", "other", "--url", "https://other.test/r4"]);
    let error = admin.fails(2, &["patient", "list"]);
    assert!(error.contains("main, other") && error.contains("--fhir-base"), "{error}");
    admin.json_with(&["patient", "import", "-", "--fhir-base", "other"], PATIENTS);
    assert_eq!(admin.json(&["patient", "list", "--fhir-base", "main"]), json!([]));
    let none = Admin::new();
    none.create_user("a", &[]);
    assert!(none.fails(3, &["patient", "list"]).contains("admit fhir-base add"));
}

#[test]
fn a_rotated_key_stands_beside_the_old_one() {
    let admin = Admin::with_base();
    let before = admin.json(&["key", "list"]);
    let rotated = admin.run(&["key", "rotate", "--purpose", "access", "--json"]);
    assert!(rotated.err.contains("embedded key set"), "{}", rotated.err);
    let after = admin.json(&["key", "list"]);
    assert_eq!(names(&after, "state"), ["next", "signing"]);
    assert_eq!(after[1]["key_id"], before[0]["key_id"]);
    // One is under way; another one would have to be sooner, but not so soon that nobody knows of it.
    assert!(admin.fails(4, &["key", "rotate"]).contains("--after"));
    assert!(admin.fails(2, &["key", "rotate", "--after", "5m"]).contains("6m"));
    admin.json(&["key", "rotate", "--after", "6m"]);
    assert_eq!(names(&admin.json(&["key", "list"]), "state"), ["next", "next", "signing"]);
}

/// KF-05
#[test]
fn a_revoked_key_is_gone_and_the_next_one_signs() {
    let admin = Admin::with_base();
    let first = admin.json(&["key", "list"])[0]["key_id"].as_str().expect("a kid").to_owned();
    let next = admin.json(&["key", "rotate"])[0]["key_id"].as_str().expect("a kid").to_owned();
    let revoked = admin.run(&["key", "revoke", &first, "--json"]);
    assert_eq!(revoked.code, Some(0), "{}", revoked.err);
    assert!(revoked.err.contains("redeployed") && revoked.err.contains("five minutes"), "{}", revoked.err);
    assert!(revoked.out.contains(&next), "{}", revoked.out);
    let left = admin.json(&["key", "list"]);
    assert_eq!((names(&left, "key_id"), names(&left, "state")), (vec![next.clone()], vec!["signing".to_owned()]));
    admin.fails(3, &["key", "revoke", &first]);
    // The last one: another is made.
    admin.json(&["key", "revoke", &next]);
    let left = admin.json(&["key", "list"]);
    assert_eq!(names(&left, "state"), ["signing"]);
    assert_ne!(left[0]["key_id"], next.as_str());
}

/// The master key is changed step by step; what is sealed, and what is not there any more, is said by name.
#[test]
fn keys_are_sealed_anew_under_another_master_key() {
    let admin = Admin::with_base();
    let old = std::fs::read_to_string(admin.0.path().join("test.key")).expect("the master key");
    let new = MasterKey::generate();
    let under = |admin: &Admin| names(&admin.json(&["key", "list"]), "master_key");
    let old_id = MasterKey::parse(&old).expect("a key").id().to_owned();
    assert_eq!(under(&admin), [old_id.as_str()]);

    admin.write("new.key", &new.expose());
    let said = admin.fails(1, &["--master-key-file", "new.key", "key", "reseal"]);
    assert!(said.contains(&old_id) && said.contains("Give the master key"), "{said}");
    admin.write("test.key", &format!("{}\n{old}", *new.expose()));
    let done = admin.json(&["key", "reseal"]);
    assert_eq!(done, json!({ "master_key": new.id(), "resealed": 1, "sealed_in_all": 1 }));
    assert_eq!(under(&admin), [new.id()]);
    assert_eq!(admin.json(&["key", "reseal"])["resealed"], 0);
    admin.write("test.key", &new.expose());
    admin.json(&["key", "rotate"]);
    admin.write("test.key", &old);
    let said = admin.fails(1, &["key", "rotate", "--after", "6m"]);
    assert!(said.contains(&format!("sealed under the master key {}, which is not given", new.id())), "{said}");
}

#[test]
fn a_wrong_master_key_makes_no_keys() {
    let admin = Admin::with_base();
    let wrong = ["--master-key-file", "wrong.key"];
    admin.write("wrong.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
    admin.fails(1, &[&wrong[..], &["key", "rotate"]].concat());
    admin.fails(1, &[&wrong[..], &["fhir-base", "add", "b", "--url", "https://b.test", "--access-token-alg", "RS256"]].concat());
    std::fs::rename(admin.0.path().join("test.key"), admin.0.path().join("away.key")).expect("renamed");
    assert!(admin.fails(1, &["key", "rotate"]).contains("Restore"));
    assert_eq!(admin.json(&["key", "list"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn many_commands_may_begin_and_fill_a_database_at_once() {
    let admin = Admin::new();
    let commands: Vec<_> = (0..8)
        .map(|n| {
            let (name, url) = (format!("base{n}"), format!("https://fhir{n}.test/r4"));
            admin.command(&["fhir-base", "add", &name, "--url", &url]).spawn().expect("the program starts")
        })
        .collect();
    for command in commands {
        let done = Done::from(command.wait_with_output().expect("the program ends"));
        assert_eq!(done.code, Some(0), "{}", done.err);
    }
    assert_eq!(admin.json(&["fhir-base", "list"]).as_array().map(Vec::len), Some(8));
    assert_eq!(admin.json(&["key", "list"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn tables_are_for_people_and_stdout_is_for_data() {
    let admin = Admin::with_base();
    let none = admin.run(&["client", "list"]);
    assert_eq!((none.code, none.out.as_str()), (Some(0), ""));
    admin.create_app("an-app");
    let table = admin.run(&["client", "list"]);
    let lines: Vec<&str> = table.out.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("CLIENT ID  NAME") && lines[1].starts_with("an-app     An app"), "{}", table.out);
    for noun in ["fhir-base", "healthlake", "client", "user", "patient", "key", "validate", "token"] {
        let help = admin.run(&[noun, "--help"]).out;
        assert!(help.contains("Examples:"), "{noun}");
        // A command's own options are not lost among those of all of them.
        assert!(help.find("--database").unwrap_or_default() > help.find("Options of every command:").unwrap_or(help.len()), "{help}");
    }
}
