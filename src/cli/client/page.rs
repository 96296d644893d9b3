//! What people come to see of an app, when they are asked about it, and how it is opened: flags of `create` and `update`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::cli::Failure;
use crate::client::{Asking, Client};
use crate::label;
use crate::store::{ClientPage, Logo};
use crate::tenant::SMART_VERSIONS;

/// The largest picture, in bytes.
const MAX_LOGO: usize = 64 * 1024;

#[derive(Args)]
pub(super) struct Page {
    /// Who made it, as people see it
    #[arg(long, value_name = "NAME", value_parser = label::name)]
    developer: Option<String>,
    /// Its web site
    #[arg(long, value_name = "URL", value_parser = label::link)]
    website: Option<String>,
    /// Where its maker says what becomes of the data
    #[arg(long, value_name = "URL", value_parser = label::link)]
    policy_uri: Option<String>,
    /// Its terms of use
    #[arg(long, value_name = "URL", value_parser = label::link)]
    terms_uri: Option<String>,
    /// Whether its maker has promised to follow a code of conduct; left out: they did not answer
    #[arg(long, value_name = "ANSWER", value_parser = yes_or_no())]
    attested: Option<bool>,
    /// When clinicians are asked what it may do: each time, once a year, or never, because your organisation has decided
    #[arg(long, value_name = "WHEN", value_parser = asking(Asking::ALL))]
    consent_clinicians: Option<Asking>,
    /// When patients and those who care for them are asked: each time, or once a year
    #[arg(long, value_name = "WHEN", value_parser = asking(&[Asking::Always, Asking::Remembered]))]
    consent_patients: Option<Asking>,
    /// Where an EHR, or the launch pad, opens it; it needs the scope `launch` as well
    #[arg(long, value_name = "URL", value_parser = label::link)]
    launch_uri: Option<String>,
    /// The version of SMART App Launch that it speaks, where that is not its FHIR base's
    #[arg(long, value_name = "VERSION", value_parser = SMART_VERSIONS)]
    smart_version: Option<String>,
}

/// What can be changed of a client later.
#[derive(Args)]
pub(super) struct Changes {
    /// The name that people see when they are asked to allow it
    #[arg(long, value_parser = label::name)]
    name: Option<String>,
    #[command(flatten)]
    page: Page,
    /// Whether you know who is behind it: people are warned of apps that nobody knows
    #[arg(long, value_name = "ANSWER", value_parser = yes_or_no())]
    verified: Option<bool>,
}

fn yes_or_no() -> impl TypedValueParser<Value = bool> {
    PossibleValuesParser::new(["yes", "no"]).map(|answer| answer == "yes")
}

fn asking(allowed: &'static [Asking]) -> impl TypedValueParser<Value = Asking> {
    PossibleValuesParser::new(allowed.iter().map(|asking| asking.as_str())).try_map(|text| Asking::parse(&text).ok_or("unknown time"))
}

impl Page {
    /// Writes the flags into a client that is to be registered.
    pub(super) fn describe(self, client: &mut Client) {
        client.developer = self.developer;
        client.website = self.website;
        client.policy_uri = self.policy_uri;
        client.tos_uri = self.terms_uri;
        client.attested = self.attested;
        client.asks_clinicians = self.consent_clinicians.unwrap_or(Asking::Always);
        client.asks_patients = self.consent_patients.unwrap_or(Asking::Always);
        client.launch_uri = self.launch_uri;
        client.smart_version = self.smart_version;
    }
}

impl From<Changes> for ClientPage {
    fn from(changes: Changes) -> Self {
        let Changes { name, page, verified } = changes;
        Self {
            name,
            developer: page.developer,
            website: page.website,
            policy_uri: page.policy_uri,
            tos_uri: page.terms_uri,
            attested: page.attested,
            asks_clinicians: page.consent_clinicians,
            asks_patients: page.consent_patients,
            launch_uri: page.launch_uri,
            smart_version: page.smart_version,
            is_verified: verified,
        }
    }
}

/// Reads a picture. What it is, its first bytes say: a name proves nothing, and a picture that can
/// hold a script (SVG) is none of the kinds.
pub(super) fn read_logo(path: &Path) -> Result<Logo, Failure> {
    let cannot = |error| Failure::usage(format!("{} cannot be read: {error}", path.display()));
    let mut data = Vec::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    file.take(MAX_LOGO as u64 + 1).read_to_end(&mut data).map_err(cannot)?;
    if data.len() > MAX_LOGO {
        return Err(Failure::usage(format!("a logo has at most {} KiB", MAX_LOGO / 1024)));
    }
    match kind(&data) {
        Some(kind) => Ok(Logo { kind: kind.to_owned(), data }),
        None => Err(Failure::usage(format!("{} is no PNG, JPEG or WebP picture", path.display()))),
    }
}

fn kind(data: &[u8]) -> Option<&'static str> {
    if data.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if data.starts_with(&[0xff, 0xd8, 0xff]) {
        Some("image/jpeg")
    } else if data.starts_with(b"RIFF") && data.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else {
        None
    }
}

/// `admit client set-logo`
#[derive(Args)]
pub(super) struct SetLogo {
    /// Its client_id
    pub(super) client_id: String,
    /// A PNG, JPEG or WebP picture of at most 64 KiB, best square
    pub(super) file: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_what_its_first_bytes_say() {
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n\0"), Some("image/png"));
        assert_eq!(kind(&[0xff, 0xd8, 0xff, 0xe0]), Some("image/jpeg"));
        assert_eq!(kind(b"RIFF\x10\0\0\0WEBPVP8 "), Some("image/webp"));
        for other in [&b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..], b"GIF89a", b"RIFF\x10\0\0\0WAVE", b"RIFF", b"", b"<html>"] {
            assert_eq!(kind(other), None);
        }
    }
}
