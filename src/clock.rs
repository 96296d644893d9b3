//! The only reader of the system time. A request asks once; everything below is told `now`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use time::{Duration, OffsetDateTime};

/// Where the time comes from: the machine, or a test that owns it.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands still until it is moved; microseconds since 1970.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that shows `start` until [`Clock::advance`] moves it.
    #[must_use]
    pub fn manual(start: OffsetDateTime) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(micros(start))))
    }

    /// The time, in UTC.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that may read the system clock")]
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        match self {
            Self::System => OffsetDateTime::now_utc(),
            Self::Manual(at) => from_micros(at.load(Ordering::SeqCst)),
        }
    }

    /// What comes of `work` within so long by this clock; by one that stands still, in the end.
    pub async fn within<T>(&self, limit: std::time::Duration, work: impl Future<Output = T>) -> Option<T> {
        match self {
            Self::System => tokio::time::timeout(limit, work).await.ok(),
            Self::Manual(_) => Some(work.await),
        }
    }

    /// Moves a manual clock; the system's clock does not listen.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(at) = self {
            let by = i64::try_from(by.whole_microseconds()).unwrap_or(i64::MAX);
            at.fetch_add(by, Ordering::SeqCst);
        }
    }
}

/// Microseconds since 1970, as the store keeps precise times.
#[must_use]
pub fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

/// The inverse of [`micros`]; a value outside of the calendar becomes 1970.
#[must_use]
pub fn from_micros(micros: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// A length of time as people write it in settings: a whole number and `s`, `m`, `h` or `d`.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let number = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse::<i64>().ok())??;
    Some(Duration::seconds(number.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH);
        let before = clock.now();
        clock.advance(Duration::seconds(61));
        assert_eq!(clock.now() - before, Duration::seconds(61));
    }

    #[tokio::test]
    async fn a_clock_that_stands_still_runs_out_for_nobody() {
        let limit = std::time::Duration::ZERO;
        assert_eq!(Clock::System.within(limit, std::future::pending::<()>()).await, None);
        assert_eq!(Clock::manual(OffsetDateTime::UNIX_EPOCH).within(limit, tokio::task::yield_now()).await, Some(()));
    }
}
