//! Which sets are kept: the value of `spot-rescue:retain`, as in `24h 7d 4w 12m 3y`.
//!
//! Of each hour, day, ISO week, month and year in force the first completed set is kept. Periods are counted back from
//! the newest completed set, not from today, so time alone deletes nothing: while no set completes, all stay. The
//! newest completed set stays in any case. A set that goes would have gone with any later set, too: what the rules
//! keep never depends on what else is there but for earlier sets of the same period.

use super::calendar::{Zone, day_number};
use super::set::{Set, SetState};
use crate::clock::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// So many periods of a kind, that of the newest set included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    rules: BTreeMap<Period, u16>,
}

/// What becomes of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Kept(Vec<Reason>),
    /// No rule keeps it.
    Goes,
    /// Retention has no say in it.
    Untouched(Untouched),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    Newest,
    /// The first completed set of this period, as people call it.
    First(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untouched {
    Pending,
    Failed,
}

const LETTERS: [(char, Period); 5] = [
    ('h', Period::Hour),
    ('d', Period::Day),
    ('w', Period::Week),
    ('m', Period::Month),
    ('y', Period::Year),
];

impl Retention {
    /// The error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rules = BTreeMap::new();
        for word in text.split_whitespace() {
            let (period, count) = rule(word).ok_or_else(|| format!("{word:?} is no rule"))?;
            if rules.insert(period, count).is_some() {
                return Err(format!("{word:?} says again how many of a kind"));
            }
        }
        if rules.is_empty() {
            return Err("it has no rule".to_owned());
        }
        Ok(Self { rules })
    }

    /// No rule keeps a set that is older than this beside the newest one.
    #[must_use]
    pub fn reach(&self) -> Duration {
        let days = |(period, count): (&Period, &u16)| {
            let longest = match period {
                Period::Hour | Period::Day => 1,
                Period::Week => 7,
                Period::Month => 31,
                Period::Year => 366,
            };
            longest * (i64::from(*count) + 1)
        };
        Duration::days(self.rules.iter().map(days).max().unwrap_or_default())
    }
}

/// Of the last day every hour, of the last week every day, of the last month every week, of the last year every month.
impl Default for Retention {
    fn default() -> Self {
        let rules = [
            (Period::Hour, 24),
            (Period::Day, 7),
            (Period::Week, 4),
            (Period::Month, 12),
        ];
        Self {
            rules: rules.into(),
        }
    }
}

fn rule(word: &str) -> Option<(Period, u16)> {
    let letter = word.chars().last()?;
    let (_, period) = LETTERS.iter().find(|(it, _)| *it == letter)?;
    let count = word.strip_suffix(letter)?.parse().ok()?;
    (count > 0).then_some((*period, count))
}

/// For each set what becomes of it, in the order of the sets.
#[must_use]
pub fn decide(retention: &Retention, zone: &Zone, sets: &[Set]) -> Vec<Verdict> {
    let completed = || sets.iter().filter(|it| it.state == SetState::Completed);
    let newest = completed().max_by_key(|it| (it.started, it.completed));
    let mut reasons: BTreeMap<&str, Vec<Reason>> = BTreeMap::new();
    if let Some(newest) = newest {
        reasons
            .entry(&newest.name)
            .or_default()
            .push(Reason::Newest);
        for (period, count) in &retention.rules {
            for set in firsts(*period, *count, zone, newest, completed()) {
                let its = reasons.entry(&set.name).or_default();
                its.push(Reason::First(label(*period, zone, set.started)));
            }
        }
    }
    let verdict = |set: &Set| match set.state {
        SetState::Pending => Verdict::Untouched(Untouched::Pending),
        SetState::Failed => Verdict::Untouched(Untouched::Failed),
        SetState::Completed => reasons
            .remove(set.name.as_str())
            .map_or(Verdict::Goes, Verdict::Kept),
    };
    sets.iter().map(verdict).collect()
}

/// The first completed set of each period of a kind that is in force.
fn firsts<'a>(
    period: Period,
    count: u16,
    zone: &Zone,
    newest: &Set,
    completed: impl Iterator<Item = &'a Set>,
) -> Vec<&'a Set> {
    // Where there is no calendar nothing can be judged.
    let Some(last) = number(period, zone, newest.started) else {
        return completed.collect();
    };
    let mut firsts: BTreeMap<i64, &Set> = BTreeMap::new();
    for set in completed {
        let number = number(period, zone, set.started);
        let Some(number) = number.filter(|it| last - it < i64::from(count)) else {
            continue;
        };
        let first = firsts.entry(number).or_insert(set);
        if order(set) < order(first) {
            *first = set;
        }
    }
    firsts.into_values().collect()
}

/// As they completed.
fn order(set: &Set) -> (Option<Timestamp>, Timestamp, &str) {
    (set.completed, set.started, &set.name)
}

/// The number of the period a moment lies in. Periods that follow each other differ by one.
fn number(period: Period, zone: &Zone, at: Timestamp) -> Option<i64> {
    if period == Period::Hour {
        return zone.hour(at);
    }
    let day = zone.at(at)?.date();
    Some(match period {
        Period::Hour | Period::Day => i64::from(day_number(day)),
        // Monday to Sunday: 1970-01-05 was the first Monday.
        Period::Week => (i64::from(day_number(day)) + 3).div_euclid(7),
        Period::Month => i64::from(day.year()) * 12 + i64::from(day.month()),
        Period::Year => i64::from(day.year()),
    })
}

/// What people call it.
fn label(period: Period, zone: &Zone, at: Timestamp) -> String {
    let Some(there) = zone.at(at) else {
        return "no calendar".to_owned();
    };
    let day = there.date();
    match period {
        Period::Hour => format!("hour {}", there.strftime("%Y-%m-%dT%H%z")),
        Period::Day => format!("day {day}"),
        Period::Week => {
            let week = day.iso_week_date();
            format!("week {}-W{:02}", week.year(), week.week())
        }
        Period::Month => format!("month {}-{:02}", day.year(), day.month()),
        Period::Year => format!("year {}", day.year()),
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.rules.iter().filter_map(|(period, count)| {
            let (letter, _) = LETTERS.iter().find(|(_, it)| it == period)?;
            Some(format!("{count}{letter}"))
        });
        f.write_str(&words.collect::<Vec<_>>().join(" "))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => write!(f, "the newest"),
            Self::First(period) => write!(f, "the first of {period}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::parse;
    use SetState::{Completed, Failed, Pending};
    use time::Duration;

    fn set(started: &str, state: SetState) -> Set {
        Set::example(parse(started).expect("a time"), state)
    }

    fn retention(text: &str) -> Retention {
        Retention::parse(text).expect("a retention")
    }

    fn kept(retention_of: &str, zone: &str, sets: &[Set]) -> Vec<String> {
        let zone = Zone::named(zone).expect("a zone");
        let said = decide(&retention(retention_of), &zone, sets);
        let words = said.into_iter().map(|it| match it {
            Verdict::Kept(reasons) => {
                let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
                reasons.join(", ")
            }
            Verdict::Goes => "goes".to_owned(),
            Verdict::Untouched(why) => format!("{why:?}"),
        });
        words.collect()
    }

    #[test]
    #[allow(clippy::too_many_lines, reason = "a table")]
    fn the_first_completed_set_of_each_period_is_kept_and_the_newest_in_any_case() {
        for (rules, zone, sets, said) in [
            (
                "2h 2d",
                "UTC",
                vec![
                    set("2026-11-29T10:00:00Z", Completed),
                    set("2026-11-30T23:10:00Z", Completed),
                    set("2026-11-30T23:40:00Z", Completed),
                    set("2026-12-01T08:00:00Z", Completed),
                    set("2026-12-01T09:10:00Z", Completed),
                    set("2026-12-01T09:20:00Z", Completed),
                    set("2026-12-01T10:00:00Z", Completed),
                    set("2026-12-01T10:01:00Z", Failed),
                    set("2026-12-01T10:30:00Z", Completed),
                    set("2026-12-01T10:40:00Z", Pending),
                ],
                vec![
                    "goes",
                    "the first of day 2026-11-30",
                    "goes",
                    "the first of day 2026-12-01",
                    "the first of hour 2026-12-01T09+0000",
                    "goes",
                    "the first of hour 2026-12-01T10+0000",
                    "Failed",
                    "the newest",
                    "Pending",
                ],
            ),
            // ISO weeks 53 and 1: the week that begins in one year belongs to the other.
            (
                "2w",
                "UTC",
                vec![
                    set("2020-12-27T12:00:00Z", Completed),
                    set("2020-12-28T12:00:00Z", Completed),
                    set("2021-01-03T12:00:00Z", Completed),
                    set("2021-01-04T12:00:00Z", Completed),
                    set("2021-01-05T12:00:00Z", Completed),
                ],
                vec![
                    "goes",
                    "the first of week 2020-W53",
                    "goes",
                    "the first of week 2021-W01",
                    "the newest",
                ],
            ),
            // The hour that comes twice is two hours.
            (
                "2h",
                "Europe/Berlin",
                vec![
                    set("2026-10-25T00:30:00Z", Completed),
                    set("2026-10-25T01:30:00Z", Completed),
                ],
                vec![
                    "the first of hour 2026-10-25T02+0200",
                    "the newest, the first of hour 2026-10-25T02+0100",
                ],
            ),
            // A day of 23 hours, and a moment that is on another day there.
            (
                "2d",
                "Europe/Berlin",
                vec![
                    set("2026-03-28T22:59:00Z", Completed),
                    set("2026-03-28T23:00:00Z", Completed),
                    set("2026-03-29T21:59:00Z", Completed),
                    set("2026-03-29T22:00:00Z", Completed),
                ],
                vec![
                    "goes",
                    "the first of day 2026-03-29",
                    "goes",
                    "the newest, the first of day 2026-03-30",
                ],
            ),
            // February has none: it is a month all the same, and December goes.
            (
                "3m",
                "UTC",
                vec![
                    set("2025-12-31T23:00:00Z", Completed),
                    set("2026-01-20T00:00:00Z", Completed),
                    set("2026-02-10T00:00:00Z", Failed),
                    set("2026-03-01T00:00:00Z", Completed),
                ],
                vec![
                    "goes",
                    "the first of month 2026-01",
                    "Failed",
                    "the newest, the first of month 2026-03",
                ],
            ),
            // The only one is kept, however old.
            (
                "1h",
                "UTC",
                vec![set("2001-01-01T00:00:00Z", Completed)],
                vec!["the newest, the first of hour 2001-01-01T00+0000"],
            ),
            (
                "1h",
                "UTC",
                vec![set("2026-12-01T00:00:00Z", Failed)],
                vec!["Failed"],
            ),
        ] {
            assert_eq!(kept(rules, zone, &sets), said, "{rules} {zone}");
        }
    }

    /// A set that was begun later may be the first that completes: then the choice stays with it.
    #[test]
    fn the_first_is_the_one_that_completed_first() {
        let slow = Set {
            completed: parse("2026-12-01T11:30:00Z").ok(),
            ..set("2026-12-01T10:00:00Z", Completed)
        };
        let fast = set("2026-12-01T10:30:00Z", Completed);
        let newest = set("2026-12-01T11:45:00Z", Completed);
        let said = kept("1d", "UTC", &[slow, fast, newest]);
        assert_eq!(said, ["goes", "the first of day 2026-12-01", "the newest"]);
    }

    /// A child's way: a set stays if it is the newest, or if no other of its period was there before it.
    fn naive(days: i64, sets: &[Set]) -> Vec<bool> {
        let day = |it: &Set| it.started.unix_timestamp() / 86_400;
        let newest = sets.iter().map(|it| it.started).max();
        let stays = |it: &Set| {
            let age = newest.map_or(0, |newest| newest.unix_timestamp() / 86_400 - day(it));
            let first =
                { sets.iter() }.all(|other| day(other) != day(it) || other.started >= it.started);
            Some(it.started) == newest || (age < days && first)
        };
        sets.iter().map(stays).collect()
    }

    #[test]
    fn what_goes_is_as_the_naive_way_says_and_nothing_more_goes_later() {
        let begin = parse("2026-01-01T00:00:00Z").expect("a time");
        let mut sets: Vec<Set> = Vec::new();
        for run in 0..300_i64 {
            sets.push(Set::example(
                begin + Duration::hours(run * 7 % 2100),
                Completed,
            ));
            sets.sort_by_key(|it| it.started);
            let stays = |sets: &[Set]| -> Vec<bool> {
                let said = decide(&retention("9d"), &Zone::utc(), sets);
                said.iter().map(|it| *it != Verdict::Goes).collect()
            };
            let stay = stays(&sets);
            assert_eq!(stay, naive(9, &sets), "run {run}");
            let mut stay = stay.into_iter();
            sets.retain(|_| stay.next() == Some(true));
            assert!(
                stays(&sets).iter().all(|it| *it),
                "run {run}: more goes later"
            );
        }
        assert!(sets.len() < 12);
    }

    #[test]
    fn what_is_no_retention_is_said() {
        for (text, why) in [
            ("", "it has no rule"),
            ("24", "\"24\" is no rule"),
            ("0h", "\"0h\" is no rule"),
            ("h", "\"h\" is no rule"),
            ("24h 7q", "\"7q\" is no rule"),
            ("-1d", "\"-1d\" is no rule"),
            ("7d 8d", "\"8d\" says again how many of a kind"),
            ("99999d", "\"99999d\" is no rule"),
        ] {
            assert_eq!(Retention::parse(text), Err(why.to_owned()), "{text}");
        }
        assert_eq!(retention("3y 24h").to_string(), "24h 3y");
    }
}
