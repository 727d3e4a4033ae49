//! Protected instances with backups that are older than their schedule allows.

use super::Holding;
use crate::backup::SetState;
use crate::clock::{self, Timestamp};
use crate::policy::BackupRoot;
use crate::report::emf;
use serde_json::json;
use time::Duration;

/// A set is taken within an hour of its moment, and has another to complete.
const SLACK: Duration = Duration::hours(2);

/// One warning line for each, which is a metric as well: two runs of its schedule have gone by without a completed set.
#[must_use]
pub fn stale(now: Timestamp, holdings: &[Holding<'_>]) -> Vec<String> {
    holdings.iter().filter_map(|it| line(it, now)).collect()
}

fn has_only_its_root(holding: &Holding<'_>) -> bool {
    let owner = holding.owner;
    let skips = holding.policy.backup_root.value == BackupRoot::Skip;
    skips && owner.devices.iter().all(|it| owner.is_root(&it.name))
}

fn line(holding: &Holding<'_>, now: Timestamp) -> Option<String> {
    let schedule = holding.policy.backup.value.as_ref()?;
    let last = schedule.until(now - SLACK)?;
    let before = schedule.until(last - Duration::SECOND)?;
    let completed = holding
        .sets
        .iter()
        .filter(|it| it.state == SetState::Completed);
    let newest = completed.map(|it| it.started).max();
    let since = newest.unwrap_or(holding.owner.launch_time);
    if since >= before {
        return None;
    }
    let what = newest.map_or_else(
        || "it has no completed backup".to_owned(),
        |it| format!("its newest completed backup is of {}", clock::format(it)),
    );
    let why = if holding.owner.hibernation {
        "EC2 takes no snapshot of an instance that is enabled for hibernation; switch that off, or the backup"
    } else if has_only_its_root(holding) {
        "it has no volume but its root, which spot-rescue:backup-root=skip leaves out"
    } else {
        "look for failed steps of this function, and for failed snapshots of the instance's volumes"
    };
    let names = ["StaleBackups"];
    let line = json!({
        "level": "WARN",
        "message": format!("{}: {what}, and its schedule is {schedule}: {why}", holding.owner.id),
        "instance": holding.owner.id,
        "lineage": holding.lineage,
        "StaleBackups": 1,
        "_aws": emf::counts(now, &names),
    });
    Some(line.to_string())
}
