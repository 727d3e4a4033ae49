//! A volume with our mark that is free, on no record, and of no use to a rescue: its user has detached it between two
//! looks, or gave it to an instance that is gone. Its tag says so, and nothing of ours ever deletes it.

use crate::id::VolumeId;
use crate::plan::course::tidy;
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::kept;
use crate::situation::Volume;
use crate::tags::{self, limits};
use std::collections::BTreeSet;

/// While all is well. Seen once is not enough: an attachment may be under way.
pub fn leave(lineage: &Lineage, volumes: &[Volume], plan: &mut Plan) {
    if lineage.interrupted().next().is_some() || lineage.idle().next().is_some() {
        return;
    }
    let left = volumes
        .iter()
        .filter(|it| is_unclaimed(lineage, it, volumes));
    let left: BTreeSet<&VolumeId> = left.map(|it| &it.id).collect();
    for volume in left {
        let seen = format!("{volume} is free, and on no record");
        if plan.confirmed(
            lineage,
            seen,
            format!("{volume} to be attached by its user"),
        ) {
            plan.step(kept::to_its_user(volume));
        }
    }
}

fn is_unclaimed(lineage: &Lineage, volume: &Volume, all: &[Volume]) -> bool {
    let mut recorded = lineage.record.volumes.iter();
    let marked = volume.tags.contains_key(tags::RESCUE);
    let room = limits::free(&volume.tags, &volume.unproven, |it| it == tags::KEPT) > 0;
    volume.is_free()
        && marked
        && room
        && !kept::is_decided(volume)
        && recorded.all(|it| it.volume != volume.id)
        && !tidy::is_spent(lineage, volume, all)
}
