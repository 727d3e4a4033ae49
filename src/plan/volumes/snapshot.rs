//! When a snapshot set of an instance is taken. It is the fallback for a lost volume: it misses the last writes (TRAP
//! 16) and may take hours to complete (TRAP 4), and a surviving volume is always newer.

use crate::clock::{self, Timestamp};
use crate::event::{InstanceState, Interruption};
use crate::id::{InstanceId, VolumeId};
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::room::{self, volume};
use crate::plan::marks::{expiry, own};
use crate::situation::{Instance, Snapshot, SnapshotState};
use crate::step::{Action, Except, Step, description, warning_set};
use crate::tags::{self, Tags};
use time::Duration;

/// A set that is younger than this is not taken again at a rebalance recommendation.
const FRESH: Duration = Duration::minutes(10);

/// A set that was taken so shortly before a warning is used: EC2 would refuse another one (TRAP 5).
const REUSED: Duration = Duration::seconds(30);

/// The names of sets that are taken before any warning begin so.
const AHEAD: &str = "risk-";

/// The names of sets with the snapshot that a volume gets after its instance has ended begin so.
const CLOSING: &str = "closing-";

/// The name of the set with the closing snapshot of a volume, taken for the instance that receives the volume.
#[must_use]
pub fn closing(volume: &VolumeId, receiver: &InstanceId) -> String {
    format!("{CLOSING}{volume}-{receiver}")
}

/// Named by a warning (`i-…-<time>`), or the set of a closing snapshot.
#[must_use]
pub fn is_of_rescue(set: &str) -> bool {
    set.starts_with("i-") || set.starts_with(CLOSING)
}

/// One `CreateSnapshots` per warning, for all volumes at one point in time. The call has no token (TRAP 6), so an
/// existing set is found by its tag.
pub fn warning(
    lineage: &Lineage,
    instance: &Instance,
    interruption: &Interruption,
    plan: &mut Plan,
) {
    let taken = is_taken(lineage, instance, interruption);
    if taken != Some(true) || has_failed(lineage, interruption) {
        plan.without_set.insert(instance.id.clone());
    }
    // First aid does not read snapshots and takes the set. After a failed read a set may exist, so none is taken.
    let unknown = matches!(
        lineage.facts.snapshots,
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
    let action = set(lineage, instance, warning_set(interruption));
    plan.step(Step::new(step_id(instance), action));
}

fn set(lineage: &Lineage, instance: &Instance, name: String) -> Action {
    let mut marks = own::own(lineage);
    marks.insert(tags::SET.to_owned(), name);
    Action::SnapshotInstance {
        instance: instance.id.clone(),
        description: description(&marks),
        tags: marks,
        copy_tags: copies_tags(lineage, instance),
        except: Except::managed(instance),
    }
}

/// The set that a warning would take.
pub fn rehearsed(lineage: &Lineage, owner: &Instance) -> Action {
    set(lineage, owner, format!("rehearsal-{}", owner.id))
}

/// Whether a set gets the tags of all its volumes, or of none. Before volumes have been read the instance's own tag
/// says whether there is room; an instance without room for that tag may have volumes without room.
///
/// The tags copied from volumes and the tags of the set have the lineage's key twice. If EC2 refuses that, the set gets
/// no tags of its volumes (TRAP 57).
pub fn copies_tags(lineage: &Lineage, instance: &Instance) -> bool {
    if lineage.inputs.refused.contains(&step_id(instance)) {
        return false;
    }
    if let Some(volumes) = lineage.facts.volumes.known() {
        let mut held = volumes
            .iter()
            .filter(|it| it.attachment(&instance.id).is_some());
        return held.all(volume::copies);
    }
    has_room_for_copies(instance).unwrap_or_else(|| room::takes_mark(lineage, instance))
}

/// By the mark of an instance with a prepared rescue: whether its volumes have room for a set's tags beside their own.
#[must_use]
pub fn has_room_for_copies(instance: &Instance) -> Option<bool> {
    let mark = instance.tags.get(tags::PREPARED)?;
    Some(!mark.ends_with(UNTAGGED))
}

/// Whether the set of a warning exists, or one taken seconds before it. None if snapshots are not known.
pub fn is_taken(
    lineage: &Lineage,
    instance: &Instance,
    interruption: &Interruption,
) -> Option<bool> {
    let name = warning_set(interruption);
    let all = lineage.facts.snapshots.known()?;
    let of_warning = all.iter().any(|it| it.tags.get(tags::SET) == Some(&name));
    Some(of_warning || covered(lineage, instance, interruption.at - REUSED))
}

fn has_failed(lineage: &Lineage, interruption: &Interruption) -> bool {
    let name = warning_set(interruption);
    let mut set = lineage.snapshots().iter();
    let failed = |it: &Snapshot| it.state == SnapshotState::Unusable;
    set.any(|it| it.tags.get(tags::SET) == Some(&name) && failed(it))
}

/// Takes a set of an instance at risk, in case no warning comes, unless there is a recent one. It has an expiry date
/// from the start.
pub fn ahead(lineage: &Lineage, owner: &Instance, begins: Timestamp, plan: &mut Plan) {
    let name = format!("{AHEAD}{}-{}", owner.id, begins.unix_timestamp());
    let Some(all) = lineage.facts.snapshots.known() else {
        plan.wait(30, "snapshots to be readable");
        return;
    };
    let taken = all.iter().any(|it| it.tags.get(tags::SET) == Some(&name));
    let now = lineage.now;
    if taken || covered(lineage, owner, now - FRESH) || owner.devices.is_empty() {
        return;
    }
    if owner.hibernation {
        plan.note(format!(
            "{} is enabled for hibernation: EC2 takes no snapshot of it",
            owner.id
        ));
        return;
    }
    let mut marks = own::own(lineage);
    marks.insert(tags::SET.to_owned(), name);
    let expiry = clock::format(now + expiry::KEPT);
    marks.insert(tags::EXPIRES_AT.to_owned(), expiry);
    let action = Action::SnapshotInstance {
        instance: owner.id.clone(),
        description: description(&marks),
        tags: marks,
        copy_tags: copies_tags(lineage, owner),
        except: Except::managed(owner),
    };
    plan.step(Step::new(step_id(owner), action));
}

fn step_id(instance: &Instance) -> String {
    format!("snapshot {}", instance.id)
}

pub fn is_ahead(tags: &Tags) -> bool {
    tags.get(tags::SET).is_some_and(|it| it.starts_with(AHEAD))
}

/// Each volume of the instance has a snapshot that was started since then and has not failed.
fn covered(lineage: &Lineage, instance: &Instance, since: Timestamp) -> bool {
    let all = lineage.facts.snapshots.known();
    let all = all.map(Vec::as_slice).unwrap_or_default();
    let mut devices = instance.devices.iter().map(|it| &it.volume);
    !instance.devices.is_empty()
        && devices.all(|volume| {
            let fresh = |it: &Snapshot| {
                it.volume == *volume && it.started >= since && it.state != SnapshotState::Unusable
            };
            all.iter().any(fresh)
        })
}

/// Ends the tag of an instance with volumes that leave no room for our tags on their snapshots.
pub const UNTAGGED: &str = " untagged";
