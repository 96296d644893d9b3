//! `docs/conformance.md` names tests that exist, and leaves no row without one or without a reason.

use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENT: &str = include_str!("../../docs/conformance.md");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of every table but their heads: the cells, trimmed.
fn rows() -> Vec<Vec<&'static str>> {
    let lines: Vec<&str> = DOCUMENT.lines().chain([""]).collect();
    let is_row = |pair: &&[&str]| pair[0].starts_with('|') && !pair.iter().any(|line| line.starts_with("|---"));
    let cells = |pair: &[&'static str]| pair[0].trim_matches('|').split('|').map(str::trim).collect();
    lines.windows(2).filter(is_row).map(cells).collect()
}

/// What stands between backticks.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Whether a span says where a test is, rather than quoting a standard.
fn is_test(span: &str) -> bool {
    span.contains("::") || span.starts_with("browser/")
}

/// The text in which a test of `src` or of the browser has to stand, and how it begins there.
fn place(span: &str) -> (PathBuf, String) {
    if let Some((file, title)) = span.strip_prefix("browser/").and_then(|rest| rest.split_once(": ")) {
        return (root().join(format!("tests/browser/{file}.test.mjs")), format!("test('{title}"));
    }
    let (module, name) = span.rsplit_once("::").expect("a module and a function");
    (root().join(format!("{}.rs", module.replace("::", "/"))), format!("fn {name}("))
}

/// Every test of this binary, by its path.
fn own_tests() -> Vec<String> {
    let program = std::env::current_exe().expect("this binary");
    let listed = std::process::Command::new(program).arg("--list").output().expect("the list of its tests");
    let text = String::from_utf8(listed.stdout).expect("UTF-8");
    text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

#[test]
fn every_test_that_the_document_names_is_there() {
    let own = own_tests();
    let mut count = 0;
    // The three examples of how a test is written name none.
    for span in spans(DOCUMENT).filter(|span| is_test(span) && !span.ends_with('…')) {
        count += 1;
        if !span.starts_with("src::") && !span.starts_with("browser/") {
            assert!(own.iter().any(|test| test == span), "docs/conformance.md names {span}, which is no test");
            continue;
        }
        let (file, wanted) = place(span);
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{span}: {}: {error}", file.display()));
        assert!(text.contains(&wanted), "docs/conformance.md names {span}, which is not in {}", file.display());
    }
    assert!(count > 200, "only {count} were found: the document is written in another way");
}

#[test]
fn every_row_is_shown_or_says_why_it_is_absent() {
    let mut count = 0;
    for cells in rows() {
        let shown = cells.last().expect("a cell");
        let points_elsewhere = shown.starts_with("see ");
        let is_absent = shown.strip_prefix("Absent: ").is_some_and(|why| why.len() > 1);
        assert!(spans(shown).any(is_test) || is_absent || points_elsewhere, "docs/conformance.md shows nothing for {cells:?}");
        count += 1;
    }
    assert!(count > 150, "only {count} rows were found");
}
