//! The statements of the store, read from its text.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What opens, copies, brings up to date or restores a whole database is not for requests; what asks for the time reads no table.
const WHOLE: [&str; 11] =
    ["catalogue.rs", "check.rs", "clock.rs", "connect", "copy.rs", "migrate", "pool", "restore.rs", "snapshot.rs", "status.rs", "writer"];
/// A statement of the store, by the function that it is in.
pub struct Statement {
    pub of: String,
    pub text: String,
}

/// Every statement that stands in `src/store`, with what its macros make of it.
pub fn statements() -> Vec<Statement> {
    let mut found = Vec::new();
    let files: Vec<(String, Vec<Word>)> = sources().into_iter().map(|(file, text)| (file, words(&text))).collect();
    // A macro that holds the columns, by how many literals it is given.
    let templates: BTreeMap<usize, Vec<&str>> =
        files.iter().map(|(_, words)| after(words, "macro_rules! select")).map(|parts| (parts.len(), parts)).collect();
    for (file, words) in &files {
        let mut at = 0;
        while at < words.len() {
            let of = || format!("{file} {}", function(&words[..=at]));
            match &words[at] {
                Word::Code(code) if code.ends_with("by!(self,") => {
                    let parts = literals(&words[at + 1..], ")");
                    let (head, tail) = (parts[0], parts[parts.len() - 1]);
                    for lead in &parts[1..parts.len() - 1] {
                        let column = lead.split(' ').next().unwrap_or_default();
                        found.push(Statement { of: format!("{} by {column}", of()), text: format!("{head} and {lead}{tail}") });
                    }
                    found.push(Statement { of: of(), text: format!("{head}{tail}") });
                    at += 1; // its head is a statement by its looks
                }
                Word::Code(code) if code.ends_with("select!(") => {
                    let parts = literals(&words[at + 1..], ")");
                    let template = templates.get(&parts.len()).expect("a macro with as many places");
                    found.push(Statement { of: of(), text: template.iter().zip(parts).flat_map(|(own, part)| [*own, part]).collect() });
                }
                Word::Literal(text) if is_statement(text) && !templates.values().flatten().any(|own| own == text) => {
                    found.push(Statement { of: of(), text: text.clone() });
                }
                _ => {}
            }
            at += 1;
        }
    }
    found
}

fn is_statement(text: &str) -> bool {
    ["select ", "insert ", "update ", "delete ", "with "].iter().any(|verb| text.trim_start().starts_with(verb))
}

/// The files of the store, without tests.
fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("src/store can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut found = Vec::new();
    walk(&root, &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(&root).expect("below the store").display().to_string();
    let of_requests = |path: &&PathBuf| !name(path).ends_with("tests.rs") && !WHOLE.iter().any(|whole| name(path).starts_with(whole));
    let read = found.iter().filter(of_requests).map(|path| {
        let text = fs::read_to_string(path).expect("a source file");
        (name(path), text.split("#[cfg(test)]").next().unwrap_or_default().to_owned())
    });
    read.collect()
}

enum Word {
    /// What stands between two literals, without white space.
    Code(String),
    Literal(String),
}

fn words(text: &str) -> Vec<Word> {
    let (mut words, mut code, mut rest) = (Vec::new(), String::new(), text.chars().peekable());
    while let Some(c) = rest.next() {
        match c {
            '/' if rest.peek() == Some(&'/') => while rest.next_if(|c| *c != '\n').is_some() {},
            '\'' if rest.peek() == Some(&'"') => {
                rest.next();
            }
            '"' => {
                let mut literal = String::new();
                while let Some(c) = rest.next_if(|c| *c != '"') {
                    literal.push(c);
                    literal.extend(rest.next_if(|_| c == '\\'));
                }
                rest.next();
                words.extend([Word::Code(std::mem::take(&mut code)), Word::Literal(literal)]);
            }
            c if c.is_whitespace() => {}
            c => code.push(c),
        }
    }
    words.push(Word::Code(code));
    words
}

/// The literals up to where the code says that it is the end.
fn literals<'w>(words: &'w [Word], end: &str) -> Vec<&'w str> {
    let mut found = Vec::new();
    for word in words {
        match word {
            Word::Literal(text) => found.push(text.as_str()),
            Word::Code(code) if code.contains(end) => break,
            Word::Code(_) => {}
        }
    }
    found
}

/// The literals of a macro.
fn after<'w>(words: &'w [Word], name: &str) -> Vec<&'w str> {
    let name: String = name.split_whitespace().collect();
    let start = words.iter().position(|word| matches!(word, Word::Code(code) if code.contains(&name)));
    start.map(|start| literals(&words[start + 1..], "}")).unwrap_or_default()
}

/// The function that these words end in.
fn function(words: &[Word]) -> String {
    let code = words.iter().rev().find_map(|word| match word {
        Word::Code(code) => code.rfind("fn").filter(|at| code[at + 2..].contains(['(', '<'])).map(|at| &code[at + 2..]),
        Word::Literal(_) => None,
    });
    code.and_then(|code| code.split(['(', '<']).next()).unwrap_or("const").to_owned()
}
