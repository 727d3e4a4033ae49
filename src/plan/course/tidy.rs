//! Cleans up after a rescue: safety copies get an expiry date, and the record drops what is over.
//!
//! Nothing is deleted here: the sweep deletes expired resources a day later. Nothing gets an expiry date while it could
//! be the only copy: the owner must run with its volumes first.

pub mod unclaimed;

use crate::id::{InstanceId, VolumeId};
use crate::plan::course::{foreseen, keep};
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::room::volume;
use crate::plan::marks::{expiry, kept};
use crate::plan::traffic::deregister;
use crate::plan::volumes::fate::{Fate, HandOver};
use crate::plan::volumes::{clone, snapshot};
use crate::record::{Expiring, Record, RecordedVolume, VolumeTag};
use crate::situation::{Instance, Snapshot, SnapshotState, Volume, VolumeState};
use crate::step::{Action, Step};
use crate::tags::{self, limits};
use std::collections::{BTreeMap, BTreeSet};
use time::Duration;

/// A recorded expiry date counts for so long after it is past, so that an old record that was put back deletes nothing.
pub const GRACE: Duration = Duration::hours(24);

/// The owner is not interrupted. Root volumes of former owners, volumes replaced by a copy, and snapshot sets of
/// finished rescues get an expiry date.
pub fn after(lineage: &Lineage, plan: &mut Plan) {
    let Some(volumes) = lineage.facts.volumes.known() else {
        plan.wait(15, "volumes to be readable");
        return;
    };
    // There may be very many snapshots (TRAP 47), and an expiry date has time until the next sweep.
    let Some(snapshots) = lineage.facts.snapshots.known() else {
        plan.wait(900, "snapshots to be readable");
        return;
    };
    let spent = volumes.iter().filter(|it| is_spent(lineage, it, volumes));
    let mut expiring: BTreeMap<Duration, Vec<String>> = BTreeMap::new();
    for volume in spent {
        let kept = expiry::KEPT + clone::source_kept(volume, volumes);
        expiring
            .entry(kept)
            .or_default()
            .push(volume.id.to_string());
    }
    expiring
        .entry(expiry::KEPT)
        .or_default()
        .extend(old_sets(snapshots));
    for (kept, resources) in expiring {
        expiry::expire(lineage, kept, resources, plan);
    }
    date_recorded(lineage, volumes, plan);
    unclaimed::leave(lineage, volumes, plan);
    let taken = lineage
        .interrupted()
        .filter(|(it, _)| !lineage.is_retired(it));
    for (instance, _) in taken {
        // AWS may have refused the deregistration, or the instance was registered again.
        deregister::of(lineage, instance, plan);
        if instance.is_alive() || !instance.devices.is_empty() {
            plan.wait(15, format!("{} to end", instance.id));
        }
    }
    await_release(lineage, volumes, plan);
}

/// The volume is an unneeded copy, or the owner has a copy in its place: it gets an expiry date.
pub fn is_spent(lineage: &Lineage, volume: &Volume, all: &[Volume]) -> bool {
    let settled = [tags::EXPIRES_AT, tags::KEPT];
    let unmarked = !settled.iter().any(|it| volume.tags.contains_key(*it));
    let of_no_use = || clone::is_unused(volume) || is_former_root(lineage, volume);
    let had_its_time = volume.is_free()
        && (of_no_use()
            || is_superseded(lineage, volume, all)
            || is_old_copy(lineage, volume, all));
    let unique = volume.tags.contains_key(tags::RAN_AGAIN);
    let room = limits::free(&volume.tags, &volume.unproven, |it| it == tags::EXPIRES_AT) > 0;
    unmarked && !unique && room && (had_its_time || is_stillborn(volume))
}

/// Volumes that the hand-over leaves behind without room for tags: replaced root volumes, and volumes replaced by a
/// copy. Their expiry date goes on record.
pub fn without_room(lineage: &Lineage, after: &Record, hand_over: &HandOver) -> Vec<Expiring> {
    let volumes = lineage.facts.volumes.known().map(Vec::as_slice);
    let volumes = volumes.unwrap_or_default();
    let stays = |it: &RecordedVolume| after.volumes.iter().any(|after| after.volume == it.volume);
    let fate = |it: &RecordedVolume| {
        let mut fates = hand_over.volumes.iter();
        fates.find(|(of, _)| of.volume == it.volume).map(|it| &it.1)
    };
    let replaced = |it: &&RecordedVolume| match fate(it) {
        Some(fate) => matches!(fate, Fate::Attached { .. }),
        None => it.root,
    };
    let known = |it: &VolumeId| {
        lineage
            .record
            .expiring
            .iter()
            .any(|known| known.volume == *it)
    };
    let spent = lineage
        .record
        .volumes
        .iter()
        .filter(|it| !stays(it) && !known(&it.volume));
    let spent = spent.filter(replaced).filter_map(|spent| {
        let volume = volumes.iter().find(|it| it.id == spent.volume)?;
        let at = lineage.now + expiry::KEPT + clone::source_kept(volume, volumes);
        let volume = volume.id.clone();
        let roomy = volumes
            .iter()
            .any(|it| it.id == volume && volume::may_expire(it));
        (!roomy).then_some(Expiring { volume, at })
    });
    spent.collect()
}

/// The recorded expiry dates that still count. A volume that has expired and is attached belongs to its user again.
pub fn expiring(lineage: &Lineage) -> Vec<Expiring> {
    let now = lineage.now;
    let volumes = lineage.facts.volumes.known();
    let recorded = lineage
        .record
        .expiring
        .iter()
        .filter(|it| now < it.at + GRACE);
    let there = |it: &&Expiring| {
        volumes.is_none_or(|all| {
            let found = all.iter().find(|volume| volume.id == it.volume);
            found.is_some_and(|volume| volume.attachments.is_empty() || now < it.at)
        })
    };
    recorded.filter(there).cloned().collect()
}

/// The role may delete only a volume with a date of its own, so a recorded date is also written to the volume where
/// there is room.
fn date_recorded(lineage: &Lineage, volumes: &[Volume], plan: &mut Plan) {
    for Expiring { volume, at } in expiring(lineage) {
        let Some(found) = volumes.iter().find(|it| it.id == volume && it.is_free()) else {
            continue;
        };
        let mark = tags::RESCUE.to_owned();
        let marked = found.tags.contains_key(&mark) || found.unproven.contains(&mark);
        let room = limits::free(&found.tags, &found.unproven, |_| false) > 0;
        if marked && room && !kept::is_decided(found) && !is_spent(lineage, found, volumes) {
            plan.step(expiry::expire_at(at, volume.to_string()));
        }
    }
}

/// A copy of ours that EC2 failed to create.
fn is_stillborn(volume: &Volume) -> bool {
    let made = volume.source.is_some() || volume.snapshot.is_some();
    made && volume.tags.contains_key(tags::COPY_OF) && volume.state == VolumeState::Error
}

fn is_former_root(lineage: &Lineage, volume: &Volume) -> bool {
    let tag = volume
        .tags
        .get(tags::VOLUME)
        .and_then(|text| VolumeTag::parse(text));
    let root_of = tag.and_then(|it| it.root_of);
    // The owner's first root volume is a former one once the owner has another.
    let is_present = |owner: &Instance| owner.root().is_none_or(|it| it.volume == volume.id);
    let owner = |it: &InstanceId| lineage.owner.is_some_and(|o| o.id == *it && is_present(o));
    root_of.is_some_and(|it| !owner(&it))
}

/// The owner has the original of this copy: the original came back before the copy was needed.
fn is_old_copy(lineage: &Lineage, volume: &Volume, all: &[Volume]) -> bool {
    let origin = volume.tags.get(tags::COPY_OF);
    let held = |it: &Volume| lineage.owner.is_some_and(|owner| it.attached_to(&owner.id));
    all.iter()
        .any(|it| Some(it.id.as_str()) == origin.map(String::as_str) && held(it))
}

/// A copy of the volume is attached to the owner, or a copy of a copy: after an owner that was interrupted right after
/// the hand-over, what it had replaced has no expiry date yet.
fn is_superseded(lineage: &Lineage, volume: &Volume, all: &[Volume]) -> bool {
    let Some(owner) = lineage.owner else {
        return false;
    };
    let mut line = BTreeSet::from([volume.id.as_str()]);
    // Bounded, because tags may name each other in a circle.
    for _ in all {
        let of_line = |it: &&Volume| {
            let named = it.tags.get(tags::COPY_OF);
            named.is_some_and(|it| line.contains(it.as_str()))
        };
        let copies: Vec<&Volume> = all.iter().filter(of_line).collect();
        if copies.iter().any(|it| it.attached_to(&owner.id)) {
            return true;
        }
        line.extend(copies.iter().map(|it| it.id.as_str()));
    }
    false
}

/// Waits for volumes that an ending instance still holds and that get an expiry date later: its root, and volumes of
/// which the owner has a clone.
fn await_release(lineage: &Lineage, volumes: &[Volume], plan: &mut Plan) {
    let retired = |it: &InstanceId| lineage.member(it).is_some_and(|it| lineage.is_retired(it));
    let held = volumes.iter().filter(|it| {
        let owner = lineage.owner.map(|it| &it.id);
        let elsewhere = it
            .attachments
            .iter()
            .any(|it| Some(&it.instance) != owner && !retired(&it.instance));
        let spent = || is_former_root(lineage, it) || is_superseded(lineage, it, volumes);
        elsewhere && spent()
    });
    for volume in held {
        plan.wait(15, format!("{}, a safety copy, to be released", volume.id));
    }
}

/// The snapshot sets of finished rescues.
fn old_sets(snapshots: &[Snapshot]) -> Vec<String> {
    let old = |it: &&Snapshot| {
        let of_rescue = it
            .tags
            .get(tags::SET)
            .is_some_and(|set| snapshot::is_of_rescue(set));
        let unmarked = !it.tags.contains_key(tags::EXPIRES_AT);
        let settled = it.state != SnapshotState::Pending;
        let room = limits::free(&it.tags, &[], |_| false) > 0;
        of_rescue && unmarked && settled && room
    };
    snapshots
        .iter()
        .filter(old)
        .map(|it| it.id.to_string())
        .collect()
}

/// The user has terminated the instance: its prepared rescue is deleted. Its volumes stay as they are; those that
/// would have been deleted with it get an expiry date.
pub fn ended(lineage: &Lineage, why: String) -> Plan {
    let mut plan = Plan::nothing(why);
    // A warning at the same time, and its replacement, may not be visible yet.
    let seen = format!("{} has ended", lineage.id);
    let what = "its end to be seen again before it is forgotten";
    if lineage.template().is_some() && !plan.confirmed(lineage, seen, what) {
        return plan;
    }
    // A spare is no longer needed.
    foreseen::give_back(lineage, &mut plan);
    if !keep::ended(lineage, &mut plan) {
        return plan;
    }
    forget(lineage, &mut plan);
    plan
}

/// Deletes the prepared rescue, after all other planned steps.
pub fn forget(lineage: &Lineage, plan: &mut Plan) {
    let before: Vec<String> = plan.steps.iter().map(|it| it.id.clone()).collect();
    if let Some(template) = lineage.template() {
        let action = Action::DeleteTemplate {
            template: template.id.clone(),
        };
        let step = Step::new("forget the instance", action);
        plan.step(before.iter().fold(step, |step, id| step.after(id)));
    }
}
