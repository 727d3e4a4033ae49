//! Restores a data volume that cannot be moved, from a snapshot.
//!
//! For another Availability Zone, the surviving volume is newer than the snapshot set of the warning. So it is
//! snapshotted once more after its instance has ended cleanly, and no write is lost. A volume that is gone is restored
//! from the newest *completed* set; a failed set does not count (TRAP 28), and a pending one is waited for (TRAP 4).

pub mod attempt;

use crate::clock::{self, Timestamp};
use crate::id::InstanceId;
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::{own, room};
use crate::plan::volumes::fate::Fate;
use crate::plan::volumes::restore::attempt::Attempt;
use crate::plan::volumes::{keys, snapshot};
use crate::record::{RecordedVolume, VolumeTag};
use crate::situation::{Instance, Snapshot, SnapshotState, Volume, VolumeSettings};
use crate::step::{Action, CreateVolume, Step, description, token};
use crate::tags::{self, Tags};
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
            if create(lineage, successor, recorded, &settings, taken, plan) =>
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
    let usable = |it: &Snapshot| attempt(lineage, successor, it) != Attempt::Failed;
    match newest(lineage, recorded, usable, plan) {
        Source::Taken(snapshot, settings) => {
            create(lineage, successor, recorded, &settings, snapshot, plan);
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

fn attempt(lineage: &Lineage, successor: &Instance, snapshot: &Snapshot) -> Attempt {
    let volumes = lineage.facts.volumes.known();
    let volumes = volumes.map(Vec::as_slice).unwrap_or_default();
    let zone = &successor.availability_zone;
    attempt::of(snapshot, volumes, zone, lineage.now)
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

/// Creates the volume. False if the last attempt has just failed.
fn create(
    lineage: &Lineage,
    successor: &Instance,
    recorded: &RecordedVolume,
    settings: &VolumeSettings,
    snapshot: &Snapshot,
    plan: &mut Plan,
) -> bool {
    let number = match attempt(lineage, successor, snapshot) {
        Attempt::Failed => return false,
        Attempt::New(number) => {
            plan.step(begin(snapshot, number, lineage.now));
            number
        }
        Attempt::Open(number) => number,
    };
    let zone = &successor.availability_zone;
    let tag = VolumeTag {
        settings: settings.clone(),
        delete_on_termination: recorded.delete_on_termination,
        root_of: None,
    };
    let mut marks = room::for_copy(users(lineage, snapshot), plan, snapshot.volume.as_str());
    marks.extend(own::own(lineage));
    marks.insert(tags::DEVICE.to_owned(), recorded.device.clone());
    marks.insert(tags::VOLUME.to_owned(), tag.text());
    marks.insert(tags::COPY_OF.to_owned(), snapshot.volume.to_string());
    marks.insert(tags::RESTORED_FROM.to_owned(), snapshot.id.to_string());
    let action = Action::CreateVolume(CreateVolume {
        snapshot: snapshot.id.clone(),
        availability_zone: zone.clone(),
        settings: settings.clone(),
        tags: marks,
        initialization_rate: rate(lineage, snapshot, plan),
        token: token(&["volume", snapshot.id.as_str(), zone, &number.to_string()]),
    });
    let step = Step::new(step_id(snapshot), action);
    let begin = begin_id(snapshot);
    let begins = plan.steps.iter().any(|it| it.id == begin);
    plan.step(if begins { step.after(&begin) } else { step });
    let taken = clock::format(snapshot.started);
    plan.note(format!(
        "{} is restored from {}, taken {taken}",
        snapshot.volume, snapshot.id
    ));
    plan.wait(
        5,
        format!("the copy of {} to be available", snapshot.volume),
    );
    true
}

/// The user's tags: those of the volume, or of the snapshot if the volume is gone.
fn users<'a>(lineage: &Lineage<'a>, snapshot: &'a Snapshot) -> &'a Tags {
    let mut volumes = lineage.facts.volumes.known().into_iter().flatten();
    let volume = volumes.find(|it| it.id == snapshot.volume);
    volume.map_or(&snapshot.tags, |it| &it.tags)
}

/// Writes the attempt down before it is made, since a volume that EC2 could not create may leave no trace.
fn begin(snapshot: &Snapshot, number: u32, now: Timestamp) -> Step {
    let text = attempt::text(number, now);
    let action = Action::Tag {
        resources: vec![snapshot.id.to_string()],
        tags: Tags::from([(tags::RESTORE.to_owned(), text)]),
    };
    Step::new(begin_id(snapshot), action)
}

fn begin_id(snapshot: &Snapshot) -> String {
    format!("begin with {}", snapshot.id)
}

fn step_id(snapshot: &Snapshot) -> String {
    format!("restore {}", snapshot.volume)
}

/// The initialization rate of the policy, or none after a refusal: the sum of an account's rates is limited, and a slow
/// volume is better than none.
fn rate(lineage: &Lineage, snapshot: &Snapshot, plan: &mut Plan) -> Option<i32> {
    let wanted = lineage.policy.initialization_rate.value?;
    if lineage.inputs.refused.contains(&step_id(snapshot)) {
        plan.note(format!(
            "{} is restored without an initialization rate: {wanted} MiB/s was refused",
            snapshot.volume
        ));
        return None;
    }
    plan.note(format!(
        "{} is initialized with {wanted} MiB/s",
        snapshot.volume
    ));
    Some(wanted)
}
