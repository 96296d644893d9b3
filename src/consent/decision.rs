//! Decisions that are remembered.

use time::{Duration, OffsetDateTime};

use super::offer::is_worth_something;
use crate::client::Client;
use crate::id::{ClientId, PatientId, UserId};
use crate::scope::ScopeSet;

/// For how long a decision is remembered.
pub const REMEMBERED_LIFE: Duration = Duration::days(365);

/// Whom a decision is about: one person, one app, one patient's record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// The app.
    pub client_id: ClientId,
    /// Who decided.
    pub user_id: UserId,
    /// The FHIR base; none for a plain sign-in.
    pub fhir_base: Option<String>,
    /// The patient in context.
    pub patient_id: Option<PatientId>,
}

/// A decision that is remembered.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What the person was asked about.
    pub asked: ScopeSet,
    /// What they allowed of it.
    pub approved: ScopeSet,
    /// The most that the app could be given at the time.
    pub registered: ScopeSet,
    /// When.
    pub decided_at: OffsetDateTime,
    /// Until when it counts.
    pub expires_at: OffsetDateTime,
}

impl Decision {
    /// A decision of this moment.
    #[must_use]
    pub fn now(offered: &ScopeSet, approved: &ScopeSet, client: &Client, now: OffsetDateTime) -> Self {
        Self {
            asked: offered.clone(),
            approved: approved.clone(),
            registered: client.scopes.clone(),
            decided_at: now,
            expires_at: now + REMEMBERED_LIFE,
        }
    }

    /// What it comes to for a later request: never more than was allowed then. `None` where the
    /// person has to be asked, because the app wants something that they were not asked about, or its
    /// registration has changed.
    #[must_use]
    pub fn answer(&self, offered: &ScopeSet, client: &Client) -> Option<ScopeSet> {
        if self.registered != client.scopes || !self.asked.contains(offered) {
            return None;
        }
        Some(offered.within(&self.approved)).filter(is_worth_something)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> ScopeSet {
        ScopeSet::parse(text).expect("a list of this test")
    }

    #[test]
    fn a_decision_answers_for_what_was_asked_and_gives_no_more_than_was_allowed() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let mut client = Client::new(ClientId::new("a"), "A", crate::client::ClientAuth::None, now);
        client.scopes = scopes("openid patient/*.cruds");
        let asked = scopes("openid patient/*.rs offline_access");
        let decision = Decision::now(&asked, &scopes("openid patient/Goal.rs patient/Patient.rs"), &client, now);
        let answer = |offered: &str| decision.answer(&scopes(offered), &client).map(|set| set.to_string());
        assert_eq!(answer("openid patient/*.rs").as_deref(), Some("openid patient/Goal.rs patient/Patient.rs"));
        assert_eq!(answer("openid patient/Goal.r patient/Condition.rs").as_deref(), Some("openid patient/Goal.r"));
        assert_eq!(answer("patient/Condition.rs"), None, "nothing would be left");
        assert_eq!(answer("openid patient/Goal.cruds"), None, "more is asked");
        assert_eq!(answer("openid fhirUser"), None, "more is asked");
        client.scopes = scopes("openid patient/*.cruds user/*.rs");
        assert!(decision.answer(&asked, &client).is_none(), "the registration has changed");
    }
}
