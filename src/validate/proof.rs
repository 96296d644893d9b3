//! How the tokens of a trusted issuer are proved.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::introspection::{Introspected, Introspector, Proved, Silence, agrees, is_of_access_token};
use super::{KeySource, Refusal};
use crate::token::Rejection;

/// What makes a token believed.
pub enum Proof {
    /// Its signature, by one of the issuer's keys.
    Signature(Arc<KeySource>),
    /// The issuer's word alone: tokens that need not say anything to anybody else.
    Introspection(Arc<Introspector>),
    /// Its signature, and then the issuer's word that it still stands: a revoked token is refused at once.
    Both {
        /// The issuer's keys.
        keys: Arc<KeySource>,
        /// Who asks the issuer.
        introspector: Arc<Introspector>,
        /// What holds while the issuer cannot be asked.
        when_unreachable: WhenUnreachable,
    },
}

/// What becomes of a token with a good signature while its issuer cannot be asked whether it still stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenUnreachable {
    /// It is refused.
    Refuse,
    /// Its signature is enough: a revoked token may be used until it ends, or the issuer is back.
    Allow,
}

/// What is known of a token that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its issuer stands by it.
    Confirmed,
    /// Its issuer does not say, and its signature is enough.
    Unconfirmed,
}

impl Proof {
    /// The keys that signatures are tried with, where there are any.
    pub(super) fn keys(&self) -> Option<&Arc<KeySource>> {
        match self {
            Self::Signature(keys) | Self::Both { keys, .. } => Some(keys),
            Self::Introspection(_) => None,
        }
    }
}

impl WhenUnreachable {
    /// What the issuer's word makes of a token whose claims were proved by signature. It never makes a "yes" of a
    /// "no", nor a "yes" that goes further.
    pub(super) fn weigh(self, word: &Result<Introspected, Silence>, proved: &Proved<'_>) -> Result<Standing, Refusal> {
        match word {
            Ok(Introspected::Active(answer)) if !is_of_access_token(answer) => Err(Rejection::Type.into()),
            Ok(Introspected::Active(answer)) => agrees(answer, proved).map(|()| Standing::Confirmed).map_err(|_| Refusal::Contradicted),
            Ok(Introspected::Inactive) => Err(Refusal::Inactive),
            Err(silence) if self == Self::Allow && silence.is_outage() => Ok(Standing::Unconfirmed),
            Err(_) => Err(Refusal::NoIntrospection),
        }
    }
}

/// What the issuer's word says where nothing else does.
pub(super) fn must_be_active(word: &Result<Introspected, Silence>) -> Result<Arc<Map<String, Value>>, Refusal> {
    match word {
        Ok(Introspected::Active(answer)) => Ok(Arc::clone(answer)),
        Ok(Introspected::Inactive) => Err(Refusal::Inactive),
        Err(_) => Err(Refusal::NoIntrospection),
    }
}
