//! The successor serves: the same targets on the same ports, the same addresses. Not before its
//! volumes are there, and never without one that is lost: an empty database must not take traffic.

use super::deregister::{by_group, step_id};
use super::volumes::{self, HandOver};
use super::{Lineage, Plan};
use crate::event::InstanceState;
use crate::situation::{Instance, Target};
use crate::step::{Action, Step};

/// True once everything is as it was.
pub fn plan(lineage: &Lineage, hand_over: &HandOver, plan: &mut Plan) -> bool {
    let Some(successor) = lineage.successor else {
        return false;
    };
    if successor.state != InstanceState::Running {
        plan.wait(5, format!("{} to run", successor.id));
        return false;
    }
    if !hand_over.complete() {
        return false;
    }
    let flagged = volumes::delete_flags(hand_over, successor, plan);
    let registered = targets(lineage, successor, plan);
    let addressed = addresses(lineage, successor, plan);
    flagged && registered && addressed
}

/// Registers what is on record and not registered. True if nothing was missing.
pub fn targets(lineage: &Lineage, instance: &Instance, plan: &mut Plan) -> bool {
    let Some(found) = lineage.situation.registrations.known() else {
        plan.wait(15, "target groups to be readable");
        return false;
    };
    let present = |wanted: &Target| {
        found
            .list
            .iter()
            .any(|it| !it.draining && it.target == *wanted)
    };
    let wanted = lineage
        .record
        .targets
        .iter()
        .filter_map(|it| translated(it, instance));
    let missing: Vec<Target> = wanted.filter(|it| !present(it)).collect();
    let complete = missing.is_empty();
    for (target_group_arn, targets) in by_group(missing) {
        let id = step_id("register", &target_group_arn, &targets);
        plan.step(Step::new(
            id,
            Action::Register {
                target_group_arn,
                targets,
            },
        ));
    }
    complete
}

/// The same place in the same group: by id where the group lists instances, by the primary private
/// address where it lists addresses.
pub fn translated(recorded: &Target, instance: &Instance) -> Option<Target> {
    let id = if recorded.id.starts_with("i-") {
        instance.id.to_string()
    } else {
        let same_family = |it: &&String| it.contains(':') == recorded.id.contains(':');
        instance.private_addresses.iter().find(same_family)?.clone()
    };
    Some(Target {
        id,
        ..recorded.clone()
    })
}

/// Moves the Elastic IPs. One that someone gave to a stranger meanwhile is left there.
fn addresses(lineage: &Lineage, successor: &Instance, plan: &mut Plan) -> bool {
    let Some(found) = lineage.situation.addresses.known() else {
        plan.wait(15, "addresses to be readable");
        return false;
    };
    let mut complete = true;
    for allocation in &lineage.record.addresses {
        let Some(address) = found.iter().find(|it| it.allocation == *allocation) else {
            plan.note(format!("{allocation} has been released: not moved"));
            continue;
        };
        let holder = address.instance.as_ref();
        if holder == Some(&successor.id) {
            continue;
        }
        let ours = holder.is_none_or(|it| {
            lineage.member(it).is_some() || lineage.record.head.as_ref() == Some(it)
        });
        if !ours {
            plan.note(format!(
                "{allocation} is in use by another instance: left there"
            ));
            continue;
        }
        complete = false;
        let action = Action::Associate {
            allocation: allocation.clone(),
            instance: successor.id.clone(),
        };
        plan.step(Step::new(format!("associate {allocation}"), action));
    }
    complete
}
