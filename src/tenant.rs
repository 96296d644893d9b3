//! One organisation: its issuer and its FHIR bases.

use serde::{Deserialize, Serialize};

use crate::id::TenantId;
use crate::scope::{Scope, ScopeSet};
use crate::token::Algorithm;

/// An issuer, and the name that stands on its pages.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its name in the store.
    pub id: TenantId,
    /// The issuer identifier (RFC 8414 §2), from the configuration and nowhere else; no trailing
    /// slash.
    pub issuer: String,
    /// The organisation, as people know it.
    pub organization: String,
    /// A banner on every page, where there is something that everybody has to know.
    pub notice: Option<String>,
}

impl Tenant {
    /// The origin of the issuer, as browsers send it.
    #[must_use]
    pub fn issuer_origin(&self) -> String {
        url::Url::parse(&self.issuer).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }
}

/// The versions of SMART App Launch that a FHIR base or an app can speak.
pub const SMART_VERSIONS: [&str; 4] = ["1.0", "2.0", "2.1", "2.2"];

/// What an app is told that asks for nothing but what [`FhirBase::understands`] denies.
pub const NOT_UNDERSTOOD: &str = "the FHIR base knows scopes of SMART v1 only, such as patient/Observation.read";

/// A FHIR server that tokens are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FhirBase {
    /// Its name among the tenant's bases; part of a URL.
    pub name: String,
    /// The `aud` of its access tokens: what its validator sees.
    pub audience: String,
    /// The URLs that apps use as `iss` and `aud`; the first one is where its resources live.
    pub public_urls: Vec<String>,
    /// `SMART_ON_FHIR` (v1 and v2 scopes) or `SMART_ON_FHIR_V1`, as HealthLake names them.
    pub strategy: Strategy,
    /// The SMART App Launch version that its discovery speaks.
    pub smart_version: String,
    /// What its access tokens are signed with.
    pub access_token_alg: Algorithm,
    /// Who runs it, for people who look for their own hospital (SMART App Launch 2.2, "User-access Brands").
    pub brand: Option<Brand>,
    /// Other FHIR endpoints that take its tokens.
    pub associated_endpoints: Vec<AssociatedEndpoint>,
    /// Where its patients are looked up, and who may open them.
    pub patients: Patients,
}

/// Where it is published who runs a FHIR base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    /// The URL of the bundle of brands.
    pub bundle: String,
    /// Which of them it is; has to be said where the bundle holds several.
    pub identifier: Option<Identifier>,
}

/// A FHIR `Identifier`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identifier {
    /// Whose numbering it is, as a URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The name or number itself.
    pub value: String,
}

/// A FHIR endpoint that takes the tokens of another one, such as one for the state of apps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssociatedEndpoint {
    /// Its URL.
    pub url: String,
    /// What it can do, in the words of SMART App Launch.
    pub capabilities: Vec<String>,
}

/// Where the patients of a FHIR base are looked up, and who may open them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patients {
    /// Who is asked.
    pub source: PatientSource,
    /// What puts a patient on a clinician's panel; any one of these is enough.
    pub panels: Vec<Panel>,
    /// Clinicians may open patients outside of their panels, for a reason that they give.
    pub has_emergency_access: bool,
    /// The age in years at which what somebody may open of a child ends; 0 where it never does.
    pub majority: u8,
}

/// Who is asked for patients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatientSource {
    /// Our own tables, which `admit patient import` fills.
    Table,
    /// The FHIR server itself.
    Fhir,
}

/// What puts a patient on a clinician's panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// The list that the administrator keeps here.
    List,
    /// `Patient.generalPractitioner` names the clinician.
    GeneralPractitioner,
    /// The clinician takes part in a CareTeam whose subject the patient is.
    CareTeam,
}

impl Default for Patients {
    fn default() -> Self {
        Self { source: PatientSource::Table, panels: vec![Panel::List], has_emergency_access: false, majority: 18 }
    }
}

impl PatientSource {
    /// As the command line and the store have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Fhir => "fhir",
        }
    }

    /// The inverse of [`PatientSource::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Table, Self::Fhir].into_iter().find(|source| source.as_str() == text)
    }
}

impl Panel {
    /// Every kind there is.
    pub const ALL: [Self; 3] = [Self::List, Self::GeneralPractitioner, Self::CareTeam];

    /// As the command line and the store have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::GeneralPractitioner => "general-practitioner",
            Self::CareTeam => "care-team",
        }
    }

    /// The inverse of [`Panel::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|panel| panel.as_str() == text)
    }
}

/// Which scopes the FHIR server understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// v1 and v2
    SmartOnFhir,
    /// v1 only
    SmartOnFhirV1,
}

impl Strategy {
    /// HealthLake's name for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SmartOnFhir => "SMART_ON_FHIR",
            Self::SmartOnFhirV1 => "SMART_ON_FHIR_V1",
        }
    }

    /// The inverse of [`Strategy::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::SmartOnFhir, Self::SmartOnFhirV1].into_iter().find(|strategy| strategy.as_str() == text)
    }
}

impl FhirBase {
    /// A FHIR server at this URL, which is its audience as well, and what is usual for the rest.
    #[must_use]
    pub fn new(name: &str, url: &str) -> Self {
        Self {
            name: name.to_owned(),
            audience: url.to_owned(),
            public_urls: vec![url.to_owned()],
            strategy: Strategy::SmartOnFhir,
            smart_version: "2.2".to_owned(),
            access_token_alg: Algorithm::Es256,
            brand: None,
            associated_endpoints: vec![],
            patients: Patients::default(),
        }
    }

    /// Whether an app that says `aud` means this base. One trailing slash more or less is no
    /// difference; everything else is.
    #[must_use]
    pub fn is_meant_by(&self, aud: &str) -> bool {
        self.public_urls.iter().any(|url| without_slash(url) == without_slash(aud))
    }

    /// Whether its server knows what this scope means: v1 has words for resources, and neither letters nor queries.
    #[must_use]
    pub fn understands(&self, scope: &Scope) -> bool {
        match (self.strategy, scope) {
            (Strategy::SmartOnFhirV1, Scope::Resource(resource)) => resource.access.is_v1(),
            _ => true,
        }
    }

    /// What of these scopes its server knows.
    #[must_use]
    pub fn understood(&self, scopes: &ScopeSet) -> ScopeSet {
        scopes.filtered(|scope| self.understands(scope))
    }

    /// Where a resource such as `Practitioner/a` lives: an absolute URL.
    #[must_use]
    pub fn url_of(&self, reference: &str) -> String {
        format!("{}/{reference}", without_slash(self.public_url()))
    }

    /// The URL that apps are told of, as it was registered.
    #[must_use]
    pub fn public_url(&self) -> &str {
        self.public_urls.first().unwrap_or(&self.audience)
    }

    /// The reference to a resource of this base, relative to it; one that leads elsewhere stays as
    /// it is.
    #[must_use]
    pub fn relative<'r>(&self, reference: &'r str) -> &'r str {
        let below = |url: &String| reference.strip_prefix(without_slash(url))?.strip_prefix('/');
        self.public_urls.iter().find_map(below).unwrap_or(reference)
    }
}

fn without_slash(url: &str) -> &str {
    url.strip_suffix('/').unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SL-02: one trailing slash is tolerated, nothing else.
    #[test]
    fn an_audience_may_differ_by_one_trailing_slash_only() {
        let base = FhirBase { audience: "https://store.test/r4/".to_owned(), ..FhirBase::new("main", "https://fhir.test/r4") };
        assert!(base.is_meant_by("https://fhir.test/r4") && base.is_meant_by("https://fhir.test/r4/"));
        for other in [
            "https://fhir.test/r4//",
            "https://FHIR.test/r4",
            "https://fhir.test/R4",
            "https://fhir.test:443/r4",
            "https://fhir.test/r4?x=1",
            "https://store.test/r4/",
            "",
        ] {
            assert!(!base.is_meant_by(other), "{other}");
        }
        assert_eq!(base.url_of("Patient/1"), "https://fhir.test/r4/Patient/1");
    }
}
