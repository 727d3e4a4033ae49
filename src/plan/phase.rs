//! The phase of a lineage: one total function from facts to [`Phase`].

use crate::event::{InstanceAction, InstanceState, Interruption};
use crate::plan::course::pause;
use crate::plan::facts::{ending, milestone, spot_request, stand_in};
use crate::plan::lineage::Lineage;
use crate::situation::{Instance, Market};
use crate::tags;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Not opted in, or nothing is known about it: no mutating step.
    Unprotected(String),
    /// The owner is not interrupted: its rescue is kept prepared, and what the last one left is cleaned up.
    Healthy,
    /// EC2 stops or hibernates the owner, and starts it again by itself.
    StoppedByEc2(Interruption),
    /// The owner has not come back in time: a replacement gets copies of its volumes.
    Overdue(Interruption),
    /// The owner has come back from a stop or hibernation, or has outlived its warning.
    Restarted(Interruption),
    /// EC2 terminates the owner, or has done so.
    Rescue(Interruption),
    /// A Spot Instance waits to take over from an On-Demand stand-in, which the function terminates.
    ReturningToSpot(Interruption),
    /// The return to Spot was given up: the stand-in gets back its targets and flags.
    ReturnCancelled(Interruption),
    /// The owner has ended, but not by Spot: the user has terminated it.
    Ended(String),
    /// EC2 no longer shows the owner, and nothing says how it ended: nothing is concluded from that.
    Vanished(String),
}

/// Total: every situation has a phase.
#[must_use]
pub fn phase(lineage: &Lineage) -> Phase {
    let id = lineage.id;
    if !lineage.policy.protected.value {
        return Phase::Unprotected(unprotected(lineage));
    }
    let Some(owner) = lineage.owner else {
        return without_owner(lineage);
    };
    if let Some(by) = &owner.operated.by {
        return Phase::Unprotected(format!(
            "{} is managed by {by}, which replaces it: EC2 lets only that service change it, so nothing is done for it",
            owner.id
        ));
    }
    match lineage.interruption(owner) {
        Some(interruption) => interrupted(lineage, owner, interruption),
        None if !owner.is_alive() => {
            let reason = owner.state_reason.as_deref().unwrap_or("no reason given");
            Phase::Ended(format!(
                "{} is {} ({reason}), not by Spot",
                owner.id, owner.state
            ))
        }
        None if is_ours(lineage, owner) => Phase::Healthy,
        None => Phase::Unprotected(format!(
            "{id} is not a Spot Instance: nothing to prepare for"
        )),
    }
}

/// An On-Demand Instance is ours only as the stand-in of a lineage.
fn is_ours(lineage: &Lineage, owner: &Instance) -> bool {
    owner.market == Market::Spot
        || owner.tags.contains_key(tags::REPLACES)
        || lineage.template().is_some()
}

fn unprotected(lineage: &Lineage) -> String {
    let id = lineage.id;
    match lineage.owner {
        Some(owner) => format!("{} is not tagged {}=on", owner.id, tags::OPT_IN),
        None => format!("nothing is known about {id}: no instance, no prepared rescue"),
    }
}

/// EC2 stops showing an instance about an hour after its end. An interruption is then told, in this order, by the
/// record, by a late warning, by the status of its Spot Instance request, and by a replacement that was launched for
/// it.
fn without_owner(lineage: &Lineage) -> Phase {
    let Some(head) = &lineage.record.head else {
        return Phase::Ended("the instance is gone, and it is not on record".to_owned());
    };
    let taken = |at| {
        Phase::Rescue(Interruption {
            instance: head.clone(),
            action: InstanceAction::Terminate,
            at,
        })
    };
    let recorded = lineage.record.interruption.iter();
    let warned = { lineage.inputs.notices.iter() }.filter(|it| it.action.ends());
    let told = recorded.chain(warned).filter(|it| it.instance == *head);
    if let Some(interruption) = told.max_by_key(|it| it.at) {
        return Phase::Rescue(interruption.clone());
    }
    match spot_request::end(lineage, head) {
        Some(end) if end.by_spot => taken(end.at.unwrap_or(lineage.now)),
        Some(end) => Phase::Ended(format!("{head} is gone ({}), not by Spot", end.code)),
        None => match lineage.successor {
            Some(successor) => taken(successor.launch_time),
            None => Phase::Vanished(format!("{head} is gone, and nothing says how it ended")),
        },
    }
}

/// The phase of an interrupted owner. EC2 starts a stopped or hibernated instance again (TRAP 2).
fn interrupted(lineage: &Lineage, owner: &Instance, interruption: Interruption) -> Phase {
    match interruption.action {
        InstanceAction::Terminate if has_outlived(lineage, owner, &interruption) => {
            Phase::Restarted(interruption)
        }
        InstanceAction::Terminate => Phase::Rescue(interruption),
        // Once the stand-in is ending, the return cannot be given up, and a rescue follows.
        InstanceAction::Return if !owner.is_alive() => Phase::Rescue(interruption),
        InstanceAction::Return if stand_in::stays(lineage, &interruption) => {
            Phase::ReturnCancelled(interruption)
        }
        InstanceAction::Return => Phase::ReturningToSpot(interruption),
        InstanceAction::Stop | InstanceAction::Hibernate if !owner.is_alive() => {
            // EC2 terminated the stopped instance for want of capacity, or its request was cancelled.
            match owner.state_reason.as_deref() {
                Some("Server.SpotInstanceTermination") => {
                    let action = InstanceAction::Terminate;
                    Phase::Rescue(Interruption {
                        action,
                        ..interruption
                    })
                }
                reason => Phase::Ended(format!(
                    "{} was ended while stopped ({})",
                    owner.id,
                    reason.unwrap_or("no reason given")
                )),
            }
        }
        InstanceAction::Stop | InstanceAction::Hibernate => {
            if pause::is_too_late(lineage) {
                Phase::Overdue(interruption)
            } else if has_returned(lineage, owner, &interruption) {
                Phase::Restarted(interruption)
            } else if pause::is_given_up(lineage, owner, &interruption) {
                Phase::Overdue(interruption)
            } else {
                Phase::StoppedByEc2(interruption)
            }
        }
    }
}

/// EC2 ends an instance two minutes after its warning. One that still runs ten minutes later, when the warning no
/// longer counts, is not interrupted, although it has a tombstone: it gets back its targets and flags.
const OUTLIVED: time::Duration = time::Duration::minutes(10);

fn has_outlived(lineage: &Lineage, owner: &Instance, interruption: &Interruption) -> bool {
    let runs = owner.state == InstanceState::Running && owner.state_reason.is_none();
    let holds_nothing = |it: &Instance| ending::is_empty(it);
    let replaced = lineage.successor.is_some_and(|it| !holds_nothing(it));
    runs && !replaced && lineage.now - interruption.at > OUTLIVED
}

/// A start gives the instance a new launch time. If a resumed instance keeps its old one, the milestone "seen stopped"
/// on record tells that it is back.
fn has_returned(lineage: &Lineage, owner: &Instance, interruption: &Interruption) -> bool {
    let started_since = owner.launch_time > interruption.at;
    let seen_stopped = milestone::seen_stopped(lineage);
    let outlived = lineage.now - interruption.at > OUTLIVED;
    owner.state == InstanceState::Running && (started_since || seen_stopped || outlived)
}
