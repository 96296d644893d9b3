//! What a trust is set up with, as people write it down, and what is wrong with it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::introspection::{CheckedIntrospection, IntrospectionSettings, Mode};
use super::{KeySource, NoClient, Profile, Proof, Rule, Trust, Validator};
use crate::http::{is_url, may_ask};
use crate::token::Jwks;

/// What is wrong with the settings, all of it, each with its name. No value is repeated.
#[derive(Debug, Default)]
pub struct BadSettings(Vec<(String, String)>);

impl BadSettings {
    pub(super) fn one(name: &str, why: &str) -> Self {
        let mut bad = Self::default();
        bad.add(name, why);
        bad
    }

    pub(super) fn add(&mut self, name: &str, why: &str) {
        self.0.push((name.to_owned(), why.to_owned()));
    }

    pub(super) fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(|(name, why)| format!("{name} {why}")).collect();
        f.write_str(&all.join("; "))
    }
}

impl std::error::Error for BadSettings {}

/// One trust, as it stands in `trust.json` or in the environment. It may hold secrets: no `Debug`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    pub(super) issuer: String,
    pub(super) profile: String,
    /// As it was written: what is odd in it must not get lost on the way to whoever refuses it.
    #[serde(deserialize_with = "as_written")]
    pub(super) jwks: Option<String>,
    pub(super) jwks_uri: String,
    pub(super) datastores: Vec<String>,
    pub(super) audiences: Vec<String>,
    pub(super) audience_by_datastore_id: bool,
    pub(super) tenant: String,
    pub(super) clients: Vec<String>,
    pub(super) role_arn: String,
    pub(super) read_only_role_arn: String,
    pub(super) introspection: Option<IntrospectionSettings>,
}

impl Settings {
    /// What is set here, tried. `name` says what a setting is called where it was written; `needs_role` whether
    /// HealthLake is to be answered.
    pub(super) fn check(self, name: &dyn Fn(&str) -> String, needs_role: bool, bad: &mut BadSettings) -> Option<Checked> {
        let before = bad.0.len();
        let mut check = |setting: &str, why: &str, is_good: bool| {
            if !is_good {
                bad.add(&name(setting), why);
            }
        };
        let profile = if self.profile.is_empty() { Ok(Profile::Admit) } else { self.profile.parse() };
        let given = |text: String| (!text.is_empty()).then_some(text);
        let trust = Trust {
            issuer: self.issuer,
            profile: profile.unwrap_or(Profile::Admit),
            tenant: given(self.tenant),
            datastores: self.datastores,
            audiences: self.audiences,
            audience_by_id: self.audience_by_datastore_id,
            clients: self.clients,
            role: given(self.role_arn),
            read_only_role: given(self.read_only_role_arn),
        };
        check("issuer", "is missing", !trust.issuer.is_empty());
        check("profile", "is none of admit, cognito, keycloak, okta, generic", profile.is_ok());
        check("role_arn", "is missing", !needs_role || trust.role.is_some());
        for (setting, arn) in [("role_arn", &trust.role), ("read_only_role_arn", &trust.read_only_role)] {
            check(setting, "is not the ARN of an IAM role", arn.as_deref().is_none_or(is_role));
        }
        check("datastores", "has an entry that is no URL", trust.datastores.iter().all(|url| is_url(url)));
        check("clients", "is missing: tokens of this profile name no audience, so their clients have to be listed", !trust.lacks_clients());
        check("datastores", "is missing: audiences of another name have to be tied to data stores", !trust.has_loose_audiences());
        let needs_keys = !self.introspection.as_ref().is_some_and(IntrospectionSettings::is_alone);
        let has_keys = !self.jwks_uri.is_empty() || self.jwks.is_some();
        check("jwks_uri", &format!("is missing, and so is {}", name("jwks")), has_keys || !needs_keys);
        check("jwks_uri", "is not an https:// URL", self.jwks_uri.is_empty() || may_ask(&self.jwks_uri));
        let seed = match self.jwks.as_ref().map(|set| Jwks::parse(set.as_bytes())) {
            None => Jwks::default(),
            Some(Ok(keys)) => {
                check("jwks", "has no usable key", !keys.is_empty());
                keys
            }
            Some(Err(why)) => {
                check("jwks", &format!("cannot be used: {why}"), false);
                Jwks::default()
            }
        };
        let name_of_introspection = |setting: &str| name(&format!("introspection.{setting}"));
        let introspection = self.introspection.map(|own| own.check(&name_of_introspection, &trust.issuer, bad)).unwrap_or_default();
        (bad.0.len() == before).then(|| Checked { trust, seed, jwks: self.jwks, jwks_uri: given(self.jwks_uri), introspection })
    }
}

/// Settings in which nothing is wrong.
pub(super) struct Checked {
    pub(super) trust: Trust,
    seed: Jwks,
    jwks: Option<String>,
    jwks_uri: Option<String>,
    introspection: Option<CheckedIntrospection>,
}

/// Keys that there are already, with the address and the set that they come from: one issuer's keys are fetched once for
/// all its data stores.
pub(super) type KeySources = Vec<(Option<String>, Option<String>, Arc<KeySource>)>;

impl Checked {
    /// The rule that comes of it. `authorities` may have signed the certificates of whoever is asked (see [`super::Http`]).
    pub(super) fn rule(self, authorities: Option<&[u8]>, sources: &mut KeySources) -> Result<Rule, BadSettings> {
        let no_client = |why: NoClient| match why {
            NoClient::Authorities => BadSettings::one("ADMIT_CA_FILE", "holds no usable certificates"),
            NoClient::Tls => BadSettings::one("TLS", "cannot be set up"),
        };
        let known = sources.iter().find(|(uri, jwks, _)| *uri == self.jwks_uri && *jwks == self.jwks);
        let keys = match (known, &self.jwks_uri) {
            (Some((_, _, keys)), _) => Arc::clone(keys),
            (None, None) => Arc::new(KeySource::embedded(self.seed)),
            (None, Some(uri)) => Arc::new(KeySource::remote_with_authorities(uri, self.seed, authorities).map_err(no_client)?),
        };
        sources.push((self.jwks_uri, self.jwks, Arc::clone(&keys)));
        let proof = match self.introspection {
            None => Proof::Signature(keys),
            Some(introspection) => {
                let mode = introspection.mode;
                let introspector = Arc::new(introspection.introspector(authorities).map_err(no_client)?);
                match mode {
                    Mode::Only => Proof::Introspection(introspector),
                    Mode::Combined(when_unreachable) => Proof::Both { keys, introspector, when_unreachable },
                }
            }
        };
        Ok(Rule { trust: self.trust, proof })
    }
}

impl Validator {
    /// A validator as `trust.json` describes it. It may lack roles, which only HealthLake needs. `authorities` are
    /// certificates in PEM of those who may have signed the certificates of whoever is asked, beside the public ones.
    ///
    /// # Errors
    /// [`BadSettings`] names everything that is missing or cannot be used, such as `trust[0].issuer`.
    pub fn from_trust(text: &str, authorities: Option<&[u8]>) -> Result<Self, BadSettings> {
        rules("trust", text, false, authorities).map(Self::of)
    }
}

/// Several trusts, as `trust.json` has them: an array of objects. `source` is what complaints call it.
pub(super) fn rules(source: &str, text: &str, needs_role: bool, authorities: Option<&[u8]>) -> Result<Vec<Rule>, BadSettings> {
    let list: Vec<Settings> = serde_json::from_str(text).map_err(|error| BadSettings::one(source, &unreadable(&error)))?;
    let mut bad = BadSettings::default();
    if list.is_empty() {
        bad.add(source, "is empty");
    }
    let several = list.len() > 1;
    let mut all: Vec<(usize, Checked)> = Vec::new();
    for (place, settings) in list.into_iter().enumerate() {
        let name = |setting: &str| format!("{source}[{place}].{setting}");
        let Some(new) = settings.check(&name, needs_role, &mut bad) else { continue };
        if several && new.trust.datastores.is_empty() {
            bad.add(&name("datastores"), "is missing: with several trusts, each says which data stores it opens");
        }
        if let Some((earlier, _)) = all.iter().find(|(_, earlier)| hides(&earlier.trust, &new.trust)) {
            let why = format!("names a data store whose tokens {source}[{earlier}] decides on: same issuer, same tenant or any");
            bad.add(&name("datastores"), &why);
        }
        all.push((place, new));
    }
    if !bad.is_empty() {
        return Err(bad);
    }
    let mut sources = KeySources::new();
    all.into_iter().map(|(_, checked)| checked.rule(authorities, &mut sources)).collect()
}

/// What is wrong with it, and where. Values are never quoted: some of them are secrets.
fn unreadable(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let member = |prefix: &str| text.strip_prefix(prefix).and_then(|rest| rest.split('`').next());
    let what = if let Some(name) = member("unknown field `") {
        format!("there is no member {name}")
    } else if let Some(name) = member("duplicate field `") {
        format!("the member {name} stands twice")
    } else if error.is_data() {
        "a member has the wrong type".to_owned()
    } else {
        "it is not JSON".to_owned()
    };
    format!("cannot be read at line {}, column {}: {what}", error.line(), error.column())
}

fn as_written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Box<RawValue>>::deserialize(deserializer)?.map(|raw| raw.get().to_owned()))
}

/// Whether there is a data store at which no token of `later` would get past `earlier`.
fn hides(earlier: &Trust, later: &Trust) -> bool {
    earlier.issuer == later.issuer
        && (earlier.tenant.is_none() || earlier.tenant == later.tenant)
        && later.datastores.iter().any(|datastore| earlier.serves(datastore))
}

/// Whether this is the ARN of an IAM role, such as `arn:aws:iam::123456789012:role/healthlake`.
#[must_use]
pub fn is_role(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    parts.next() == Some("arn")
        && parts.next().is_some_and(|partition| partition.starts_with("aws"))
        && parts.next() == Some("iam")
        && parts.next() == Some("")
        && parts.next().is_some_and(|account| account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()))
        && parts.next().is_some_and(|name| name.strip_prefix("role/").is_some_and(|name| !name.is_empty()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn trust(changes: &Value) -> Value {
        let mut trust = json!({
            "issuer": "https://idp.test", "jwks_uri": "https://idp.test/jwks", "datastores": ["https://a.test/r4/"],
            "role_arn": "arn:aws:iam::123456789012:role/smart",
        });
        for (name, value) in changes.as_object().expect("an object") {
            trust[name] = value.clone();
        }
        trust
    }

    fn introspection(changes: &Value) -> Value {
        let mut introspection =
            json!({ "mode": "only", "endpoint": "https://idp.test/introspect", "client_id": "rs", "client_secret": "synthetic" });
        for (name, value) in changes.as_object().expect("an object") {
            introspection[name] = value.clone();
        }
        introspection
    }

    fn complaint(list: &Value) -> String {
        rules("trust", &list.to_string(), true, None).err().map(|bad| bad.to_string()).unwrap_or_default()
    }

    #[test]
    fn several_issuers_stand_side_by_side() {
        let list = json!([
            trust(&json!({ "tenant": "a" })),
            trust(&json!({ "tenant": "b" })),
            trust(&json!({ "issuer": "https://cognito.test", "profile": "cognito", "clients": ["x"] })),
            trust(&json!({ "tenant": "a", "datastores": ["https://b.test/r4/"], "introspection": introspection(&json!({})) })),
        ]);
        let rules = rules("trust", &list.to_string(), true, None).expect("good settings");
        assert_eq!(rules.len(), 4);
        assert_eq!(rules[2].trust.profile, Profile::Cognito);
        assert!(matches!((&rules[0].proof, &rules[3].proof), (Proof::Signature(_), Proof::Introspection(_))));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (list, why) in [
            (json!([]), "trust is empty"),
            (json!({}), "trust cannot be read at line 1, column 0: a member has the wrong type"),
            (json!([trust(&json!({ "rolle": "synthetic" }))]), "trust cannot be read at line 1, column 158: there is no member rolle"),
            (json!([trust(&json!({ "issuer": ["synthetic"] }))]), "trust cannot be read at line 1, column"),
            (json!([trust(&json!({ "issuer": "" }))]), "trust[0].issuer is missing"),
            (json!([trust(&json!({ "role_arn": "" }))]), "trust[0].role_arn is missing"),
            (json!([trust(&json!({})), trust(&json!({ "profile": "auth0" }))]), "trust[1].profile is none of"),
            (json!([trust(&json!({ "profile": "cognito" }))]), "trust[0].clients is missing"),
            (json!([trust(&json!({ "audiences": ["api://default"], "datastores": [] }))]), "trust[0].datastores is missing: audiences"),
            (
                json!([trust(&json!({ "datastores": [] })), trust(&json!({ "issuer": "https://b.test" }))]),
                "trust[0].datastores is missing: with several",
            ),
            (json!([trust(&json!({ "datastores": ["a.test"] }))]), "trust[0].datastores has an entry that is no URL"),
            (
                json!([trust(&json!({})), trust(&json!({ "tenant": "b" }))]),
                "trust[1].datastores names a data store whose tokens trust[0] decides on",
            ),
            (
                json!([trust(&json!({ "issuer": "" })), trust(&json!({ "tenant": "a" })), trust(&json!({ "tenant": "a" }))]),
                "trust[0].issuer is missing; trust[2].datastores names a data store whose tokens trust[1] decides on",
            ),
            (json!([trust(&json!({ "jwks": { "keys": [] } }))]), "trust[0].jwks has no usable key"),
            (json!([trust(&json!({ "jwks": [] }))]), "trust[0].jwks cannot be used"),
            (json!([trust(&json!({ "introspection": {} }))]), "trust[0].introspection.mode is missing"),
            (
                json!([trust(&json!({ "introspection": introspection(&json!({ "endpoint": "http://idp.test/" })) }))]),
                "trust[0].introspection.endpoint is not an https:// URL",
            ),
            (
                json!([trust(&json!({ "introspection": introspection(&json!({ "cache_seconds": "synthetic" })) }))]),
                "trust cannot be read at line 1, column",
            ),
        ] {
            assert!(complaint(&list).starts_with(why), "{list}: {}", complaint(&list));
            assert!(!complaint(&list).contains("synthetic"));
        }
        assert!(rules("trust", "[", true, None).is_err());
        let twice = r#"[{ "issuer": "https://a.test", "issuer": "https://b.test" }]"#;
        let complaint = rules("trust", twice, true, None).err().map(|bad| bad.to_string()).unwrap_or_default();
        assert!(complaint.ends_with("the member issuer stands twice"), "{complaint}");
    }

    /// One issuer's keys are fetched once for all its data stores; another set or another address is another source.
    #[test]
    fn trusts_in_one_issuer_share_its_keys() {
        let other = json!({ "tenant": "c", "jwks_uri": "https://idp.test/other" });
        let list = json!([trust(&json!({ "tenant": "a" })), trust(&json!({ "tenant": "b" })), trust(&other)]);
        let rules = rules("trust", &list.to_string(), true, None).expect("good settings");
        let keys = |place: usize| rules[place].proof.keys().expect("keys");
        assert!(Arc::ptr_eq(keys(0), keys(1)) && !Arc::ptr_eq(keys(0), keys(2)));
    }
}
