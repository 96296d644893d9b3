//! `admit token`: what a token says, without believing it.

mod content;
mod kind;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::output::{aligned, at, print_json, print_lines, visible};
use super::{Failure, input};
use crate::clock::Clock;
use content::Content;

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Tokens {
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "\
Examples:
  admit token inspect --token @token.txt
  pbpaste | admit token inspect --json
  admit validate --token @token.txt --explain     whether to believe it";

#[derive(Subcommand)]
enum Action {
    /// Show what a token says; nothing is verified, and nobody is asked
    #[command(after_help = EXAMPLES)]
    Inspect {
        /// The token: in a file, on standard input (-), or itself, which shows it in the process list
        #[arg(long, value_name = "@FILE|-|TOKEN", default_value = "-")]
        token: String,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(Tokens { action: Action::Inspect { token, json } }: &Tokens) -> Result<(), Failure> {
    let token = input::token(token)?;
    let now = Clock::System.now();
    let content =
        Content::read(&token, now.unix_timestamp()).map_err(|why| Failure::failed(&format!("this token cannot be read: {why}")))?;
    if *json { print_json(&as_json(&content)) } else { print_lines(&as_lines(&content, now.unix_timestamp())) }
}

/// The claims that are times (RFC 7519 §4.1, OpenID Connect Core §2 and §5.1), in seconds since 1970.
const TIMES: &[&str] = &["exp", "nbf", "iat", "auth_time", "updated_at"];

fn time_of(claims: &Map<String, Value>, name: &str) -> Option<OffsetDateTime> {
    claims.get(name).and_then(Value::as_i64).filter(|_| TIMES.contains(&name)).and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok())
}

fn as_json(content: &Content) -> Value {
    let no_claims = Map::new();
    let claims = content.claims.as_ref().unwrap_or(&no_claims);
    let times: Map<String, Value> = TIMES.iter().filter_map(|name| Some(((*name).to_owned(), at(time_of(claims, name)?)))).collect();
    json!({
        "verified": false,
        "kind": content.kind.as_str(),
        "header": content.header,
        "claims": content.claims,
        "times": times,
        "warnings": content.warnings,
    })
}

fn as_lines(content: &Content, now: i64) -> Vec<String> {
    let mut lines = vec![
        "NOT VERIFIED: anybody can write such a token. `admit validate --explain` says whether to believe it.".to_owned(),
        String::new(),
        format!("It looks like {}.", content.kind.describe()),
    ];
    for (title, members) in [("Header", &content.header), ("Claims", &content.claims)] {
        let Some(members) = members else { continue };
        lines.extend([String::new(), title.to_owned()]);
        lines.extend(aligned(members.iter().map(|(name, value)| {
            let when = time_of(members, name).map(|time| {
                let text = at(time);
                format!("  {} ({})", text.as_str().unwrap_or_default(), from_now(time.unix_timestamp() - now))
            });
            (visible(name), visible(&value.as_str().map_or_else(|| value.to_string(), str::to_owned)) + &when.unwrap_or_default())
        })));
    }
    if !content.warnings.is_empty() {
        lines.push(String::new());
        lines.extend(content.warnings.iter().map(|warning| format!("Warning: {}", visible(warning))));
    }
    lines
}

/// Such as `in 9 min`, `5 h ago`: as coarse as people think of it.
fn from_now(seconds: i64) -> String {
    if seconds == 0 {
        return "now".to_owned();
    }
    let length = match seconds.unsigned_abs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7_200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    };
    if seconds < 0 { format!("{length} ago") } else { format!("in {length}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_coarse() {
        for (seconds, text) in
            [(0, "now"), (1, "in 1 s"), (119, "in 119 s"), (-120, "2 min ago"), (7_200, "in 2 h"), (-400_000, "4 days ago")]
        {
            assert_eq!(from_now(seconds), text);
        }
        assert!(from_now(i64::MIN).ends_with("days ago"));
    }
}
