//! Targets and Elastic IPs that AWS refused in a rescue are requested again at each look, for a day, so that they come
//! back once a person has removed the cause. When all are back, that is reported.

use crate::clock::seconds_between;
use crate::event::{InstanceState, Interruption};
use crate::plan::course::outcome;
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::network::addresses;
use crate::plan::traffic::deregister;
use crate::plan::traffic::register::{self, Missing};
use crate::record::{EipPlacement, Milestone, Owed, RecordedAddress};
use crate::report::Kind;
use crate::situation::{Instance, Target, Template};
use crate::step::{Action, Network, Step};
use crate::tags::{self, Tags};
use std::collections::BTreeMap;
use time::Duration;

const FOR: Duration = Duration::DAY;

/// Seconds between two requests while wakes go on.
const AGAIN: u16 = 60;

/// Written in place of an interruption: the tags of an earlier rescue no longer count.
const NOTHING: &str = "nothing";

/// The targets and addresses that the successor lacks, written down with the hand-over.
pub fn handed_over(
    lineage: &Lineage,
    interruption: &Interruption,
    successor: &Instance,
    template: &Template,
) -> Tags {
    let missing = register::missing(lineage, successor).into_iter();
    let owed = Owed {
        interruption: interruption.clone(),
        targets: missing.filter_map(Missing::nameable).collect(),
        addresses: { addresses::missing(lineage, successor).into_iter() }
            .cloned()
            .collect(),
    };
    if !owed.is_empty() {
        return owed.to_tags();
    }
    let earlier = template.tags.contains_key(tags::OWED_SINCE);
    let nothing = (tags::OWED_SINCE.to_owned(), NOTHING.to_owned());
    earlier.then_some(nothing).into_iter().collect()
}

/// The targets and addresses still missing. None if there are none, or after a day.
pub fn open(lineage: &Lineage, owner: &Instance) -> Option<Owed> {
    let owed = lineage.record.owed.clone()?;
    let late = lineage.now - owed.interruption.at > FOR;
    let targets = owed.targets.into_iter();
    let addresses = owed.addresses.into_iter();
    let open = Owed {
        targets: targets
            .filter(|it| is_missing(lineage, owner, it))
            .collect(),
        addresses: addresses
            .filter(|it| !is_there(lineage, owner, it))
            .collect(),
        ..owed
    };
    (!late && !open.is_empty()).then_some(open)
}

/// Requests the missing ones again. `forgotten` is the id of the step that removes the others from the record.
pub fn plan(lineage: &Lineage, owner: &Instance, forgotten: &str, plan: &mut Plan) {
    let Some(owed) = &lineage.record.owed else {
        return;
    };
    if owner.state != InstanceState::Running {
        return;
    }
    match open(lineage, owner) {
        Some(open) => ask(lineage, owner, &open, plan),
        None if plan.steps.iter().any(|it| it.id == forgotten) => {
            tell(lineage, owner, owed, forgotten, plan);
        }
        None => {}
    }
}

fn ask(lineage: &Lineage, owner: &Instance, open: &Owed, plan: &mut Plan) {
    for target in &open.targets {
        let targets = vec![target.clone()];
        let port = target.port.unwrap_or_default();
        let id = deregister::step_id("register", &target.group, &targets);
        let group = target.group.clone();
        let action = Action::Register { group, targets };
        plan.step(Step::new(format!("{id} {port}"), action));
    }
    for address in &open.addresses {
        associate(lineage, owner, address, plan);
    }
    plan.wait(AGAIN, "targets and addresses that are refused");
}

fn tell(lineage: &Lineage, owner: &Instance, owed: &Owed, forgotten: &str, plan: &mut Plan) {
    let (interruption, now) = (&owed.interruption, lineage.now);
    if now - interruption.at > FOR {
        plan.note(
            "targets and addresses that were refused in the rescue are not requested any longer",
        );
        return;
    }
    let seconds = seconds_between(interruption.at, now);
    let reached = BTreeMap::from([(Milestone::BackInService, seconds)]);
    let mut outcome = outcome::of_owner(Kind::BackInService, lineage, interruption, reached);
    outcome.replacement = Some(owner.id.clone());
    outcome.market = Some(owner.market);
    outcome.instance_type = Some(owner.instance_type.clone());
    plan.outcome = Some((forgotten.to_owned(), outcome));
}

fn is_missing(lineage: &Lineage, owner: &Instance, target: &Target) -> bool {
    let Some(found) = lineage.facts.registrations.known() else {
        return true;
    };
    let gone = found.gone.contains(&target.group);
    let answers = owner.answers_to(target);
    let there = found
        .list
        .iter()
        .any(|it| it.target == *target && deregister::is_of(lineage, owner, it) && !it.draining);
    answers && !gone && !there
}

/// An address that was released, or that was associated elsewhere since, is no longer owed.
fn is_there(lineage: &Lineage, owner: &Instance, owed: &RecordedAddress) -> bool {
    let Some(found) = lineage.facts.addresses.known() else {
        return false;
    };
    let address = found.iter().find(|it| it.allocation == owed.allocation);
    address.is_none_or(|it| {
        let holder = it.instance.as_ref();
        let ending = holder.is_some_and(|it| *it != owner.id && lineage.member(it).is_some());
        let free = holder.is_none() && it.interface.is_none();
        !free && !ending
    })
}

/// Associates the address only if it is free: it is never taken from another instance.
fn associate(lineage: &Lineage, owner: &Instance, owed: &RecordedAddress, plan: &mut Plan) {
    let allocation = owed.allocation.clone();
    let found = lineage.facts.addresses.known();
    let mut found = found.map(Vec::as_slice).unwrap_or_default().iter();
    let free = found.any(|it| it.allocation == allocation && it.interface.is_none());
    let (true, Some((interface, private_address))) = (free, place(owner, owed.placement.as_ref()))
    else {
        return;
    };
    let id = format!("associate {allocation}");
    let action = Action::Network(Network::Associate {
        allocation,
        interface,
        private_address,
        take: false,
    });
    plan.step(Step::new(id, action));
}

/// The same interface and private address as before, or the first of each.
fn place(
    owner: &Instance,
    placement: Option<&EipPlacement>,
) -> Option<(crate::id::InterfaceId, String)> {
    let same = placement
        .and_then(|placement| owner.interfaces.iter().find(|it| it.slot == placement.slot));
    let interface = same.or(owner.primary_interface())?;
    let mut own = interface.addresses.iter();
    let same = placement.and_then(|placement| own.find(|it| **it == placement.private_address));
    let address = same.or(interface.addresses.first())?;
    Some((interface.id.clone(), address.clone()))
}
