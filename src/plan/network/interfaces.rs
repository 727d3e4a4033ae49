//! Secondary network interfaces are kept at the warning and moved once they are free. With `private-ip=keep` the
//! primary one is kept as well: the replacement is launched on it (see `primary`).
//!
//! They are not detached from the ending instance, although EC2 would allow it: an interface takes its addresses along,
//! and clients should find the data behind those, which also moves only at the end.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html>: an interface is bound to its
//!   zone, and takes its private addresses and Elastic IPs along
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachNetworkInterface.html>

use crate::event::InstanceState;
use crate::id::InterfaceId;
use crate::plan::draft::Plan;
use crate::plan::facts::{asked, ending, launcher};
use crate::plan::lineage::Lineage;
use crate::plan::marks::own;
use crate::plan::marks::room::volume;
use crate::plan::network::primary;
use crate::record::RecordedInterface;
use crate::situation::{Holder, Instance, Interface, NetworkInterface};
use crate::step::{Action, Network, Step};
use crate::tags;

/// The progress of the move.
#[derive(Debug, Default)]
pub struct Moved {
    /// No step is missing.
    pub complete: bool,
    /// On the successor.
    pub here: Vec<InterfaceId>,
    /// Not moved, but kept for its user.
    pub left: Vec<InterfaceId>,
}

#[derive(Debug, PartialEq, Eq)]
enum InterfaceStatus {
    Here,
    Coming,
    Left(String),
}

/// Switches `DeleteOnTermination` off (TRAP 15), but only if the function launches the replacement. Members of an Auto
/// Scaling group get their interfaces from its launch template.
pub fn keep_all(lineage: &Lineage, instance: &Instance, plan: &mut Plan) {
    if !instance.is_alive() || launcher::why_not_ours(lineage).is_some() {
        return;
    }
    let doomed = |it: &&Interface| it.delete_on_termination && follows(lineage, it);
    for interface in instance.interfaces.iter().filter(doomed) {
        keep_one(lineage, interface, plan);
    }
}

pub fn keep_one(lineage: &Lineage, interface: &Interface, plan: &mut Plan) {
    let marked = mark(lineage, &interface.id, plan);
    flag(interface, false, plan).after.push(marked);
}

/// The interface is moved: a secondary one always, a primary one only if it is the recorded one. The own primary
/// interface of a replacement is not kept.
fn follows(lineage: &Lineage, interface: &Interface) -> bool {
    let primary = || asked::kept_interface(lineage).is_some_and(|it| it.interface == interface.id);
    !interface.slot.is_primary() || primary()
}

/// Tags the interface before any other call on it: the role may change only tagged interfaces.
pub fn mark(lineage: &Lineage, interface: &InterfaceId, plan: &mut Plan) -> String {
    let id = format!("mark {interface}");
    if plan.steps.iter().all(|it| it.id != id) {
        let action = Action::Tag {
            resources: vec![interface.to_string()],
            tags: own::own(lineage),
        };
        plan.step(Step::new(id.clone(), action));
    }
    id
}

/// Tags the owner's interfaces before they have to be moved.
pub fn mark_all(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let found = known(lineage);
    let unmarked = |it: &&NetworkInterface| {
        !it.tags.contains_key(tags::RESCUE) && volume::is_markable(&it.tags)
    };
    for interface in found.iter().filter(unmarked) {
        let held = |it: &Interface| it.id == interface.id && follows(lineage, it);
        if owner.interfaces.iter().any(held) {
            mark(lineage, &interface.id, plan);
        }
    }
}

/// Attaches each recorded interface to the successor, at its old device index.
pub fn plan(lineage: &Lineage, successor: &Instance, plan: &mut Plan) -> Moved {
    let mut moved = Moved {
        complete: true,
        ..Moved::default()
    };
    for recorded in &lineage.record.interfaces {
        match fate(lineage, successor, recorded, plan) {
            InterfaceStatus::Here => {
                moved.complete &= flagged(lineage, recorded, successor, plan);
                moved.here.push(recorded.interface.clone());
            }
            InterfaceStatus::Coming => moved.complete = false,
            InterfaceStatus::Left(why) => {
                primary::note_lost(lineage, recorded, plan);
                plan.note(format!(
                    "{} is kept, and not moved: {why}",
                    recorded.interface
                ));
                moved.left.push(recorded.interface.clone());
            }
        }
    }
    moved
}

/// The owner keeps its interfaces after all: puts back the user's flags. True once EC2 shows them.
pub fn release(lineage: &Lineage, owner: &Instance, plan: &mut Plan) -> bool {
    let flags = lineage.record.interfaces.iter();
    let done: Vec<bool> = flags.map(|it| flagged(lineage, it, owner, plan)).collect();
    done.into_iter().all(|it| it)
}

fn fate(
    lineage: &Lineage,
    successor: &Instance,
    recorded: &RecordedInterface,
    plan: &mut Plan,
) -> InterfaceStatus {
    let RecordedInterface {
        interface: id,
        slot,
        ..
    } = recorded;
    if successor.interfaces.iter().any(|it| it.id == *id) {
        return InterfaceStatus::Here;
    }
    let Some(all) = lineage.facts.interfaces.known() else {
        plan.wait(15, "network interfaces to be readable");
        return InterfaceStatus::Coming;
    };
    let Some(found) = all.iter().find(|it| it.id == *id) else {
        return InterfaceStatus::Left("it is gone".to_owned());
    };
    if found.availability_zone != successor.availability_zone {
        return InterfaceStatus::Left(format!(
            "it is bound to {}, and {} runs in {}",
            found.availability_zone, successor.id, successor.availability_zone
        ));
    }
    if let Some(other) = successor.interfaces.iter().find(|it| it.slot == *slot) {
        return InterfaceStatus::Left(format!("{} has its place on {}", other.id, successor.id));
    }
    match &found.holder {
        Holder::Free => attach(lineage, successor, recorded, plan),
        Holder::Instance(holder) if ending::is_ending(lineage, holder) => {
            plan.wait(20, format!("{holder} to end and release {id}"));
            InterfaceStatus::Coming
        }
        Holder::Instance(holder) if *holder == successor.id => {
            plan.wait(5, format!("{id} to be attached"));
            InterfaceStatus::Coming
        }
        Holder::Unsettled => {
            plan.wait(5, format!("{id} to be released"));
            InterfaceStatus::Coming
        }
        Holder::Instance(holder) => InterfaceStatus::Left(format!("it is in use by {holder}")),
        Holder::Service => InterfaceStatus::Left("it is in use by an AWS service".to_owned()),
    }
}

fn attach(
    lineage: &Lineage,
    successor: &Instance,
    recorded: &RecordedInterface,
    plan: &mut Plan,
) -> InterfaceStatus {
    let RecordedInterface {
        interface, slot, ..
    } = recorded;
    if successor.state == InstanceState::Running {
        let marked = mark(lineage, interface, plan);
        let action = Action::Network(Network::Attach {
            interface: interface.clone(),
            instance: successor.id.clone(),
            slot: *slot,
        });
        plan.step(Step::new(format!("attach {interface}"), action).after(&marked));
    }
    plan.wait(5, format!("{} to run with {interface}", successor.id));
    InterfaceStatus::Coming
}

/// Puts back the user's flag: an attached interface begins with `DeleteOnTermination=false`, and so does one that an
/// instance was launched on.
fn flagged(
    lineage: &Lineage,
    recorded: &RecordedInterface,
    successor: &Instance,
    plan: &mut Plan,
) -> bool {
    if recorded.slot.is_primary() && asked::keeps_volumes_always(lineage) {
        return true;
    }
    let shown = successor
        .interfaces
        .iter()
        .find(|it| it.id == recorded.interface);
    let lacking = shown.filter(|it| recorded.delete_on_termination && !it.delete_on_termination);
    if let Some(interface) = lacking {
        flag(interface, true, plan);
    }
    lacking.is_none()
}

fn flag<'a>(
    interface: &Interface,
    delete_on_termination: bool,
    plan: &'a mut Plan,
) -> &'a mut Step {
    let Interface { id, attachment, .. } = interface;
    let action = Action::Network(Network::Flag {
        interface: id.clone(),
        attachment: attachment.clone(),
        delete_on_termination,
    });
    let verb = if delete_on_termination {
        "release"
    } else {
        "keep"
    };
    let at = plan.steps.len();
    plan.step(Step::new(format!("{verb} {id}"), action));
    &mut plan.steps[at]
}

fn known<'a>(lineage: &Lineage<'a>) -> &'a [NetworkInterface] {
    let all = lineage.facts.interfaces.known();
    all.map(Vec::as_slice).unwrap_or_default()
}
