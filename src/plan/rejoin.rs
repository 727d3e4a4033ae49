//! The successor serves: the same targets on the same ports, the same addresses. Not before its
//! volumes are there, and never without one that is lost: an empty database must not take traffic.

use super::group::{self, Way};
use super::volumes::{self, HandOver};
use super::{Lineage, Plan, register};
use crate::clock::seconds_between;
use crate::event::{InstanceState, Interruption};
use crate::record::Milestone;
use crate::situation::Instance;
use crate::step::{Action, Step};

/// True once everything is as it was.
pub fn plan(
    lineage: &Lineage,
    way: &Way,
    interruption: &Interruption,
    hand_over: &HandOver,
    plan: &mut Plan,
) -> bool {
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
    // A launch hook that is given up ends its instance: the flags come back once that is past.
    let in_service = group::in_service(lineage, successor, plan);
    let flagged = in_service && volumes::delete_flags(hand_over, successor, plan);
    let trying = since(Milestone::DataAttached, lineage, interruption);
    let registered = register::plan(lineage, successor, trying, plan);
    let addressed = addresses(lineage, successor, plan);
    let joined = registered && group::join(lineage, way, successor, interruption, plan);
    flagged && joined && addressed
}

/// Seconds since a milestone; 0 if it has not been written down.
pub fn since(milestone: Milestone, lineage: &Lineage, interruption: &Interruption) -> f64 {
    let now = seconds_between(interruption.at, lineage.situation.now);
    let reached = lineage.record.progress.get(&milestone);
    reached.map_or(0.0, |reached| now - reached)
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
