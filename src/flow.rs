//! One authorization request: what was asked, the facts learnt since, and so what comes next.
//!
//! ```text
//!            no session, or too old            several patients          an encounter as well              not yet approved
//! /authorize ──────────────────────▶ LogIn ──────────────────▶ PickPatient ───────────▶ PickEncounter ──────────▶ Consent ──▶ Respond
//! ```
//! An EHR launch brings user, patient and encounter along: there they are nobody's to choose. The step is derived from the facts and never stored; each page records one fact and returns.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::client::{Asking, Client};
use crate::consent::Subject;
use crate::id::{ClientId, FlowId, LaunchId, PatientId, SessionId, UserId};
use crate::launch::Launch;
use crate::person::{SignedIn, User};
use crate::pkce::Challenge;
use crate::redirect::ReturnTo;
use crate::scope::{Scope, ScopeSet};

/// How long a flow may rest, and how long it may last.
pub const IDLE_LIFE: Duration = Duration::minutes(5);
/// See [`IDLE_LIFE`].
pub const LIFE: Duration = Duration::minutes(10);

/// A valid authorization request (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1, SMART App Launch).
/// It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Who asks.
    pub client_id: ClientId,
    /// Where the answer goes.
    pub return_to: ReturnTo,
    /// What of the requested scopes the client may have at all.
    pub scopes: ScopeSet,
    /// The FHIR base that is meant; none for a plain sign-in.
    pub fhir_base: Option<String>,
    /// Absent only for a client that is exempt from PKCE.
    pub challenge: Option<Challenge>,
    /// Goes into the ID token as it came.
    pub nonce: Option<String>,
    /// What the app wants the person to do, whatever we know already.
    pub prompt: Prompt,
    /// How old the sign-in may be, in seconds.
    pub max_age: Option<i64>,
    /// Who the app thinks will sign in.
    pub login_hint: Option<String>,
    /// Which languages the person reads, best first, as far as the app knows (BCP 47, separated by spaces).
    #[serde(default)]
    pub ui_locales: Option<String>,
    /// Who has to sign in: the subject of an ID token of ours that the app still has.
    pub id_token_hint: Option<UserId>,
    /// The EHR launch that this request came of; it came of no other.
    pub launch: Option<LaunchId>,
}

/// `prompt` (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// No page may be shown.
    pub none: bool,
    /// Sign in again; also what `select_account` comes to.
    pub login: bool,
    /// Ask for consent again.
    pub consent: bool,
}

impl Prompt {
    /// `None` where the value is not one of the standard's, or contradicts itself.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut prompt = Self::default();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            match word {
                "none" => prompt.none = true,
                "login" | "select_account" => prompt.login = true,
                "consent" => prompt.consent = true,
                _ => return None,
            }
        }
        (!prompt.none || prompt == Self { none: true, ..Self::default() }).then_some(prompt)
    }
}

/// A flow and what is known of it.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its name in URLs; no secret.
    pub id: FlowId,
    /// What was asked.
    pub ask: Ask,
    /// When it began.
    pub created_at: OffsetDateTime,
    /// The sign-in that its facts belong to.
    pub session_id: Option<SessionId>,
    /// The person whom its facts belong to.
    pub user_id: Option<UserId>,
    /// The EHR launch that the request came of.
    pub launch: Option<Launch>,
    /// The patient: the one that the EHR has open, or the one that was chosen.
    pub patient_id: Option<PatientId>,
    /// Why a patient outside of the person's panel is opened.
    pub emergency_reason: Option<String>,
    /// The encounter, likewise: the bare id.
    pub encounter_id: Option<String>,
    /// The person goes on without an encounter.
    pub has_no_encounter: bool,
    /// What the person allowed.
    pub approved: Option<ScopeSet>,
    /// The answer has been sent.
    pub finished_at: Option<OffsetDateTime>,
}

/// The one thing to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The person proves who they are.
    LogIn,
    /// The person chooses a patient.
    PickPatient,
    /// The person chooses an encounter of this patient's.
    PickEncounter,
    /// The person decides.
    Consent,
    /// The app gets its answer.
    Respond,
}

impl Flow {
    /// The one thing to do next. `signed_in` is this browser's live session, whoever's it is.
    #[must_use]
    pub fn next_step(&self, signed_in: Option<&SignedIn>, client: &Client, now: OffsetDateTime) -> Step {
        let Some(signed_in) = signed_in.filter(|signed_in| self.accepts(signed_in, now)) else { return Step::LogIn };
        // Facts of one person are not facts of another who signed in meanwhile.
        let is_theirs = self.user_id.as_ref() == Some(&signed_in.user.id);
        if self.ask.scopes.need_patient() && (!is_theirs || self.patient_id.is_none()) {
            Step::PickPatient
        } else if self.ask.scopes.need_encounter() && (!is_theirs || (self.encounter_id.is_none() && !self.has_no_encounter)) {
            Step::PickEncounter
        } else if !is_theirs || (self.approved.is_none() && !self.needs_no_consent(signed_in, client)) {
            Step::Consent
        } else {
            Step::Respond
        }
    }

    /// Whether this is the person whom the request is about, signed in recently enough for what was asked.
    fn accepts(&self, signed_in: &SignedIn, now: OffsetDateTime) -> bool {
        let launched_for = self.launch.as_ref().map(|launch| &launch.user_id);
        if self.ask.id_token_hint.iter().chain(launched_for).any(|meant| *meant != signed_in.user.id) {
            return false;
        }
        // Times are kept in seconds: of two in the same one, only the sign-in for this flow is later.
        let since = signed_in.auth_time.unix_timestamp() - self.created_at.unix_timestamp();
        let since_asked = since > 0 || (since == 0 && self.session_id.as_ref() == Some(&signed_in.session_id));
        let recent = self.ask.max_age.is_none_or(|most| (now - signed_in.auth_time).whole_seconds() <= most && most > 0);
        since_asked || (recent && !self.ask.prompt.login)
    }

    /// What this person can give: in an emergency, nothing that outlasts the session.
    #[must_use]
    pub fn can_be_given_by(&self, user: &User) -> ScopeSet {
        let can_give = user.can_give(&self.ask.scopes);
        if self.emergency_reason.is_some() { can_give.filtered(|scope| *scope != Scope::OfflineAccess) } else { can_give }
    }

    /// Whether the administrator has decided for this kind of person. What an emergency opens is looked at first.
    fn needs_no_consent(&self, signed_in: &SignedIn, client: &Client) -> bool {
        self.emergency_reason.is_none() && client.asking(&signed_in.user) == Asking::PreApproved && !self.ask.prompt.consent
    }

    /// Whether what this person decides now is remembered, and what they decided before counts
    /// (unless the app wants them to be asked). Never where the answer goes to an address that other
    /// programs on the same device could answer for (RFC 8252 §8.6), and never in an emergency.
    #[must_use]
    pub fn remembers(&self, signed_in: &SignedIn, client: &Client) -> bool {
        let is_known = client.is_confidential() || self.ask.return_to.uri().as_str().starts_with("https://");
        is_known && self.emergency_reason.is_none() && client.asking(&signed_in.user) == Asking::Remembered
    }

    /// What this person's decision is about.
    #[must_use]
    pub fn subject(&self, user: &UserId) -> Subject {
        Subject {
            client_id: self.ask.client_id.clone(),
            user_id: user.clone(),
            fhir_base: self.ask.fhir_base.clone(),
            patient_id: self.patient_id.clone(),
        }
    }

    /// From here on the flow is this person's: facts of another are dropped. What the EHR has open
    /// stays what it is.
    pub fn belong_to(&mut self, signed_in: &SignedIn) {
        if self.user_id.as_ref() != Some(&signed_in.user.id) {
            self.patient_id = None;
            self.emergency_reason = None;
            self.leave_encounter();
            self.approved = None;
            self.take_from_launch();
        }
        self.user_id = Some(signed_in.user.id.clone());
        self.session_id = Some(signed_in.session_id.clone());
    }

    /// Another patient's encounter is none of this one's.
    pub fn leave_encounter(&mut self) {
        self.encounter_id = None;
        self.has_no_encounter = false;
    }

    /// Patient and encounter of the launch, whatever else was there.
    pub fn take_from_launch(&mut self) {
        let Some(launch) = &self.launch else { return };
        if launch.patient_id.is_some() {
            self.patient_id.clone_from(&launch.patient_id);
            self.encounter_id = launch.encounter_id.clone().or(self.encounter_id.take());
        }
    }

    /// When the flow ends if nothing happens from `now` on.
    #[must_use]
    pub fn expires_at(&self, now: OffsetDateTime) -> OffsetDateTime {
        (now + IDLE_LIFE).min(self.created_at + LIFE)
    }
}
