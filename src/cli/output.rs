//! What a command prints: data on stdout, as JSON or as a plain table, and messages on stderr.

use std::io::{self, Write as _};

use clap::Args;
use serde::{Serialize, Serializer};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Failure;
use crate::label::is_deceptive;

/// How data is printed.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Output {
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    json: bool,
}

/// How much of a list is shown.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Limit {
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

impl Limit {
    /// How many to ask for: one more, to know whether there is more.
    pub(super) fn asked(self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// As many as are shown; says so where there are more.
    pub(super) fn first<T>(self, mut list: Vec<T>) -> Vec<T> {
        if list.len() > self.limit as usize {
            list.truncate(self.limit as usize);
            note(&format!("these are the first {}; --limit shows more", self.limit));
        }
        list
    }
}

/// One thing, field by field, in the order in which people want to read it.
#[derive(Default)]
pub(super) struct Record(Vec<(&'static str, Value)>);

impl Record {
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    fn cell(&self, name: &str) -> String {
        self.0.iter().find(|(own, _)| *own == name).map(|(_, value)| plain(value)).unwrap_or_default()
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Output {
    /// Whether JSON was asked for.
    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// One thing: an object, or a line per field.
    pub(super) fn one(self, record: &Record) -> Result<(), Failure> {
        if self.json {
            return print_json(record);
        }
        let width = record.0.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        let lines = record.0.iter().map(|(name, value)| format!("{:width$}  {}", name.replace('_', " "), plain(value)));
        print(&lines.map(|line| line.trim_end().to_owned() + "\n").collect::<String>())
    }

    /// Several things of a kind: an array of whole objects, or a table of the columns that fit.
    pub(super) fn many(self, columns: &[&str], records: &[Record]) -> Result<(), Failure> {
        if self.json {
            return print_json(records);
        }
        if records.is_empty() {
            note("there is none yet");
            return Ok(());
        }
        let heads = columns.iter().map(|name| name.replace('_', " ").to_uppercase()).collect();
        let rows: Vec<Vec<String>> =
            std::iter::once(heads).chain(records.iter().map(|record| columns.iter().map(|name| record.cell(name)).collect())).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        };
        print(&rows.iter().map(line).collect::<String>())
    }
}

/// A value, as a person reads it. What could steer a terminal is made visible.
fn plain(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) if list.is_empty() => "-".to_owned(),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(" "),
        Value::Object(map) if map.is_empty() => "-".to_owned(),
        Value::Object(map) => map.iter().map(|(name, value)| format!("{name}: {}", plain(value))).collect::<Vec<_>>().join(", "),
        Value::Number(number) => number.to_string(),
    };
    visible(&text)
}

/// A text that somebody else wrote, on one line. What could steer a terminal, or change the direction of writing, is
/// written out.
pub(super) fn visible(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if is_deceptive(c) {
            line.extend(c.escape_unicode());
        } else {
            line.push(c);
        }
    }
    line
}

/// RFC 3339, UTC, to the second: what the store keeps.
pub(super) fn at(time: OffsetDateTime) -> Value {
    time.replace_nanosecond(0).ok().and_then(|time| time.format(&Rfc3339).ok()).into()
}

/// JSON as it is, on a line of its own.
pub(super) fn print_json<T: Serialize + ?Sized>(value: &T) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(value).map_err(|error| Failure::failed(&error))?;
    print(&(plain_json(&json) + "\n"))
}

/// The same JSON, in which nothing can steer a terminal: the serializer escapes what JSON forbids, which is less.
/// Outside of strings there is nothing to escape but line breaks, which stay.
fn plain_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if is_deceptive(c) && c != '\n' {
            // All of them are in the Basic Multilingual Plane: one escape each.
            escaped += &format!("\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Two columns, the first one as wide as it has to be.
pub(super) fn aligned(rows: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let rows: Vec<(String, String)> = rows.collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    rows.iter().map(|(name, value)| format!("  {name:width$}  {value}")).collect()
}

/// Lines for people.
pub(super) fn print_lines(lines: &[String]) -> Result<(), Failure> {
    print(&lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect::<String>())
}

/// A reader that has seen enough (`admit client list | head -1`) is no failure.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::failed(&format!("the answer cannot be written: {error}"))),
        _ => Ok(()),
    }
}

/// A message for the person, which is no data.
pub(super) fn note(text: &str) {
    // Where nobody can be told, there is nobody to tell that either.
    let _ = writeln!(io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_keeps_its_order_and_cannot_steer_the_terminal() {
        let record = Record::default().with("z", "a\u{1b}[2Jb").with("a", Value::Null).with("m", vec!["x", "y"]);
        assert_eq!(serde_json::to_string(&record).expect("JSON"), r#"{"z":"a\u001b[2Jb","a":null,"m":["x","y"]}"#);
        assert_eq!([record.cell("z"), record.cell("a"), record.cell("m")], ["a\\u{1b}[2Jb", "-", "x y"]);
    }

    /// C1 controls and bidirectional overrides are as good as an escape to some terminals, and JSON lets them stand.
    #[test]
    fn no_text_and_no_json_steers_the_terminal() {
        let text = "\u{1b}[2J\u{9b}2J\u{7f}\u{202e}\u{2066}\u{2028}\r\n";
        assert_eq!(visible(text), "\\u{1b}[2J\\u{9b}2J\\u{7f}\\u{202e}\\u{2066}\\u{2028}\\u{d}\\u{a}");
        assert_eq!(visible("Müller, 山田\u{200f}"), "Müller, 山田\u{200f}");
        let value = serde_json::json!({ text: [text, "ü"] });
        let json = plain_json(&serde_json::to_string_pretty(&value).expect("JSON"));
        assert!(!json.contains(|c| is_deceptive(c) && c != '\n') && json.contains('ü'), "{json:?}");
        assert_eq!(serde_json::from_str::<Value>(&json).expect("JSON"), value);
    }

    #[test]
    fn times_are_utc_and_whole_seconds() {
        assert_eq!(at(time::macros::datetime!(2026-11-22 01:02:03.456 UTC)), "2026-11-22T01:02:03Z");
    }
}
