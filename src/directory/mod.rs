//! Where patients are looked up: our own tables, or the FHIR server itself.
//!
//! Whoever asks here is told of those whom they may open, and of nobody else: there is no way to ask for the rest. Emergency
//! access finds one patient by what only who stands before them knows, and never a list.

mod reference;
mod remote;
mod resource;
mod server;
mod token;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

pub use reference::References;
pub use resource::{Opening, Record, care_team, encounter, patient, related_person};

use crate::audit::Origin;
use crate::http::{Http, NoClient};
use crate::id::PatientId;
use crate::keys::{KeyError, KeyRing};
use crate::person::{Encounter, FhirUser, FhirUserKind, Patient, User, comes_of_age};
use crate::store::{self, Opened, Store};
use crate::tenant::{FhirBase, PatientSource, Patients};
use remote::Remote;
use token::Tokens;

/// How long a FHIR server may take for everything that one question needs.
const DEADLINE: Duration = Duration::from_secs(5);
/// The largest page of results that is read, in bytes.
const MAX_PAGE_BYTES: usize = 4 << 20;
/// How many encounters are offered, latest first.
const MAX_ENCOUNTERS: usize = 50;
/// How many patients of a carer are looked at. Who came of age is left out of those, and must take up nobody's place.
const MAX_IN_CARE: usize = 100;
/// How many patients may answer to one name and birth date before the record number is asked for.
pub const MAX_NAMESAKES: usize = 5;

/// The patients of every FHIR base, whoever keeps them.
pub struct Directory {
    store: Store,
    keys: Arc<KeyRing>,
    issuer: String,
    http: Http,
    tokens: Tokens,
}

/// Whether somebody may open a patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// They may.
    Open(Patient),
    /// They may not.
    Closed(Why),
}

/// Why somebody may not open a patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is no such patient; the record was closed, or merged into another.
    Gone,
    /// They could while the patient was a child.
    CameOfAge,
    /// The patient is not on their panel, not in their care, and not they themselves.
    NotTheirs,
}

impl Why {
    /// In words, for the books.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "the patient's record was closed or merged into another",
            Self::CameOfAge => "the patient has come of age",
            Self::NotTheirs => "the user may not open the patient",
        }
    }
}

/// What only somebody knows who has the patient before them.
#[derive(Clone, Copy, Debug)]
pub enum Exactly<'a> {
    /// The whole medical record number.
    Mrn(&'a str),
    /// Words of the name, two at least where it has so many, and the day of birth (`YYYY-MM-DD`).
    NameAndBirth(&'a str, &'a str),
}

/// Nobody can be told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Our own store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// There is no such FHIR base any more.
    #[error("there is no such FHIR base")]
    NoBase,
    /// A token for the FHIR server could not be made.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The FHIR server does not answer, or not as a FHIR server does. The text holds nothing of what was asked or answered.
    #[error("the FHIR server cannot be asked: {0}")]
    Unavailable(String),
}

impl Directory {
    /// A directory of this issuer's patients. FHIR servers are where the administrator says, at private addresses too; their
    /// certificates are signed by the public authorities, or by one of `authorities` (PEM).
    ///
    /// # Errors
    /// [`NoClient`]
    pub fn new(store: Store, keys: Arc<KeyRing>, issuer: &str, authorities: Option<&[u8]>) -> Result<Self, NoClient> {
        let http = Http::new(authorities, DEADLINE, MAX_PAGE_BYTES)?;
        Ok(Self { store, keys, issuer: issuer.to_owned(), http, tokens: Tokens::default() })
    }

    /// The patients whom this person may open and who match what was typed; at most `limit`.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn search(&self, origin: &Origin, fhir_base: &str, who: &FhirUser, typed: &str, limit: usize) -> Result<Vec<Patient>, Error> {
        let base = self.base(origin, fhir_base).await?;
        let most = if who.kind == FhirUserKind::Practitioner { limit } else { limit.max(MAX_IN_CARE) };
        let opened = match base.patients.source {
            PatientSource::Table => self.store.patients_open_to(&origin.tenant, &base.name, who, typed, most).await?,
            PatientSource::Fhir => within(self.remote(origin, &base).search(who, typed, most)).await?,
        };
        let is_open = |opened: &Opened| !has_outgrown(&base.patients, who, opened, origin.now);
        Ok(opened.into_iter().filter(is_open).map(|opened| opened.patient).take(limit).collect())
    }

    /// The patients whom this person's apps opened last, as far as they may still open them; at most `limit`.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn recent(&self, origin: &Origin, fhir_base: &str, user: &User, limit: usize) -> Result<Vec<Patient>, Error> {
        let Some(who) = &user.fhir_user else { return Ok(Vec::new()) };
        let ids = self.store.recent_patients(&origin.tenant, fhir_base, &user.id, limit).await?;
        let asked = ids.iter().map(|id| self.access(origin, fhir_base, who, id, false));
        let answers = futures_util::future::try_join_all(asked).await?.into_iter();
        Ok(answers.filter_map(|access| if let Access::Open(patient) = access { Some(patient) } else { None }).collect())
    }

    /// Whether this person may open this patient, now. In an emergency, a clinician may open whoever is there.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn access(
        &self,
        origin: &Origin,
        fhir_base: &str,
        who: &FhirUser,
        id: &PatientId,
        is_emergency: bool,
    ) -> Result<Access, Error> {
        let base = self.base(origin, fhir_base).await?;
        if is_emergency && base.patients.has_emergency_access && who.kind == FhirUserKind::Practitioner {
            return Ok(self.patient(origin, fhir_base, id).await?.map_or(Access::Closed(Why::Gone), Access::Open));
        }
        let opened = match base.patients.source {
            PatientSource::Table => self.opened(origin, &base, who, id).await?,
            PatientSource::Fhir => within(self.remote(origin, &base).opened(who, id)).await?,
        };
        Ok(match opened {
            Ok(opened) if has_outgrown(&base.patients, who, &opened, origin.now) => Access::Closed(Why::CameOfAge),
            Ok(opened) => Access::Open(opened.patient),
            Err(why) => Access::Closed(why),
        })
    }

    /// The same from our own tables.
    async fn opened(&self, origin: &Origin, base: &FhirBase, who: &FhirUser, id: &PatientId) -> Result<Result<Opened, Why>, Error> {
        if let Some(opened) = self.store.patient_open_to(&origin.tenant, &base.name, who, id).await? {
            return Ok(Ok(opened));
        }
        Ok(match self.store.patient(&origin.tenant, &base.name, id).await? {
            None => Err(Why::Gone),
            Some(patient) if who.is_patient(id) => Ok(Opened { patient, since: None }),
            Some(_) => Err(Why::NotTheirs),
        })
    }

    /// A patient, whoever asks: for those who have chosen them already. `None` where the record is gone.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn patient(&self, origin: &Origin, fhir_base: &str, id: &PatientId) -> Result<Option<Patient>, Error> {
        let base = self.base(origin, fhir_base).await?;
        match base.patients.source {
            PatientSource::Table => Ok(self.store.patient(&origin.tenant, &base.name, id).await?),
            PatientSource::Fhir => within(self.remote(origin, &base).patient(id)).await,
        }
    }

    /// The patients who answer to this exactly, on nobody's panel perhaps; none where the FHIR base has no emergency access,
    /// or where more than [`MAX_NAMESAKES`] do.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn in_emergency(&self, origin: &Origin, fhir_base: &str, wanted: Exactly<'_>) -> Result<Vec<Patient>, Error> {
        /// How many people are born on one day, and more.
        const MOST: i64 = 1000;
        let base = self.base(origin, fhir_base).await?;
        if !base.patients.has_emergency_access {
            return Ok(Vec::new());
        }
        let (tenant, name) = (&origin.tenant, &base.name);
        let mut found = match (base.patients.source, wanted) {
            (PatientSource::Table, Exactly::Mrn(mrn)) => self.store.patients_by_mrn(tenant, name, mrn, MOST).await?,
            (PatientSource::Table, Exactly::NameAndBirth(_, born)) => self.store.patients_by_birth_date(tenant, name, born, MOST).await?,
            (PatientSource::Fhir, wanted) => within(self.remote(origin, &base).exactly(wanted)).await?,
        };
        found.retain(|patient| wanted.is(patient));
        if found.len() > MAX_NAMESAKES {
            found.clear();
        }
        Ok(found)
    }

    /// A patient's visits, latest first. The caller has made sure that the patient may be opened.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn encounters(&self, origin: &Origin, fhir_base: &str, patient: &PatientId) -> Result<Vec<Encounter>, Error> {
        let base = self.base(origin, fhir_base).await?;
        let mut found = match base.patients.source {
            PatientSource::Table => self.store.encounters(&origin.tenant, &base.name, patient, MAX_ENCOUNTERS).await?,
            PatientSource::Fhir => within(self.remote(origin, &base).encounters(patient)).await?,
        };
        found.sort_by(|a, b| b.started.cmp(&a.started).then_with(|| a.id.cmp(&b.id)));
        found.truncate(MAX_ENCOUNTERS);
        Ok(found)
    }

    /// Whose visit this is; `None` where nobody here knows it, or of whom it is.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn patient_of_encounter(&self, origin: &Origin, fhir_base: &str, encounter: &str) -> Result<Option<PatientId>, Error> {
        let base = self.base(origin, fhir_base).await?;
        match base.patients.source {
            PatientSource::Table => Ok(self.store.patient_of_encounter(&origin.tenant, &base.name, encounter).await?),
            PatientSource::Fhir => within(self.remote(origin, &base).patient_of_encounter(encounter)).await,
        }
    }

    async fn base(&self, origin: &Origin, name: &str) -> Result<FhirBase, Error> {
        let bases = self.store.known_fhir_bases(&origin.tenant, origin.now).await?;
        bases.iter().find(|base| base.name == name).cloned().ok_or(Error::NoBase)
    }

    fn remote<'a>(&'a self, origin: &'a Origin, base: &'a FhirBase) -> Remote<'a> {
        Remote { directory: self, origin, base }
    }
}

impl Exactly<'_> {
    /// Whether this is one of those who are meant.
    fn is(self, patient: &Patient) -> bool {
        // A word typed twice is one word.
        let words = |text: &str| -> BTreeSet<String> {
            text.to_lowercase().split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        match self {
            Self::Mrn(mrn) => !mrn.trim().is_empty() && patient.mrn.to_lowercase() == mrn.trim().to_lowercase(),
            Self::NameAndBirth(name, born) => {
                let (typed, own) = (words(name), words(&patient.name));
                let is_named = typed.is_subset(&own) && typed.len() >= own.len().min(2);
                is_named && !typed.is_empty() && born.len() == 10 && patient.birth_date == born
            }
        }
    }
}

/// What was given over a child ends when the child comes of age; what was given over a grown-up stays. Nobody grows out of
/// their own record, or of their doctor.
fn has_outgrown(rules: &Patients, who: &FhirUser, opened: &Opened, now: OffsetDateTime) -> bool {
    if rules.majority == 0 || who.kind == FhirUserKind::Practitioner || who.is_patient(&opened.patient.id) {
        return false;
    }
    let day = comes_of_age(&opened.patient.birth_date, rules.majority);
    day.is_some_and(|day| day <= now.date() && opened.since.is_none_or(|since| since.date() < day))
}

/// An answer in time, or none: slow pages add up.
async fn within<T>(asking: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(DEADLINE, asking).await.unwrap_or_else(|_| Err(Error::Unavailable("timeout".to_owned())))
}
