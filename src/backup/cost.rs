//! What the sets that a policy keeps cost.
//!
//! The oldest set holds every block in use, each later one what has changed since the one before it that stays.
//! <https://docs.aws.amazon.com/ebs/latest/userguide/how_snapshots_work.html>

use super::{Retention, Schedule, Set, SetState, Verdict, decide};
use crate::clock::Timestamp;

/// USD per GB and month in us-east-1, standard tier, as published in 2026.
/// <https://aws.amazon.com/ebs/pricing/>
pub const STANDARD: f64 = 0.05;

const SECONDS_PER_DAY: f64 = 86_400.0;

/// All volumes of an instance together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Volumes {
    /// GB in use.
    size: f64,
    /// GB that are written to in a day, each counted once.
    change_rate: f64,
}

impl Volumes {
    /// The error says what is wrong.
    pub fn new(size: f64, change_rate: f64) -> Result<Self, String> {
        let fits = |it: f64| it.is_finite() && it >= 0.0;
        if fits(size) && fits(change_rate) {
            Ok(Self { size, change_rate })
        } else {
            Err(format!(
                "{size} GB of which {change_rate} GB change in a day: no such volumes"
            ))
        }
    }

    /// At most every block in use.
    fn changed_in(self, days: f64) -> f64 {
        (self.change_rate * days).min(self.size)
    }
}

/// Once the policy has been in force for as long as it reaches back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// How many sets stay.
    pub sets: usize,
    /// Of the oldest.
    pub days: i64,
    /// GB in the oldest set.
    pub first: f64,
    /// GB in all others together.
    pub changed: f64,
}

impl Forecast {
    /// GB.
    #[must_use]
    pub fn stored(&self) -> f64 {
        self.first + self.changed
    }

    /// USD.
    #[must_use]
    pub fn monthly(&self) -> f64 {
        self.stored() * STANDARD
    }
}

/// By retention itself, over every set that the schedule would have taken by now.
#[must_use]
pub fn forecast(
    schedule: &Schedule,
    retention: &Retention,
    volumes: Volumes,
    now: Timestamp,
) -> Forecast {
    let taken = taken(schedule, retention, now);
    let verdicts = decide(retention, schedule.zone(), &taken);
    let kept = { taken.iter().zip(verdicts) }.filter(|(_, it)| *it != Verdict::Goes);
    let kept: Vec<Timestamp> = kept.map(|(set, _)| set.started).collect();
    let days = |pair: &[Timestamp]| (pair[1] - pair[0]).as_seconds_f64() / SECONDS_PER_DAY;
    let changes = kept.windows(2).map(|it| volumes.changed_in(days(it)));
    Forecast {
        sets: kept.len(),
        days: kept.first().map_or(0, |it| (now - *it).whole_days()),
        first: if kept.is_empty() { 0.0 } else { volumes.size },
        changed: changes.sum(),
    }
}

/// The oldest first.
fn taken(schedule: &Schedule, retention: &Retention, now: Timestamp) -> Vec<Set> {
    let from = now - retention.reach();
    let before = |it: &Timestamp| schedule.until(*it - time::Duration::SECOND);
    let moments = std::iter::successors(schedule.until(now), before);
    let mut sets: Vec<Set> = moments.take_while(|it| *it >= from).map(set).collect();
    sets.reverse();
    sets
}

fn set(at: Timestamp) -> Set {
    Set {
        name: at.unix_timestamp().to_string(),
        started: at,
        completed: Some(at),
        state: SetState::Completed,
        snapshots: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::parse;

    fn of(schedule: &str, retention: &str, size: f64, change_rate: f64) -> Forecast {
        let schedule = Schedule::parse(schedule).expect("a schedule");
        let retention = Retention::parse(retention).expect("a retention");
        let volumes = Volumes::new(size, change_rate).expect("volumes");
        let now = parse("2026-06-15T12:00:00Z").expect("a time");
        forecast(&schedule, &retention, volumes, now)
    }

    /// By hand.
    #[test]
    fn the_first_set_is_whole_and_each_other_holds_what_changed() {
        let table = [
            // Seven days: six steps of a day.
            ("daily", "7d", 100.0, 1.0, 7, 106.0),
            // Nothing changes.
            ("daily", "7d", 100.0, 0.0, 7, 100.0),
            // Everything changes every day: no step holds more than there is.
            ("daily", "3d", 10.0, 500.0, 3, 30.0),
            ("hourly", "24h", 100.0, 24.0, 24, 123.0),
            // The first of May and of June; the newest of the fifteenth.
            ("daily", "2m", 100.0, 1.0, 3, 145.0),
        ];
        for (schedule, retention, size, change_rate, sets, stored) in table {
            let told = of(schedule, retention, size, change_rate);
            assert_eq!(told.sets, sets, "{schedule} {retention}");
            assert!(
                (told.stored() - stored).abs() < 1e-6,
                "{schedule} {retention}: {told:?}"
            );
        }
    }

    #[test]
    fn more_that_is_kept_never_costs_less() {
        let few = of("hourly", "4h", 100.0, 2.0).monthly();
        let more = of("hourly", "4h 7d", 100.0, 2.0).monthly();
        let most = of("hourly", "4h 7d 4w 12m 3y", 100.0, 2.0).monthly();
        assert!(few < more && more < most, "{few} {more} {most}");
    }

    #[test]
    fn no_volumes_are_negative() {
        for (size, change_rate) in [
            (-1.0, 0.0),
            (1.0, -1.0),
            (f64::NAN, 1.0),
            (1.0, f64::INFINITY),
        ] {
            assert!(
                Volumes::new(size, change_rate).is_err(),
                "{size} {change_rate}"
            );
        }
    }
}
