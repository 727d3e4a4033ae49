//! The snapshot set at the warning: the safety net, not the fast path. It misses the last writes
//! (TRAP 16) and may upload for hours (TRAP 4); a surviving volume is always newer.

use super::{Lineage, Plan, protect};
use crate::event::{InstanceState, Interruption};
use crate::situation::Instance;
use crate::step::{Action, Step, warning_set};
use crate::tags;

/// One `CreateSnapshots` per warning: all volumes at one moment. The call has no token (TRAP 6), so
/// the set is looked for by its tag where snapshots have been read.
pub fn warning(
    lineage: &Lineage,
    instance: &Instance,
    interruption: &Interruption,
    plan: &mut Plan,
) {
    let name = warning_set(interruption);
    let taken = lineage
        .situation
        .snapshots
        .known()
        .map(|all| all.iter().any(|it| it.tags.get(tags::SET) == Some(&name)));
    // Not read is fine on the first pass; a failed read is not "none".
    let unknown = matches!(
        lineage.situation.snapshots,
        crate::situation::Fact::Unavailable { .. }
    );
    let possible = matches!(
        instance.state,
        InstanceState::Running | InstanceState::Stopping
    );
    if taken == Some(true) || unknown || !possible || instance.devices.is_empty() {
        return;
    }
    if instance.hibernation {
        // TRAP 30
        plan.note(format!(
            "{} is enabled for hibernation: EC2 takes no snapshot of it",
            instance.id
        ));
        return;
    }
    let mut marks = protect::own(lineage);
    marks.insert(tags::SET.to_owned(), name);
    let action = Action::SnapshotInstance {
        instance: instance.id.clone(),
        tags: marks,
    };
    plan.step(Step::new(format!("snapshot {}", instance.id), action));
}
