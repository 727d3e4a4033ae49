//! Where a lineage stands: one total function from facts to [`Phase`].

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
    /// The owner lives: keep the rescue prepared, clear up after the last one.
    Healthy,
    /// Stopped or hibernated by EC2, which brings it back by itself.
    Paused(Interruption),
    /// It was to be back by now: copies of its volumes go to a replacement.
    Restore(Interruption),
    /// It has come back from a stop or hibernation.
    Returned(Interruption),
    /// EC2 takes it, or took it.
    Rescue(Interruption),
    /// A Spot Instance waits to take over from an On-Demand stand-in, which we are to end.
    Relieved(Interruption),
    /// The stand-in is not to be ended after all: it gets back what was taken from it.
    Stays(Interruption),
    /// It ended, and not by Spot: the user's own doing.
    Ended(String),
    /// It is gone, and nothing says how: nothing is concluded from that.
    Vanished(String),
}

/// Total: every situation has a phase.
#[must_use]
pub fn phase(lineage: &Lineage) -> Phase {
    let id = &lineage.situation.lineage;
    if !lineage.policy.protected.value {
        return Phase::Unprotected(unprotected(lineage));
    }
    let Some(owner) = lineage.owner else {
        return without_owner(lineage);
    };
    if let Some(by) = &owner.operated.by {
        return Phase::Unprotected(format!(
            "{} is managed by {by}, which replaces it: EC2 lets nobody else change it, so nothing is done for it",
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
    let id = &lineage.situation.lineage;
    match lineage.owner {
        Some(owner) => format!("{} is not tagged {}=on", owner.id, tags::OPT_IN),
        None => format!("nothing is known about {id}: no instance, no prepared rescue"),
    }
}

/// EC2 forgets an instance about an hour after its end. What else says that Spot took it, is looked at in this order:
/// the record, a warning that comes late, the status of its request, and what we have launched in its place.
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
    let warned = { lineage.situation.notices.iter() }.filter(|it| it.action.ends());
    let told = recorded.chain(warned).filter(|it| it.instance == *head);
    if let Some(interruption) = told.max_by_key(|it| it.at) {
        return Phase::Rescue(interruption.clone());
    }
    match spot_request::end(lineage, head) {
        Some(end) if end.by_spot => taken(end.at.unwrap_or(lineage.situation.now)),
        Some(end) => Phase::Ended(format!("{head} is gone ({}), not by Spot", end.code)),
        None => match lineage.successor {
            Some(successor) => taken(successor.launch_time),
            None => Phase::Vanished(format!("{head} is gone, and nothing says how it ended")),
        },
    }
}

/// TRAP 2: a stopped or hibernated instance is brought back by EC2; it is never replaced.
fn interrupted(lineage: &Lineage, owner: &Instance, interruption: Interruption) -> Phase {
    match interruption.action {
        InstanceAction::Terminate if has_outlived(lineage, owner, &interruption) => {
            Phase::Returned(interruption)
        }
        InstanceAction::Terminate => Phase::Rescue(interruption),
        // Once it is ending there is no way back, and the rest is a rescue like any other.
        InstanceAction::Return if !owner.is_alive() => Phase::Rescue(interruption),
        InstanceAction::Return if stand_in::stays(lineage, &interruption) => {
            Phase::Stays(interruption)
        }
        InstanceAction::Return => Phase::Relieved(interruption),
        InstanceAction::Stop | InstanceAction::Hibernate if !owner.is_alive() => {
            // A stopped Spot Instance whose capacity never came, or whose request was cancelled.
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
                Phase::Restore(interruption)
            } else if has_returned(lineage, owner, &interruption) {
                Phase::Returned(interruption)
            } else if pause::is_given_up(lineage, owner, &interruption) {
                Phase::Restore(interruption)
            } else {
                Phase::Paused(interruption)
            }
        }
    }
}

/// A tombstone is our memory of a warning, not one. EC2 ends an instance two minutes after it; one that runs on
/// ten minutes later, when the warning itself counts no more, is not being taken, whatever was said, and gets back what was taken from it.
const OUTLIVED: time::Duration = time::Duration::minutes(10);

fn has_outlived(lineage: &Lineage, owner: &Instance, interruption: &Interruption) -> bool {
    let runs = owner.state == InstanceState::Running && owner.state_reason.is_none();
    let holds_nothing = |it: &Instance| ending::is_empty(it);
    let replaced = lineage.successor.is_some_and(|it| !holds_nothing(it));
    runs && !replaced && lineage.situation.now - interruption.at > OUTLIVED
}

/// A start gives the instance a new launch time; should a resumed one keep its old, the milestone
/// "seen stopped" in the record tells as well.
fn has_returned(lineage: &Lineage, owner: &Instance, interruption: &Interruption) -> bool {
    let started_since = owner.launch_time > interruption.at;
    let seen_stopped = milestone::seen_stopped(lineage);
    let outlived = lineage.situation.now - interruption.at > OUTLIVED;
    owner.state == InstanceState::Running && (started_since || seen_stopped || outlived)
}
