//! Who watches a decision being made. A decision and its explanation are the same walk: they differ in who watches.

use super::Refusal;

/// Hears of each thing that was looked at, in order.
pub(super) trait Watch {
    /// Whether anybody reads what is noted. What is made for reading alone is not made without.
    const READS: bool;

    /// Takes note of what this came to, and hands it back. `found` says it in words.
    fn note<T>(
        &mut self,
        name: &'static str,
        result: Result<T, Refusal>,
        found: impl FnOnce(&Result<T, Refusal>) -> String,
    ) -> Result<T, Refusal>;
}

/// The decision alone is wanted.
pub(super) struct Nobody;

impl Watch for Nobody {
    const READS: bool = false;

    fn note<T>(
        &mut self,
        _: &'static str,
        result: Result<T, Refusal>,
        _: impl FnOnce(&Result<T, Refusal>) -> String,
    ) -> Result<T, Refusal> {
        result
    }
}
