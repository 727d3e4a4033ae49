//! The sets that no rule keeps, as deletions.

use super::Holding;
use super::holding::Rescue;
use crate::backup::{Verdict, decide};
use crate::step::{Action, Step};

#[derive(Debug, Default)]
pub struct Retired {
    pub steps: Vec<Step>,
    /// More go than one run deletes.
    pub more: bool,
}

/// Nothing of a lineage that is being rescued: an older set may be needed.
#[must_use]
pub fn retire(holdings: &[Holding<'_>], most: usize) -> Retired {
    let calm = holdings.iter().filter(|it| it.rescue == Rescue::None);
    let mut steps: Vec<Step> = calm.flat_map(deletions).collect();
    let more = steps.len() > most;
    steps.truncate(most);
    Retired { steps, more }
}

fn deletions(holding: &Holding<'_>) -> Vec<Step> {
    let (Some(schedule), Some(retention)) =
        (&holding.policy.backup.value, &holding.policy.retain.value)
    else {
        return Vec::new();
    };
    let said = decide(retention, schedule.zone(), holding.sets);
    let going = holding.sets.iter().zip(said);
    let going = going.filter(|(_, it)| *it == Verdict::Goes);
    let snapshots = going.flat_map(|(set, _)| &set.snapshots);
    let delete = |snapshot: &crate::id::SnapshotId| Action::DeleteSnapshot {
        snapshot: snapshot.clone(),
    };
    snapshots
        .map(delete)
        .map(|it| Step::new(it.to_string(), it))
        .collect()
}
