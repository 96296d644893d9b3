//! FHIR's dates as stretches of time: `2024` is a year long, an instant a second.

use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// A stretch of time, in Unix seconds; the end is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub start: i64,
    pub end: i64,
}

impl Moment {
    /// A FHIR `date`, `dateTime` or `instant`. What names no zone is in UTC.
    pub fn parse(text: &str) -> Option<Self> {
        if text.contains('T') { Self::of_time(text) } else { Self::of_date(text) }
    }

    fn of_date(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let year = number(parts.next()?, 4)?;
        let month = parts.next().map(|part| number(part, 2)).map_or(Some(None), |m| m.map(Some))?;
        let day = parts.next().map(|part| number(part, 2)).map_or(Some(None), |d| d.map(Some))?;
        if parts.next().is_some() || year == 0 {
            return None;
        }
        let first = |year: i32, month: u8| Date::from_calendar_date(year, Month::try_from(month).ok()?, 1).ok();
        let (start, end) = match (month, day) {
            (None, _) => (first(year, 1)?, first(year + 1, 1)?),
            (Some(month), None) => {
                let month = u8::try_from(month).ok()?;
                let start = first(year, month)?;
                let end = if month == 12 { first(year + 1, 1)? } else { first(year, month + 1)? };
                (start, end)
            }
            (Some(month), Some(day)) => {
                let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
                let start = Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()?;
                (start, start.next_day()?)
            }
        };
        let midnight = |day: Date| day.with_time(Time::MIDNIGHT).assume_utc().unix_timestamp();
        Some(Self { start: midnight(start), end: midnight(end) })
    }

    /// `2024-03-01T10:30`, with or without seconds and zone.
    fn of_time(text: &str) -> Option<Self> {
        let (day, clock) = text.split_once('T')?;
        let zone_at = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
        let (clock, zone) = clock.split_at(zone_at);
        let zone = if zone.is_empty() { "Z" } else { zone };
        let to_the_minute = clock.len() == 5;
        let seconds = if to_the_minute { ":00" } else { "" };
        let at = OffsetDateTime::parse(&format!("{day}T{clock}{seconds}{zone}"), &Rfc3339).ok()?;
        let start = at.unix_timestamp();
        Some(Self { start, end: start + if to_the_minute { 60 } else { 1 } })
    }

    /// From the start of one to the end of the other, either of which may be open.
    pub fn between(start: Option<Self>, end: Option<Self>) -> Self {
        let open = Self::EVER;
        Self { start: start.map_or(open.start, |moment| moment.start), end: end.map_or(open.end, |moment| moment.end) }
    }

    const EVER: Self =
        Self { start: PrimitiveDateTime::MIN.assume_utc().unix_timestamp(), end: PrimitiveDateTime::MAX.assume_utc().unix_timestamp() };
}

fn number(text: &str, digits: usize) -> Option<i32> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// How a date in a search compares, by its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    StartsAfter,
    EndsBefore,
}

impl Comparison {
    /// The prefix of a search value and what follows it; no prefix means "equal".
    pub fn split(value: &str) -> Option<(Self, &str)> {
        if value.starts_with(|c: char| c.is_ascii_digit()) {
            return Some((Self::Equal, value));
        }
        let (prefix, rest) = value.split_at_checked(2)?;
        let comparison = match prefix {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "gt" => Self::Greater,
            "ge" => Self::GreaterOrEqual,
            "lt" => Self::Less,
            "le" => Self::LessOrEqual,
            "sa" => Self::StartsAfter,
            "eb" => Self::EndsBefore,
            _ => return None,
        };
        Some((comparison, rest))
    }

    /// Whether a resource's moment compares so with the searched one (FHIR R4 §3.1.1.4.7).
    pub fn holds(self, found: Moment, wanted: Moment) -> bool {
        let within = wanted.start <= found.start && found.end <= wanted.end;
        match self {
            Self::Equal => within,
            Self::NotEqual => !within,
            Self::Greater => found.end > wanted.end,
            Self::GreaterOrEqual => found.end > wanted.end || within,
            Self::Less => found.start < wanted.start,
            Self::LessOrEqual => found.start < wanted.start || within,
            Self::StartsAfter => found.start >= wanted.end,
            Self::EndsBefore => found.end <= wanted.start,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(found: &str, search: &str) -> bool {
        let (comparison, wanted) = Comparison::split(search).expect("a prefix we know");
        let parse = |text| Moment::parse(text).expect("a date");
        comparison.holds(parse(found), parse(wanted))
    }

    #[test]
    fn a_partial_date_is_as_long_as_it_says() {
        assert!(holds("2024-03-31", "2024"));
        assert!(holds("2024-03-31T23:59:59Z", "2024-03"));
        assert!(holds("2024-12-31", "2024-12"));
        assert!(!holds("2024", "2024-03"), "a year is not within one of its months");
        assert!(!holds("2024-04-01", "2024-03"));
        assert!(holds("2024-02-29T10:30:12Z", "2024-02-29T10:30"));
    }

    #[test]
    fn prefixes_compare_with_the_edges_of_a_stretch() {
        assert!(holds("2024-06-01", "ge2024"));
        assert!(!holds("2024-06-01", "gt2024"));
        assert!(holds("2025-01-01", "gt2024"));
        assert!(holds("2024-06-01", "le2024"));
        assert!(!holds("2024-06-01", "lt2024"));
        assert!(holds("2023-12-31", "lt2024"));
        assert!(holds("2023-12-31", "ne2024"));
        assert!(holds("2025-01-01", "sa2024"));
        assert!(holds("2023-12-31", "eb2024"));
    }

    #[test]
    fn zones_are_counted_in() {
        assert!(holds("2024-03-01T00:30:00+01:00", "2024-02-29"));
        assert!(holds("2024-03-01T10:00:00Z", "2024-03-01T05:00-05:00"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["", "24", "2024-13", "2024-02-30", "2024-1-1", "0000", "2024-01-01-01", "2024-01-01T"] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
        assert_eq!(Comparison::split("ap2024"), None);
        assert_eq!(Comparison::split("é"), None);
    }
}
