//! `spot-rescue:data=clone`: an instant copy of each data volume, given to the replacement while the
//! old instance still lives. Back in service before the two minutes are over, at the price of what is
//! written after the copy was made.
//!
//! - "Creates a crash-consistent, point-in-time copy of an existing Amazon EBS volume within the same
//!   Availability Zone. The volume copy can be attached to an Amazon EC2 instance once it reaches the
//!   available state."
//!   <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyVolumes.html>
//! - <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copying-volume.html>
//!
//! A clone that would gain nothing is not used: once the volume itself is about to be free, that one
//! is moved, and nothing is lost at all.

use crate::event::{InstanceState, Interruption};
use crate::id::{InstanceId, VolumeId};
use crate::plan::draft::Plan;
use crate::plan::facts::{asked, way};
use crate::plan::lineage::Lineage;
use crate::plan::marks::{own, room};
use crate::plan::volumes::{attach, copies, protect};
use crate::policy::Data;
use crate::record::{RecordedVolume, VolumeTag};
use crate::situation::{Instance, Volume, VolumeState};
use crate::step::{Action, CopyVolume, Step, token};
use crate::tags::{self, Tags};

/// An instance that takes longer than this to end may not let go of its volumes for hours.
const PATIENCE: time::Duration = time::Duration::minutes(5);

/// A clone of each data volume of an instance that is being taken, while it runs: who is to take over
/// is not known yet, but the first place that is tried is the same zone.
pub fn request(lineage: &Lineage, plan: &mut Plan) {
    let Some(volumes) = lineage.situation.volumes.known() else {
        return;
    };
    // A replacement on the old interface runs only when the volumes themselves are free. Where nothing takes over, a clone
    // would be nobody's.
    let is_pointless = asked::kept_interface(lineage).is_some() || !way::way(lineage).hands_over();
    if lineage.policy.data.value != Data::Clone || is_pointless {
        return;
    }
    let dying = lineage.interrupted().map(|(it, _)| it);
    for instance in dying.filter(|it| it.state == InstanceState::Running) {
        for recorded in lineage.record.data_volumes() {
            if let Some(volume) = held(lineage, instance, recorded)
                && is_wanted(lineage, volume, volumes)
            {
                let step = copy(lineage, instance, recorded, volume, plan);
                // Only what is marked may be copied: a volume that was never prepared is marked now.
                let mark = protect::mark_id(&volume.id);
                let marked_now = plan.steps.iter().any(|it| it.id == mark);
                plan.step(if marked_now { step.after(&mark) } else { step });
            }
        }
    }
}

/// What this instance has of a line.
fn held<'a>(
    lineage: &Lineage<'a>,
    instance: &Instance,
    recorded: &RecordedVolume,
) -> Option<&'a Volume> {
    let volumes = lineage.situation.volumes.known()?;
    let newest = copies::newest(lineage, &recorded.volume, volumes, &instance.id);
    newest.filter(|it| it.attached_to(&instance.id))
}

/// Not where it could not be used, not twice, and not of what several instances share anyway. One
/// that was refused in this invocation is not asked for again in the same breath.
fn is_wanted(lineage: &Lineage, volume: &Volume, volumes: &[Volume]) -> bool {
    let exists = volumes.iter().any(|it| copies::is_clone(it, &volume.id));
    let useless = lineage.successor.is_some_and(|it| {
        it.availability_zone != volume.availability_zone || volume.attachment(&it.id).is_some()
    });
    let refused = lineage.situation.refused.contains(&step_id(&volume.id));
    !exists && !useless && !refused && !volume.settings.multi_attach
}

fn copy(
    lineage: &Lineage,
    instance: &Instance,
    recorded: &RecordedVolume,
    volume: &Volume,
    plan: &mut Plan,
) -> Step {
    let token = token(&["clone", volume.id.as_str(), instance.id.as_str()]);
    let action = made(lineage, recorded, volume, token, plan);
    Step::new(step_id(&volume.id), action)
}

fn made(
    lineage: &Lineage,
    recorded: &RecordedVolume,
    volume: &Volume,
    token: String,
    plan: &mut Plan,
) -> Action {
    let tag = VolumeTag {
        settings: volume.settings.clone(),
        delete_on_termination: recorded.delete_on_termination,
        root_of: None,
    };
    let mut marks = room::for_copy(&volume.tags, plan, volume.id.as_str());
    marks.extend(own::own(lineage));
    marks.insert(tags::DEVICE.to_owned(), recorded.device.clone());
    marks.insert(tags::VOLUME.to_owned(), tag.text());
    marks.insert(tags::COPY_OF.to_owned(), volume.id.to_string());
    Action::CopyVolume(CopyVolume {
        source: volume.id.clone(),
        settings: volume.settings.clone(),
        tags: marks,
        token,
    })
}

/// What a warning would send, by a token of its own each time.
pub fn rehearsed(lineage: &Lineage, recorded: &RecordedVolume, volume: &Volume) -> Action {
    let now = lineage.situation.now.to_string();
    let token = token(&["rehearsal", volume.id.as_str(), &now]);
    made(lineage, recorded, volume, token, &mut Plan::default())
}

fn step_id(volume: &VolumeId) -> String {
    format!("clone {volume}")
}

/// Plans to give the successor a clone of a volume that its dying holder still has. False if there
/// is none, or if waiting for the volume itself takes no longer.
pub fn stand_in(
    lineage: &Lineage,
    interruption: &Interruption,
    recorded: &RecordedVolume,
    volume: &Volume,
    plan: &mut Plan,
) -> bool {
    let (Some(successor), Some(volumes)) = (lineage.successor, lineage.situation.volumes.known())
    else {
        return false;
    };
    let age = lineage.situation.now - interruption.at;
    let ends_soon = !runs(lineage, volume) && age < PATIENCE;
    if lineage.policy.data.value != Data::Clone || ends_soon {
        return false;
    }
    let here = |it: &&Volume| it.availability_zone == successor.availability_zone;
    let of_it = |it: &&Volume| copies::is_clone(it, &volume.id) && !copies::is_taken(it);
    let Some(clone) = volumes
        .iter()
        .filter(here)
        .filter(of_it)
        .min_by_key(|it| (it.created, &it.id))
    else {
        plan.note(format!(
            "{} has no clone: it moves when its instance has ended",
            volume.id
        ));
        return false;
    };
    match clone.state {
        VolumeState::Available => take(clone, successor, recorded, plan),
        VolumeState::Creating => plan.wait(2, format!("{} to be available", clone.id)),
        VolumeState::InUse | VolumeState::Deleting | VolumeState::Deleted | VolumeState::Error => {
            plan.note(format!(
                "the clone {} of {} is of no use: that volume moves when its instance has ended",
                clone.id, volume.id
            ));
            return false;
        }
    }
    true
}

fn runs(lineage: &Lineage, volume: &Volume) -> bool {
    let mut holders = volume.attachments.iter();
    holders.any(|it| {
        let member = lineage.member(&it.instance);
        member.is_some_and(|it| it.state == InstanceState::Running)
    })
}

/// The tag goes first: from then on the clone is newer than what it was made of, also when its
/// instance has ended and shows no volumes any more.
fn take(clone: &Volume, successor: &Instance, recorded: &RecordedVolume, plan: &mut Plan) {
    if successor.state == InstanceState::Running {
        let id = format!("take {}", clone.id);
        plan.step(Step::new(id.clone(), given_to(&clone.id, &successor.id)));
        plan.step(attach::attach(clone, successor, recorded).after(&id));
    }
    plan.wait(5, format!("{} to run with {}", successor.id, clone.id));
}

fn given_to(clone: &VolumeId, successor: &InstanceId) -> Action {
    Action::Tag {
        resources: vec![clone.to_string()],
        tags: Tags::from([(tags::TAKEN_BY.to_owned(), successor.to_string())]),
    }
}

/// Copied for a replacement that did without it.
pub fn is_unused(volume: &Volume) -> bool {
    volume.source.is_some() && volume.tags.contains_key(tags::COPY_OF) && !copies::is_taken(volume)
}

/// How much longer than other safety copies a cloned volume is kept. EC2 reads from it until the
/// clone is initialized, and does not document that it may be deleted before. 10 MiB/s is a small part
/// of what AWS names as the least (125 MiB/s, or what the volumes have).
pub fn source_kept(volume: &Volume, all: &[Volume]) -> time::Duration {
    let cloned = all.iter().any(|it| it.source.as_ref() == Some(&volume.id));
    let mebibytes = i64::from(volume.settings.size) * 1024;
    time::Duration::seconds(if cloned { mebibytes / 10 } else { 0 })
}
