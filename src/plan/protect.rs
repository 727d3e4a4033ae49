//! The first thing at a warning: nothing of the instance may vanish with it.

use super::seen::missed;
use super::{Lineage, Plan, breaker, room};
use crate::event::{InstanceAction, InstanceState, Interruption, is_recent};
use crate::id::{InstanceId, VolumeId};
use crate::policy::PrivateIp;
use crate::record::{
    VolumeTag, history_tags, interface_tags, interfaces_of, interruption_from, interruption_text,
    member_tags, volume_tags, volumes_of,
};
use crate::situation::{Instance, Snapshot, Volume};
use crate::step::{Action, Step};
use crate::tags::{self, Tags, limits};
use std::collections::{BTreeMap, BTreeSet};

/// The step that writes an interruption into the record.
pub const REMEMBER: &str = "remember the interruption";

/// `DeleteOnTermination` is switched off for every volume, the root included: the cheapest rescue
/// there is (TRAP 15). EC2 refuses it once the instance is shutting down.
pub fn keep_volumes(instance: &Instance, plan: &mut Plan) {
    let deleted = instance
        .devices
        .iter()
        .filter(|it| it.delete_on_termination);
    let devices: BTreeMap<String, bool> = deleted.map(|it| (it.name.clone(), false)).collect();
    if instance.is_alive() && !devices.is_empty() {
        let id = format!("keep volumes of {}", instance.id);
        let instance = instance.id.clone();
        plan.step(Step::new(
            id,
            Action::SetDeleteOnTermination { instance, devices },
        ));
    }
}

/// The same, of devices that only the record tells of: each by itself, as EC2 refuses a call that names one which has
/// been detached since.
pub fn keep_recorded(lineage: &Lineage, instance: &InstanceId, plan: &mut Plan) {
    let flagged = lineage.record.volumes.iter();
    let flagged = flagged.filter(|it| it.delete_on_termination);
    for it in flagged {
        let action = Action::SetDeleteOnTermination {
            instance: instance.clone(),
            devices: BTreeMap::from([(it.device.clone(), false)]),
        };
        plan.step(Step::new(
            format!("keep {} of {instance}", it.volume),
            action,
        ));
    }
}

/// Marks the instance as interrupted, with what an unprepared instance would take to its grave.
/// True if nobody has done so before.
///
/// It runs beside the other steps, not before them: should it fail alone, a volume keeps
/// `DeleteOnTermination=false` afterwards, which loses nothing.
pub fn tombstone(
    lineage: &Lineage,
    instance: &Instance,
    interruption: &Interruption,
    plan: &mut Plan,
) -> bool {
    let text = interruption_text(interruption);
    let standing = instance.tags.get(tags::INTERRUPTED_AT);
    let known = standing.and_then(|it| interruption_from(it));
    // EC2's own word is written over ours, whatever the hour.
    let ours = |it: &Interruption| it.action == InstanceAction::Return;
    let news = known.is_none_or(|it| it.at < interruption.at || (ours(&it) && !ours(interruption)));
    if !news || instance.state == InstanceState::Terminated {
        return false;
    }
    let mut marks = own(lineage);
    marks.insert(tags::INTERRUPTED_AT.to_owned(), text);
    let flagged = instance.devices.iter().any(|it| it.delete_on_termination);
    // No flag set: the user has none, or our own hand was here already and must not hide his.
    if !instance.tags.contains_key(tags::PREPARED) && standing.is_none() && flagged {
        marks.extend(volume_tags(&volumes_of(instance)));
        let with_primary = lineage.policy.private_ip.value == PrivateIp::Keep;
        marks.extend(interface_tags(&interfaces_of(instance, with_primary)));
    }
    // Without room the record remembers it, and the rest goes by the record.
    let Some(marks) = room::for_tombstone(lineage, instance, marks) else {
        return false;
    };
    let resources = vec![instance.id.to_string()];
    let id = format!("tombstone {}", instance.id);
    plan.step(Step::new(
        id,
        Action::Tag {
            resources,
            tags: marks,
        },
    ));
    true
}

/// The interruption of the owner, in the record: it outlives the instance.
pub fn remember(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) {
    let Some(template) = lineage.template() else {
        return;
    };
    let standing = template.tags.get(tags::INTERRUPTED_AT);
    let same = |text: &String| {
        interruption_from(text).is_some_and(|it| it.instance == interruption.instance)
    };
    let known = standing.is_some_and(same);
    let elsewhere = is_told_elsewhere(lineage, interruption);
    if !known && (elsewhere || missed::is_unclear(lineage, interruption)) {
        return;
    }
    let mut tags = history_tags(&breaker::history(lineage));
    if known && holds(&template.tags, &tags) {
        return;
    }
    // A successor that was interrupted in its turn: only the history has grown.
    let step = if known { "remember one more" } else { REMEMBER };
    if !known {
        let text = interruption_text(interruption);
        tags.insert(tags::INTERRUPTED_AT.to_owned(), text);
    }
    let resources = vec![template.id.to_string()];
    plan.step(Step::new(step, Action::Tag { resources, tags }));
}

/// EC2 has warned of it a moment ago, and that is not at hand: whoever has the warning writes down more than this.
fn is_told_elsewhere(lineage: &Lineage, interruption: &Interruption) -> bool {
    let mut notices = lineage.situation.notices.iter();
    let at_hand = notices.any(|it| it.instance == interruption.instance);
    let tombstone = lineage.member(&interruption.instance);
    let tombstone = tombstone.and_then(|it| it.tags.get(tags::INTERRUPTED_AT));
    let now = lineage.situation.now;
    !at_hand && tombstone.is_some() && !interruption.is_ours() && is_recent(interruption.at, now)
}

/// The record cannot be read, but it is known where it is: EC2 forgets the instance an hour after its end, and its
/// tombstone with it.
pub fn remember_unread(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) {
    // More than this has been written, or is remembered.
    let listed = &lineage.situation.listed;
    if listed.contains(&interruption.instance) || is_told_elsewhere(lineage, interruption) {
        return;
    }
    let owner = lineage.owner.map(|it| &it.id);
    let Some(template) = lineage
        .template_id()
        .filter(|_| owner == Some(&interruption.instance))
    else {
        return;
    };
    let text = interruption_text(interruption);
    let action = Action::Tag {
        resources: vec![template.to_string()],
        tags: Tags::from([(tags::INTERRUPTED_AT.to_owned(), text)]),
    };
    plan.step(Step::new(REMEMBER, action));
}

/// Every volume of the lineage says what it is, and so does every snapshot of one: a prepared
/// instance's are marked long before, so this finds something to do only when we came late.
pub fn mark_volumes(lineage: &Lineage, plan: &mut Plan) {
    let Some(volumes) = lineage.situation.volumes.known() else {
        return;
    };
    for Known {
        id,
        device,
        root_of,
        deleted,
    } in known_volumes(lineage)
    {
        let Some(volume) = volumes.iter().find(|it| it.id == *id) else {
            continue;
        };
        let tag = VolumeTag {
            settings: volume.settings.clone(),
            root_of: root_of.cloned(),
            delete_on_termination: deleted,
        };
        let text = tag.text();
        let marks = [
            (tags::RESCUE, lineage.situation.lineage.as_str()),
            (tags::DEVICE, device),
            (tags::VOLUME, &text),
        ];
        let marks = Tags::from(marks.map(|(key, value)| (key.to_owned(), value.to_owned())));
        mark(volume, marks, unmarked_snapshots(lineage, volume), plan);
    }
}

/// A volume with as many of them as it has room for; its snapshots have room for all.
fn mark(volume: &Volume, marks: Tags, snapshots: Vec<String>, plan: &mut Plan) {
    let fitting = room::on_volume(volume, &marks);
    let mut resources = snapshots;
    let marked = room::has(volume, &fitting);
    if !marked && fitting == marks {
        resources.push(volume.id.to_string());
    } else if !marked {
        let action = Action::Tag {
            resources: vec![volume.id.to_string()],
            tags: fitting,
        };
        plan.step(Step::new(mark_id(&volume.id), action));
    }
    if !resources.is_empty() {
        resources.sort();
        let of_volume = resources.iter().any(|it| *it == volume.id.as_str());
        let id = if of_volume || marked {
            mark_id(&volume.id)
        } else {
            format!("mark snapshots of {}", volume.id)
        };
        let action = Action::Tag {
            resources,
            tags: marks,
        };
        plan.step(Step::new(id, action));
    }
}

pub fn mark_id(volume: &VolumeId) -> String {
    format!("mark {volume}")
}

struct Known<'a> {
    id: &'a VolumeId,
    device: &'a str,
    root_of: Option<&'a InstanceId>,
    /// With its instance, as its user had it.
    deleted: bool,
}

/// The recorded volumes, and the roots of successors that were interrupted in their turn: each with its
/// device, a root with its instance.
fn known_volumes<'a>(lineage: &'a Lineage) -> Vec<Known<'a>> {
    let head = lineage.record.head.as_ref();
    let recorded = lineage.record.volumes.iter().map(|it| Known {
        id: &it.volume,
        device: &it.device,
        root_of: head.filter(|_| it.root),
        deleted: it.delete_on_termination,
    });
    // One that has become such a root already is on record, or stands for it.
    let known = |id: &VolumeId| lineage.record.volumes.iter().any(|it| it.volume == *id);
    let others = lineage.interrupted().filter(|(it, _)| Some(&it.id) != head);
    let roots = others.filter_map(|(instance, _)| {
        let root = instance.root().filter(|it| !known(&it.volume))?;
        Some(Known {
            id: &root.volume,
            device: &root.name,
            root_of: Some(&instance.id),
            deleted: true,
        })
    });
    let mut all: Vec<Known> = recorded.chain(roots).collect();
    // One may be shown twice while it is detached and attached: it gets one mark.
    let mut seen = BTreeSet::new();
    all.retain(|it| seen.insert(it.id));
    all
}

fn unmarked_snapshots(lineage: &Lineage, volume: &Volume) -> Vec<String> {
    let snapshots = lineage
        .situation
        .snapshots
        .known()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let room = |it: &Snapshot| {
        let marks = [tags::RESCUE, tags::DEVICE, tags::VOLUME];
        limits::free(&it.tags, &[], |key| marks.contains(&key)) > marks.len()
    };
    let unmarked =
        |it: &&Snapshot| it.volume == volume.id && !it.tags.contains_key(tags::VOLUME) && room(it);
    snapshots
        .iter()
        .filter(unmarked)
        .map(|it| it.id.to_string())
        .collect()
}

/// The marks that a replacement was launched with could be copied: from now on they are its own. One that has no room
/// for more is remembered by its id.
pub fn seal(lineage: &Lineage, replacement: &Instance, plan: &mut Plan) {
    if room::is_tight(lineage, replacement) {
        loosen(lineage, replacement, plan);
        return;
    }
    let replaces = replacement.tags.get_key_value(tags::REPLACES);
    let (Some((key, value)), false) = (replaces, replacement.sealed) else {
        return;
    };
    let mut tags = own(lineage);
    tags.insert(key.clone(), value.clone());
    let resources = vec![replacement.id.to_string()];
    let id = format!("seal {}", replacement.id);
    plan.step(Step::new(id, Action::Tag { resources, tags }));
}

/// A replacement that is tight goes on the record by its id, and gives back the places of its seals: what was launched is
/// marked at once, before anybody has counted. Returns the step after which there is room.
pub fn loosen(lineage: &Lineage, replacement: &Instance, plan: &mut Plan) -> Option<String> {
    let id = format!("unseal {}", replacement.id);
    if plan.steps.iter().any(|it| it.id == id) {
        return Some(id);
    }
    let listed = enlist(lineage, replacement, plan);
    if !replacement.sealed || (listed.is_none() && !is_listed(lineage, replacement)) {
        return None;
    }
    let action = Action::Untag {
        resources: vec![replacement.id.to_string()],
        keys: room::seals(),
    };
    let step = Step::new(&id, action);
    plan.step(listed.iter().fold(step, |step, listed| step.after(listed)));
    Some(id)
}

fn is_listed(lineage: &Lineage, replacement: &Instance) -> bool {
    lineage.record.members.contains(&replacement.id)
}

fn enlist(lineage: &Lineage, replacement: &Instance, plan: &mut Plan) -> Option<String> {
    if is_listed(lineage, replacement) {
        return None;
    }
    let template = lineage.template()?;
    let mut members = lineage.record.members.clone();
    members.push(replacement.id.clone());
    let id = format!("enlist {}", replacement.id);
    if plan.steps.iter().any(|it| it.id == id) {
        return Some(id);
    }
    let action = Action::Tag {
        resources: vec![template.id.to_string()],
        tags: member_tags(&members),
    };
    plan.step(Step::new(&id, action));
    Some(id)
}

/// The tag that makes a resource ours.
pub fn own(lineage: &Lineage) -> Tags {
    Tags::from([(
        tags::RESCUE.to_owned(),
        lineage.situation.lineage.to_string(),
    )])
}

/// Whether all of `wanted` is there already.
pub fn holds(present: &Tags, wanted: &Tags) -> bool {
    wanted
        .iter()
        .all(|(key, value)| present.get(key) == Some(value))
}
