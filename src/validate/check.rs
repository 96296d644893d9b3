//! What is looked at once a token's claims are known, check by check, in order. The decision is
//! their first "no"; an explanation shows all of them.

use super::claims::{Claims, FhirScopes};
use super::context::Patient;
use super::watch::Watch;
use super::{LEEWAY, Refusal, Trust};
use crate::token::Rejection;

/// A token whose signature is right, before the data store that it wants to open.
pub(super) struct Case<'a> {
    pub(super) trust: &'a Trust,
    pub(super) claims: &'a Claims,
    pub(super) scopes: FhirScopes,
    /// Whom the context is about.
    pub(super) patient: Patient,
    pub(super) endpoint: &'a str,
    /// Unix seconds.
    pub(super) now: i64,
}

/// One check: its name, and what it does.
struct Check {
    name: &'static str,
    look: fn(&Case<'_>) -> Result<(), Rejection>,
    /// What was compared with what. It quotes the token: for an administrator's own terminal alone.
    compared: fn(&Case<'_>) -> String,
}

/// All of them, in the order in which they decide.
const CHECKS: &[Check] = &[
    Check {
        name: "issuer",
        look: |case| yes(case.claims.issuer == case.trust.issuer, Rejection::Issuer),
        compared: |case| format!("the token comes from {}, trusted is {}", case.claims.issuer, case.trust.issuer),
    },
    Check {
        name: "audience",
        look: audience,
        compared: |case| match case.claims.audience.as_slice() {
            [] => format!("the token names nobody, the store is {}", case.endpoint),
            audience => format!("the token is for {}, the store is {}", audience.join(" and "), case.endpoint),
        },
    },
    Check {
        name: "client",
        look: client,
        compared: |case| {
            let client = case.claims.client.as_deref().unwrap_or("nobody");
            if case.trust.clients.is_empty() {
                format!("the token belongs to {client}; every client is allowed")
            } else {
                format!("the token belongs to {client}; allowed: {}", case.trust.clients.join(", "))
            }
        },
    },
    Check {
        name: "tenant",
        look: |case| yes(case.trust.tenant.is_none() || case.trust.tenant == case.claims.tenant, Rejection::Tenant),
        compared: |case| {
            let own = case.claims.tenant.as_deref().unwrap_or("none");
            match &case.trust.tenant {
                None => format!("the token's is {own}; any will do"),
                Some(tenant) => format!("the token's is {own}, the store's is {tenant}"),
            }
        },
    },
    Check {
        name: "expiry",
        // RFC 7519 §4.1.4: "on or after" the expiration time it must not be accepted.
        look: |case| yes(case.now < case.claims.expires_at + LEEWAY, Rejection::Expired),
        compared: |case| match case.claims.expires_at - case.now {
            left @ 1.. => format!("it has {left} s left"),
            over => format!("it expired {} s ago", over.abs()),
        },
    },
    Check {
        name: "not before",
        look: |case| yes(case.claims.not_before.max(case.claims.issued_at) <= case.now + LEEWAY, Rejection::NotYet),
        compared: |case| match case.claims.not_before.max(case.claims.issued_at) - case.now {
            ahead @ 1.. => format!("it is good in {ahead} s only (issued by a clock that is ahead?)"),
            past => format!("it has been good for {} s", past.abs()),
        },
    },
    Check {
        name: "scope",
        look: |case| yes(case.scopes.any && is_scope(&case.claims.scope), Rejection::Scope),
        compared: |case| match (case.scopes.any, case.scopes.write) {
            (false, _) => format!("there is no FHIR scope in {:?}", case.claims.scope),
            (true, false) => format!("{:?}: reading only", case.claims.scope),
            (true, true) => format!("{:?}: reading and writing", case.claims.scope),
        },
    },
    Check {
        name: "patient",
        look: |case| match case.patient {
            Patient::One => Ok(()),
            Patient::Nobody => yes(!case.scopes.patient, Rejection::NoPatient),
            // Whatever the scopes are: the context is passed on.
            Patient::Contradictory => Err(Rejection::NoPatient),
        },
        compared: |case| match (case.scopes.patient, case.patient) {
            (_, Patient::Contradictory) => "patient and launch_response_patient are not the same person".to_owned(),
            (false, _) => "no scope needs a patient".to_owned(),
            (true, Patient::One) => "a patient is in context".to_owned(),
            (true, Patient::Nobody) => "a patient/ scope, and no patient in the token (was launch/patient asked for?)".to_owned(),
        },
    },
];

/// The first "no", if there is one. Nothing depends on what was looked at before: whoever reads sees the rest as well.
pub(super) fn all<W: Watch>(case: &Case<'_>, watch: &mut W) -> Result<(), Refusal> {
    let mut results =
        CHECKS.iter().map(|check| watch.note(check.name, (check.look)(case).map_err(Refusal::Token), |_| (check.compared)(case)));
    let verdict = results.try_for_each(|result| result);
    if W::READS {
        results.for_each(drop);
    }
    verdict
}

fn yes(is_so: bool, otherwise: Rejection) -> Result<(), Rejection> {
    if is_so { Ok(()) } else { Err(otherwise) }
}

fn audience(case: &Case<'_>) -> Result<(), Rejection> {
    let audience = &case.claims.audience;
    let is_named = audience.iter().any(|audience| case.trust.is_audience(audience, case.endpoint));
    // Whose client is on the list is known to be meant for us: only then may the audience be missing.
    let is_client_enough = audience.is_empty() && case.trust.profile.takes_client_for_audience() && !case.trust.clients.is_empty();
    yes(is_named || is_client_enough, Rejection::Audience)
}

fn client(case: &Case<'_>) -> Result<(), Rejection> {
    let clients = &case.trust.clients;
    yes(clients.is_empty() || case.claims.client.as_ref().is_some_and(|own| clients.contains(own)), Rejection::Client)
}

/// RFC 6749 §3.3
fn is_scope(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}
