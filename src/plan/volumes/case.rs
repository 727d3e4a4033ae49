//! One volume that exists, and the instance it is wanted on.

use crate::event::{InstanceState, Interruption};
use crate::id::InstanceId;
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::pace;
use crate::plan::volumes::fate::{Fate, Origin};
use crate::plan::volumes::{attach, clone, protect, restore};
use crate::policy::Data;
use crate::record::RecordedVolume;
use crate::situation::{Instance, Volume, VolumeState};
use crate::step::Until;
use crate::tags;

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

    /// The volume is attached: the original or a copy.
    pub fn arrived(&self, volume: &Volume) -> Fate {
        Fate::Attached {
            volume: volume.id.clone(),
            from: origin(volume, self.recorded),
        }
    }

    /// The volume is attached to another instance. An interrupted one releases it when it has ended (TRAP 17). To an
    /// instance outside the rescue the user has attached it, so it is left alone.
    fn held(&self, volume: &Volume, plan: &mut Plan) -> Fate {
        if let Some(stranger) = self.stranger(volume) {
            let why = format!("it is attached to {stranger}, which is not part of this rescue");
            plan.note(format!("{} is left alone: {why}", volume.id));
            return Fate::Left { why };
        }
        // EC2 may start a stopped instance again, so its volume is copied and not detached (TRAP 2).
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
        if !clone::attach_clone(self.lineage, self.interruption, self.recorded, volume, plan) {
            let mut holders: Vec<&str> = holders(volume).map(InstanceId::as_str).collect();
            holders.sort_unstable();
            let what = format!("{} to end and release {}", holders.join(" "), volume.id);
            let seconds = pace::release(self.interruption, self.lineage.now);
            plan.wait_until(Until::Free(volume.id.clone()), seconds, what);
        }
        Fate::Coming
    }

    /// An instance outside the rescue that holds the volume.
    fn stranger<'v>(&self, volume: &'v Volume) -> Option<&'v InstanceId> {
        let strangers = holders(volume).filter(|holder| {
            let member = self.lineage.member(holder);
            let interrupted = member.is_some_and(|it| self.lineage.interruption(it).is_some());
            !interrupted && **holder != self.interruption.instance && !is_dead(member)
        });
        strangers.min()
    }

    /// A Multi-Attach volume need not be released first. In another Availability Zone it cannot be shared, and a copy
    /// would not be the volume that the other instances write to.
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
            // The role attaches only tagged volumes: a volume that has lost its tag gets it first.
            let mark = protect::mark_id(&volume.id);
            let step = attach::attach(volume, successor, self.recorded);
            let marked = plan.steps.iter().any(|it| it.id == mark);
            plan.step(if marked { step.after(&mark) } else { step });
        }
        plan.wait(5, format!("{} to run with {}", successor.id, volume.id));
        Fate::Coming
    }
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
