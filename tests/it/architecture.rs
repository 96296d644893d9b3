//! Keeps the walls of the house: who may use whom, and which outside dependency has which owner.

use std::fs;
use std::path::{Path, PathBuf};

/// Every source file, by its path below `src`, without comments and tests.
pub fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("src can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    let name = |path: &Path| path.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
    let is_product = |path: &Path| !name(path).split('/').any(|part| part == "tests" || part == "tests.rs");
    let rust = found.iter().filter(|path| path.extension().is_some_and(|end| end == "rs") && is_product(path));
    rust.map(|path| (name(path), code(&fs::read_to_string(path).expect("a source file")))).collect()
}

/// The code of a file: comments do not count, and what follows `#[cfg(test)]` is not the product.
fn code(text: &str) -> String {
    let product = text.split("#[cfg(test)]").next().unwrap_or_default();
    product.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Whether the code names a crate: `sqlx::…`, but not `my_sqlx::…` or `crate::sqlx::…`.
fn names(text: &str, dependency: &str) -> bool {
    let is_inside = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    text.match_indices(&format!("{dependency}::")).any(|(at, _)| !text[..at].ends_with(is_inside))
}

#[test]
fn each_outside_dependency_has_its_owners() {
    let owners: &[(&str, &[&str])] = &[
        ("sqlx", &["store/"]),
        ("jsonwebtoken", &["token/"]),
        ("clap", &["main.rs", "config", "cli/"]),
        ("askama", &["account/", "app/pages.rs", "authorize/", "launch_pad/"]),
        ("axum", &["account/", "app/", "authorize/", "launch_pad/", "oauth/", "ops.rs", "params.rs", "error.rs", "demo/", "listener"]),
        ("axum_server", &["listener"]),
        ("age", &["backup/"]),
        ("flate2", &["backup/"]),
        ("argon2", &["password.rs"]),
        ("rsa", &["key.rs"]),
        ("lambda_runtime", &["lambda.rs", "bin/bootstrap.rs"]),
        ("dlmalloc", &["bin/bootstrap.rs"]),
        ("hyper", &["http/"]),
        ("hyper_rustls", &["http/"]),
        ("hyper_util", &["http/", "listener.rs"]),
        ("webpki_roots", &["http/"]),
        ("tower_service", &["http/"]),
        ("toml", &["config/"]),
        ("tempfile", &["demo/", "cli/"]),
        ("rpassword", &["cli/"]),
        ("rustix", &["store/", "cli/"]),
        ("fluent_bundle", &["words/"]),
        ("aws_config", &["kms.rs"]),
        ("aws_sdk_kms", &["kms.rs"]),
        ("aws_smithy_http_client", &["kms.rs"]),
    ];
    for (file, text) in sources() {
        for (name, owners) in owners {
            assert!(
                !names(&text, name) || owners.iter().any(|owner| file.starts_with(owner)),
                "src/{file} must not name {name}: that belongs to {owners:?}"
            );
        }
    }
}

#[test]
fn the_clock_and_randomness_have_one_owner_each() {
    for (file, text) in sources() {
        assert!(!text.contains("now_utc()") || file == "clock.rs", "src/{file} must not read the system clock: take `now` as an argument");
        assert!(!text.contains("SystemTime") || file == "clock.rs", "src/{file} must not read the system clock: take `now` as an argument");
        assert!(
            !text.contains("rand::fill") || ["secret.rs", "token/assertion.rs"].contains(&file.as_str()),
            "src/{file} must not ask for randomness: secret.rs does, and where there is no server, token/assertion.rs"
        );
        assert!(!text.contains("OsRng") || file == "key.rs", "src/{file} must not ask for randomness: key.rs makes keys");
    }
}

/// The layers, from the bottom: each may use those before it, and nothing of its own row but itself.
#[test]
fn nobody_uses_a_room_above_or_beside() {
    let vocabulary = ["clock", "http", "id", "scope"];
    let rooms = ["account", "authorize", "jobs", "launch_pad", "oauth", "ops", "demo", "cli"];
    let model = [
        "client", "consent", "flow", "grant", "key", "label", "launch", "metadata", "password", "person", "pkce", "redirect", "secret",
        "tenant", "audit", "words", "kms",
    ];
    for (file, text) in sources() {
        let top = file.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        let uses = |other: &str| {
            text.contains(&format!("crate::{other}::"))
                || text.contains(&format!("crate::{other};"))
                || text.contains(&format!("crate::{other},"))
        };
        let must_not = |others: &[&str], why: &str| {
            for other in others.iter().filter(|other| **other != top) {
                assert!(!uses(other), "src/{file} must not use {other}: {why}");
            }
        };
        let everything_above = ["backup", "store", "directory", "error", "params", "keys", "app", "config", "listener"];
        if vocabulary.contains(&top.as_str()) {
            must_not(&["token", "validate"], "the vocabulary imports nothing of ours");
            must_not(&model, "the vocabulary imports nothing of ours");
            must_not(&everything_above, "the vocabulary imports nothing of ours");
            must_not(&rooms, "the vocabulary imports nothing of ours");
        }
        if top == "token" || top == "validate" {
            must_not(&model, "the Lambda has no server in it");
            must_not(&everything_above, "the Lambda has no server in it");
            must_not(&rooms, "the Lambda has no server in it");
        }
        if top == "token" {
            must_not(&["validate"], "tokens know nothing of events");
        }
        if model.contains(&top.as_str()) {
            must_not(&everything_above, "the model knows nothing of how it is kept or shown");
            must_not(&rooms, "the model knows nothing of how it is kept or shown");
        }
        if top == "store" {
            must_not(&["directory", "error", "params", "keys", "app", "config", "listener"], "the store knows nothing of who asks");
            must_not(&rooms, "the store knows nothing of who asks");
        }
        if top == "directory" {
            must_not(&["error", "params", "app", "config", "listener"], "the directory knows nothing of who asks");
            must_not(&rooms, "the directory knows nothing of who asks");
        }
        if ["account", "authorize", "jobs", "launch_pad", "oauth", "ops"].contains(&top.as_str()) {
            must_not(&rooms, "the rooms do not know one another");
        }
        if top == "demo" {
            must_not(&["account", "authorize", "launch_pad", "oauth", "ops", "cli"], "the demo uses the server as a whole");
        }
    }
}

/// House rule 3 of SQL: static strings. What is made at run time is made of the catalogue's names, or is a migration.
#[test]
fn sql_is_made_at_run_time_in_three_places() {
    // Whole tables by their names, migrations by their database, and a pragma, which takes no parameters.
    let places = ["store/catalogue.rs", "store/migrate.rs", "store/writer/writing.rs"];
    for (file, text) in sources() {
        assert!(
            !text.contains("AssertSqlSafe") || places.contains(&file.as_str()),
            "src/{file} must not make SQL at run time: it is a static string beside its function"
        );
    }
}

#[test]
fn features_are_chosen_in_one_place() {
    for (file, text) in sources() {
        assert!(!text.contains("cfg(feature") || file == "lib.rs", "src/{file} must not choose features: lib.rs does");
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (file, _) in sources() {
        let lines = fs::read_to_string(root.join(&file)).expect("a source file").lines().count();
        assert!(lines <= 400, "src/{file} has {lines} lines: a noun inside wants its own file");
    }
}

/// Every table carries the tenant, and every statement names it.
#[test]
fn every_statement_names_the_tenant() {
    for (file, _) in sources().into_iter().filter(|(file, _)| file.starts_with("store/")) {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&file)).expect("a source file");
        let plain = text.split("let statement = \"").skip(1).filter_map(|rest| rest.split("\";").next());
        // A macro that holds the columns gets the rest, the tenant among it, as arguments.
        let by_macro = text.split("let statement = select!(").skip(1).filter_map(|rest| rest.split(");").next());
        for statement in plain.chain(by_macro) {
            assert!(statement.contains("tenant"), "src/{file}: this statement does not name the tenant: {statement}");
        }
    }
}
