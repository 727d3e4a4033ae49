//! A set: the snapshots of one `CreateSnapshots` call, of one point in time.

use crate::clock::Timestamp;
use crate::id::{InstanceId, SnapshotId};
use crate::situation::{Snapshot, SnapshotState};
use crate::tags;
use std::collections::BTreeMap;

/// The names of scheduled sets begin so.
const NAME: &str = "backup-";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    pub name: String,
    /// The same for all: one call gives one start time.
    pub started: Timestamp,
    /// When the last of its snapshots had completed.
    pub completed: Option<Timestamp>,
    pub state: SetState,
    pub snapshots: Vec<SnapshotId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetState {
    Pending,
    Completed,
    /// One of its snapshots has failed: it is not whole.
    Failed,
}

/// `backup-<instance>-<seconds>`: of this instance, for this moment of its schedule.
#[must_use]
pub fn name(instance: &InstanceId, run: Timestamp) -> String {
    format!("{NAME}{instance}-{}", run.unix_timestamp())
}

/// `<instance>-<seconds>` of the name of a scheduled set.
#[must_use]
pub fn run(name: &str) -> Option<&str> {
    name.strip_prefix(NAME)
}

/// Whether a snapshot belongs to a scheduled set.
#[must_use]
pub fn is_scheduled(snapshot: &Snapshot) -> bool {
    let set = snapshot.tags.get(tags::SET);
    set.is_some_and(|it| run(it).is_some())
}

/// The scheduled sets among snapshots, by lineage, the oldest first.
#[must_use]
pub fn sets(snapshots: &[Snapshot]) -> BTreeMap<InstanceId, Vec<Set>> {
    let mut named: BTreeMap<(InstanceId, &str), Vec<&Snapshot>> = BTreeMap::new();
    for snapshot in snapshots.iter().filter(|it| is_scheduled(it)) {
        let lineage = snapshot.tags.get(tags::RESCUE);
        let lineage = lineage.and_then(|it| it.parse().ok());
        if let (Some(lineage), Some(set)) = (lineage, snapshot.tags.get(tags::SET)) {
            named.entry((lineage, set)).or_default().push(snapshot);
        }
    }
    let mut sets: BTreeMap<InstanceId, Vec<Set>> = BTreeMap::new();
    for ((lineage, name), members) in named {
        sets.entry(lineage).or_default().extend(of(name, &members));
    }
    for all in sets.values_mut() {
        all.sort_by(|a, b| (a.started, &a.name).cmp(&(b.started, &b.name)));
    }
    sets
}

/// Of its snapshots; None without any.
#[must_use]
pub fn of(name: &str, members: &[&Snapshot]) -> Option<Set> {
    let any = |state| members.iter().any(|it| it.state == state);
    let state = if any(SnapshotState::Unusable) {
        SetState::Failed
    } else if any(SnapshotState::Pending) {
        SetState::Pending
    } else {
        SetState::Completed
    };
    // Where EC2 does not say when a snapshot completed, the order is that of the starts.
    let completed = members.iter().map(|it| it.completed.unwrap_or(it.started));
    Some(Set {
        name: name.to_owned(),
        started: members.iter().map(|it| it.started).min()?,
        completed: completed.max().filter(|_| state == SetState::Completed),
        state,
        snapshots: members.iter().map(|it| it.id.clone()).collect(),
    })
}

#[cfg(test)]
impl Set {
    pub(super) fn example(started: Timestamp, state: SetState) -> Self {
        let completed = started + time::Duration::minutes(5);
        Self {
            name: format!("{NAME}i-0123456789abcdef0-{}", started.unix_timestamp()),
            started,
            completed: Some(completed).filter(|_| state == SetState::Completed),
            state,
            snapshots: Vec::new(),
        }
    }
}
