//! Reads a file of FHIR R4 resources as a whole before anything of it counts: NDJSON, or one JSON
//! document that is a resource, an array of them, or a Bundle.

use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;

use serde_json::Value;
use time::Date;

use crate::directory::{self, Opening, Record, References};
use crate::id::PatientId;
use crate::person::Encounter;
use crate::store::{ImportedPatient, Opener};

/// What a file says.
#[derive(Default)]
pub(super) struct Harvest {
    pub(super) patients: Vec<ImportedPatient>,
    /// Who may open patients who are not in the file.
    pub(super) elsewhere: Vec<Opening>,
    /// Visits, and whose they are.
    pub(super) encounters: Vec<(PatientId, Encounter)>,
    /// References that lead to another server, to nothing, or to somebody who cannot sign in.
    pub(super) lost: usize,
    /// Resources that say nothing about this, by type.
    pub(super) ignored: BTreeMap<String, usize>,
    openings: Vec<Opening>,
    places: HashMap<String, usize>,
}

/// Why a file cannot be taken, and in which line.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadFile {
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error("line {line}: {why}")]
    Line { line: usize, why: String },
    #[error("there is no resource in it")]
    Empty,
}

impl Harvest {
    /// Reads everything.
    pub(super) fn read(mut input: impl BufRead, bases: &[String], today: Date) -> Result<Self, BadFile> {
        let mut harvest = Self::default();
        let (mut bytes, mut number, mut count) = (Vec::new(), 0, 0);
        loop {
            bytes.clear();
            if input.read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            number += 1;
            let line = bytes.strip_prefix(b"\xef\xbb\xbf").filter(|_| number == 1).unwrap_or(&bytes);
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let value = match serde_json::from_slice(line) {
                Err(error) if error.is_eof() && count == 0 => {
                    // The first line is only the beginning: one document over several lines.
                    let mut whole = line.to_vec();
                    input.read_to_end(&mut whole)?;
                    let value = serde_json::from_slice(&whole).map_err(|error| not_json(number - 1 + error.line(), &error))?;
                    harvest.take(&value, bases, today).map_err(|why| BadFile::Line { line: number, why })?;
                    count += 1;
                    break;
                }
                parsed => parsed.map_err(|error| not_json(number, &error))?,
            };
            harvest.take(&value, bases, today).map_err(|why| BadFile::Line { line: number, why })?;
            count += 1;
        }
        if count == 0 {
            return Err(BadFile::Empty);
        }
        harvest.settle();
        Ok(harvest)
    }

    /// A resource, or several: an array, or a Bundle. The text says which, and what is wrong with it.
    fn take(&mut self, value: &Value, bases: &[String], today: Date) -> Result<(), String> {
        let mut references = References::to(bases);
        let kind = |resource: &Value| resource.get("resourceType").and_then(Value::as_str).map(str::to_owned);
        let resources: Vec<(usize, &Value)> = match value {
            Value::Array(resources) => resources.iter().enumerate().collect(),
            bundle if kind(bundle).as_deref() == Some("Bundle") => {
                let entries = bundle.get("entry").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                let entries = entries.iter().enumerate().filter_map(|(place, entry)| Some((place, entry, entry.get("resource")?)));
                let full_url = |entry: &Value| entry.get("fullUrl").and_then(Value::as_str).map(str::to_owned);
                for (_, entry, resource) in entries.clone() {
                    if let (Some(url), Some(kind), Some(id)) = (full_url(entry), kind(resource), resource.get("id").and_then(Value::as_str))
                    {
                        references.full_urls.insert(url, format!("{kind}/{id}"));
                    }
                }
                entries.map(|(place, _, resource)| (place, resource)).collect()
            }
            resource => return self.take_one(resource, kind(resource), &references, today),
        };
        for (place, resource) in resources {
            self.take_one(resource, kind(resource), &references, today).map_err(|why| format!("entry {}: {why}", place + 1))?;
        }
        Ok(())
    }

    fn take_one(&mut self, value: &Value, kind: Option<String>, references: &References<'_>, today: Date) -> Result<(), String> {
        let kind = kind.ok_or("it is no FHIR resource: it has no resourceType")?;
        let in_kind = |why: String| format!("{kind}: {why}");
        match kind.as_str() {
            "Patient" => {
                let (record, lost) = directory::patient(value, references).map_err(in_kind)?;
                self.lost += lost;
                let Record { patient, is_inactive, practitioners } = record;
                let id = patient.id.to_string();
                if self.places.insert(id.clone(), self.patients.len()).is_some() {
                    return Err(format!("Patient/{id} stands in the file twice"));
                }
                let opened_by = practitioners.into_iter().map(|who| Opener { who: who.to_string(), since: None }).collect();
                self.patients.push(ImportedPatient { patient, is_inactive, opened_by });
            }
            "RelatedPerson" => {
                let (opening, lost) = directory::related_person(value, references, today).map_err(in_kind)?;
                self.lost += lost;
                self.openings.extend(opening);
            }
            "CareTeam" => {
                let (openings, lost) = directory::care_team(value, references, today).map_err(in_kind)?;
                self.lost += lost;
                self.openings.extend(openings);
            }
            "Encounter" => {
                let (visit, lost) = directory::encounter(value, references).map_err(in_kind)?;
                self.lost += lost;
                self.encounters.extend(visit);
            }
            _ => *self.ignored.entry(kind).or_default() += 1,
        }
        Ok(())
    }

    /// Gives everybody who may open a patient of the file to that patient.
    fn settle(&mut self) {
        for opening in std::mem::take(&mut self.openings) {
            match self.places.get(opening.patient.as_str()) {
                Some(place) => self.patients[*place].opened_by.push(opener(&opening)),
                None => self.elsewhere.push(opening),
            }
        }
        for patient in &mut self.patients {
            patient.opened_by.sort_unstable();
            patient.opened_by.dedup_by(|a, b| a.who == b.who);
        }
    }
}

pub(super) fn opener(opening: &Opening) -> Opener {
    Opener { who: opening.who.to_string(), since: opening.since.map(|day| day.midnight().assume_utc()) }
}

fn not_json(line: usize, error: &serde_json::Error) -> BadFile {
    // The library counts lines from what it was given; ours is the line of the file.
    let why = error.to_string();
    let why = why.split(" at line ").next().unwrap_or_default();
    BadFile::Line { line, why: format!("it is not JSON ({why}, at character {})", error.column()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Harvest, String> {
        Harvest::read(text.as_bytes(), &[], time::macros::date!(2026 - 11 - 22)).map_err(|bad| bad.to_string())
    }

    const PATIENT: &str = r#"{"resourceType":"Patient","id":"p1"}"#;
    const CARER: &str = r#"{"resourceType":"RelatedPerson","id":"r1","patient":{"reference":"Patient/p1"}}"#;

    #[test]
    fn lines_an_array_and_a_bundle_say_the_same() {
        let bundle = format!(
            "{{\n\"resourceType\": \"Bundle\", \"entry\": [\n{{\"fullUrl\": \"urn:uuid:1\", \"resource\": {PATIENT}}}, {{\"resource\": {}}}]}}\n",
            CARER.replace("Patient/p1", "urn:uuid:1")
        );
        for text in [format!("{CARER}\n\n{PATIENT}\r\n"), format!("\u{feff}[{PATIENT},\n {CARER}]"), bundle] {
            let harvest = read(&text).expect(&text);
            assert_eq!(harvest.patients.len(), 1, "{text}");
            let opened_by: Vec<&str> = harvest.patients[0].opened_by.iter().map(|opener| opener.who.as_str()).collect();
            assert_eq!(opened_by, ["RelatedPerson/r1"], "{text}");
        }
        let apart = read(CARER).expect("good lines");
        assert_eq!((apart.patients.len(), apart.elsewhere.len()), (0, 1));
    }

    #[test]
    fn a_bad_line_is_named() {
        let error = |text: &str| read(text).err().unwrap_or_default();
        assert!(error(&format!("{PATIENT}\n{{\"resourceType\":\n")).starts_with("line 2: it is not JSON"));
        assert!(error(&format!("{PATIENT}\n\n{PATIENT}")).contains("line 3: Patient/p1 stands in the file twice"));
        assert!(error("{\"a\": 1}").contains("line 1: it is no FHIR resource"));
        assert!(error("[\n{\"resourceType\": oops}]").starts_with("line 2: it is not JSON"));
        assert!(error(&format!("[{PATIENT}, 7]")).contains("entry 2"));
        assert_eq!(error("\n"), "there is no resource in it");
    }
}
