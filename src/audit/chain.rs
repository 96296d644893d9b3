//! The chain: each entry's hash covers the entry before it, so that none can be changed, put in,
//! taken out or moved without every later one betraying it. Signed checkpoints say where the chain
//! stood at some moment. `docs/audit.md` defines the form, so that others can verify it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use time::macros::format_description;

use crate::clock::from_micros;
use crate::secret::Digest;
use crate::token::{Jwks, Rejection, Unverified};

/// An entry in the chain, as it is exported. Serialised without its hash it is the canonical form
/// (RFC 8785) that is hashed: names in order, no white space, and nothing that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub struct Sealed {
    /// Where the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Who gave the command, where it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// When: microseconds since 1970, exported as RFC 3339 in UTC with six digits.
    #[serde(rename = "at", serialize_with = "precise")]
    pub at_us: i64,
    /// The app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What else there is to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What happened.
    pub event: String,
    /// The grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// SHA-256 of the canonical form, base64url; none until it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// The token's own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// `success` or `refused`.
    pub outcome: String,
    /// The patient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
    /// The hash of the entry before; empty for the first one.
    pub previous: String,
    /// The request's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The place in the chain, from 1.
    pub seq: i64,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Whose chain it is.
    pub tenant: String,
    /// Who acted, or was acted upon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

fn precise<S: Serializer>(at_us: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*at_us))
}

/// RFC 3339, UTC, to the microsecond.
#[must_use]
pub fn rfc3339(at_us: i64) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    from_micros(at_us).format(form).unwrap_or_default()
}

impl Sealed {
    /// What its hash has to be, given `previous`.
    #[must_use]
    pub fn digest(&self) -> String {
        let canonical = Self { hash: None, ..self.clone() };
        Digest::of(&canonical.line()).as_str().to_owned()
    }

    /// One line of JSON.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are always JSON")
    }
}

/// The type of a checkpoint's JWS, so that it is never taken for a token.
pub const CHECKPOINT: &str = "audit-checkpoint+jwt";

/// Where the chain stood at some moment: what a checkpoint's JWS says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Whose chain.
    pub tenant: String,
    /// Its last entry.
    pub seq: i64,
    /// That entry's hash.
    pub hash: String,
    /// When this was signed, in seconds since 1970.
    pub iat: i64,
}

impl Checkpoint {
    /// Reads a compact JWS (RFC 7515 §7.1) that one of these keys has signed.
    ///
    /// # Errors
    /// [`Rejection`]
    pub fn read(jws: &str, keys: &Jwks) -> Result<Self, Rejection> {
        let unverified = Unverified::parse(jws)?;
        unverified.must_be(CHECKPOINT)?;
        let claims = unverified.verify(keys)?;
        serde_json::from_value(claims.into()).map_err(|_| Rejection::Malformed)
    }
}

/// Why the chain is not what it was. The first break is told; what follows it cannot be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// An entry is not there.
    #[error("entry {0} is missing")]
    Missing(i64),
    /// An entry is there that is not the one that was sealed.
    #[error("entry {0} is not what was sealed in this place: it, or the one before it, was changed, put in or moved")]
    Changed(i64),
    /// The entry is sound by itself, but a checkpoint says otherwise.
    #[error("a checkpoint was signed over another entry {0}: the chain was written anew")]
    Rewritten(i64),
    /// The chain is shorter than it was.
    #[error("the chain ends before entry {0}: its end was cut off")]
    CutOff(i64),
    /// A checkpoint that none of the tenant's audit keys has signed, or for another chain.
    #[error("the checkpoint at entry {0} was not signed by an audit key of this server")]
    Forged(i64),
}

impl Break {
    /// One word for it.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::Changed(_) => "changed",
            Self::Rewritten(_) => "rewritten",
            Self::CutOff(_) => "cut_off",
            Self::Forged(_) => "forged_checkpoint",
        }
    }

    /// The entry at which it shows.
    #[must_use]
    pub fn seq(self) -> i64 {
        match self {
            Self::Missing(seq) | Self::Changed(seq) | Self::Rewritten(seq) | Self::CutOff(seq) | Self::Forged(seq) => seq,
        }
    }
}

/// Goes along a chain, entry by entry.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    /// The last entry that was looked at.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
    /// What entries further on have to be.
    pins: BTreeMap<i64, String>,
}

impl Walk {
    /// Begins behind this entry.
    #[must_use]
    pub fn after(seq: i64, hash: &str) -> Self {
        Self { seq, hash: hash.to_owned(), pins: BTreeMap::new() }
    }

    /// Demands that the entry of this checkpoint is the one that it was signed over. One from
    /// before the walk's beginning cannot be compared and says nothing.
    ///
    /// # Errors
    /// [`Break::Rewritten`], where it contradicts what is known.
    pub fn pin(&mut self, checkpoint: &Checkpoint) -> Result<(), Break> {
        let known = match checkpoint.seq {
            seq if seq < self.seq => return Ok(()),
            seq if seq == self.seq => &self.hash,
            seq => self.pins.entry(seq).or_insert_with(|| checkpoint.hash.clone()),
        };
        if *known == checkpoint.hash { Ok(()) } else { Err(Break::Rewritten(checkpoint.seq)) }
    }

    /// Looks at the next entry, whose `previous` is what the entry before says.
    ///
    /// # Errors
    /// [`Break`]
    pub fn step(&mut self, entry: &Sealed) -> Result<(), Break> {
        let expected = self.seq + 1;
        if entry.seq != expected {
            return Err(Break::Missing(expected));
        }
        let digest = entry.digest();
        if entry.previous != self.hash || entry.hash.as_ref() != Some(&digest) {
            return Err(Break::Changed(expected));
        }
        if self.pins.remove(&expected).is_some_and(|pinned| pinned != digest) {
            return Err(Break::Rewritten(expected));
        }
        (self.seq, self.hash) = (expected, digest);
        Ok(())
    }

    /// Comes to an end where the chain says that it does.
    ///
    /// # Errors
    /// [`Break::CutOff`], where a checkpoint or the chain itself knows of more; [`Break::Changed`],
    /// where it ends on something else.
    pub fn end(&self, seq: i64, hash: &str) -> Result<(), Break> {
        let promised = self.pins.keys().next_back().copied().unwrap_or(0).max(seq);
        if promised > self.seq {
            return Err(Break::CutOff(self.seq + 1));
        }
        if self.hash == hash { Ok(()) } else { Err(Break::Changed(self.seq)) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn entry(seq: i64, previous: &str) -> Sealed {
        let mut entry = Sealed {
            address: None,
            agent: None,
            at_us: 1_795_348_800_000_001,
            client: Some("spa".to_owned()),
            detail: None,
            event: "login".to_owned(),
            grant: None,
            hash: None,
            jti: None,
            outcome: "success".to_owned(),
            patient: None,
            previous: previous.to_owned(),
            request_id: None,
            seq,
            session: None,
            tenant: "default".to_owned(),
            user: Some("u".to_owned()),
        };
        entry.hash = Some(entry.digest());
        entry
    }

    fn chain(length: i64) -> Vec<Sealed> {
        let mut entries: Vec<Sealed> = vec![];
        for seq in 1..=length {
            let previous = entries.last().and_then(|last| last.hash.clone()).unwrap_or_default();
            entries.push(entry(seq, &previous));
        }
        entries
    }

    fn walk(entries: &[Sealed]) -> Result<Walk, Break> {
        let mut walk = Walk::default();
        entries.iter().try_for_each(|entry| walk.step(entry))?;
        Ok(walk)
    }

    /// The definition in the documents, word for word: whoever changes the form breaks old chains.
    #[test]
    fn the_canonical_form_is_fixed() {
        let first = entry(1, "");
        let canonical = r#"{"at":"2026-11-22T12:00:00.000001Z","client":"spa","event":"login","outcome":"success","previous":"","seq":1,"tenant":"default","user":"u"}"#;
        assert_eq!(Sealed { hash: None, ..first.clone() }.line(), canonical);
        assert_eq!(first.hash.as_deref(), Some("ifHNmeGhTAtxt5m3lVtwkP48hkL4ymrBTCZpskTgDzc"));
    }

    #[test]
    fn a_chain_holds_and_its_pins_with_it() {
        let entries = chain(5);
        let mut walk = Walk::default();
        let hash = |seq: i64| entries[usize::try_from(seq - 1).expect("a place")].hash.clone().expect("sealed");
        for seq in [3, 5] {
            walk.pin(&Checkpoint { tenant: String::new(), seq, hash: hash(seq), iat: 0 }).expect("nothing known against it");
        }
        entries.iter().try_for_each(|entry| walk.step(entry)).expect("a sound chain");
        assert_eq!(walk.end(5, &hash(5)), Ok(()));
        assert_eq!(walk.end(6, "x"), Err(Break::CutOff(6)));
        assert_eq!(walk.end(5, "x"), Err(Break::Changed(5)));
        let other = Checkpoint { tenant: String::new(), seq: 5, hash: "x".to_owned(), iat: 0 };
        assert_eq!(walk.pin(&other), Err(Break::Rewritten(5)));
    }

    #[test]
    fn a_chain_that_was_written_anew_meets_its_checkpoint() {
        let mut walk = Walk::default();
        walk.pin(&Checkpoint { tenant: String::new(), seq: 2, hash: "what it was".to_owned(), iat: 0 }).expect("nothing known yet");
        let told = chain(3).iter().try_for_each(|entry| walk.step(entry));
        assert_eq!(told, Err(Break::Rewritten(2)));
    }

    fn jcs(value: &Value) -> String {
        match value {
            Value::Object(map) => {
                let sorted: BTreeMap<Vec<u16>, String> =
                    map.iter().map(|(name, value)| (name.encode_utf16().collect(), format!("{}:{}", quoted(name), jcs(value)))).collect();
                format!("{{{}}}", sorted.into_values().collect::<Vec<_>>().join(","))
            }
            Value::String(text) => quoted(text),
            other => other.to_string(),
        }
    }

    /// RFC 8785 §3.2.2.2.
    fn quoted(text: &str) -> String {
        let mut quoted = String::from('"');
        for c in text.chars() {
            match c {
                '"' => quoted.push_str("\\\""),
                '\\' => quoted.push_str("\\\\"),
                '\u{8}' => quoted.push_str("\\b"),
                '\t' => quoted.push_str("\\t"),
                '\n' => quoted.push_str("\\n"),
                '\u{c}' => quoted.push_str("\\f"),
                '\r' => quoted.push_str("\\r"),
                c if c < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => quoted.push(c),
            }
        }
        quoted + "\""
    }

    proptest! {
        /// Whatever is in an entry, a canonicaliser that knows nothing of us writes the same bytes.
        #[test]
        fn the_canonical_form_is_that_of_rfc_8785(
            texts in proptest::collection::vec(proptest::option::of(any::<String>()), 10),
            at_us in 0i64..253_402_300_799_000_000,
            seq in 1i64..9_007_199_254_740_991,
        ) {
            let text = |at: usize| texts[at].clone();
            let entry = Sealed {
                address: text(0), agent: text(1), at_us, client: text(2), detail: text(3),
                event: text(4).unwrap_or_default(), grant: text(5), hash: None, jti: text(6),
                outcome: String::new(), patient: text(7), previous: String::new(), request_id: text(8), seq,
                session: text(9), tenant: String::new(), user: None,
            };
            let line = entry.line();
            let value: Value = serde_json::from_str(&line).expect("JSON");
            prop_assert_eq!(jcs(&value), line);
        }

        /// No entry of a chain can be changed, left out, moved or put in twice without a break at
        /// that place or the next.
        #[test]
        fn no_change_goes_unnoticed(length in 2i64..12, at in 0usize..11, how in 0usize..5, text in "[a-z]{1,8}") {
            let mut entries = chain(length);
            let at = at % (entries.len() - 1);
            let original = entries.clone();
            match how {
                0 => entries[at].user = Some(format!("other {text}")),
                1 => { entries.remove(at); }
                2 => entries.swap(at, at + 1),
                3 => { let twice = entries[at].clone(); entries.insert(at, twice); }
                _ => {
                    // The cleverest: the hash is made anew as well. The next entry knows better.
                    entries[at].detail = Some(text);
                    entries[at].hash = Some(entries[at].digest());
                }
            }
            prop_assert_ne!(&entries, &original);
            let told = walk(&entries).map(|_| ()).expect_err("a break");
            let place = i64::try_from(at).expect("small") + 1;
            prop_assert!((place..=place + 1).contains(&told.seq()), "{:?} at {}", told, place);
        }
    }
}
