//! Deregisters an interrupted instance from its target groups first of all, on every port (TRAP 19). The deregistration
//! delay is not waited for: its default of 300 s outlives the instance (TRAP 21).

use crate::event::{InstanceAction, Interruption};
use crate::id::InstanceId;
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::record::targets_from;
use crate::situation::{Instance, Registration, Target, TargetGroup};
use crate::step::{Action, Step};
use std::collections::BTreeMap;

/// Deregisters the targets in the instance's own tags, which are known without another call.
pub fn on_record(lineage: &Lineage, instance: &Instance, plan: &mut Plan) {
    steps(recorded(lineage, instance), plan);
}

/// Deregisters the recorded targets of an instance that cannot be read.
pub fn recorded_of(lineage: &Lineage, instance: &InstanceId, plan: &mut Plan) {
    let addresses = &lineage.record.private_addresses;
    let its = |it: &&Target| {
        let by_address = addresses.iter().any(|address| it.is_address(address));
        it.id == instance.as_str() || by_address
    };
    let targets = lineage.record.targets.iter().filter(its);
    steps(targets.cloned().collect(), plan);
}

/// Deregisters the targets that AWS shows now, and the recorded ones of groups that could not be read. Deregistering
/// twice changes nothing.
pub fn found(lineage: &Lineage, plan: &mut Plan) {
    plan.leaves_for_good = for_good(lineage);
    let mut targets = serving(lineage).unwrap_or_default();
    targets.extend(unseen(lineage));
    steps(targets, plan);
}

/// The interruption of an owner that nothing registers again: it is being terminated and is in no Auto Scaling group.
/// Its target groups need no further reads.
fn for_good(lineage: &Lineage) -> Option<Interruption> {
    let owner = lineage.owner.filter(|_| lineage.group_name().is_none())?;
    let ends = |it: &Interruption| it.action == InstanceAction::Terminate;
    lineage.interruption(owner).filter(ends)
}

/// Deregisters the targets of one instance that AWS shows.
pub fn of(lineage: &Lineage, instance: &Instance, plan: &mut Plan) {
    let known = lineage.facts.registrations.known();
    let found = known.into_iter().flat_map(|it| it.list.iter());
    let serving = found.filter(|it| !it.draining && instance.is_registered_as(it));
    steps(serving.map(|it| it.target.clone()).collect(), plan);
}

/// Registrations that still send traffic to an interrupted instance. None if registrations are not known.
///
/// A terminated instance no longer shows its addresses, and its `ip` targets stay registered: the recorded ones count
/// as its own as long as no other instance has the address. EC2 gives the address to the next instance that needs one,
/// which may serve in the same group.
pub fn serving(lineage: &Lineage) -> Option<Vec<Target>> {
    let known = lineage.facts.registrations.known()?;
    let on_record = |it: &Registration| is_on_record(lineage, &it.target);
    let of_interrupted = |it: &Registration| {
        let mut interrupted = lineage.interrupted();
        let deserted = !it.answering && on_record(it);
        deserted || interrupted.any(|(instance, _)| is_of(lineage, instance, it))
    };
    let serving = known
        .list
        .iter()
        .filter(|it| !it.draining && of_interrupted(it));
    let targets = serving.map(|it| &it.target);
    Some(
        targets
            .filter(|it| !of_successor(lineage, it))
            .cloned()
            .collect(),
    )
}

/// No target is left to be deregistered, as far as is known.
pub fn is_done(lineage: &Lineage) -> bool {
    serving(lineage).is_some_and(|it| it.is_empty()) && unseen(lineage).is_empty()
}

/// The registration is of this instance. An address that was read without its VPC must be on record.
pub fn is_of(lineage: &Lineage, instance: &Instance, it: &Registration) -> bool {
    let recorded = it.vpc.is_none() && is_on_record(lineage, &it.target);
    instance.is_registered_as(it) || (recorded && instance.answers_to(&it.target))
}

/// The target is on record, as the owner's or as a successor's.
fn is_on_record(lineage: &Lineage, target: &Target) -> bool {
    let record = &lineage.record;
    record.targets.contains(target) || record.served.contains(target)
}

/// The recorded targets of interrupted instances in groups that have not been read, unless AWS has accepted their
/// deregistration.
fn unseen(lineage: &Lineage) -> Vec<Target> {
    let read = lineage.facts.registrations.known();
    let unread = |it: &Target| read.is_none_or(|all| !all.was_read(&it.group));
    let out = &lineage.facts.deregistered;
    let interrupted = lineage
        .interrupted()
        .filter(|(it, _)| !out.contains(&it.id));
    interrupted
        .flat_map(|(instance, _)| recorded(lineage, instance))
        .filter(|it| unread(it) && !of_successor(lineage, it))
        .collect()
}

fn recorded(lineage: &Lineage, instance: &Instance) -> Vec<Target> {
    let mut targets = targets_from(&instance.tags);
    targets.extend(lineage.record.targets.iter().cloned());
    targets.retain(|it| instance.answers_to(it));
    targets
}

fn of_successor(lineage: &Lineage, target: &Target) -> bool {
    lineage
        .successor
        .is_some_and(|successor| successor.answers_to(target))
}

fn steps(targets: Vec<Target>, plan: &mut Plan) {
    for (group, targets) in by_group(targets) {
        let id = step_id("deregister", &group, &targets);
        plan.step(Step::new(id, Action::Deregister { group, targets }));
    }
}

/// One call per target group.
pub fn by_group(mut targets: Vec<Target>) -> BTreeMap<TargetGroup, Vec<Target>> {
    targets.sort();
    targets.dedup();
    let mut groups: BTreeMap<TargetGroup, Vec<Target>> = BTreeMap::new();
    for target in targets {
        groups.entry(target.group.clone()).or_default().push(target);
    }
    groups
}

pub fn step_id(verb: &str, group: &TargetGroup, targets: &[Target]) -> String {
    let first = targets.first().map_or("none", |it| &it.id);
    format!("{verb} {first} {}", group.name())
}
