//! When keys take over from one another.
//!
//! In every kind (a purpose and an algorithm) one key signs, and the next one is published already. It takes over when the
//! clock says so: no job has to run at that moment, and no instance has to tell another. What a job does is to see to it in time
//! that there is a next one, and to clear away afterwards.

use std::collections::HashSet;
use std::str::FromStr;

use time::{Duration, OffsetDateTime};

use super::{KeyError, KeyRing};
use crate::audit::Origin;
use crate::clock::duration;
use crate::grant::{ACCESS_LIFE, ID_TOKEN_LIFE};
use crate::key::Purpose;
use crate::store::{Store, StoredKey};
use crate::token::MAX_KEYS;

/// How long a key is published at least before it signs: verifiers may keep the key set for five minutes, and one minute more
/// is for clocks that differ.
pub const SHORTEST_NOTICE: Duration = Duration::minutes(6);
/// And at most: a day for everybody who keeps a copy of the key set to come by.
const LONGEST_NOTICE: Duration = Duration::hours(24);
/// How long a key stays published at least once its last token has died: for clocks that differ.
const SHORTEST_AFTERLIFE: Duration = Duration::minutes(1);
/// How many keys are published at most. Verifiers read key sets of 50.
pub const MOST_PUBLISHED: usize = MAX_KEYS - 2;

/// How often keys take over from one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule(Option<Duration>);

/// A schedule on which verifiers could not keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key signs for a minute at least and ten years at most, such as 90d or 12h; or `never` makes new ones")]
pub struct BadSchedule;

impl Default for Schedule {
    /// Every 90 days.
    fn default() -> Self {
        Self(Some(Duration::days(90)))
    }
}

impl FromStr for Schedule {
    type Err = BadSchedule;

    fn from_str(text: &str) -> Result<Self, BadSchedule> {
        if text == "never" { Ok(Self::NEVER) } else { duration(text).ok_or(BadSchedule).and_then(Self::every) }
    }
}

impl Schedule {
    /// Keys take over only where somebody says so; what is old is cleared away all the same.
    pub const NEVER: Self = Self(None);

    /// A key signs for so long.
    ///
    /// # Errors
    /// [`BadSchedule`]
    pub fn every(period: Duration) -> Result<Self, BadSchedule> {
        if (Duration::minutes(1)..=Duration::days(3650)).contains(&period) { Ok(Self(Some(period))) } else { Err(BadSchedule) }
    }

    /// How long a key is published at least before it signs: as long as it signs, but for six minutes at least and a day at most.
    fn notice(self) -> Duration {
        self.0.unwrap_or(LONGEST_NOTICE).clamp(SHORTEST_NOTICE, LONGEST_NOTICE)
    }

    /// How long it stays published once it signs no more: until its last token has died, and then as long as it signed, but for a
    /// minute at least and a day at most.
    fn afterlife(self, purpose: Purpose) -> Duration {
        let longest_token = match purpose {
            Purpose::Access => ACCESS_LIFE,
            Purpose::Id => ID_TOKEN_LIFE,
            Purpose::Audit => Duration::ZERO, // what it signed is verified by the public halves that the database keeps
        };
        longest_token + self.0.unwrap_or(LONGEST_NOTICE).clamp(SHORTEST_AFTERLIFE, LONGEST_NOTICE)
    }

    /// When the key after these (of one kind, those that sign last first) has to take over, if it is time to make it.
    fn next_after(self, kin: &[&StoredKey], now: OffsetDateTime) -> Option<OffsetDateTime> {
        let (period, youngest) = (self.0?, kin.first()?.active_at);
        (youngest < now + self.notice()).then(|| (youngest + period).max(now + self.notice()))
    }
}

impl KeyRing {
    /// Does what is due: makes the keys that come next, closes the book on those that signed last, and erases those that are
    /// published no more. Any number of instances may do so at once.
    ///
    /// # Errors
    /// [`KeyError`]; what was not done then is due still.
    pub async fn keep_up(&self, store: &Store, origin: &Origin, schedule: Schedule) -> Result<(), KeyError> {
        let now = origin.now;
        let published = store.published_keys(&self.tenant, now).await?;
        // Opens what is there: under another master key, the new one would be a key that no server can open.
        self.current(store, now).await?;
        let in_service: Vec<&StoredKey> = published.iter().filter(|key| key.is_in_service(now)).collect();
        let mut seen = HashSet::new();
        let mut kinds: Vec<_> = in_service.iter().map(|key| key.kind()).filter(|kind| seen.insert(*kind)).collect();
        kinds.reverse(); // the most urgent first, should there be no room for all
        let mut done = Ok(());
        for kind in kinds {
            let kin: Vec<&StoredKey> = in_service.iter().filter(|key| key.kind() == kind).copied().collect();
            let signing = kin.iter().position(|key| key.active_at <= now);
            if let Some((signing, [_, ..])) = signing.and_then(|place| kin[place..].split_first()) {
                store.retire_keys_before(origin, signing, signing.active_at + schedule.afterlife(signing.purpose)).await?;
            }
            if let Some(active_at) = schedule.next_after(&kin, now) {
                match self.make_next(store, origin, &kin, active_at).await {
                    Err(full @ KeyError::TooMany(_)) => done = Err(full), // those that sign now sign on
                    made => made?,
                }
            }
        }
        if store.has_removed_keys(origin).await? {
            store.erase_removed_keys(origin).await?;
        }
        done
    }

    async fn make_next(&self, store: &Store, origin: &Origin, kin: &[&StoredKey], active_at: OffsetDateTime) -> Result<(), KeyError> {
        let Some(youngest) = kin.first() else { return Ok(()) };
        self.check_room(store, origin, youngest.purpose).await?;
        let key = self.make(youngest.kind(), origin.now, active_at).await?;
        let (purpose, algorithm, key_id) = (key.purpose.as_str(), key.algorithm, key.id.clone());
        if store.add_key_after(origin, Some(youngest.active_at), key).await? {
            tracing::info!(purpose, %algorithm, %key_id, %active_at, "the next signing key is published");
            self.forget();
        }
        Ok(())
    }

    /// Whether one more key can be published.
    ///
    /// # Errors
    /// [`KeyError::TooMany`]
    pub async fn check_room(&self, store: &Store, origin: &Origin, purpose: Purpose) -> Result<(), KeyError> {
        let published = store.published_keys(&self.tenant, origin.now).await?;
        let beside = published.iter().filter(|key| key.purpose.is_public() == purpose.is_public()).count();
        if beside < MOST_PUBLISHED { Ok(()) } else { Err(KeyError::TooMany(beside)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_a_time_with_a_unit_or_never() {
        assert_eq!("90d".parse(), Ok(Schedule::default()));
        assert_eq!("60s".parse(), Schedule::every(Duration::minutes(1)));
        assert_eq!("never".parse(), Ok(Schedule::NEVER));
        for bad in ["", "90", "d", "59s", "0d", "-1d", "1.5d", "90 d", "3651d", "99999999999999999999d", "9223372036854775807d", "Never"] {
            assert_eq!(bad.parse::<Schedule>(), Err(BadSchedule), "{bad}");
        }
    }

    #[test]
    fn notice_is_a_day_where_keys_sign_for_longer() {
        let notice = |text: &str| text.parse::<Schedule>().map(Schedule::notice);
        assert_eq!((notice("90d"), notice("never")), (Ok(Duration::days(1)), Ok(Duration::days(1))));
        assert_eq!((notice("8h"), notice("60s")), (Ok(Duration::hours(8)), Ok(SHORTEST_NOTICE)));
        let afterlife = |text: &str, purpose| text.parse::<Schedule>().map(|schedule| schedule.afterlife(purpose));
        assert_eq!(afterlife("90d", Purpose::Access), Ok(Duration::hours(24) + ACCESS_LIFE));
        assert_eq!(afterlife("60s", Purpose::Id), Ok(Duration::minutes(1) + ID_TOKEN_LIFE));
    }
}
