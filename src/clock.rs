//! The only place that reads a clock. Everything else is told what time it is, so that plans are
//! deterministic and a simulator can run on virtual time.

use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

/// The sweep comes at least this often: `SweepSchedule` in `template.yaml` allows no less.
pub const SWEEP: time::Duration = time::Duration::seconds(SWEEP_SECONDS as i64);
/// The same, as a number of seconds for the queue's delay.
pub const SWEEP_SECONDS: u32 = 900;
/// No invocation lasts longer: `Timeout` in `template.yaml`.
pub const INVOCATION: time::Duration = time::Duration::seconds(15);

/// A moment in UTC.
pub type Timestamp = OffsetDateTime;

/// Where the time comes from.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// The wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        OffsetDateTime::now_utc()
    }
}

/// `2026-11-23T10:00:00Z`, to the second: the form every AWS event uses, and short enough for a tag.
#[must_use]
pub fn format(at: Timestamp) -> String {
    let whole = at.replace_nanosecond(0).unwrap_or(at);
    whole
        .format(&Rfc3339)
        .unwrap_or_else(|_| whole.unix_timestamp().to_string())
}

/// Reads RFC 3339, with or without a fraction.
pub fn parse(text: &str) -> Result<Timestamp, time::error::Parse> {
    OffsetDateTime::parse(text, &Rfc3339)
}

/// Reads `Sun, 05 Jun 2016 05:00:00 GMT`. The day's name is passed over: AWS's own samples get it wrong.
#[must_use]
pub fn parse_rfc1123(text: &str) -> Option<Timestamp> {
    let date = text.split_once(", ").map_or(text, |(_, date)| date);
    OffsetDateTime::parse(date.trim(), &Rfc2822).ok()
}

/// Whole and fractional seconds from `earlier` to `later`, to a tenth, never negative.
#[must_use]
pub fn seconds_between(earlier: Timestamp, later: Timestamp) -> f64 {
    let seconds = (later - earlier).as_seconds_f64().max(0.0);
    (seconds * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_a_tag() {
        let at = parse("2026-11-23T10:00:00.75Z").unwrap();
        assert_eq!(format(at), "2026-11-23T10:00:00Z");
        assert!((seconds_between(parse(&format(at)).unwrap(), at) - 0.8).abs() < 1e-9);
    }

    #[test]
    fn dates_of_health_events_are_read_whatever_day_they_say_it_is() {
        let expected = parse("2016-06-05T15:10:09Z").ok();
        for text in ["Sat, 05 Jun 2016 15:10:09 GMT", "5 Jun 2016 15:10:09 GMT"] {
            assert_eq!(parse_rfc1123(text), expected, "{text}");
        }
        for bad in ["", "2016-06-05T15:10:09Z", "Sat, soon"] {
            assert_eq!(parse_rfc1123(bad), None, "{bad}");
        }
    }
}
