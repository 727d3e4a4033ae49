//! The record, rebuilt after the launch template was deleted: the owner's own tags and the tags of the volumes repeat
//! parts of it, sealed for that very resource.

use crate::record::{
    Record, RecordedVolume, VolumeTag, addresses_from, interfaces_from, targets_from,
};
use crate::situation::{Instance, Situation, Volume};
use crate::tags;

/// The newest instance with a prepared rescue is the owner.
pub fn owner<'a>(members: &[&'a Instance]) -> Option<&'a Instance> {
    let prepared = |it: &&&Instance| it.tags.contains_key(tags::PREPARED);
    members.iter().rev().find(prepared).copied()
}

pub fn record(owner: Option<&Instance>, situation: &Situation) -> Record {
    let mut record = owner.map_or_else(Record::default, |it| Record {
        targets: targets_from(&it.tags),
        addresses: addresses_from(&it.tags),
        interfaces: interfaces_from(&it.tags),
        ..Record::noted(&it.tags)
    });
    let volumes = situation.facts.volumes.known().map(Vec::as_slice);
    let all: Vec<&Volume> = { volumes.unwrap_or_default().iter() }
        .filter(|it| !is_past(it))
        .collect();
    let standing = all.iter().filter(|it| !is_copy(it, &all));
    record.volumes = standing.filter_map(|it| marked(it, owner)).collect();
    record.volumes.sort_by(|a, b| a.volume.cmp(&b.volume));
    record
}

fn is_past(volume: &Volume) -> bool {
    let past = [tags::EXPIRES_AT, tags::KEPT];
    past.iter().any(|it| volume.tags.contains_key(*it))
}

/// The volume is a copy, and its original exists.
fn is_copy(volume: &Volume, all: &[&Volume]) -> bool {
    let origin = volume.tags.get(tags::COPY_OF);
    all.iter()
        .any(|it| Some(it.id.as_str()) == origin.map(String::as_str))
}

/// The volume as its tags describe it: a data volume, or the owner's root.
fn marked(volume: &Volume, owner: Option<&Instance>) -> Option<RecordedVolume> {
    let tag = VolumeTag::parse(volume.tags.get(tags::VOLUME)?)?;
    let root = tag.root_of.is_some();
    let other = root && tag.root_of.as_ref() != owner.map(|it| &it.id);
    let recorded = RecordedVolume {
        volume: volume.id.clone(),
        device: volume.tags.get(tags::DEVICE)?.clone(),
        delete_on_termination: tag.delete_on_termination,
        root,
    };
    (!other).then_some(recorded)
}
