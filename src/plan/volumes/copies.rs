//! Which volume of a line holds its newest data: the volume itself, or a copy that took its place.

use crate::clock::Timestamp;
use crate::id::{InstanceId, VolumeId};
use crate::plan::lineage::Lineage;
use crate::situation::{Snapshot, Volume};
use crate::tags;

/// The newest usable volume of the line. A volume that the instance already holds counts first: two invocations may
/// have chosen different ones.
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
    // The snapshot that the held copy was made from may be gone, or may have lost its tag.
    let mut all = volumes.iter();
    let claimed = all.find(|it| claims(it, volume) && it.attachment(holder).is_some());
    held.copied().or(claimed).or(line.last().copied())
}

/// The volume and the copies that took its place, in order. While the volume exists, a copy of a snapshot from before
/// the last start of its instance does not count: the volume has been written to since.
fn line<'a>(
    volume: &VolumeId,
    volumes: &'a [Volume],
    snapshots: &[Snapshot],
    since: Option<Timestamp>,
) -> Vec<&'a Volume> {
    let first = volumes.iter().find(|it| it.id == *volume && it.is_usable());
    let mut line: Vec<&Volume> = first.into_iter().collect();
    let mut origin = volume.clone();
    // Bounded, because tags may name each other in a circle.
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

/// A tag alone proves no copy, since a user who may tag volumes could name any volume. EC2 must show that it was made
/// from the volume that the tag names, or from a snapshot of that.
pub fn is_copy(volume: &Volume, of: &VolumeId, snapshots: &[Snapshot]) -> bool {
    let made_from = |it: &Snapshot| volume.snapshot.as_ref() == Some(&it.id) && it.volume == *of;
    let restored = || claims(volume, of) && snapshots.iter().any(made_from);
    volume.is_usable() && (restored() || (is_clone(volume, of) && is_taken(volume)))
}

/// The volume has our tag, and EC2 shows that it was copied from that volume.
pub fn is_clone(volume: &Volume, of: &VolumeId) -> bool {
    claims(volume, of) && volume.source.as_ref() == Some(of)
}

/// The clone was given to an instance, which may have written to it. Before that it is older than its source.
pub fn is_taken(volume: &Volume) -> bool {
    !volume.attachments.is_empty() || volume.tags.contains_key(tags::TAKEN_BY)
}

fn claims(volume: &Volume, of: &VolumeId) -> bool {
    volume.tags.get(tags::COPY_OF).map(String::as_str) == Some(of.as_str())
}
