//! The volume that is made from a snapshot: the attempt is written down first, and then made.

use crate::clock::{self, Timestamp};
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::{own, room};
use crate::plan::volumes::restore::attempt::{self, Attempt};
use crate::record::{RecordedVolume, VolumeTag};
use crate::situation::{Instance, Snapshot, VolumeSettings};
use crate::step::{Action, CreateVolume, Step, token};
use crate::tags::{self, Tags};

/// Creates the volume. False if the last attempt has just failed.
pub fn create(
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

/// How far the attempt to restore from this snapshot has come.
pub fn attempt(lineage: &Lineage, successor: &Instance, snapshot: &Snapshot) -> Attempt {
    let volumes = lineage.facts.volumes.known();
    let volumes = volumes.map(Vec::as_slice).unwrap_or_default();
    let zone = &successor.availability_zone;
    attempt::of(snapshot, volumes, zone, lineage.now)
}
