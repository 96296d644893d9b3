//! A whole measurement: everybody starts in turn, then everybody answers in turn, several times.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use admit::token::Algorithm;
use serde_json::Value;

use crate::candidate::{self, Candidate, Kind};
use crate::endpoint::{Endpoint, Endpoints};
use crate::issuer::Issuer;
use crate::options::Options;
use crate::process::Process;
use crate::report::{Report, Row, Start, Warm};
use crate::service::Service;

/// What a function is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Es256,
    Rs256,
    /// RS256, with a signature that is not the payload's.
    Forged,
}

impl Event {
    pub const ALL: [Self; 3] = [Self::Es256, Self::Rs256, Self::Forged];

    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Forged => "forged RS256",
        }
    }
}

/// What everybody shares.
struct Stage {
    issuer: Issuer,
    endpoints: Endpoints,
    folder: tempfile::TempDir,
}

/// A function that runs, and the service that it serves.
struct Running {
    service: Service,
    process: Process,
}

/// Measures what was asked for.
pub fn run(options: &Options) -> Result<Report, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let issuer = Issuer::new()?;
    let endpoints = Endpoints::start(&issuer.jwks, folder.path())?;
    let candidates = candidate::all(options, &issuer.jwks, &endpoints)?;
    let stage = Stage { issuer, endpoints, folder };
    let mut rows = candidates.iter().map(Row::new).collect::<Vec<_>>();
    let mut in_turn = |what: &str, times: u16, step: &dyn Fn(&Candidate, &mut Row) -> Result<(), String>| {
        for time in 1..=times {
            if time == 1 || time == times {
                eprintln!("{what} {time} of {times} …");
            }
            for (candidate, row) in candidates.iter().zip(&mut rows) {
                step(candidate, row).map_err(|why| format!("{}, keys {}: {why}\n{}", row.name, row.keys, stage.last_of_log()))?;
            }
        }
        Ok::<_, String>(())
    };
    in_turn("start", options.starts, &|candidate, row| {
        row.starts.push(stage.start(candidate)?);
        Ok(())
    })?;
    in_turn("warm run", options.runs, &|candidate, row| stage.warm(candidate, options.events / candidate.share(), row))?;
    Ok(Report { starts: options.starts, events: options.events, runs: options.runs, rows })
}

impl Stage {
    fn function(&self, candidate: &Candidate) -> Result<Running, String> {
        let service = Service::new()?;
        let mut command = candidate.command(&service.address()?.to_string(), &self.log())?;
        Ok(Running { service, process: Process::start(&mut command)? })
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn last_of_log(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }

    /// From the start of the process to its first answer, and the endpoint's part of it.
    fn start(&self, candidate: &Candidate) -> Result<Start, String> {
        let work = || candidate.endpoint(&self.endpoints).map(Endpoint::work).unwrap_or_default();
        let (event, before) = (self.event(Event::Rs256)?, work());
        let mut function = self.function(candidate)?;
        let (answer, end) = function.service.ask(&event).map(|answer| (answer.body, answer.at))?;
        expect(&answer, true)?;
        Ok(Start { whole: end - function.process.begin, endpoint: work().saturating_sub(before) })
    }

    /// So many events of each kind.
    fn warm(&self, candidate: &Candidate, count: u32, row: &mut Row) -> Result<(), String> {
        let mut function = self.function(candidate)?;
        // The handler in Python reads RS256 alone, as the usual ones do.
        for kind in Event::ALL.into_iter().filter(|kind| candidate.kind != Kind::Python || *kind != Event::Es256) {
            let event = self.event(kind)?;
            for _ in 0..count / 10 {
                function.ask(&event, kind)?;
            }
            let before = function.process.cpu()?;
            let mut times = (0..count).map(|_| function.ask(&event, kind)).collect::<Result<Vec<_>, _>>()?;
            let cpu = function.process.cpu()?.saturating_sub(before) / count.max(1);
            times.sort_unstable();
            let percentile = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
            row.warm.push((kind, Warm { p50: percentile(50), p99: percentile(99), cpu }));
        }
        row.peak_mb = row.peak_mb.max(function.process.peak_mb()?);
        Ok(())
    }

    fn event(&self, kind: Event) -> Result<Vec<u8>, String> {
        match kind {
            Event::Es256 => self.issuer.event(Algorithm::Es256),
            Event::Rs256 => self.issuer.event(Algorithm::Rs256),
            Event::Forged => Issuer::forged(&self.issuer.event(Algorithm::Rs256)?),
        }
    }
}

impl Running {
    /// How long one answer takes, which has to be the right one.
    fn ask(&mut self, event: &[u8], kind: Event) -> Result<Duration, String> {
        let answer = self.service.ask(event)?;
        expect(&answer.body, kind != Event::Forged)?;
        Ok(answer.took)
    }
}

fn expect(answer: &[u8], is_authorized: bool) -> Result<(), String> {
    let value: Value = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    let expected = if is_authorized { "true" } else { "false" };
    let said = &value["authPayload"]["isAuthorized"];
    if said == expected { Ok(()) } else { Err(format!("isAuthorized is {said}, not {expected}: {value}")) }
}

/// How many bytes a file has.
pub fn bytes(file: &Path) -> Option<u64> {
    fs::metadata(file).ok().map(|data| data.len())
}
