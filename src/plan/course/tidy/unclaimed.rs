//! A volume with our tag that is free, on no record and not needed by a rescue: its user has detached it between two
//! looks, or had attached it to an instance that is gone. It is tagged as its user's, and the sweep never deletes it.

use crate::id::VolumeId;
use crate::plan::course::tidy;
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::kept;
use crate::situation::Volume;
use crate::tags::{self, limits};
use std::collections::BTreeSet;

/// Tags such volumes outside a rescue. It takes two looks, because an attachment may be under way.
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
