//! Brings each data volume to the successor: moved if it is free in the same Availability Zone, else restored.

use crate::event::Interruption;
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::volumes::case::Case;
use crate::plan::volumes::fate::{Fate, HandOver};
use crate::plan::volumes::{copies, recycled, restore, root};
use crate::policy::{Data, Root};
use crate::record::RecordedVolume;
use crate::situation::{Instance, Volume};
use crate::step::{Action, Step};
use std::collections::BTreeMap;

/// Plans what each volume needs next.
pub fn plan(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) -> HandOver {
    let (Some(successor), Some(volumes)) = (lineage.successor, lineage.facts.volumes.known())
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
            None if let Some(fate) = recycled::back(lineage, recorded, plan) => fate,
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

/// A new member of an Auto Scaling group may have its own volume at the device, by the group's launch template, and
/// only the user knows which of the two is wanted.
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
    (other && lineage.is_claimed(successor)).then(why)
}

/// Puts back the user's flags of attached volumes, which begin with `DeleteOnTermination=false`. True once EC2 shows
/// them.
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
