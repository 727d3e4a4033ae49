//! Restores a data volume that cannot be moved, from a snapshot.
//!
//! For another Availability Zone, the surviving volume is newer than the snapshot set of the warning. So it is
//! snapshotted once more after its instance has ended cleanly, and no write is lost. A volume that is gone is restored
//! from the newest *completed* set; a failed set does not count (TRAP 28), and a pending one is waited for (TRAP 4).

pub mod attempt;
mod create;

use crate::clock::Timestamp;
use crate::id::InstanceId;
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::own;
use crate::plan::volumes::fate::Fate;
use crate::plan::volumes::restore::attempt::Attempt;
use crate::plan::volumes::{keys, snapshot};
use crate::record::{RecordedVolume, VolumeTag};
use crate::situation::{Instance, Snapshot, SnapshotState, Volume, VolumeSettings};
use crate::step::{Action, Step, description};
use crate::tags;
use std::collections::BTreeMap;

/// After so many failed closing snapshots an older set is used.
const TRIES: usize = 3;

/// A snapshot to restore from, and the settings of its volume.
pub enum Source<'a> {
    Taken(&'a Snapshot, VolumeSettings),
    Coming,
    /// There is none, and none is on its way.
    None,
}

/// The volume exists, but cannot be moved to the successor.
pub fn elsewhere(
    lineage: &Lineage,
    successor: &Instance,
    recorded: &RecordedVolume,
    volume: &Volume,
    plan: &mut Plan,
) -> Fate {
    match closing(lineage, recorded, volume, &successor.id, plan) {
        Source::Taken(taken, settings)
            if create::create(lineage, successor, recorded, &settings, taken, plan) =>
        {
            Fate::Coming
        }
        Source::Coming => Fate::Coming,
        Source::Taken(..) | Source::None => lost(lineage, successor, recorded, plan),
    }
}

/// The closing snapshot of a surviving volume, which has its last write. `receiver` is the instance it is taken for.
pub fn closing<'a>(
    lineage: &Lineage<'a>,
    recorded: &RecordedVolume,
    volume: &Volume,
    receiver: &InstanceId,
    plan: &mut Plan,
) -> Source<'a> {
    let Some(snapshots) = lineage.facts.snapshots.known() else {
        plan.wait(30, "snapshots to be readable");
        return Source::Coming;
    };
    let closing = snapshot::closing(&volume.id, receiver);
    let of_set =
        |it: &&Snapshot| it.volume == volume.id && it.tags.get(tags::SET) == Some(&closing);
    let (failed, usable): (Vec<_>, Vec<_>) = snapshots
        .iter()
        .filter(of_set)
        .partition(|it| it.state == SnapshotState::Unusable);
    // A concurrent invocation may have taken a second one: the first one counts for both.
    match usable.into_iter().min_by_key(|it| (it.started, &it.id)) {
        Some(taken) if taken.state == SnapshotState::Completed => {
            return Source::Taken(taken, volume.settings.clone());
        }
        Some(taken) => plan.wait(30, format!("{} to complete", taken.id)),
        None if failed.len() < TRIES => close_up(lineage, recorded, volume, closing, plan),
        None => {
            plan.note(format!("snapshots of {} fail again and again", volume.id));
            return Source::None;
        }
    }
    Source::Coming
}

fn close_up(
    lineage: &Lineage,
    recorded: &RecordedVolume,
    volume: &Volume,
    set: String,
    plan: &mut Plan,
) {
    let mut marks = own::own(lineage);
    let tag = VolumeTag {
        settings: volume.settings.clone(),
        delete_on_termination: recorded.delete_on_termination,
        root_of: None,
    };
    marks.insert(tags::SET.to_owned(), set);
    marks.insert(tags::DEVICE.to_owned(), recorded.device.clone());
    marks.insert(tags::VOLUME.to_owned(), tag.text());
    let action = Action::SnapshotVolume {
        volume: volume.id.clone(),
        description: description(&marks),
        tags: marks,
    };
    plan.step(Step::new(format!("snapshot {}", volume.id), action));
    plan.wait(
        30,
        format!("a snapshot of {}, which is in another zone", volume.id),
    );
}

/// Restores a volume that is gone.
pub fn lost(
    lineage: &Lineage,
    successor: &Instance,
    recorded: &RecordedVolume,
    plan: &mut Plan,
) -> Fate {
    let usable = |it: &Snapshot| create::attempt(lineage, successor, it) != Attempt::Failed;
    match newest(lineage, recorded, usable, plan) {
        Source::Taken(snapshot, settings) => {
            create::create(lineage, successor, recorded, &settings, snapshot, plan);
            Fate::Coming
        }
        Source::Coming => Fate::Coming,
        Source::None => Fate::Lost,
    }
}

/// The snapshot of the newest complete set.
pub fn newest<'a>(
    lineage: &Lineage<'a>,
    recorded: &RecordedVolume,
    usable: impl Fn(&Snapshot) -> bool,
    plan: &mut Plan,
) -> Source<'a> {
    let Some(snapshots) = lineage.facts.snapshots.known() else {
        plan.wait(30, "snapshots to be readable");
        return Source::Coming;
    };
    match newest_complete(recorded, snapshots, usable) {
        Newest::Pending(id) => {
            plan.wait(30, format!("{id} to complete"));
            Source::Coming
        }
        Newest::Completed(snapshot) => {
            let tag = snapshot
                .tags
                .get(tags::VOLUME)
                .and_then(|text| VolumeTag::parse(text));
            let Some(VolumeTag { settings, .. }) = tag else {
                plan.note(format!(
                    "{} does not say what volume it was: not restored",
                    snapshot.id
                ));
                return Source::None;
            };
            Source::Taken(snapshot, settings)
        }
        Newest::None => {
            plan.note(cannot(lineage, recorded, snapshots));
            if failed(recorded, snapshots).next().is_some() {
                plan.wait(900, format!("another try to restore {}", recorded.volume));
            }
            Source::None
        }
    }
}

enum Newest<'a> {
    Completed(&'a Snapshot),
    Pending(&'a crate::id::SnapshotId),
    None,
}

/// Snapshots of the volume from which a restore was attempted.
fn failed<'a>(
    recorded: &'a RecordedVolume,
    snapshots: &'a [Snapshot],
) -> impl Iterator<Item = &'a Snapshot> {
    let tried = |it: &&Snapshot| it.tags.contains_key(tags::RESTORE);
    let of_it = |it: &&Snapshot| it.volume == recorded.volume;
    snapshots.iter().filter(of_it).filter(tried)
}

fn cannot(lineage: &Lineage, recorded: &RecordedVolume, snapshots: &[Snapshot]) -> String {
    let RecordedVolume { volume, device, .. } = recorded;
    let newest = failed(recorded, snapshots).max_by_key(|it| (it.started, &it.id));
    let Some(snapshot) = newest else {
        return format!(
            "{volume} ({device}) cannot be restored: no completed snapshot of it exists"
        );
    };
    let tag = snapshot.tags.get(tags::VOLUME);
    let settings = tag
        .and_then(|text| VolumeTag::parse(text))
        .unwrap_or_default()
        .settings;
    let advice = keys::advice(lineage, &settings);
    format!(
        "{volume} ({device}) cannot be restored: no volume came of {}{advice}",
        snapshot.id
    )
}

/// Looks through the sets, newest first. A set with a failed snapshot does not count at all.
fn newest_complete<'a>(
    recorded: &RecordedVolume,
    snapshots: &'a [Snapshot],
    usable: impl Fn(&Snapshot) -> bool,
) -> Newest<'a> {
    let mut sets: BTreeMap<(Timestamp, &str), Vec<&Snapshot>> = BTreeMap::new();
    for snapshot in snapshots {
        let set = snapshot
            .tags
            .get(tags::SET)
            .map_or(snapshot.id.as_str(), String::as_str);
        sets.entry((snapshot.started, set))
            .or_default()
            .push(snapshot);
    }
    for members in sets.into_values().rev() {
        let Some(own) = members.iter().find(|it| it.volume == recorded.volume) else {
            continue;
        };
        if members.iter().any(|it| it.state == SnapshotState::Unusable) || !usable(own) {
            continue;
        }
        let pending = members
            .iter()
            .filter(|it| it.state == SnapshotState::Pending);
        if let Some(pending) = pending.map(|it| &it.id).min() {
            return Newest::Pending(pending);
        }
        return Newest::Completed(own);
    }
    Newest::None
}
