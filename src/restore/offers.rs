//! Sets of snapshots that volumes can be made of.

use crate::backup::{Set, set};
use crate::id::{InstanceId, SnapshotId, VolumeId};
use crate::record::{RecordedVolume, VolumeTag};
use crate::seal;
use crate::situation::Snapshot;
use crate::step::described;
use crate::tags::{self, Tags};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One set, and what its snapshots were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub kind: Kind,
    pub set: Set,
    /// By device.
    pub parts: Vec<Part>,
    /// Snapshots that are described as part of the set, of volumes that the instance does not have.
    pub strangers: Vec<SnapshotId>,
}

/// What the set was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Backup,
    /// At a warning, or at a risk of one: deleted a day later.
    Rescue,
}

/// One snapshot, and the volume it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub snapshot: SnapshotId,
    pub volume: VolumeId,
    /// None where neither the snapshot nor the record says it.
    pub device: Option<String>,
    /// What a new volume has to be like.
    pub like: Option<VolumeTag>,
    /// It was the root of the instance.
    pub root: bool,
    /// The user's tags.
    pub users: Tags,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backup => "backup",
            Self::Rescue => "rescue",
        })
    }
}

impl Offer {
    /// GiB of all its volumes, written or not.
    #[must_use]
    pub fn size(&self) -> i32 {
        let sizes = self.parts.iter().filter_map(|it| it.like.as_ref());
        sizes.map(|it| it.settings.size).sum()
    }

    /// Only these devices, if any is named. The error names one that the set does not have.
    pub fn only(self, devices: &BTreeSet<String>) -> Result<Self, String> {
        if devices.is_empty() {
            return Ok(self);
        }
        let has = |it: &&String| {
            let mut parts = self.parts.iter();
            !parts.any(|part| part.device.as_ref() == Some(it))
        };
        if let Some(unknown) = devices.iter().find(has) {
            let name = &self.set.name;
            return Err(format!("{name} has no volume of {unknown}"));
        }
        let wanted = |it: &Part| it.device.as_ref().is_some_and(|it| devices.contains(it));
        let parts = self.parts.into_iter().filter(wanted).collect();
        Ok(Self { parts, ..self })
    }
}

/// The sets of a lineage among these snapshots, the newest first. `known` are the volumes of the instance, as it shows
/// them or as they were recorded.
#[must_use]
pub fn offers(
    snapshots: &[Snapshot],
    lineage: &InstanceId,
    known: &[RecordedVolume],
    any_volume: bool,
) -> Vec<Offer> {
    let mut named: BTreeMap<String, Vec<&Snapshot>> = BTreeMap::new();
    for snapshot in snapshots {
        if let Some(set) = set_of(snapshot, lineage) {
            named.entry(set).or_default().push(snapshot);
        }
    }
    let is_known = |it: &&Snapshot| any_volume || known.iter().any(|has| has.volume == it.volume);
    let offer = |(name, members): (String, Vec<&Snapshot>)| {
        let (members, strangers): (Vec<_>, Vec<_>) = members.into_iter().partition(is_known);
        let mut parts: Vec<Part> = members.iter().map(|it| part(it, known)).collect();
        parts.sort_by(|a, b| (&a.device, &a.snapshot).cmp(&(&b.device, &b.snapshot)));
        Some(Offer {
            kind: kind(&name),
            set: set::of(&name, &members)?,
            parts,
            strangers: strangers.iter().map(|it| it.id.clone()).collect(),
        })
    };
    let mut offers: Vec<Offer> = named.into_iter().filter_map(offer).collect();
    offers.sort_by(|a, b| (b.set.started, &b.set.name).cmp(&(a.set.started, &a.set.name)));
    offers
}

/// By the description: a tag may be changed by any caller.
fn set_of(snapshot: &Snapshot, lineage: &InstanceId) -> Option<String> {
    let mut said = described(&snapshot.description);
    let of_it = said
        .get(tags::RESCUE)
        .is_some_and(|it| it == lineage.as_str());
    said.remove(tags::SET).filter(|_| of_it)
}

fn kind(name: &str) -> Kind {
    match set::run(name) {
        Some(_) => Kind::Backup,
        None => Kind::Rescue,
    }
}

fn part(snapshot: &Snapshot, recorded: &[RecordedVolume]) -> Part {
    let said = |key: &str| snapshot.tags.get(key).map(|it| seal::plain(it));
    let on_record = recorded.iter().find(|it| it.volume == snapshot.volume);
    let like = said(tags::VOLUME).and_then(VolumeTag::parse);
    let is_root = like.as_ref().is_some_and(|it| it.root_of.is_some());
    Part {
        snapshot: snapshot.id.clone(),
        volume: snapshot.volume.clone(),
        device: said(tags::DEVICE)
            .map(str::to_owned)
            .or_else(|| Some(on_record?.device.clone())),
        root: is_root || on_record.is_some_and(|it| it.root),
        users: users(&snapshot.tags),
        like,
    }
}

/// Those that neither AWS nor the function has written.
fn users(tags: &Tags) -> Tags {
    let own =
        |key: &str| key.starts_with("aws:") || key.starts_with(tags::PREFIX) || key == tags::OPT_IN;
    let users = tags.iter().filter(|(key, _)| !own(key));
    users
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
