//! Keeps the volumes of an instance from being deleted with it, and tags them.

use crate::id::{InstanceId, VolumeId};
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::room::volume;
use crate::policy::Root;
use crate::record::VolumeTag;
use crate::situation::{Instance, Snapshot, Volume};
use crate::step::{Action, Step};
use crate::tags::{self, Tags, limits};
use std::collections::{BTreeMap, BTreeSet};

/// Switches `DeleteOnTermination` off for each volume, the root included (TRAP 15). EC2 refuses that once the instance
/// is shutting down.
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

/// The same for recorded devices of an instance that cannot be read. Each is a call of its own, because EC2 refuses a
/// call that names a detached device.
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

/// Tags each volume of the lineage and each snapshot of one with its role. A prepared instance's volumes are tagged
/// already, so this has steps only for one that was not prepared.
pub fn mark_volumes(lineage: &Lineage, plan: &mut Plan) {
    let Some(volumes) = lineage.facts.volumes.known() else {
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
            (tags::RESCUE, lineage.id.as_str()),
            (tags::DEVICE, device),
            (tags::VOLUME, &text),
        ];
        let marks = Tags::from(marks.map(|(key, value)| (key.to_owned(), value.to_owned())));
        let mut on_volume = marks.clone();
        let keeps_root = lineage.policy.root.value == Root::Keep;
        if tags::recycles(&lineage.inputs.defaults) && (root_of.is_none() || keeps_root) {
            on_volume.insert(tags::RECYCLE.to_owned(), "on".to_owned());
        }
        let snapshots = unmarked_snapshots(lineage, volume);
        mark(volume, &on_volume, marks, snapshots, plan);
    }
}

/// Tags a volume as far as it has room; its snapshots have room for all tags.
fn mark(volume: &Volume, on_volume: &Tags, marks: Tags, snapshots: Vec<String>, plan: &mut Plan) {
    let fitting = volume::on_volume(volume, on_volume);
    let mut resources = snapshots;
    let marked = volume::has(volume, &fitting);
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
        let with_volume = resources.iter().any(|it| *it == volume.id.as_str());
        let id = if with_volume || marked {
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
    /// Deleted with its instance, by the user's flag.
    deleted: bool,
}

/// The recorded volumes, and the root volumes of successors that were interrupted in turn.
fn known_volumes<'a>(lineage: &'a Lineage) -> Vec<Known<'a>> {
    let head = lineage.record.head.as_ref();
    let recorded = lineage.record.volumes.iter().map(|it| Known {
        id: &it.volume,
        device: &it.device,
        root_of: head.filter(|_| it.root),
        deleted: it.delete_on_termination,
    });
    // A successor's root that is a recorded volume is listed already.
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
    // EC2 may show a volume twice while it moves: it is tagged once.
    let mut seen = BTreeSet::new();
    all.retain(|it| seen.insert(it.id));
    all
}

fn unmarked_snapshots(lineage: &Lineage, volume: &Volume) -> Vec<String> {
    let snapshots = lineage
        .facts
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
