//! When the next set of an instance is due. It follows from its sets alone, so a missed run is made up once, however
//! many were missed.

use super::schedule::Schedule;
use super::set::{Set, SetState};
use crate::clock::Timestamp;
use crate::id::InstanceId;
use sha2::{Digest, Sha256};
use time::Duration;

/// Instances with the same schedule take their turns within an hour of it, as AWS's own backup services do.
/// <https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-lifecycle.html>
pub const WINDOW: Duration = Duration::hours(1);

/// A run is tried again so often if its set has failed.
const TRIES: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// For this moment of the schedule.
    Now(Timestamp),
    /// Not before then.
    At(Timestamp),
    /// A set is under way: no other is begun before it has completed.
    UnderWay,
    /// The schedule has come to its end.
    Never,
}

/// By the sets of this instance's lineage.
#[must_use]
pub fn due(schedule: &Schedule, lineage: &InstanceId, sets: &[Set], now: Timestamp) -> Due {
    let turn = turn(lineage);
    let next = || schedule.after(now - turn).map(|it| it + turn);
    let next = || next().map_or(Due::Never, Due::At);
    if sets.iter().any(|it| it.state == SetState::Pending) {
        return Due::UnderWay;
    }
    let Some(run) = schedule.until(now - turn) else {
        return next();
    };
    // What was taken before its turn is that of an earlier moment, taken late.
    let since = || sets.iter().filter(|it| it.started >= run + turn);
    let failed = since().filter(|it| it.state == SetState::Failed).count();
    let taken = since().any(|it| it.state == SetState::Completed);
    if taken || failed >= TRIES {
        next()
    } else {
        Due::Now(run)
    }
}

/// How long after each moment of the schedule the turn of a lineage comes: always the same, and evenly spread.
fn turn(lineage: &InstanceId) -> Duration {
    let digest = Sha256::digest(lineage.as_str().as_bytes());
    let seed = digest
        .iter()
        .take(4)
        .fold(0_i64, |all, it| all << 8 | i64::from(*it));
    Duration::seconds(seed % WINDOW.whole_seconds())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::parse;

    fn at(text: &str) -> Timestamp {
        parse(text).expect("a time")
    }

    fn lineage(n: usize) -> InstanceId {
        let id = format!("i-{n:017x}").parse().ok();
        id.expect("an id")
    }

    fn set(started: &str, state: SetState) -> Set {
        Set::example(at(started), state)
    }

    #[test]
    fn a_run_is_due_once_a_missed_one_is_made_up_once_and_a_failed_one_tried_once_more() {
        use SetState::{Completed, Failed, Pending};
        let hourly = Schedule::parse("hourly").expect("a schedule");
        // Its turn comes 1 234 seconds past the hour.
        let first = (0..100_000)
            .map(lineage)
            .find(|it| turn(it) == Duration::seconds(1234));
        let id = first.expect("one of them");
        let hour = |h: i64| at("2026-12-01T00:00:00Z") + Duration::hours(h);
        let turn = |h: i64| Due::At(hour(h) + Duration::seconds(1234));
        for (sets, now, said) in [
            (vec![], "2026-12-01T10:00:00Z", Due::Now(hour(9))),
            (vec![], "2026-12-01T10:20:34Z", Due::Now(hour(10))),
            (
                vec![set("2026-12-01T09:25:00Z", Completed)],
                "2026-12-01T10:20:33Z",
                turn(10),
            ),
            (
                vec![set("2026-12-01T09:25:00Z", Completed)],
                "2026-12-01T10:20:34Z",
                Due::Now(hour(10)),
            ),
            // Taken at the very next moment, for the one before.
            (
                vec![set("2026-12-01T10:00:00Z", Completed)],
                "2026-12-01T10:20:34Z",
                Due::Now(hour(10)),
            ),
            // Nine runs were missed, and one set is taken for them.
            (
                vec![set("2026-12-01T01:25:00Z", Completed)],
                "2026-12-01T10:30:00Z",
                Due::Now(hour(10)),
            ),
            (
                vec![set("2026-12-01T10:30:00Z", Completed)],
                "2026-12-01T10:45:00Z",
                turn(11),
            ),
            (
                vec![set("2026-12-01T10:30:00Z", Pending)],
                "2026-12-01T10:45:00Z",
                Due::UnderWay,
            ),
            (
                vec![set("2026-12-01T05:30:00Z", Pending)],
                "2026-12-01T10:45:00Z",
                Due::UnderWay,
            ),
            (
                vec![set("2026-12-01T10:30:00Z", Failed)],
                "2026-12-01T10:45:00Z",
                Due::Now(hour(10)),
            ),
            (
                vec![
                    set("2026-12-01T10:30:00Z", Failed),
                    set("2026-12-01T10:45:00Z", Failed),
                ],
                "2026-12-01T11:00:00Z",
                turn(11),
            ),
            // The clock has gone back: nothing is due before it has caught up.
            (
                vec![set("2026-12-01T10:30:00Z", Completed)],
                "2026-12-01T07:45:00Z",
                turn(8),
            ),
        ] {
            assert_eq!(due(&hourly, &id, &sets, at(now)), said, "{sets:?} at {now}");
        }
    }

    #[test]
    fn turns_are_spread_over_the_window() {
        let mut minutes = [0; 60];
        for n in 0..10_000 {
            let minute = usize::try_from(turn(&lineage(n)).whole_minutes());
            minutes[minute.expect("within the hour")] += 1;
        }
        let (least, most) = (minutes.iter().min(), minutes.iter().max());
        assert!(least > Some(&110) && most < Some(&230), "{minutes:?}");
    }
}
