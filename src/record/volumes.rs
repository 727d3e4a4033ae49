//! The volumes of the owner, with their flags as the user had set them.

use super::list;
use crate::id::VolumeId;
use crate::situation::{Device, Instance};
use crate::tags::{self, Tags};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedVolume {
    pub volume: VolumeId,
    pub device: String,
    /// As the user had set it, before we protected the volume.
    pub delete_on_termination: bool,
    pub root: bool,
}

/// The volumes of a living instance.
#[must_use]
pub fn volumes_of(instance: &Instance) -> Vec<RecordedVolume> {
    let recorded = |device: &Device| RecordedVolume {
        volume: device.volume.clone(),
        device: device.name.clone(),
        delete_on_termination: device.delete_on_termination,
        root: instance.is_root(&device.name),
    };
    instance.devices.iter().map(recorded).collect()
}

#[must_use]
pub fn volumes_from(tags: &Tags) -> Vec<RecordedVolume> {
    list(tags::VOLUMES, tags, volume_from)
}

/// The volumes as a packed list.
#[must_use]
pub fn volume_tags(volumes: &[RecordedVolume]) -> Tags {
    tags::pack(tags::VOLUMES, volumes.iter().map(volume_text))
}

fn volume_text(it: &RecordedVolume) -> String {
    let RecordedVolume {
        volume,
        device,
        delete_on_termination,
        root,
    } = it;
    let delete = if *delete_on_termination {
        "=delete"
    } else {
        ""
    };
    let root = if *root { "=root" } else { "" };
    [volume.as_str(), "=", device, delete, root].concat()
}

fn volume_from(text: &str) -> Option<RecordedVolume> {
    let mut words = text.split('=');
    let volume = words.next()?.parse().ok()?;
    let device = words.next()?.to_owned();
    let flags: Vec<&str> = words.collect();
    let delete_on_termination = flags.contains(&"delete");
    Some(RecordedVolume {
        volume,
        device,
        delete_on_termination,
        root: flags.contains(&"root"),
    })
}
