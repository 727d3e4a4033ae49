//! Network interfaces beyond the primary one: kept at the warning, moved once they are free. The primary
//! one is kept as well where its address is to be: the replacement is launched on it (see `primary`).
//!
//! They are not taken from the dying instance, although EC2 would allow it: with an interface come its
//! addresses, and whoever sends to them should find the data behind them; that moves at the end, too.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html>: an interface is bound to its
//!   zone, and takes its private addresses and Elastic IPs along
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachNetworkInterface.html>

use crate::event::InstanceState;
use crate::id::InterfaceId;
use crate::plan::draft::Plan;
use crate::plan::facts::{asked, ending, way};
use crate::plan::lineage::Lineage;
use crate::plan::marks::own;
use crate::plan::marks::room::volume;
use crate::plan::network::primary;
use crate::record::RecordedInterface;
use crate::situation::{Holder, Instance, Interface, NetworkInterface};
use crate::step::{Action, Network, Step};
use crate::tags;

/// How the move stands.
#[derive(Debug, Default)]
pub struct Moved {
    /// Nothing is left to be done.
    pub complete: bool,
    /// On the successor.
    pub here: Vec<InterfaceId>,
    /// Neither there nor on its way: kept for its user.
    pub left: Vec<InterfaceId>,
}

#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Here,
    Coming,
    Left(String),
}

/// `DeleteOnTermination` off, beside the volumes' (TRAP 15): only where a replacement of ours is to
/// have them. A group's instances get theirs from its launch template.
pub fn keep(lineage: &Lineage, instance: &Instance, plan: &mut Plan) {
    if !instance.is_alive() || way::why_not_ours(lineage).is_some() {
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

/// A primary one only if it is the one on record: a replacement that has its own keeps it to itself.
fn follows(lineage: &Lineage, interface: &Interface) -> bool {
    let primary = || asked::kept_interface(lineage).is_some_and(|it| it.interface == interface.id);
    !interface.slot.is_primary() || primary()
}

/// The mark comes before anything is done to an interface: the role may not touch another.
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

/// Those on record carry our mark before it counts.
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

/// Brings every interface on record to the successor, into its old place.
pub fn plan(lineage: &Lineage, successor: &Instance, plan: &mut Plan) -> Moved {
    let mut moved = Moved {
        complete: true,
        ..Moved::default()
    };
    for recorded in &lineage.record.interfaces {
        match fate(lineage, successor, recorded, plan) {
            Fate::Here => {
                moved.complete &= flagged(lineage, recorded, successor, plan);
                moved.here.push(recorded.interface.clone());
            }
            Fate::Coming => moved.complete = false,
            Fate::Left(why) => {
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

/// Whoever keeps them after all: the user's flags again. True if they are as they were.
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
) -> Fate {
    let RecordedInterface {
        interface: id,
        slot,
        ..
    } = recorded;
    if successor.interfaces.iter().any(|it| it.id == *id) {
        return Fate::Here;
    }
    let Some(all) = lineage.situation.interfaces.known() else {
        plan.wait(15, "network interfaces to be readable");
        return Fate::Coming;
    };
    let Some(found) = all.iter().find(|it| it.id == *id) else {
        return Fate::Left("it is gone".to_owned());
    };
    if found.availability_zone != successor.availability_zone {
        return Fate::Left(format!(
            "it is bound to {}, and {} runs in {}",
            found.availability_zone, successor.id, successor.availability_zone
        ));
    }
    if let Some(other) = successor.interfaces.iter().find(|it| it.slot == *slot) {
        return Fate::Left(format!("{} has its place on {}", other.id, successor.id));
    }
    match &found.holder {
        Holder::Nobody => attach(lineage, successor, recorded, plan),
        Holder::Instance(holder) if ending::is_ending(lineage, holder) => {
            plan.wait(20, format!("{holder} to end and release {id}"));
            Fate::Coming
        }
        Holder::Instance(holder) if *holder == successor.id => {
            plan.wait(5, format!("{id} to be attached"));
            Fate::Coming
        }
        Holder::Unsettled => {
            plan.wait(5, format!("{id} to be released"));
            Fate::Coming
        }
        Holder::Instance(holder) => Fate::Left(format!("it is in use by {holder}")),
        Holder::Service => Fate::Left("it is in use by an AWS service".to_owned()),
    }
}

fn attach(
    lineage: &Lineage,
    successor: &Instance,
    recorded: &RecordedInterface,
    plan: &mut Plan,
) -> Fate {
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
    Fate::Coming
}

/// An attached interface begins with `DeleteOnTermination=false`, and so does one that is launched on; the
/// user's flag comes back.
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
    let all = lineage.situation.interfaces.known();
    all.map(Vec::as_slice).unwrap_or_default()
}
