//! Calendar periods in a time zone: the one place where backups meet days, weeks and months.

use crate::clock::Timestamp;
use jiff::Zoned;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::fmt;

/// A time zone by its IANA name, as in `Europe/Berlin`. The rules are built in: Lambda's image has none.
/// <https://www.iana.org/time-zones>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// A day of the calendar, counted from some day on: days that follow each other differ by one.
pub type DayNumber = i32;

impl Zone {
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// None if there is no such zone.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// The clock on the wall there. None for times that no calendar reaches.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> Option<Zoned> {
        let at = jiff::Timestamp::from_second(at.unix_timestamp()).ok()?;
        Some(at.to_zoned(self.0.clone()))
    }

    /// When a day begins there: not always at midnight, as some zones change their clocks then.
    #[must_use]
    pub fn start_of(&self, day: Date) -> Option<Timestamp> {
        let start = day.to_zoned(self.0.clone()).ok()?.start_of_day().ok()?;
        moment(&start)
    }

    /// Full hours there, counted. An hour that comes twice, when clocks go back, is two hours.
    #[must_use]
    pub fn hour(&self, at: Timestamp) -> Option<i64> {
        let within = i64::from(self.at(at)?.offset().seconds().rem_euclid(3600));
        Some((at.unix_timestamp() + within).div_euclid(3600))
    }
}

/// Back to the clock of the rest of the program.
#[must_use]
pub fn moment(at: &Zoned) -> Option<Timestamp> {
    Timestamp::from_unix_timestamp(at.timestamp().as_second()).ok()
}

/// Days since 1970-01-01, which was a Thursday.
#[must_use]
pub fn day_number(day: Date) -> DayNumber {
    let since = day.since(Date::constant(1970, 1, 1));
    since.map_or(0, |it| it.get_days())
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::parse;

    fn berlin() -> Zone {
        Zone::named("Europe/Berlin").expect("a zone")
    }

    #[test]
    fn the_hour_that_comes_twice_is_two_hours() {
        // Clocks in Berlin went back from 03:00 to 02:00 on 2026-10-25, at 01:00 UTC.
        let [before, first, second, after] = ["00:30", "00:59", "01:01", "02:01"].map(|it| {
            let at = parse(&format!("2026-10-25T{it}:00Z")).expect("a time");
            berlin().hour(at).expect("an hour")
        });
        assert_eq!((first, second, after), (before, before + 1, before + 2));
    }

    #[test]
    fn hours_follow_the_wall_clock_of_zones_that_are_half_an_hour_off() {
        let kolkata = Zone::named("Asia/Kolkata").expect("a zone");
        let hour = |it: &str| kolkata.hour(parse(it).expect("a time"));
        assert_eq!(
            hour("2026-12-01T00:29:59Z").map(|it| it + 1),
            hour("2026-12-01T00:30:00Z")
        );
    }

    #[test]
    fn a_day_may_begin_after_midnight() {
        // Clocks in Beirut went forward at midnight.
        let beirut = Zone::named("Asia/Beirut").expect("a zone");
        let start = beirut.start_of(Date::constant(2026, 3, 29));
        assert_eq!(start, parse("2026-03-28T22:00:00Z").ok());
        assert_eq!(Zone::named("Europe/Nowhere"), None);
    }

    #[test]
    fn days_are_counted() {
        assert_eq!(day_number(Date::constant(1970, 1, 1)), 0);
        assert_eq!(day_number(Date::constant(2026, 12, 1)), 20_788);
    }
}
