//! Which tags have room on volumes, interfaces and snapshots: those that the role and the sweep require come first.

use crate::situation::Volume;
use crate::tags::limits::{self, by_rank, fit};
use crate::tags::{self, Tags, proof_of};

/// The tags of a volume, as far as there is room beside an expiry date. Without room for its seal the lineage's tag is
/// written without one, because the role requires the tag.
#[must_use]
pub fn on_volume(volume: &Volume, marks: &Tags) -> Tags {
    let ours = |key: &str| marks.contains_key(key) || key == tags::EXPIRES_AT;
    let free = limits::free(&volume.tags, &volume.unproven, ours);
    let rank = |key: &str| match key {
        tags::RESCUE => 0,
        tags::VOLUME => 1,
        tags::RECYCLE => 3,
        _ => 2,
    };
    let (fitting, _) = fit(by_rank(marks.clone(), rank), free.saturating_sub(1));
    match marks.get(tags::RESCUE) {
        Some(_) if fitting.contains_key(tags::RESCUE) => fitting,
        Some(rescue) if free > 0 => Tags::from([
            (tags::RESCUE.to_owned(), rescue.clone()),
            (proof_of(tags::RESCUE), String::new()),
        ]),
        Some(_) | None => Tags::new(),
    }
}

/// The volume has all of these tags already.
#[must_use]
pub fn has(volume: &Volume, marks: &Tags) -> bool {
    let bare = |key: &String| volume.unproven.contains(key) && marks.contains_key(&proof_of(key));
    let mut marks_of = marks.iter().filter(|(key, _)| !tags::is_proof(key));
    marks_of.all(|(key, value)| volume.tags.get(key) == Some(value) || bare(key))
}

/// Whether the volume has the tags that say when it expires, and room for an expiry date.
#[must_use]
pub fn may_expire(volume: &Volume) -> bool {
    let told = volume.tags.contains_key(tags::VOLUME) && volume.tags.contains_key(tags::RESCUE);
    told && limits::free(&volume.tags, &volume.unproven, |it| it == tags::EXPIRES_AT) > 0
}

/// Whether a snapshot with the volume's tags has room for ours: the lineage with its seal, device, settings, set,
/// expiry date, attempts to restore.
#[must_use]
pub fn copies(volume: &Volume) -> bool {
    const OURS: usize = 7;
    let marks = [tags::RESCUE, tags::DEVICE, tags::VOLUME];
    limits::free(&volume.tags, &volume.unproven, |it| marks.contains(&it)) >= OURS
}

/// Whether there is room for the lineage's tag with its seal.
#[must_use]
pub fn is_markable(tags: &Tags) -> bool {
    limits::free(tags, &[], |it| it == tags::RESCUE) >= 2
}
