//! `admit audit export`: page by page, so that memory does not grow with the trail.

use std::io::Write as _;

use clap::{Args, ValueEnum};
use time::OffsetDateTime;

use super::super::Failure;
use super::super::desk::Desk;
use super::{moment, seal};
use crate::audit::fhir::audit_event;
use crate::clock::micros;

/// How many entries are in memory at a time.
const PAGE: i64 = 1000;

#[derive(Args)]
pub(super) struct Export {
    /// How entries are written
    #[arg(long, value_name = "FORMAT")]
    format: Format,
    /// From the first entry of this moment on: 2026-11-22, or 2026-11-22T12:00:00Z [default: all that are kept]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<OffsetDateTime>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// One JSON object per line, each chained to the one before: it can be verified without Admit
    Jsonl,
    /// One FHIR R4 AuditEvent per line, by the IHE profiles (BALP)
    Fhir,
}

pub(super) async fn run(desk: &Desk, asked: &Export, issuer: &str) -> Result<(), Failure> {
    desk.reads("audit export").await?;
    seal(desk).await?;
    let chain = desk.store.audit_chain(desk.tenant()).await?;
    let (mut seq, mut hash) = match asked.since {
        None => (chain.start_seq, chain.start_hash),
        Some(since) => desk.store.audit_place(desk.tenant(), micros(since)).await?,
    };
    let mut stdout = std::io::BufWriter::new(std::io::stdout().lock());
    // What is written while this runs is for the next time.
    while seq < chain.seq {
        let page = desk.store.audit_page(desk.tenant(), (seq, &hash), PAGE.min(chain.seq - seq)).await?;
        let Some(last) = page.last() else { break };
        (seq, hash) = (last.seq, last.hash.clone().unwrap_or_default());
        for entry in &page {
            let line = match asked.format {
                Format::Jsonl => entry.line(),
                Format::Fhir => audit_event(issuer, entry).to_string(),
            };
            match writeln!(stdout, "{line}") {
                // A reader that has seen enough (`| head -1`) is no failure.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
                written => written.map_err(|error| Failure::failed(&format!("the export cannot be written: {error}")))?,
            }
        }
    }
    match stdout.flush() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(&format!("the export cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}
