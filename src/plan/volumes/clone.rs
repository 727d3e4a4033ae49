//! `spot-rescue:data=clone`: each data volume is copied at once, and the replacement gets the copies while the old
//! instance still runs. It is back in service within the two minutes, but writes after the copy are lost.
//!
//! - "Creates a crash-consistent, point-in-time copy of an existing Amazon EBS volume within the same
//!   Availability Zone. The volume copy can be attached to an Amazon EC2 instance once it reaches the
//!   available state."
//!   <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyVolumes.html>
//! - <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copying-volume.html>
//!
//! Once the volume itself is about to be free, it is moved instead of the clone, and no write is lost.

use crate::event::{InstanceState, Interruption};
use crate::id::{InstanceId, VolumeId};
use crate::plan::draft::Plan;
use crate::plan::facts::{asked, launcher};
use crate::plan::lineage::Lineage;
use crate::plan::marks::{own, room};
use crate::plan::volumes::{attach, copies, protect};
use crate::policy::Data;
use crate::record::{RecordedVolume, VolumeTag};
use crate::situation::{Instance, Volume, VolumeState};
use crate::step::{Action, CopyVolume, Step, token};
use crate::tags::{self, Tags};

/// An instance that takes longer than this to end may hold its volumes for hours.
const ENDS_WITHIN: time::Duration = time::Duration::minutes(5);

/// Clones each data volume of an interrupted instance while it runs. The replacement may not exist yet, but the first
/// launch is in the same Availability Zone.
pub fn request(lineage: &Lineage, plan: &mut Plan) {
    let Some(volumes) = lineage.facts.volumes.known() else {
        return;
    };
    // A replacement on the old interface runs only when the volumes themselves are free. Without a replacement a clone
    // is of no use.
    let is_pointless =
        asked::kept_interface(lineage).is_some() || !launcher::launcher(lineage).hands_over();
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
                // The role copies only tagged volumes: a volume that was never prepared is tagged first.
                let mark = protect::mark_id(&volume.id);
                let marked_now = plan.steps.iter().any(|it| it.id == mark);
                plan.step(if marked_now { step.after(&mark) } else { step });
            }
        }
    }
}

/// The newest volume of this line, if the instance holds it.
fn held<'a>(
    lineage: &Lineage<'a>,
    instance: &Instance,
    recorded: &RecordedVolume,
) -> Option<&'a Volume> {
    let volumes = lineage.facts.volumes.known()?;
    let newest = copies::newest(lineage, &recorded.volume, volumes, &instance.id);
    newest.filter(|it| it.attached_to(&instance.id))
}

/// A clone is wanted if it can be used, does not exist yet, was not refused in this invocation, and is not of a
/// Multi-Attach volume.
fn is_wanted(lineage: &Lineage, volume: &Volume, volumes: &[Volume]) -> bool {
    let exists = volumes.iter().any(|it| copies::is_clone(it, &volume.id));
    let useless = lineage.successor.is_some_and(|it| {
        it.availability_zone != volume.availability_zone || volume.attachment(&it.id).is_some()
    });
    let refused = lineage.inputs.refused.contains(&step_id(&volume.id));
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

/// The copy that a warning would request, with a new token each time.
pub fn rehearsed(lineage: &Lineage, recorded: &RecordedVolume, volume: &Volume) -> Action {
    let now = lineage.now.to_string();
    let token = token(&["rehearsal", volume.id.as_str(), &now]);
    made(lineage, recorded, volume, token, &mut Plan::default())
}

fn step_id(volume: &VolumeId) -> String {
    format!("clone {volume}")
}

/// Attaches a clone to the successor while the interrupted instance still holds the volume. False without a clone, or
/// if the volume itself will be free as soon.
pub fn attach_clone(
    lineage: &Lineage,
    interruption: &Interruption,
    recorded: &RecordedVolume,
    volume: &Volume,
    plan: &mut Plan,
) -> bool {
    let (Some(successor), Some(volumes)) = (lineage.successor, lineage.facts.volumes.known())
    else {
        return false;
    };
    let age = lineage.now - interruption.at;
    let ends_soon = !runs(lineage, volume) && age < ENDS_WITHIN;
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

/// Tags the clone before it is attached: from then on it counts as newer than its source, even when its instance has
/// ended and shows no volumes.
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

/// A clone that no instance was given.
pub fn is_unused(volume: &Volume) -> bool {
    volume.source.is_some() && volume.tags.contains_key(tags::COPY_OF) && !copies::is_taken(volume)
}

/// How much longer than other safety copies a cloned volume is kept. EC2 reads from it until the clone is initialized,
/// and AWS does not document that it may be deleted before. 10 MiB/s is far below the least rate that AWS names (125
/// MiB/s, or what the volumes have).
pub fn source_kept(volume: &Volume, all: &[Volume]) -> time::Duration {
    let cloned = all.iter().any(|it| it.source.as_ref() == Some(&volume.id));
    let mebibytes = i64::from(volume.settings.size) * 1024;
    time::Duration::seconds(if cloned { mebibytes / 10 } else { 0 })
}
