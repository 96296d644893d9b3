//! F-13: signing keys take over from one another every minute, under load, while verifiers keep the key set for five.

use std::collections::HashSet;

use admit::clock::Clock;
use admit::token::{Jwks, Unverified};
use admit::validate::{KeySource, Profile, Trust, Validator};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::Fault;
use crate::clock::with_clock;
use crate::support::{AppOfOurs, Installation, Kind, Plan, Server, Start, pause, tokens_of};

pub const FAULT: Fault = Fault {
    id: "F-13",
    what: "signing keys take over every 60 s while verifiers keep the key set for 300 s",
    pass: "0 verification failures",
    on: &[Kind::Sqlite, Kind::Postgres],
    run: |plan| Box::pin(run(plan)),
};

/// So long a verifier keeps the key set, in seconds: as long as it may.
const KEPT: i64 = 300;
/// Verifiers, each with a copy of another age.
const VERIFIERS: usize = 6;
/// Grants that are refreshed at each step.
const GRANTS: u64 = 4;

/// Somebody who has a copy of the key set, and asks for another when it is too old.
struct Verifier {
    validator: Validator,
    since: OffsetDateTime,
}

impl Verifier {
    async fn ask(app: &AppOfOurs, now: OffsetDateTime) -> Self {
        let keys = app.http.get("/.well-known/jwks.json", &[]).await.expect("the key set");
        let keys = Jwks::parse(keys.body.as_bytes()).expect("a key set");
        let trust = Trust::new(&app.installation.issuer, Profile::Admit, "arn:aws:iam::123456789012:role/smart");
        Self { validator: Validator::new(trust, KeySource::embedded(keys)), since: now }
    }
}

async fn run(plan: Plan) -> String {
    let installation = Installation::new(plan.store).await;
    let clock = installation.folder().join("clock");
    let set = |offset: Duration| std::fs::write(&clock, format!("{:+}", offset.whole_seconds())).expect("written");
    set(Duration::ZERO);
    // In the long form time takes its time; in the short one it goes by in steps.
    let start =
        Start { arguments: ["--key-rotation", "60s"].map(str::to_owned).to_vec(), ..plan.either(with_clock(&clock), Start::default()) };
    let instances = if plan.store == Kind::Postgres { 2 } else { 1 };
    let mut servers = Vec::new();
    for _ in 0..instances {
        servers.push(Server::start_with(&installation, start.clone()).await);
    }
    let app = installation.clients(&servers.iter().map(|server| server.port).collect::<Vec<_>>());
    let mut families = Vec::new();
    for nth in 0..GRANTS {
        let mut family = app.authorize(nth, false).await.expect("an answer");
        family.tokens.push(tokens_of(&app.redeem(&family).await.expect("an answer"), &family));
        families.push(family);
    }

    let (steps, step, wait) = plan.either((24, Duration::seconds(30), 500), (720, Duration::ZERO, 5_000));
    let mut offset = Duration::ZERO;
    let mut verifiers: Vec<Verifier> = Vec::new();
    let (mut kids, mut verified, mut alive) = (HashSet::new(), 0_u64, Vec::new());
    for nth in 0..steps {
        let now = Clock::System.now() + offset;
        for verifier in &mut verifiers {
            if now - verifier.since >= Duration::seconds(KEPT) {
                *verifier = Verifier::ask(&app, now).await;
            }
        }
        if verifiers.len() < VERIFIERS
            && (now - verifiers.last().map_or(OffsetDateTime::UNIX_EPOCH, |last| last.since)).whole_seconds() >= 50
        {
            verifiers.push(Verifier::ask(&app, now).await);
        }
        for family in &mut families {
            let reply = app.refresh(family.client, &family.latest().refresh).await.expect("an answer");
            family.tokens.push(tokens_of(&reply, family));
            let token = family.latest().access.clone();
            kids.insert(Unverified::parse(&token).expect("a token of ours").kid().to_owned());
            alive.push((Clock::System.now() + offset, token));
        }
        let now = Clock::System.now() + offset;
        alive.retain(|(issued, _)| now - *issued < Duration::minutes(9));
        for (issued, token) in &alive {
            let event = json!({ "datastoreEndpoint": format!("{}/", crate::support::FHIR_BASE), "operationName": "ReadResource", "bearerToken": token });
            for verifier in &verifiers {
                let answer = verifier.validator.answer(&event, now).await;
                let age = (now - *issued).whole_seconds();
                assert_eq!(
                    answer["authPayload"]["isAuthorized"], "true",
                    "step {nth}, a token {age} s old, a copy since {}: {answer}",
                    verifier.since
                );
                verified += 1;
            }
        }
        offset += step;
        set(offset);
        pause(wait).await;
    }
    let least = plan.either(3, 50);
    assert!(kids.len() >= least, "{} keys signed: they do not take over", kids.len());
    assert!(!installation.log().contains("panicked"), "a panic in the log");
    format!("{} keys in turn, {verified} verifications by {VERIFIERS} verifiers, 0 failures, {instances} instance(s)", kids.len())
}
