//! A volume with our mark that is free, on no record, and of no use to a rescue: its user has detached it between two
//! looks, or gave it to an instance that is gone. Its tag says so, and nothing of ours ever deletes it.

use super::{Lineage, Plan, tidy};
use crate::id::VolumeId;
use crate::situation::Volume;
use crate::step::{Action, Step};
use crate::tags::{self, Tags, limits};
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
            plan.step(to_its_user(volume));
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
        && !is_decided(volume)
        && recorded.all(|it| it.volume != volume.id)
        && !tidy::is_spent(lineage, volume, all)
}

/// What comes of it is written on it.
pub fn is_decided(volume: &Volume) -> bool {
    let marks = [tags::EXPIRES_AT, tags::KEPT, tags::RAN_AGAIN];
    marks.iter().any(|it| volume.tags.contains_key(*it))
}

/// No expiry of ours comes to it.
pub fn to_its_user(volume: &VolumeId) -> Step {
    let why = "its user has detached it".to_owned();
    let action = Action::Tag {
        resources: vec![volume.to_string()],
        tags: Tags::from([(tags::KEPT.to_owned(), why)]),
    };
    Step::new(format!("leave {volume} to its user"), action)
}
