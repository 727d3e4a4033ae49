//! Backups that have completed: each is a line, and a metric, so that how long a set takes is known before a warning
//! leaves two minutes for one.

use super::Holding;
use crate::backup::{Due, Set, Verdict, decide, due};
use crate::clock::{self, SWEEP, Timestamp};
use crate::report::emf;
use serde_json::json;

/// Of the newest set of each lineage, in the quarter of an hour after it has completed. Nothing is remembered between runs,
/// so where the schedule comes more often than that, there is a line for each run.
#[must_use]
pub fn ready(now: Timestamp, holdings: &[Holding<'_>]) -> Vec<String> {
    holdings.iter().filter_map(|it| line(it, now)).collect()
}

fn line(holding: &Holding<'_>, now: Timestamp) -> Option<String> {
    let completed = |it: &&Set| it.completed.is_some();
    let newest = holding.sets.iter().rev().find(completed)?;
    let completed = newest.completed.filter(|it| now - *it < SWEEP)?;
    let seconds = (completed - newest.started).whole_seconds();
    let line = json!({
        "level": "INFO",
        "message": format!(
            "{}: its backup of {} is complete, {seconds} seconds later",
            holding.owner.id,
            clock::format(newest.started)
        ),
        "instance": holding.owner.id,
        "lineage": holding.lineage,
        "set": newest.name,
        "snapshots": newest.snapshots,
        "kept": kept(holding),
        "next": next(holding, now),
        "BackupSeconds": seconds,
        "_aws": emf::without_dimension(now, &[("BackupSeconds", "Seconds")]),
    });
    Some(line.to_string())
}

/// How many sets there are that no run deletes.
fn kept(holding: &Holding<'_>) -> usize {
    let Some((schedule, retention)) =
        { holding.policy.backup.value.as_ref() }.zip(holding.policy.retain.value.as_ref())
    else {
        return holding.sets.len();
    };
    let said = decide(retention, schedule.zone(), holding.sets);
    { said.iter() }.filter(|it| **it != Verdict::Goes).count()
}

fn next(holding: &Holding<'_>, now: Timestamp) -> Option<String> {
    let schedule = holding.policy.backup.value.as_ref()?;
    match due(schedule, &holding.lineage, holding.sets, now) {
        Due::Now(_) => Some(clock::format(now)),
        Due::At(at) => Some(clock::format(at)),
        Due::UnderWay | Due::Never => None,
    }
}
