//! A person's consent: what there is to decide, and for how long it need not be asked again.

mod decision;
mod offer;

pub use decision::{Decision, REMEMBERED_LIFE, Subject};
pub use offer::{Choice, Offer, Unfit};
