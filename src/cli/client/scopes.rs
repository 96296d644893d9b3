//! The scopes that an administrator registers, and those among them that could never be given.

use crate::client::Client;
use crate::scope::{Scope, ScopeSet};

/// An app's unknown scope is dropped; an administrator's is a mistake, and said to be one.
pub(super) fn parse(text: &str) -> Result<ScopeSet, String> {
    let known = ScopeSet::parse(text).map_err(|bad| bad.to_string())?;
    let unknown: Vec<&str> = text.split(' ').filter(|word| !word.is_empty() && word.parse::<Scope>().is_err()).collect();
    if !unknown.is_empty() {
        return Err(format!(
            "unknown: {}. A scope is openid, fhirUser, profile, launch, launch/patient, launch/encounter, offline_access, \
             online_access, or like patient/Observation.rs, user/*.read, system/*.cruds, patient/Observation.rs?category=laboratory \
             (the letters in the order of cruds; a query with letters and one type only)",
            unknown.join(" ")
        ));
    }
    if known.is_empty() { Err("it names no scope".to_owned()) } else { Ok(known) }
}

/// What is registered in vain: no grant of this client can ever give it.
pub(super) fn in_vain(client: &Client) -> Vec<String> {
    let attainable = client.attainable(&client.scopes);
    client.scopes.iter().filter(|scope| !attainable.has(scope)).map(Scope::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_scope_is_named_and_not_dropped() {
        let error = parse("openid patient/Observation.sr patient/*.rs offline").expect_err("two are unknown");
        assert!(error.starts_with("unknown: patient/Observation.sr offline."), "{error}");
        assert_eq!(parse("openid  patient/*.rs").map(|set| set.to_string()).as_deref(), Ok("openid patient/*.rs"));
        assert!(parse("").is_err() && parse(" ").is_err() && parse("openid\n").is_err());
    }
}
