//! When backups are taken: the value of `spot-rescue:backup`.
//!
//! `cron(...)` has the six fields of Amazon `EventBridge` Scheduler. Where a clock is put forward, a run in the missing
//! hour comes right after it; where it is put back, a run in the repeated hour comes once.
//! <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based>

use super::calendar::{Zone, moment};
use crate::clock::Timestamp;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::Weekday;
use jiff::{ToSpan, Zoned};
use std::fmt;
use time::Duration;

/// A moment every so often, in a time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    every: Every,
    zone: Zone,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Every {
    Hour,
    Day,
    /// From Monday on, as ISO weeks are.
    Week,
    /// As it was written, and what it means.
    Cron(String, Box<Cron>),
}

impl Schedule {
    /// `hourly`, `daily`, `weekly` or `cron(...)`, and a time zone if it is not to be UTC. The error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (every, zone) = match text.strip_prefix("cron(") {
            Some(rest) => rest
                .split_once(')')
                .ok_or_else(|| "cron( has no closing bracket".to_owned())?,
            None => text.split_once(' ').unwrap_or((text, "")),
        };
        let every = if text.starts_with("cron(") {
            Every::Cron(every.to_owned(), Box::new(cron(every)?))
        } else {
            match every {
                "hourly" => Every::Hour,
                "daily" => Every::Day,
                "weekly" => Every::Week,
                _ => return Err(format!("{every:?} is no schedule")),
            }
        };
        let zone = match zone.trim() {
            "" => Zone::utc(),
            name => Zone::named(name).ok_or_else(|| format!("{name:?} is no IANA time zone"))?,
        };
        let schedule = Self { every, zone };
        let never = schedule
            .after(time::macros::datetime!(2026-01-01 0:00 UTC))
            .is_none();
        if never {
            Err("it never comes".to_owned())
        } else {
            Ok(schedule)
        }
    }

    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The latest moment of the schedule that is not after this one.
    #[must_use]
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let there = self.zone.at(now)?;
        match &self.every {
            Every::Hour => Some(hour(now, &there)),
            Every::Day => self.zone.start_of(there.date()),
            Every::Week => {
                let back = there.date().weekday().since(Weekday::Monday);
                self.zone
                    .start_of(there.date().checked_sub(i64::from(back).days()).ok()?)
            }
            Every::Cron(_, cron) => moment(&cron.find_previous_occurrence(&there, true).ok()?),
        }
    }

    /// The first moment of the schedule after this one.
    #[must_use]
    pub fn after(&self, now: Timestamp) -> Option<Timestamp> {
        let there = self.zone.at(now)?;
        match &self.every {
            Every::Hour => Some(hour(now, &there) + Duration::HOUR),
            Every::Day => self.zone.start_of(there.date().tomorrow().ok()?),
            Every::Week => {
                let on = 7 - there.date().weekday().since(Weekday::Monday);
                self.zone
                    .start_of(there.date().checked_add(i64::from(on).days()).ok()?)
            }
            Every::Cron(_, cron) => moment(&cron.find_next_occurrence(&there, false).ok()?),
        }
    }
}

/// The full hour on the wall.
fn hour(now: Timestamp, there: &Zoned) -> Timestamp {
    let past = i64::from(there.minute()) * 60 + i64::from(there.second());
    let whole = now.replace_nanosecond(0).unwrap_or(now);
    whole - Duration::seconds(past)
}

/// `minutes hours day-of-month month day-of-week year`, with Sunday as the first day of the week.
fn cron(fields: &str) -> Result<Cron, String> {
    let count = fields.split_whitespace().count();
    if count != 6 {
        return Err(format!(
            "cron has six fields (minutes hours day-of-month month day-of-week year), not {count}"
        ));
    }
    let parser = CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Required)
        .alternative_weekdays(true)
        .sloppy_ranges(true)
        .build();
    let parsed = parser.parse(&format!("0 {fields}"));
    parsed.map_err(|error| format!("cron({fields}): {error}"))
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.every {
            Every::Hour => write!(f, "hourly")?,
            Every::Day => write!(f, "daily")?,
            Every::Week => write!(f, "weekly")?,
            Every::Cron(fields, _) => write!(f, "cron({fields})")?,
        }
        if self.zone == Zone::utc() {
            Ok(())
        } else {
            write!(f, " {}", self.zone)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{format, parse};

    fn schedule(text: &str) -> Schedule {
        Schedule::parse(text).expect("a schedule")
    }

    /// What it says, a moment, the run before it and the run after it.
    #[test]
    #[allow(clippy::too_many_lines, reason = "a table")]
    fn runs_before_and_after_a_moment() {
        for (text, now, until, after) in [
            (
                "hourly",
                "2026-12-01T10:59:59Z",
                "2026-12-01T10:00:00Z",
                "2026-12-01T11:00:00Z",
            ),
            (
                "hourly",
                "2026-12-01T11:00:00Z",
                "2026-12-01T11:00:00Z",
                "2026-12-01T12:00:00Z",
            ),
            (
                "hourly Asia/Kolkata",
                "2026-12-01T11:00:00Z",
                "2026-12-01T10:30:00Z",
                "2026-12-01T11:30:00Z",
            ),
            (
                "daily",
                "2026-12-01T00:00:00Z",
                "2026-12-01T00:00:00Z",
                "2026-12-02T00:00:00Z",
            ),
            (
                "daily Europe/Berlin",
                "2026-12-01T23:30:00Z",
                "2026-12-01T23:00:00Z",
                "2026-12-02T23:00:00Z",
            ),
            // 25 hours: the clocks go back.
            (
                "daily Europe/Berlin",
                "2026-10-25T12:00:00Z",
                "2026-10-24T22:00:00Z",
                "2026-10-25T23:00:00Z",
            ),
            (
                "weekly",
                "2026-12-06T23:59:00Z",
                "2026-11-30T00:00:00Z",
                "2026-12-07T00:00:00Z",
            ),
            (
                "weekly",
                "2026-12-07T00:00:00Z",
                "2026-12-07T00:00:00Z",
                "2026-12-14T00:00:00Z",
            ),
            (
                "cron(0 3 * * ? *)",
                "2026-12-01T02:59:00Z",
                "2026-11-30T03:00:00Z",
                "2026-12-01T03:00:00Z",
            ),
            (
                "cron(0 3 * * ? *) Europe/Berlin",
                "2026-12-01T02:59:00Z",
                "2026-12-01T02:00:00Z",
                "2026-12-02T02:00:00Z",
            ),
            // Sunday is the first day of the week.
            (
                "cron(30 4 ? * 1 *)",
                "2026-12-01T00:00:00Z",
                "2026-11-29T04:30:00Z",
                "2026-12-06T04:30:00Z",
            ),
            (
                "cron(30 4 ? * SUN *)",
                "2026-12-01T00:00:00Z",
                "2026-11-29T04:30:00Z",
                "2026-12-06T04:30:00Z",
            ),
            (
                "cron(0 0 L * ? *)",
                "2026-12-01T00:00:00Z",
                "2026-11-30T00:00:00Z",
                "2026-12-31T00:00:00Z",
            ),
            (
                "cron(0/20 8-17 ? * MON-FRI *)",
                "2026-11-28T12:00:00Z",
                "2026-11-27T17:40:00Z",
                "2026-11-30T08:00:00Z",
            ),
            // 02:30 does not exist on the day the clocks go forward, and comes twice on the day they go back.
            (
                "cron(30 2 * * ? *) Europe/Berlin",
                "2026-03-29T00:00:00Z",
                "2026-03-28T01:30:00Z",
                "2026-03-29T01:00:00Z",
            ),
            (
                "cron(30 2 * * ? *) Europe/Berlin",
                "2026-10-24T12:00:00Z",
                "2026-10-24T00:30:00Z",
                "2026-10-25T00:30:00Z",
            ),
            (
                "cron(30 2 * * ? *) Europe/Berlin",
                "2026-10-25T00:30:00Z",
                "2026-10-25T00:30:00Z",
                "2026-10-26T01:30:00Z",
            ),
        ] {
            let (schedule, now) = (schedule(text), parse(now).expect("a time"));
            let said = (
                schedule.until(now).map(format),
                schedule.after(now).map(format),
            );
            assert_eq!(
                said,
                (Some(until.to_owned()), Some(after.to_owned())),
                "{text} at {now}"
            );
            assert_eq!(schedule.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_schedule_is_said() {
        for (text, why) in [
            ("fortnightly", "\"fortnightly\" is no schedule"),
            ("Daily", "\"Daily\" is no schedule"),
            (
                "daily Europe/Nowhere",
                "\"Europe/Nowhere\" is no IANA time zone",
            ),
            (
                "cron(0 3 * * *)",
                "cron has six fields (minutes hours day-of-month month day-of-week year), not 5",
            ),
            ("cron(0 3 * * ? *", "cron( has no closing bracket"),
            ("cron(0 3 30 2 ? *)", "it never comes"),
            ("cron(0 3 * * ? 2020)", "it never comes"),
        ] {
            assert_eq!(Schedule::parse(text), Err(why.to_owned()), "{text}");
        }
        for bad in [
            "cron(0 25 * * ? *)",
            "cron(61 1 * * ? *)",
            "cron(x 1 * * ? *)",
            "cron(0 0 ? * 8 *)",
        ] {
            let said = Schedule::parse(bad).expect_err(bad);
            assert!(said.starts_with(bad), "{said}");
        }
    }
}
