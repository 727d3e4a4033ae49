//! The instance action is `stop` or `hibernate`: EC2 starts the instance again in the same place, with its volumes. It
//! is deregistered and watched; nothing is launched, detached or cancelled (TRAP 2).
//!
//! If it does not come back in time, that is reported, and if the policy says so a replacement is launched. EC2 may
//! start the original at any moment, and detaching its root or cancelling its request would terminate it, so nothing is
//! taken from it. The replacement gets *copies* of its volumes, from snapshots of the stopped instance, which miss no
//! write. The recorded owner serves in the end: an original that is back before the replacement has its volumes serves
//! again, and the replacement is given back; one that comes back later stays out of service and is reported.

use crate::clock::seconds_between;
use crate::event::{InstanceAction, InstanceState, Interruption};
use crate::plan::capacity::launch::Decision;
use crate::plan::course::return_to_spot::hand_back;
use crate::plan::course::{at_the_latest, close, foreseen, outcome, progress, rejoin, replacement};
use crate::plan::draft::Plan;
use crate::plan::facts::{launcher, milestone, spot_request};
use crate::plan::lineage::Lineage;
use crate::plan::marks::{seen, tombstone};
use crate::plan::traffic::{deregister, dns, register};
use crate::plan::volumes::{hand_over, protect};
use crate::policy::{Data, NoReturn};
use crate::record::{Milestone, progress_text};
use crate::report::Kind;
use crate::situation::{Instance, Volume};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use std::collections::BTreeMap;

const PAUSED: &str = "note progress";

const RETURNED: &str = "forget the interruption";

pub fn first_aid(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    if let Some(instance) = lineage.member(&interruption.instance) {
        deregister::on_record(lineage, instance, &mut plan);
        tombstone::set(lineage, instance, interruption, &mut plan);
    }
    plan
}

pub fn plan(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    let Some(owner) = lineage.owner else {
        return plan;
    };
    deregister::found(lineage, &mut plan);
    tombstone::set(lineage, owner, interruption, &mut plan);
    tombstone::remember(lineage, interruption, &mut plan);
    seen::note(lineage, interruption, &mut plan);
    at_the_latest::prepare(lineage, interruption, &mut plan);
    note_progress(lineage, interruption, owner, &mut plan);
    // A replacement of an earlier stop is not needed: the instance was back, and is stopped again.
    foreseen::give_back(lineage, &mut plan);
    plan.note(format!(
        "{} is {}: EC2 will bring it back",
        owner.id, owner.state
    ));
    if owner.state == InstanceState::Running {
        plan.wait(20, format!("{} to {}", owner.id, interruption.action));
    }
    plan
}

/// Writes down that the instance was seen stopped: a running instance is then one that has come back, not one that is
/// still to be stopped.
fn note_progress(
    lineage: &Lineage,
    interruption: &Interruption,
    owner: &Instance,
    plan: &mut Plan,
) {
    let Some(template) = lineage.template() else {
        return;
    };
    let now = seconds_between(interruption.at, lineage.now);
    let mut progress = lineage.record.progress.clone();
    progress.entry(Milestone::Deregistered).or_insert(now);
    if matches!(
        owner.state,
        InstanceState::Stopping | InstanceState::Stopped
    ) {
        progress.entry(Milestone::Stopped).or_insert(now);
    }
    let known = |milestone| lineage.record.progress.contains_key(&milestone);
    let result = match (known(Milestone::Deregistered), known(Milestone::Overdue)) {
        (false, _) => Some(Kind::Paused),
        (true, false) if is_overdue(lineage, owner, interruption) => {
            progress.entry(Milestone::Overdue).or_insert(now);
            Some(Kind::Overdue)
        }
        (true, _) => None,
    };
    if progress == lineage.record.progress {
        return;
    }
    let tags = Tags::from([(tags::PROGRESS.to_owned(), progress_text(&progress))]);
    let resources = vec![template.id.to_string()];
    plan.step(Step::new(PAUSED, Action::Tag { resources, tags }));
    if let Some(result) = result {
        let outcome = outcome::of_owner(result, lineage, interruption, progress);
        plan.outcome = Some((PAUSED.to_owned(), outcome));
        if is_overdue(lineage, owner, interruption) {
            plan.wait(
                15,
                "the next look, which follows the policy for an instance that does not come back",
            );
        }
    }
}

fn is_overdue(lineage: &Lineage, owner: &Instance, interruption: &Interruption) -> bool {
    let minutes = i64::from(lineage.policy.return_minutes.value);
    let until = interruption.at + time::Duration::minutes(minutes);
    owner.state == InstanceState::Stopped && lineage.now > until
}

/// The instance is reported as overdue, and the policy asks for a replacement.
pub fn is_given_up(lineage: &Lineage, owner: &Instance, interruption: &Interruption) -> bool {
    lineage.policy.no_return.value == NoReturn::Restore
        && lineage.record.progress.contains_key(&Milestone::Overdue)
        && is_overdue(lineage, owner, interruption)
        && interruption.action == InstanceAction::Stop
        && refusal(lineage, owner).is_none()
}

/// The replacement has its volumes: an original that comes back now is too late.
pub fn is_too_late(lineage: &Lineage) -> bool {
    lineage.successor.is_some()
        && lineage
            .record
            .progress
            .contains_key(&Milestone::DataAttached)
}

/// Why no replacement can be made from copies.
fn refusal(lineage: &Lineage, owner: &Instance) -> Option<String> {
    let request = spot_request::recorded(lineage, owner);
    let hibernates = request.is_some_and(|it| it.behaviour == InstanceAction::Hibernate);
    // An instance that was hibernated without a warning looks stopped: the state reason is the same for both.
    if owner.hibernation || hibernates {
        // TRAP 30
        return Some(
            "EC2 takes no snapshots of an instance that is enabled for hibernation".to_owned(),
        );
    }
    if lineage.policy.data.value == Data::Move {
        return Some(format!(
            "tag {}data is move, and nothing is taken from a stopped instance",
            tags::PREFIX
        ));
    }
    launcher::why_not_ours(lineage)
}

/// Notes before any interruption that the policy asks for a replacement that cannot be made.
pub fn foretell(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let asked = lineage.policy.no_return.value == NoReturn::Restore;
    if let Some(why) = refusal(lineage, owner).filter(|_| asked) {
        plan.note(format!(
            "tag {}no-return: should {} be stopped and not come back, that will only be reported: {why}",
            tags::PREFIX,
            owner.id
        ));
    }
}

/// Not back in time: a rescue that takes nothing from the stopped instance.
pub fn restore(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    deregister::found(lineage, &mut plan);
    tombstone::remember(lineage, interruption, &mut plan);
    protect::mark_volumes(lineage, &mut plan);
    foreseen::keep(lineage, &mut plan);
    let launcher = launcher::launcher(lineage);
    if replacement::plan(lineage, &launcher, &mut plan) == Decision::Refused {
        return plan;
    }
    let hand_over = hand_over::plan(lineage, interruption, &mut plan);
    let rejoined = rejoin::plan(lineage, &launcher, interruption, &hand_over, &mut plan);
    progress::plan(lineage, interruption, &hand_over, &mut plan);
    if rejoined {
        close::plan(lineage, interruption, &hand_over, &mut plan);
    } else if plan.waits.is_empty() {
        plan.wait(5, "the replacement to serve");
    }
    plan
}

/// Originals that come back after they were replaced stay out of service. Their new writes are nowhere else, so their
/// volumes are no longer safety copies.
pub fn late(lineage: &Lineage, plan: &mut Plan) {
    let back = [InstanceState::Pending, InstanceState::Running];
    let members = lineage.members.iter().copied();
    let members = members.filter(|it| back.contains(&it.state) && lineage.is_retired(it));
    for it in members.filter(|it| has_started_again(lineage, it)) {
        deregister::of(lineage, it, plan);
        plan.note(format!(
            "{} is back after it was replaced: it is kept out of service; end it",
            it.id
        ));
        ran_again(lineage, it, plan);
    }
}

/// False for an instance that is still in its two minutes and has an overwritten tombstone.
fn has_started_again(lineage: &Lineage, late: &Instance) -> bool {
    let history = lineage.record.history.iter();
    let taken = history.filter(|it| it.instance == late.id);
    taken.map(|it| it.at).all(|at| late.launch_time > at)
}

fn ran_again(lineage: &Lineage, late: &Instance, plan: &mut Plan) {
    let all = lineage.facts.volumes.known();
    let all = all.map(Vec::as_slice).unwrap_or_default();
    let unsaid = |it: &&Volume| {
        let ours = it.tags.contains_key(tags::RESCUE);
        ours && it.attached_to(&late.id) && !it.tags.contains_key(tags::RAN_AGAIN)
    };
    let resources: Vec<String> = all
        .iter()
        .filter(unsaid)
        .map(|it| it.id.to_string())
        .collect();
    if resources.is_empty() {
        return;
    }
    let now = crate::clock::format(lineage.now);
    let tags = Tags::from([(tags::RAN_AGAIN.to_owned(), now)]);
    let id = format!("note the return of {}", late.id);
    plan.step(Step::new(&id, Action::Tag { resources, tags }));
    if let Some(interruption) = lineage.interruption(late) {
        let outcome =
            outcome::of_owner(Kind::ReturnedLate, lineage, &interruption, BTreeMap::new());
        plan.outcome = Some((id, outcome));
    }
}

/// The instance runs again: it is registered as before, then the tombstone is removed.
pub fn returned(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    let Some(owner) = lineage.owner else {
        return plan;
    };
    // The instance may have been stopped and started again since the recorded return.
    let running = seconds_between(owner.launch_time, lineage.now);
    let trying = milestone::since(Milestone::Returned, lineage, interruption).min(running);
    // A stop changes the public IPv4 address, unless it is an Elastic IP.
    let named = dns::plan(lineage, owner, trying, &mut plan);
    // Flags were switched off only for an instance that was to be terminated: a stopped one keeps its volumes.
    let flagged = !interruption.action.ends() || hand_back::is_released(lineage, owner, &mut plan);
    if !register::plan(lineage, owner, trying, &mut plan) || !named || !flagged {
        note_return(lineage, interruption, &mut plan);
        plan.wait(5, format!("{} to serve", owner.id));
        return plan;
    }
    let template = lineage.template().map(|it| it.id.to_string());
    let resources = template.into_iter().chain([owner.id.to_string()]).collect();
    let keys = vec![tags::INTERRUPTED_AT.to_owned(), tags::PROGRESS.to_owned()];
    plan.step(Step::new(RETURNED, Action::Untag { resources, keys }));
    let mut progress = lineage.record.progress.clone();
    let now = seconds_between(interruption.at, lineage.now);
    progress.entry(Milestone::BackInService).or_insert(now);
    let kind = if interruption.action.ends() {
        Kind::WarningWithdrawn
    } else {
        Kind::Resumed
    };
    let outcome = outcome::of_owner(kind, lineage, interruption, progress);
    plan.outcome = Some((RETURNED.to_owned(), outcome));
    plan
}

/// Writes down the return: a target that cannot be registered is waited for from then on.
fn note_return(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) {
    let Some(template) = lineage.template() else {
        return;
    };
    let mut progress = lineage.record.progress.clone();
    let now = seconds_between(interruption.at, lineage.now);
    if progress.insert(Milestone::Returned, now).is_none() {
        let tags = Tags::from([(tags::PROGRESS.to_owned(), progress_text(&progress))]);
        let resources = vec![template.id.to_string()];
        plan.step(Step::new(
            "note the return",
            Action::Tag { resources, tags },
        ));
    }
}
