//! Data volumes reach the successor: moved when they are free in its zone, else restored.

use super::{Lineage, Plan, attach_id, restore};
use crate::event::{InstanceState, Interruption};
use crate::id::{InstanceId, VolumeId};
use crate::policy::Data;
use crate::record::RecordedVolume;
use crate::situation::{Instance, Snapshot, Volume, VolumeState};
use crate::step::{Action, Step};
use crate::tags;
use std::collections::BTreeMap;

/// Where each recorded data volume stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HandOver {
    pub volumes: Vec<(RecordedVolume, Fate)>,
    /// False while facts are missing: nothing may be concluded from an empty list.
    pub known: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Attached to the successor: the volume itself, or the copy that stands for it.
    Attached {
        volume: VolumeId,
        /// The snapshot it was made from, if it is not the volume itself.
        restored_from: Option<String>,
    },
    /// On its way.
    Coming,
    /// Neither the volume nor a completed snapshot of it is left.
    Lost,
    /// Kept where it is, on purpose.
    Left { why: String },
}

impl HandOver {
    /// Every data volume is where it should be.
    #[must_use]
    pub fn complete(&self) -> bool {
        let settled = |fate: &Fate| matches!(fate, Fate::Attached { .. } | Fate::Left { .. });
        self.known && self.volumes.iter().all(|(_, fate)| settled(fate))
    }

    #[must_use]
    pub fn count(&self, wanted: impl Fn(&Fate) -> bool) -> usize {
        self.volumes.iter().filter(|(_, fate)| wanted(fate)).count()
    }
}

/// Plans what each volume needs next.
pub fn hand_over(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) -> HandOver {
    let (Some(successor), Some(volumes)) = (lineage.successor, lineage.situation.volumes.known())
    else {
        return HandOver::default();
    };
    let mut done = HandOver {
        known: true,
        ..HandOver::default()
    };
    if lineage.policy.data.value == Data::None {
        return done;
    }
    let snapshots = lineage.situation.snapshots.known();
    let snapshots = snapshots.map(Vec::as_slice).unwrap_or_default();
    for recorded in lineage.record.data_volumes() {
        let current = newest_copy(&recorded.volume, volumes, snapshots);
        let case = Case {
            lineage,
            successor,
            recorded,
            interruption,
        };
        let fate = match current {
            Some(volume) => case.existing(volume, plan),
            None if lineage.policy.data.value == Data::Move => {
                plan.note(format!(
                    "{} is gone, and the policy only moves: not restored",
                    recorded.volume
                ));
                Fate::Lost
            }
            None => restore::lost(lineage, successor, recorded, plan),
        };
        done.volumes.push((recorded.clone(), fate));
    }
    done
}

/// The volume itself, or the newest usable copy made of it (or of a copy, and so on).
pub fn newest_copy<'a>(
    volume: &VolumeId,
    volumes: &'a [Volume],
    snapshots: &[Snapshot],
) -> Option<&'a Volume> {
    let mut found = volumes.iter().find(|it| it.id == *volume && it.is_usable());
    let mut origin = volume.clone();
    // Bounded: tags that name each other must not lead round in circles.
    for _ in volumes {
        let copies = volumes.iter().filter(|it| is_copy(it, &origin, snapshots));
        let Some(copy) = copies.max_by_key(|it| (it.created, &it.id)) else {
            break;
        };
        origin = copy.id.clone();
        found = Some(copy);
    }
    found
}

/// A tag alone makes no copy: whoever may tag volumes could hand the replacement his own. EC2 must
/// say that it was made from a snapshot of the volume it claims to stand for.
fn is_copy(volume: &Volume, of: &VolumeId, snapshots: &[Snapshot]) -> bool {
    let claimed = volume.tags.get(tags::COPY_OF).map(String::as_str) == Some(of.as_str());
    let made_from = |it: &Snapshot| volume.snapshot.as_ref() == Some(&it.id) && it.volume == *of;
    volume.is_usable() && claimed && snapshots.iter().any(made_from)
}

/// One volume that exists, and the instance it is wanted on.
struct Case<'a> {
    lineage: &'a Lineage<'a>,
    successor: &'a Instance,
    recorded: &'a RecordedVolume,
    interruption: &'a Interruption,
}

impl Case<'_> {
    fn existing(&self, volume: &Volume, plan: &mut Plan) -> Fate {
        let Self {
            successor,
            recorded,
            ..
        } = self;
        if volume.attached_to(&successor.id) {
            let is_copy = volume.id != recorded.volume;
            let origin = || volume.tags.get(tags::RESTORED_FROM).cloned();
            return Fate::Attached {
                volume: volume.id.clone(),
                restored_from: is_copy.then(|| origin().unwrap_or_default()),
            };
        }
        match (&volume.attachment, volume.state) {
            (Some(attachment), _) => self.held(volume, &attachment.instance, plan),
            (None, VolumeState::Available) => self.free(volume, plan),
            (None, _) => {
                plan.wait(5, format!("{} to be available", volume.id));
                Fate::Coming
            }
        }
    }

    /// Still on another instance: the dying one lets go when it has ended (TRAP 17). Whatever is
    /// not of this lineage was given the volume by its user.
    fn held(&self, volume: &Volume, holder: &InstanceId, plan: &mut Plan) -> Fate {
        if *holder == self.successor.id {
            plan.wait(5, format!("{} to be attached", volume.id));
            return Fate::Coming;
        }
        let member = self.lineage.member(holder);
        let interrupted = member.is_some_and(|it| self.lineage.interruption(it).is_some());
        if interrupted || *holder == self.interruption.instance || is_dead(member) {
            plan.wait(
                self.release_in(),
                format!("{holder} to end and release {}", volume.id),
            );
            return Fate::Coming;
        }
        let why = format!("it is attached to {holder}, which is not part of this rescue");
        plan.note(format!("{} is left alone: {why}", volume.id));
        Fate::Left { why }
    }

    fn release_in(&self) -> u16 {
        let ends = self.interruption.at + time::Duration::seconds(120);
        let left = (ends - self.lineage.situation.now).whole_seconds();
        // Looking again every 20 s costs little and catches an early end.
        u16::try_from(left.clamp(5, 20)).unwrap_or(5)
    }

    fn free(&self, volume: &Volume, plan: &mut Plan) -> Fate {
        let Self {
            lineage,
            successor,
            recorded,
            ..
        } = self;
        let here = volume.availability_zone == successor.availability_zone;
        let policy = lineage.policy.data.value;
        if !here && policy == Data::Move {
            let why = format!(
                "it is in {}, and the policy only moves",
                volume.availability_zone
            );
            plan.note(format!("{} is kept: {why}", volume.id));
            return Fate::Left { why };
        }
        let is_copy = volume.id != recorded.volume;
        if !here || (policy == Data::Restore && !is_copy) {
            return restore::elsewhere(lineage, successor, recorded, volume, plan);
        }
        if successor.state == InstanceState::Running {
            let action = Action::Attach {
                volume: volume.id.clone(),
                instance: successor.id.clone(),
                device: recorded.device.clone(),
            };
            plan.step(Step::new(attach_id(&volume.id), action));
        }
        plan.wait(5, format!("{} to run with {}", successor.id, volume.id));
        Fate::Coming
    }
}

fn is_dead(member: Option<&Instance>) -> bool {
    member.is_some_and(|it| !it.is_alive())
}

/// The flags the user had, for the volumes that have arrived: an attached volume begins with
/// `DeleteOnTermination=false`. True if they were as they should be.
pub fn delete_flags(hand_over: &HandOver, successor: &Instance, plan: &mut Plan) -> bool {
    let wanted = |(recorded, fate): &(RecordedVolume, Fate)| {
        let arrived = matches!(fate, Fate::Attached { .. }) && recorded.delete_on_termination;
        let shown = successor
            .devices
            .iter()
            .find(|it| it.name == recorded.device);
        let differs = shown.is_none_or(|it| !it.delete_on_termination);
        (arrived && differs).then(|| (recorded.device.clone(), true))
    };
    let devices: BTreeMap<String, bool> = hand_over.volumes.iter().filter_map(wanted).collect();
    let complete = devices.is_empty();
    if !complete {
        let instance = successor.id.clone();
        let id = format!("restore flags of {instance}");
        plan.step(Step::new(
            id,
            Action::SetDeleteOnTermination { instance, devices },
        ));
    }
    complete
}
