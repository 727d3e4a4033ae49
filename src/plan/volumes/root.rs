//! Brings the old root volume to the replacement, if its content is to be kept (`spot-rescue:root=keep`).
//!
//! The replacement boots from the image first. The old root volume, free once its instance has ended, then takes the
//! place of the new one (`CreateReplaceRootVolumeTask` with a volume id); in another Availability Zone a copy from a
//! closing snapshot does. The instance reboots meanwhile, so its data volumes are attached before: the `fstab` of the
//! old root expects them. If EC2 refuses, the root volume is created from an image of the old root's snapshot
//! (`image`).
//!
//! Until then the replacement is not in service, and the old root volume is kept.
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html>

pub mod gone;
pub mod image;
pub mod impossible;

use crate::event::InstanceState;
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::own;
use crate::plan::volumes::case::Case;
use crate::plan::volumes::fate::Fate;
use crate::plan::volumes::root::image::Ready;
use crate::plan::volumes::{copies, recycled, restore};
use crate::policy::{PolicyWarning, Root};
use crate::record::{RecordedVolume, VolumeTag};
use crate::situation::{RootTaskState, Volume};
use crate::step::{Action, Refusal, ReplaceRoot, RootSource, Step, token};
use crate::tags;

/// How often each source is tried: the volume, then an image.
const TRIES: u32 = 2;

/// Why the root volume cannot be kept although the policy asks for it.
pub fn refusal(lineage: &Lineage) -> Option<String> {
    if lineage.policy.root.value != Root::Keep {
        return None;
    }
    impossible::why(lineage)
}

pub fn warning(lineage: &Lineage) -> Option<PolicyWarning> {
    let why = refusal(lineage)?;
    Some(PolicyWarning {
        key: format!("{}root", tags::PREFIX),
        what: format!(
            "keep is not possible: {why}; the replacement gets a fresh root, the old one is kept"
        ),
    })
}

/// The status of the root volume. `case` is about the root volume.
pub fn hand_over(case: &Case, data_is_there: bool, plan: &mut Plan) -> Fate {
    if let Some(why) = refusal(case.lineage) {
        return Fate::Left { why };
    }
    let facts = case.lineage.facts;
    let (Some(tasks), Some(volumes)) = (facts.root_tasks.known(), facts.volumes.known()) else {
        plan.wait(5, "replacements of root volumes to be readable");
        return Fate::Coming;
    };
    let states = tasks.iter().filter(|it| it.instance == case.successor.id);
    let states: Vec<RootTaskState> = states.map(|it| it.state).collect();
    let count = |wanted| states.iter().filter(|it| **it == wanted).count();
    if count(RootTaskState::Underway) > 0 {
        plan.wait(
            5,
            format!("the root of {} to be replaced", case.successor.id),
        );
        return Fate::Coming;
    }
    if let Some(fate) = image::fate(case) {
        return fate;
    }
    let failed = u32::try_from(count(RootTaskState::Failed)).unwrap_or(u32::MAX);
    let swap = Swap {
        case,
        failed: failed.saturating_add(case.lineage.record.swaps),
        detached: count(RootTaskState::FailedDetached) > 0,
        data_is_there,
    };
    swap.fate(volumes, plan)
}

/// The old root volume and the instance that gets it.
struct Swap<'a> {
    case: &'a Case<'a>,
    /// Failed attempts, which make the next token another one.
    failed: u32,
    detached: bool,
    data_is_there: bool,
}

impl Swap<'_> {
    fn fate(&self, volumes: &[Volume], plan: &mut Plan) -> Fate {
        let Case {
            lineage,
            successor,
            recorded,
            ..
        } = self.case;
        let current = copies::newest(lineage, &recorded.volume, volumes, &successor.id);
        if let Some(arrived) = current.filter(|it| it.attached_to(&successor.id)) {
            return self.case.arrived(arrived);
        }
        if self.detached || self.failed >= 2 * TRIES {
            return self.stuck(plan);
        }
        if self.failed >= TRIES {
            return self.by_image(current, plan);
        }
        match current {
            Some(volume) if !volume.is_free() => self.case.existing(volume, plan),
            Some(volume) if volume.availability_zone == successor.availability_zone => {
                self.replace(RootSource::Volume(volume.id.clone()), plan);
                plan.wait(5, format!("{} to run with {}", successor.id, volume.id));
                Fate::Coming
            }
            Some(volume) => restore::elsewhere(lineage, successor, recorded, volume, plan),
            None => recycled::back(lineage, recorded, plan)
                .unwrap_or_else(|| restore::lost(lineage, successor, recorded, plan)),
        }
    }

    fn by_image(&self, current: Option<&Volume>, plan: &mut Plan) -> Fate {
        let Case {
            lineage,
            successor,
            recorded,
            ..
        } = self.case;
        match image::of_root(lineage, recorded, current, &successor.id, plan) {
            Ready::Image(image) => {
                self.replace(RootSource::Image(image), plan);
                plan.wait(5, format!("{} to run with its old root", successor.id));
                Fate::Coming
            }
            Ready::Coming => Fate::Coming,
            Ready::Never => self.stuck(plan),
        }
    }

    /// Replaces the root volume after all data volumes are attached, because the instance reboots.
    fn replace(&self, by: RootSource, plan: &mut Plan) {
        let Case {
            lineage, successor, ..
        } = self.case;
        if successor.state != InstanceState::Running || !self.data_is_there {
            return;
        }
        let Some(marked) = self.mark_present_root(plan) else {
            plan.wait(5, format!("the root of {} to be visible", successor.id));
            return;
        };
        let source = match &by {
            RootSource::Volume(id) => id.as_str(),
            RootSource::Image(id) => id.as_str(),
        };
        let attempt = self.failed.to_string();
        let action = Action::ReplaceRoot(ReplaceRoot {
            instance: successor.id.clone(),
            token: token(&["root", successor.id.as_str(), source, &attempt]),
            tags: own::own(lineage),
            by,
        });
        let step = Step::new(format!("replace the root of {}", successor.id), action);
        let step = step.or_else(self.refused());
        plan.step(match marked {
            Marked::Already => step,
            Marked::By(id) => step.after(&id),
        });
    }

    /// Tags the present root volume, which is left over as a free volume, so that the sweep can delete it.
    fn mark_present_root(&self, plan: &mut Plan) -> Option<Marked> {
        let Case {
            lineage, successor, ..
        } = self.case;
        let device = successor.root()?;
        let volumes = lineage.facts.volumes.known()?;
        let volume = volumes.iter().find(|it| it.id == device.volume)?;
        let tag = VolumeTag {
            settings: volume.settings.clone(),
            root_of: Some(successor.id.clone()),
            delete_on_termination: device.delete_on_termination,
        };
        let mut wanted = own::own(lineage);
        wanted.insert(tags::DEVICE.to_owned(), device.name.clone());
        wanted.insert(tags::VOLUME.to_owned(), tag.text());
        if own::holds(&volume.tags, &wanted) {
            return Some(Marked::Already);
        }
        let id = format!("mark {}", volume.id);
        let resources = vec![volume.id.to_string()];
        plan.step(Step::new(
            &id,
            Action::Tag {
                resources,
                tags: wanted,
            },
        ));
        Some(Marked::By(id))
    }

    /// A refused request is counted in the record, so that the next one has another token.
    fn refused(&self) -> Refusal {
        let Case { lineage, .. } = self.case;
        Refusal {
            template: lineage.template_id(),
            counted: (tags::SWAPS, (lineage.record.swaps + 1).to_string()),
            attempt: lineage.record.swaps + 1,
            at: lineage.now,
            only_capacity: true,
            pools: Vec::new(),
            known: Vec::new(),
        }
    }

    /// An instance without its root volume must not take traffic, like one without its data.
    fn stuck(&self, plan: &mut Plan) -> Fate {
        let Case {
            successor,
            recorded,
            ..
        } = self.case;
        let why = if self.detached {
            "its own was detached on the way"
        } else {
            "neither the volume nor an image of it was accepted"
        };
        plan.note(format!(
            "{} does not get its root: {why}; {} is kept",
            successor.id, recorded.volume
        ));
        Fate::Stuck
    }
}

/// Whether the present root volume has our tag already, or gets it in a step.
enum Marked {
    Already,
    By(String),
}

/// Tags the old root volume, which was to be kept and did not become the new one, so that it never expires. This comes
/// before the hand-over, after which no record names it.
pub fn mark_kept(
    lineage: &Lineage,
    recorded: &RecordedVolume,
    why: &str,
    plan: &mut Plan,
) -> String {
    let mut marks = own::own(lineage);
    let why: String = why.chars().take(200).collect();
    marks.insert(tags::KEPT.to_owned(), why);
    let id = format!("keep {}", recorded.volume);
    let resources = vec![recorded.volume.to_string()];
    plan.step(Step::new(
        &id,
        Action::Tag {
            resources,
            tags: marks,
        },
    ));
    id
}
