//! Data volumes reach the successor: moved when they are free in its zone, else restored.

use super::{Lineage, Plan, Until, attach_id, clone, copies, group, pace, protect, restore, root};
use crate::clock::Timestamp;
use crate::event::{InstanceState, Interruption};
use crate::id::{InstanceId, VolumeId};
use crate::policy::{Data, Root};
use crate::record::RecordedVolume;
use crate::situation::{Instance, Volume, VolumeState};
use crate::step::{Action, Step};
use crate::tags;
use std::collections::BTreeMap;

/// Where each recorded data volume stands, and the root, if its content is to be kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HandOver {
    pub volumes: Vec<(RecordedVolume, Fate)>,
    /// False while facts are missing: nothing may be concluded from an empty list.
    pub known: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Attached to the successor: the volume itself, or the copy that stands for it.
    Attached { volume: VolumeId, from: Origin },
    /// On its way.
    Coming,
    /// It cannot be had as things are: neither the volume nor a usable snapshot of it is left.
    Lost,
    /// Kept where it is, on purpose.
    Left { why: String },
    /// It exists, and EC2 will not have it where it is wanted.
    Stuck,
}

impl Fate {
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Attached { .. } | Self::Left { .. })
    }

    /// It will not arrive by itself.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        matches!(self, Self::Lost | Self::Stuck)
    }
}

/// What an attached volume was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It is the volume itself.
    Moved,
    /// Made from this snapshot.
    Snapshot(String),
    /// Copied while the old instance lived, at this moment.
    Clone(Timestamp),
}

impl HandOver {
    /// Every volume is where it should be.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.known && self.volumes.iter().all(|(_, fate)| fate.is_settled())
    }

    /// Every one but the root, which comes last.
    #[must_use]
    pub fn data_complete(&self) -> bool {
        let mut data = self.volumes.iter().filter(|(recorded, _)| !recorded.root);
        self.known && data.all(|(_, fate)| fate.is_settled())
    }

    /// The root, if its content is to be kept.
    #[must_use]
    pub fn root(&self) -> Option<&(RecordedVolume, Fate)> {
        self.volumes.iter().find(|(recorded, _)| recorded.root)
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
    let wanted = lineage.policy.data.value != Data::None;
    for recorded in lineage.record.data_volumes().filter(|_| wanted) {
        let current = copies::newest(lineage, &recorded.volume, volumes, &successor.id);
        let case = Case {
            lineage,
            successor,
            recorded,
            interruption,
        };
        let fate = match current {
            _ if let Some(why) = occupied(lineage, successor, recorded, current) => {
                plan.note(format!("{} is kept: {why}", recorded.volume));
                Fate::Left { why }
            }
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
    let keeps = lineage.policy.root.value == Root::Keep;
    if let Some(recorded) = lineage.record.root().filter(|_| keeps) {
        let case = Case {
            lineage,
            successor,
            recorded,
            interruption,
        };
        let fate = root::hand_over(&case, done.complete(), plan);
        done.volumes.push((recorded.clone(), fate));
    }
    done
}

/// What a group launches may bring a volume of its own for the device: its launch template says so, and
/// nobody but its user knows whether that one is wanted.
fn occupied(
    lineage: &Lineage,
    successor: &Instance,
    recorded: &RecordedVolume,
    current: Option<&Volume>,
) -> Option<String> {
    let there = successor
        .devices
        .iter()
        .find(|it| it.name == recorded.device)?;
    let other = there.volume != recorded.volume && current.is_none_or(|it| it.id != there.volume);
    let why = || {
        format!(
            "{} has brought {} of its own for {}",
            successor.id, there.volume, recorded.device
        )
    };
    (other && group::is_claimed(lineage.situation, successor)).then(why)
}

/// One volume that exists, and the instance it is wanted on.
pub struct Case<'a> {
    pub lineage: &'a Lineage<'a>,
    pub successor: &'a Instance,
    pub recorded: &'a RecordedVolume,
    pub interruption: &'a Interruption,
}

impl Case<'_> {
    pub fn existing(&self, volume: &Volume, plan: &mut Plan) -> Fate {
        if volume.attached_to(&self.successor.id) {
            return self.arrived(volume);
        }
        if volume.attachment(&self.successor.id).is_some() {
            plan.wait(5, format!("{} to be attached", volume.id));
            return Fate::Coming;
        }
        if !volume.attachments.is_empty() {
            return if volume.settings.multi_attach {
                self.share(volume, plan)
            } else {
                self.held(volume, plan)
            };
        }
        if volume.state == VolumeState::Available {
            return self.free(volume, plan);
        }
        plan.wait(5, format!("{} to be available", volume.id));
        Fate::Coming
    }

    /// The volume itself, or the copy that stands for it.
    pub fn arrived(&self, volume: &Volume) -> Fate {
        Fate::Attached {
            volume: volume.id.clone(),
            from: origin(volume, self.recorded),
        }
    }

    /// Still on another instance: the dying one lets go when it has ended (TRAP 17). Whatever is
    /// not of this lineage was given the volume by its user.
    fn held(&self, volume: &Volume, plan: &mut Plan) -> Fate {
        if let Some(stranger) = self.stranger(volume) {
            let why = format!("it is attached to {stranger}, which is not part of this rescue");
            plan.note(format!("{} is left alone: {why}", volume.id));
            return Fate::Left { why };
        }
        // What is stopped stays EC2's to start: nothing is taken from it, it is copied (TRAP 2).
        let stopped = |it: &InstanceId| {
            let member = self.lineage.member(it);
            member.is_some_and(|it| it.state == InstanceState::Stopped)
        };
        if !self.interruption.action.ends() && holders(volume).any(stopped) {
            let Self {
                lineage,
                successor,
                recorded,
                ..
            } = self;
            return restore::elsewhere(lineage, successor, recorded, volume, plan);
        }
        if !clone::stand_in(self.lineage, self.interruption, self.recorded, volume, plan) {
            let mut holders: Vec<&str> = holders(volume).map(InstanceId::as_str).collect();
            holders.sort_unstable();
            let what = format!("{} to end and release {}", holders.join(" "), volume.id);
            let seconds = pace::release(self.interruption, self.lineage.situation.now);
            plan.wait_until(Until::Free(volume.id.clone()), seconds, what);
        }
        Fate::Coming
    }

    /// An instance that has the volume and will not let go of it.
    fn stranger<'v>(&self, volume: &'v Volume) -> Option<&'v InstanceId> {
        let strangers = holders(volume).filter(|holder| {
            let member = self.lineage.member(holder);
            let interrupted = member.is_some_and(|it| self.lineage.interruption(it).is_some());
            !interrupted && **holder != self.interruption.instance && !is_dead(member)
        });
        strangers.min()
    }

    /// Multi-Attach: nobody has to let go of it first. In another zone there is nothing to share: a copy would
    /// not be the volume that the others write to.
    fn share(&self, volume: &Volume, plan: &mut Plan) -> Fate {
        if volume.availability_zone == self.successor.availability_zone {
            return self.attached(volume, plan);
        }
        if self.stranger(volume).is_none() {
            return self.held(volume, plan);
        }
        plan.note(format!(
            "{} is shared with other instances in {}, where its replacement is not",
            volume.id, volume.availability_zone
        ));
        Fate::Lost
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
        self.attached(volume, plan)
    }

    fn attached(&self, volume: &Volume, plan: &mut Plan) -> Fate {
        let successor = self.successor;
        if successor.state == InstanceState::Running {
            // The role attaches only what is marked: one whose mark somebody has taken off gets it first.
            let mark = protect::mark_id(&volume.id);
            let step = attach(volume, successor, self.recorded);
            let marked = plan.steps.iter().any(|it| it.id == mark);
            plan.step(if marked { step.after(&mark) } else { step });
        }
        plan.wait(5, format!("{} to run with {}", successor.id, volume.id));
        Fate::Coming
    }
}

/// Under the device name that the user chose.
pub fn attach(volume: &Volume, instance: &Instance, recorded: &RecordedVolume) -> Step {
    let action = Action::Attach {
        volume: volume.id.clone(),
        instance: instance.id.clone(),
        device: recorded.device.clone(),
    };
    Step::new(attach_id(&volume.id), action)
}

fn origin(volume: &Volume, recorded: &RecordedVolume) -> Origin {
    if volume.id == recorded.volume {
        Origin::Moved
    } else if volume.source.is_some() {
        Origin::Clone(volume.created)
    } else {
        let from = volume.tags.get(tags::RESTORED_FROM);
        Origin::Snapshot(from.cloned().unwrap_or_default())
    }
}

fn holders(volume: &Volume) -> impl Iterator<Item = &InstanceId> {
    volume.attachments.iter().map(|it| &it.instance)
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
