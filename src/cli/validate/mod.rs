//! `admit validate`: the decision that HealthLake would get, and why.

mod advice;
mod trusted;

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::output::{note, print_json, print_lines, visible};
use super::{Failure, input};
use crate::clock::Clock;
use crate::config::Config;
use crate::validate::{BearerToken, Decision, Event, Refusal, Step, Validator};
use advice::advice;
use trusted::{Judge, Trusted};

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Validate {
    #[command(flatten)]
    question: Question,
    #[command(flatten)]
    trusted: Trusted,
    /// Decide as if it were this time, such as 2026-11-22T12:00:00Z; the keys, and what was revoked, are those of now
    /// [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<OffsetDateTime>,
    /// Show each check with ✔ or ✘, and what it found; it quotes the token's claims
    #[arg(long)]
    explain: bool,
    /// Answer `isAuthorized` as a boolean instead of a string
    #[arg(long)]
    boolean: bool,
    /// Print JSON with --explain too; without, the answer is JSON anyway
    #[arg(long)]
    json: bool,
}

/// What is to be decided on.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Question {
    /// The token: in a file, on standard input (-), or itself, which shows it in the process list
    #[arg(long, value_name = "@FILE|-|TOKEN")]
    token: Option<String>,
    /// HealthLake's event, as JSON, in a file or on standard input (-); API Gateway's are not read
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  admit validate --token @token.txt --explain                 beside the server, as it would decide
  admit validate --token - --explain --issuer https://auth.example.org \\
    --jwks https://auth.example.org/.well-known/jwks.json --datastore https://fhir.example.org/r4/
  admit validate --event event.json --issuer https://auth.example.org --jwks jwks.json \\
    --role-arn arn:aws:iam::123456789012:role/smart
  admit validate --event event.json --trust trust.json --explain
  admit validate --event event.json --environment             with the function's own variables

Whom to believe is said by --issuer and --jwks, by --trust, by --environment, or else by the
server's database, variables and settings file (--config).
Exit codes: 0 let in, 1 refused, 2 wrong usage or settings, 3 no such file, 5 database unavailable";

impl Validate {
    /// Whether it decides as the server would, of which the variables say what it is like.
    pub(super) fn stands_in_for_the_server(&self) -> bool {
        self.trusted.is_the_servers()
    }

    /// Whether it decides as the Lambda function would that has these variables.
    pub(super) fn stands_in_for_the_function(&self) -> bool {
        self.trusted.environment
    }

    /// What is asked, as HealthLake would ask it.
    fn event(&self, validator: &Validator) -> Result<Value, Failure> {
        if let Some(path) = &self.question.event {
            return serde_json::from_slice(&input::read(path)?).map_err(|error| {
                Failure::usage(format!(
                    "the event {} is not JSON: {error}. HealthLake sends {}",
                    path.display(),
                    r#"{"datastoreEndpoint":"https://…","operationName":"ReadResource","bearerToken":"…"}"#
                ))
            });
        }
        let token = input::token(self.question.token.as_deref().unwrap_or("-"))?;
        let endpoint = match (self.trusted.datastores.as_slice(), validator.datastores().as_slice()) {
            ([asked], _) => asked.clone(),
            ([], [only]) => (*only).to_owned(),
            ([], []) => return Err(Failure::usage("say which data store the token is to open: --datastore URL")),
            ([], several) => {
                return Err(Failure::usage(format!("say which data store the token is to open: --datastore {}", several.join(" or "))));
            }
            _ => return Err(Failure::usage("a token is tried at one data store at a time: give one --datastore, or an --event")),
        };
        Ok(json!({ "datastoreEndpoint": endpoint, "operationName": "ReadResource", "bearerToken": token }))
    }

    /// Whether the token is let in; the answer is printed.
    async fn answer(self, config: Config) -> Result<bool, Failure> {
        if self.question.event.is_some() && !self.trusted.datastores.is_empty() && !self.trusted.is_said_by_flags() {
            return Err(Failure::usage(
                "the event says which data store is asked for, and the settings which are served: leave out --datastore",
            ));
        }
        let now = self.at.unwrap_or_else(|| Clock::System.now());
        let judge = self.trusted.judge(config, self.boolean).await?;
        let event = self.event(&judge.validator)?;
        let (checks, decision) = look(&judge, &event, now).await?;
        let has_role = !matches!(&decision, Decision::Allow(allowed) if allowed.role.is_none());
        if !has_role {
            const MISSING: &str = "no role is given, and HealthLake lets nobody in without one: --role-arn ARN";
            if !self.explain {
                return Err(Failure::usage(format!("the token is good, but {MISSING}. The checks alone: --explain")));
            }
            note(&format!("Note: {MISSING}"));
        }
        let advice = refusal(&decision).and_then(|why| advice(why, self.trusted.takes_the_servers_issuer()));
        let answer = has_role.then(|| decision.to_json(judge.validator.answers_with_boolean()));
        match (self.explain, self.json) {
            (false, _) => print_json(&answer)?,
            (true, true) => print_json(&as_json(&checks, &decision, advice, answer.as_ref()))?,
            (true, false) => print_lines(&as_lines(&checks, &decision, advice))?,
        }
        Ok(decision.is_allowed())
    }
}

pub(super) async fn run(config: Config, asked: Validate) -> Result<(), Failure> {
    if asked.answer(config).await.map_err(Failure::instead_of_an_answer)? { Ok(()) } else { Err(Failure::refused()) }
}

fn time(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "it must be a time such as 2026-11-22T12:00:00Z".to_owned())
}

/// The checks that were made, and the decision.
async fn look(judge: &Judge, event: &Value, now: OffsetDateTime) -> Result<(Vec<Step>, Decision), Failure> {
    let event = match Event::read(event) {
        Ok(event) => event,
        Err(why) => {
            let step = Step { name: "event", refusal: Some(why), found: why.to_string() };
            return Ok((vec![step], Decision::Refuse(why.into())));
        }
    };
    let (mut checks, decision) = judge.validator.explain(&event.datastore_endpoint, &event.bearer_token, now).await;
    let decision = judge.ask_the_store(decision, &mut checks).await?;
    if let Decision::Allow(allowed) = &decision
        && let Some(role) = &allowed.role
    {
        checks.push(Step { name: "role", refusal: None, found: role.clone() });
    }
    Ok((checks, decision))
}

/// What a validator finds in this token, check by check, and whether it lets it in.
pub(super) async fn opinion(validator: &Validator, datastore: &str, token: &BearerToken, now: OffsetDateTime) -> (Vec<String>, bool) {
    let (checks, decision) = validator.explain(datastore, token, now).await;
    let advice = refusal(&decision).and_then(|why| advice(why, false));
    (as_lines(&checks, &decision, advice), decision.is_allowed())
}

fn refusal(decision: &Decision) -> Option<Refusal> {
    match decision {
        Decision::Allow(_) => None,
        Decision::Refuse(refused) => Some(refused.why),
    }
}

fn as_lines(checks: &[Step], decision: &Decision, advice: Option<&str>) -> Vec<String> {
    let mark = |step: &Step| if step.is_good() { '✔' } else { '✘' };
    let mut lines: Vec<String> = checks.iter().map(|step| format!("{} {}: {}", mark(step), step.name, visible(&step.found))).collect();
    lines.push(String::new());
    match refusal(decision) {
        None => lines.push("let in".to_owned()),
        Some(why) => {
            lines.push(format!("refused: {why}"));
            lines.extend(advice.map(str::to_owned));
        }
    }
    lines
}

fn as_json(checks: &[Step], decision: &Decision, advice: Option<&str>, answer: Option<&Value>) -> Value {
    let why = refusal(decision);
    let check =
        |step: &Step| json!({ "name": step.name, "good": step.is_good(), "reason": step.refusal.map(Refusal::code), "found": step.found });
    json!({
        "decision": if why.is_none() { "allow" } else { "refuse" },
        "reason": why.map(Refusal::code),
        "error": why.map(|why| why.to_string()),
        "advice": advice,
        "checks": checks.iter().map(check).collect::<Vec<_>>(),
        "answer": answer,
    })
}
