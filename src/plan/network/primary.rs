//! `spot-rescue:private-ip=keep`: the replacement is launched on the interface with the private address to keep.
//!
//! An interface cannot be the primary one of two instances, nor be detached from the instance it is primary of: it is
//! free when that instance has ended. So the launch waits for that, and then happens in the interface's subnet.
//! `RunInstances` accepts an existing interface; `CreateFleet` does not.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceSpecification.html>
//!
//! Two launches on the interface are impossible, since it has room for one instance; but an invocation that launches
//! elsewhere could do so beside one that launches on the interface. So the record first says that the address is given
//! up, and a launch without the interface follows only when every invocation that may not have read this has ended.

use crate::clock::INVOCATION;
use crate::event::InstanceState;
use crate::id::{InstanceId, InterfaceId};
use crate::plan::draft::{Plan, Stop};
use crate::plan::facts::{asked, ending};
use crate::plan::lineage::Lineage;
use crate::record::{GivenUp, RecordedInterface};
use crate::situation::{Holder, Instance, NetworkInterface};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use time::Duration;

/// The time of two invocations: the one that writes, and one that has read before.
const SEEN: Duration = INVOCATION.saturating_add(INVOCATION);

/// The interface is given up so long after the interruption, since some instances take hours to end.
const RELEASED_WITHIN: Duration = Duration::minutes(10);

/// Until so long after the interruption, an unknown instance on the interface may be the replacement.
const STRANGER: Duration = Duration::minutes(5);

const GIVE_UP: &str = "give up the private address";

/// The interface to launch on now; None if the replacement gets a new one.
pub fn start(lineage: &Lineage, plan: &mut Plan) -> Result<Option<InterfaceId>, Stop> {
    let Some(recorded) = asked::kept_interface(lineage) else {
        return Ok(None);
    };
    if let Some(lost) = lost(lineage) {
        note_lost(lineage, recorded, plan);
        let left = (lost.at + SEEN - lineage.now).whole_seconds();
        if left <= 0 {
            return Ok(None);
        }
        let seconds = u16::try_from(left).unwrap_or(u16::MAX).max(5);
        let what = "invocations to end that may not know yet that the address is given up";
        return Err(Stop::Wait(seconds, what.to_owned()));
    }
    match state(lineage, recorded) {
        InterfaceState::Free => Ok(Some(recorded.interface.clone())),
        InterfaceState::Held(seconds, what) => Err(Stop::Wait(seconds, what)),
        InterfaceState::Lost(why) => Err(Stop::GiveUpAddress(why)),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum InterfaceState {
    Free,
    Held(u16, String),
    Lost(String),
}

fn state(lineage: &Lineage, recorded: &RecordedInterface) -> InterfaceState {
    let id = &recorded.interface;
    let shown = |it: &&&Instance| it.interfaces.iter().any(|own| own.id == *id);
    if let Some(holder) = lineage.members.iter().find(shown) {
        return held(lineage, id, &holder.id);
    }
    let Some(all) = lineage.facts.interfaces.known() else {
        return InterfaceState::Held(5, format!("{id} to be readable"));
    };
    match all.iter().find(|it| it.id == *id).map(|it| &it.holder) {
        None => InterfaceState::Lost(format!("{id} is gone")),
        Some(Holder::Free) => free(lineage, id),
        Some(Holder::Unsettled) => InterfaceState::Held(5, format!("{id} to be released")),
        Some(Holder::Service) => InterfaceState::Lost(format!("{id} is in use by an AWS service")),
        Some(Holder::Instance(holder)) => held(lineage, id, holder),
    }
}

/// The interface is free, unless EC2 has refused to launch on it.
fn free(lineage: &Lineage, id: &InterfaceId) -> InterfaceState {
    let step = on_interface_id(lineage, id);
    if lineage.inputs.refused.contains(&step) {
        InterfaceState::Lost(format!("EC2 does not launch on {id}"))
    } else {
        InterfaceState::Free
    }
}

fn held(lineage: &Lineage, id: &InterfaceId, holder: &InstanceId) -> InterfaceState {
    let member = lineage.member(holder);
    let age = age(lineage, member);
    if lets_go(lineage, holder) {
        let what = format!("{holder} to end and release {id}, to launch the replacement on");
        return match member.map(|it| it.state) {
            _ if age > RELEASED_WITHIN => {
                InterfaceState::Lost(format!("{holder} has not released {id} in time"))
            }
            Some(InstanceState::Running) => InterfaceState::Held(20, what),
            Some(InstanceState::ShuttingDown) => InterfaceState::Held(10, what),
            Some(_) | None => InterfaceState::Held(5, what),
        };
    }
    // It may be a replacement of a launch that was not answered: the same request returns it again.
    if member.is_none() && age < RELEASED_WITHIN && may_be_ours(lineage, holder) {
        return free(lineage, id);
    }
    // It may be the replacement: EC2 shows a new instance late, and first as the holder of its interface.
    if member.is_none() && (age < STRANGER || lineage.inputs.pass > 1) {
        return InterfaceState::Held(20, format!("{holder}, which has {id}, to be seen"));
    }
    InterfaceState::Lost(format!("{id} is in use by {holder}"))
}

/// The time since the interruption of the holder.
fn age(lineage: &Lineage, holder: Option<&Instance>) -> Duration {
    let interruption = holder.and_then(|it| lineage.interruption(it));
    let recorded = lineage.record.interruption.as_ref();
    let at = interruption.as_ref().or(recorded).map(|it| it.at);
    at.map_or(Duration::ZERO, |it| lineage.now - it)
}

/// The holder is ending or about to end. A stopped instance keeps its interfaces.
fn lets_go(lineage: &Lineage, holder: &InstanceId) -> bool {
    let member = lineage.member(holder);
    let interruption = member.and_then(|it| lineage.interruption(it));
    let ends = interruption.is_none_or(|it| it.action.ends());
    let stays = member.is_some_and(Instance::is_alive) && !ends;
    ending::is_ending(lineage, holder) && !stays
}

/// Writes into the record that the address is given up, before a launch without it (see above).
pub fn give_up(lineage: &Lineage, why: &str, plan: &mut Plan) {
    let (Some(of), Some(template)) = (head(lineage), lineage.template()) else {
        plan.wait(5, "a prepared rescue to note on that the address is lost");
        return;
    };
    let at = lineage.now;
    let why = why.to_owned();
    plan.note(format!(
        "private address {} is not kept: {why}",
        address(lineage)
    ));
    let lost = GivenUp { of, at, why };
    let tags = Tags::from([(tags::ADDRESS_LOST.to_owned(), lost.text())]);
    let resources = vec![template.id.to_string()];
    plan.step(Step::new(GIVE_UP, Action::Tag { resources, tags }));
    plan.wait(5, "the loss of the address to be on record");
}

/// The instance that has the address to keep.
fn head(lineage: &Lineage) -> Option<InstanceId> {
    let owner = lineage.owner.map(|it| it.id.clone());
    lineage.record.head.clone().or(owner)
}

fn lost<'a>(lineage: &'a Lineage) -> Option<&'a GivenUp> {
    let head = head(lineage);
    let lost = lineage.record.address_lost.as_ref();
    lost.filter(|it| Some(&it.of) == head.as_ref())
}

fn address<'a>(lineage: &'a Lineage) -> &'a str {
    let first = lineage.record.private_addresses.first();
    first.map_or("of before", String::as_str)
}

/// Notes the loss of the address at each look of the rescue.
pub fn note_lost(lineage: &Lineage, recorded: &RecordedInterface, plan: &mut Plan) {
    if recorded.slot.is_primary() {
        plan.note(format!("private address {}", sentence(lineage)));
    }
}

fn sentence(lineage: &Lineage) -> String {
    let why = lost(lineage).map(|it| it.why.as_str());
    let why = why.unwrap_or("the replacement was not launched on its interface");
    format!("{} is not kept: {why}", address(lineage))
}

/// Why the address was not kept, for the outcome. None if it was kept or need not be.
pub fn missed(lineage: &Lineage, successor: &Instance) -> Option<String> {
    let own = successor.primary_interface()?;
    let kept = asked::kept_interface(lineage).is_some_and(|it| it.interface == own.id);
    (asked::keeps_address(lineage) && !kept).then(|| sentence(lineage))
}

/// The recorded interfaces after the hand-over: the successor's primary interface takes the place of the old one.
pub fn handed_over(lineage: &Lineage, successor: &Instance) -> Vec<RecordedInterface> {
    let own = successor.primary_interface();
    let mut all = lineage.record.interfaces.clone();
    for it in all.iter_mut().filter(|it| it.slot.is_primary()) {
        if let Some(own) = own.filter(|own| own.id != it.interface) {
            it.interface = own.id.clone();
            it.delete_on_termination = own.delete_on_termination;
        }
    }
    all
}

/// The recorded primary interface, if it outlives its instance because of us and is not in use: it expires a day later.
pub fn left_over<'a>(lineage: &'a Lineage) -> Option<&'a NetworkInterface> {
    let recorded = lineage.record.primary()?;
    let all = lineage.facts.interfaces.known()?;
    let found = all.iter().find(|it| it.id == recorded.interface)?;
    let ours = found.tags.contains_key(tags::RESCUE) && recorded.delete_on_termination;
    let unmarked = !found.tags.contains_key(tags::EXPIRES_AT);
    let free = match &found.holder {
        Holder::Free => true,
        Holder::Instance(holder) => lets_go(lineage, holder),
        Holder::Service | Holder::Unsettled => false,
    };
    (ours && unmarked && free).then_some(found)
}

/// The instance has the tag of a launch of ours that has not been answered. That proves nothing: only the answer to the
/// same request does.
pub fn may_be_ours(lineage: &Lineage, instance: &InstanceId) -> bool {
    let mut strangers = lineage.strangers();
    strangers.any(|it| it.id == *instance && it.tags.contains_key(tags::LAUNCHED))
}

/// The id of a launch on an interface. It differs for each attempt, since a refusal is remembered by id.
pub fn on_interface_id(lineage: &Lineage, interface: &InterfaceId) -> String {
    format!("launch {} on {interface}", lineage.record.attempts.total())
}
