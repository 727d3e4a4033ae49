//! Traffic leaves first: every registration of an interrupted instance, on every port (TRAP 19).
//! Nobody waits for the deregistration delay: its default of 300 s outlives the instance (TRAP 21).

use super::{Lineage, Plan};
use crate::record::Record;
use crate::situation::{Instance, Registration, Target};
use crate::step::{Action, Step};
use std::collections::BTreeMap;

/// The targets the instance's own tags name: known without asking.
pub fn on_record(lineage: &Lineage, instance: &Instance, plan: &mut Plan) {
    let mut targets = Record::from_tags(&instance.tags).targets;
    targets.extend(lineage.record.targets.iter().cloned());
    targets.retain(|it| instance.answers_to(it));
    steps(targets, plan);
}

/// The targets AWS shows now: corrects what the record missed. If they could not be read, those on
/// record are deregistered (again: it changes nothing).
pub fn found(lineage: &Lineage, plan: &mut Plan) {
    match serving(lineage) {
        Some(targets) => steps(targets, plan),
        None => lineage
            .interrupted()
            .for_each(|(it, _)| on_record(lineage, it, plan)),
    }
}

/// Registrations that still send traffic to an interrupted instance. None if they are not known.
///
/// A dead instance no longer shows its addresses, and nobody deregisters `ip` targets for it: the
/// recorded ones count as its own, as long as nobody answers there. EC2 gives an address to the next
/// who comes, and he may serve in the same group.
pub fn serving(lineage: &Lineage) -> Option<Vec<Target>> {
    let known = lineage.situation.registrations.known()?;
    let of_successor = |it: &Target| {
        lineage
            .successor
            .is_some_and(|successor| successor.answers_to(it))
    };
    let of_interrupted = |it: &Registration| {
        let mut interrupted = lineage.interrupted();
        let deserted = !it.answering && lineage.record.targets.contains(&it.target);
        deserted || interrupted.any(|(instance, _)| instance.answers_to(&it.target))
    };
    let serving = known
        .list
        .iter()
        .filter(|it| !it.draining && of_interrupted(it));
    let targets = serving.map(|it| &it.target);
    Some(targets.filter(|it| !of_successor(it)).cloned().collect())
}

fn steps(targets: Vec<Target>, plan: &mut Plan) {
    for (target_group_arn, targets) in by_group(targets) {
        let id = step_id("deregister", &target_group_arn, &targets);
        plan.step(Step::new(
            id,
            Action::Deregister {
                target_group_arn,
                targets,
            },
        ));
    }
}

/// One call per target group.
pub fn by_group(mut targets: Vec<Target>) -> BTreeMap<String, Vec<Target>> {
    targets.sort();
    targets.dedup();
    let mut groups: BTreeMap<String, Vec<Target>> = BTreeMap::new();
    for target in targets {
        groups
            .entry(target.target_group_arn.clone())
            .or_default()
            .push(target);
    }
    groups
}

pub fn step_id(verb: &str, target_group_arn: &str, targets: &[Target]) -> String {
    let who = targets.first().map_or("nobody", |it| &it.id);
    let name = target_group_arn
        .rsplit("targetgroup/")
        .next()
        .unwrap_or(target_group_arn);
    format!("{verb} {who} {name}")
}
