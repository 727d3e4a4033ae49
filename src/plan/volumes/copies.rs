//! Which volume of a line holds its newest data: the volume itself, or a copy that took its place.

use crate::clock::Timestamp;
use crate::id::{InstanceId, VolumeId};
use crate::plan::lineage::Lineage;
use crate::situation::{Snapshot, Volume};
use crate::tags;

/// The newest usable volume of the line. What an instance already holds of it stays with it: two
/// invocations may have chosen differently.
pub fn newest<'a>(
    lineage: &Lineage,
    volume: &VolumeId,
    volumes: &'a [Volume],
    holder: &InstanceId,
) -> Option<&'a Volume> {
    let since = lineage.owner.map(|it| it.launch_time);
    let line = line(volume, volumes, lineage.snapshots(), since);
    let mut newest_first = line.iter().rev();
    let held = newest_first.find(|it| it.attachment(holder).is_some());
    // The snapshot it was made from may be gone, or its mark.
    let mut all = volumes.iter();
    let claimed = all.find(|it| claims(it, volume) && it.attachment(holder).is_some());
    held.copied().or(claimed).or(line.last().copied())
}

/// The volume and, one after the other, the copies that took its place. While the volume exists, a
/// copy of a snapshot from before its instance was last started did not: it has been written to since.
fn line<'a>(
    volume: &VolumeId,
    volumes: &'a [Volume],
    snapshots: &[Snapshot],
    since: Option<Timestamp>,
) -> Vec<&'a Volume> {
    let first = volumes.iter().find(|it| it.id == *volume && it.is_usable());
    let mut line: Vec<&Volume> = first.into_iter().collect();
    let mut origin = volume.clone();
    // Bounded: tags that name each other must not lead round in circles.
    for _ in volumes {
        let is_old = |it: &&Volume| {
            let mut all = snapshots.iter();
            let made_from = all.find(|s| it.snapshot.as_ref() == Some(&s.id));
            let first = line.len() == 1 && origin == *volume;
            first && made_from.is_some_and(|s| since.is_some_and(|since| s.started < since))
        };
        let copies = volumes.iter().filter(|it| is_copy(it, &origin, snapshots));
        let copies = copies.filter(|it| !is_old(it));
        let Some(copy) = copies.max_by_key(|it| (it.created, &it.id)) else {
            break;
        };
        origin = copy.id.clone();
        line.push(copy);
    }
    line
}

/// A tag alone makes no copy: whoever may tag volumes could hand the replacement his own. EC2 must
/// say that it was made from the volume it claims to stand for, or from a snapshot of it.
pub fn is_copy(volume: &Volume, of: &VolumeId, snapshots: &[Snapshot]) -> bool {
    let made_from = |it: &Snapshot| volume.snapshot.as_ref() == Some(&it.id) && it.volume == *of;
    let restored = || claims(volume, of) && snapshots.iter().any(made_from);
    volume.is_usable() && (restored() || (is_clone(volume, of) && is_taken(volume)))
}

/// Ours, and by EC2's own account copied from that volume.
pub fn is_clone(volume: &Volume, of: &VolumeId) -> bool {
    claims(volume, of) && volume.source.as_ref() == Some(of)
}

/// Given to an instance, which has written to it. Before that, a clone is older than its source.
pub fn is_taken(volume: &Volume) -> bool {
    !volume.attachments.is_empty() || volume.tags.contains_key(tags::TAKEN_BY)
}

fn claims(volume: &Volume, of: &VolumeId) -> bool {
    volume.tags.get(tags::COPY_OF).map(String::as_str) == Some(of.as_str())
}
