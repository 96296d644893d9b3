//! What happens too often for an entry each: introspections that found a good token are counted.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::id::ClientId;

/// How many since the last entry, by who asked.
#[derive(Default)]
pub struct Tally(Mutex<HashMap<ClientId, u64>>);

impl Tally {
    /// So many more.
    pub fn add(&self, client: &ClientId, count: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(client) {
            Some(own) => *own += count,
            None => drop(counts.insert(client.clone(), count)),
        }
    }

    /// What was counted, which begins anew.
    #[must_use]
    pub fn take(&self) -> Vec<(ClientId, u64)> {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        counts.into_iter().collect()
    }
}
