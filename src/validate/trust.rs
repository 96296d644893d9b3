//! Whom the validator believes, and for what.

use super::claims::FhirScopes;
use super::profile::Profile;

/// One issuer, the data stores that its tokens open, and the roles that they get there. The same
/// issuer may be trusted several times: for other tenants, other data stores, other roles.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The issuer, byte for byte.
    pub issuer: String,
    /// What its tokens look like.
    pub profile: Profile,
    /// The tenant whose tokens are good here; `None` where the issuer has only one.
    pub tenant: Option<String>,
    /// The data stores that are served; empty: any that a token names as its audience.
    pub datastores: Vec<String>,
    /// Audiences that are as good as the data store's own URL, for issuers that cannot be told it.
    pub audiences: Vec<String>,
    /// Whether an audience may also name the data store by its id: alone, or in another of its URLs.
    pub audience_by_id: bool,
    /// The clients whose tokens are good here; empty: all of them.
    pub clients: Vec<String>,
    /// The IAM role that the data store takes on; `None` where only API Gateway asks.
    pub role: Option<String>,
    /// Another role, for tokens that may only read.
    pub read_only_role: Option<String>,
}

impl Trust {
    /// Trust in an issuer of this profile, for every data store that its tokens name.
    #[must_use]
    pub fn new(issuer: &str, profile: Profile, role: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            profile,
            tenant: None,
            datastores: vec![],
            audiences: vec![],
            audience_by_id: false,
            clients: vec![],
            role: Some(role.to_owned()),
            read_only_role: None,
        }
    }

    /// Whether this data store is served at all. One trailing slash more or less is no difference.
    #[must_use]
    pub fn serves(&self, endpoint: &str) -> bool {
        self.datastores.is_empty() || self.datastores.iter().any(|own| same_but_for_a_slash(own, endpoint))
    }

    /// Whether this audience stands for the data store.
    #[must_use]
    pub fn is_audience(&self, audience: &str, endpoint: &str) -> bool {
        same_but_for_a_slash(audience, endpoint)
            || self.audiences.iter().any(|own| own == audience)
            || (self.audience_by_id && names_by_id(audience, endpoint))
    }

    /// Whether its tokens may name no audience, and no client is listed that would be meant instead: nothing would bind them.
    #[must_use]
    pub fn lacks_clients(&self) -> bool {
        self.profile.takes_client_for_audience() && self.clients.is_empty()
    }

    /// Whether there are audiences of other names, and no data store that they stand for: they would stand for every one.
    #[must_use]
    pub fn has_loose_audiences(&self) -> bool {
        !self.audiences.is_empty() && self.datastores.is_empty()
    }

    /// The role for a token of these scopes.
    pub(super) fn role_for(&self, scopes: &FhirScopes) -> Option<&str> {
        match &self.read_only_role {
            Some(role) if !scopes.write => Some(role),
            _ => self.role.as_deref(),
        }
    }
}

/// HealthLake prints its endpoints with a trailing slash; people register them with and without.
pub(super) fn same_but_for_a_slash(a: &str, b: &str) -> bool {
    let bare = |url| str::strip_suffix(url, "/").unwrap_or(url);
    bare(a) == bare(b)
}

/// Whether the audience is the data store's id, or a URL of the same server below
/// `/datastore/ID/`, such as one of the base paths that HealthLake has for payers.
fn names_by_id(audience: &str, endpoint: &str) -> bool {
    let Some((server, rest)) = endpoint.split_once("/datastore/") else { return false };
    let id = rest.split('/').next().unwrap_or_default();
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
    is_id && (audience == id || audience.strip_prefix(&format!("{server}/datastore/{id}")).is_some_and(|rest| rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINT: &str = "https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef0123456789abcdef/r4/";

    fn trust() -> Trust {
        Trust::new("https://idp.test", Profile::Generic, "arn:aws:iam::123456789012:role/smart")
    }

    #[test]
    fn an_audience_is_the_data_stores_url_or_a_configured_name() {
        let trust = Trust { audiences: vec!["api://default".to_owned()], ..trust() };
        for good in [ENDPOINT, ENDPOINT.trim_end_matches('/'), "api://default"] {
            assert!(trust.is_audience(good, ENDPOINT), "{good}");
        }
        for bad in
            ["", "/", "api://default/", "API://default", "0123456789abcdef0123456789abcdef", &ENDPOINT.replace("us-east-1", "us-east-2")]
        {
            assert!(!trust.is_audience(bad, ENDPOINT), "{bad}");
        }
    }

    #[test]
    fn a_data_store_may_be_named_by_its_id_where_that_is_configured() {
        let trust = Trust { audience_by_id: true, ..trust() };
        let base = "https://healthlake.us-east-1.amazonaws.com/datastore/";
        for good in ["0123456789abcdef0123456789abcdef", &format!("{base}0123456789abcdef0123456789abcdef/patientaccess/v1/r4")] {
            assert!(trust.is_audience(good, ENDPOINT), "{good}");
        }
        for bad in [
            "0123456789abcdef0123456789abcde",
            "0123456789abcdef0123456789abcdef0",
            &format!("{base}0123456789abcdef0123456789abcdef0/r4"),
            "https://evil.test/datastore/0123456789abcdef0123456789abcdef/r4/",
            "",
        ] {
            assert!(!trust.is_audience(bad, ENDPOINT), "{bad}");
        }
        assert!(!trust.is_audience("r4", "https://fhir.test/r4/"));
        assert!(!trust.is_audience("", "https://fhir.test/datastore//r4/"));
    }
}
