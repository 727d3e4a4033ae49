//! stop and hibernate: EC2 brings the instance back by itself, in the same place, with its volumes.
//! Deregister and watch. Never launch, detach or cancel (TRAP 2).

use super::{Lineage, Plan, close, deregister, prepare, protect, register, rejoin};
use crate::clock::seconds_between;
use crate::event::{InstanceState, Interruption};
use crate::record::{Milestone, progress_text};
use crate::report::{Outcome, VolumeCounts};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use std::collections::BTreeMap;

const PAUSED: &str = "note progress";
const RETURNED: &str = "forget the interruption";

pub fn first_aid(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    if let Some(instance) = lineage.member(&interruption.instance) {
        deregister::on_record(lineage, instance, &mut plan);
        protect::tombstone(lineage, instance, interruption, &mut plan);
    }
    plan
}

pub fn plan(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    let Some(owner) = lineage.owner else {
        return plan;
    };
    deregister::found(lineage, &mut plan);
    protect::tombstone(lineage, owner, interruption, &mut plan);
    protect::remember(lineage, interruption, &mut plan);
    prepare::at_the_latest(lineage, interruption, &mut plan);
    note_progress(lineage, interruption, owner.state, &mut plan);
    plan.note(format!(
        "{} is {}: EC2 will bring it back",
        owner.id, owner.state
    ));
    if owner.state == InstanceState::Running {
        plan.wait(20, format!("{} to {}", owner.id, interruption.action));
    }
    plan
}

/// That it has been seen stopped is written down: it tells a return from the two minutes before.
fn note_progress(
    lineage: &Lineage,
    interruption: &Interruption,
    state: InstanceState,
    plan: &mut Plan,
) {
    let Some(template) = lineage.template() else {
        return;
    };
    let now = seconds_between(interruption.at, lineage.situation.now);
    let mut progress = lineage.record.progress.clone();
    progress.entry(Milestone::Deregistered).or_insert(now);
    if matches!(state, InstanceState::Stopping | InstanceState::Stopped) {
        progress.entry(Milestone::Stopped).or_insert(now);
    }
    if progress == lineage.record.progress {
        return;
    }
    let newly = !lineage
        .record
        .progress
        .contains_key(&Milestone::Deregistered);
    let tags = Tags::from([(tags::PROGRESS.to_owned(), progress_text(&progress))]);
    let resources = vec![template.id.to_string()];
    plan.step(Step::new(PAUSED, Action::Tag { resources, tags }));
    if newly {
        let outcome = outcome("paused", lineage, interruption, progress);
        plan.outcome = Some((PAUSED.to_owned(), outcome));
    }
}

#[must_use]
pub fn seen_stopped(lineage: &Lineage) -> bool {
    lineage.record.progress.contains_key(&Milestone::Stopped)
}

/// It runs again: the same targets, then the tombstone goes.
pub fn returned(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    let Some(owner) = lineage.owner else {
        return plan;
    };
    let trying = rejoin::since(Milestone::Returned, lineage, interruption);
    if !register::plan(lineage, owner, trying, &mut plan) {
        note_return(lineage, interruption, &mut plan);
        plan.wait(5, format!("{} to serve", owner.id));
        return plan;
    }
    let template = lineage.template().map(|it| it.id.to_string());
    let resources = template.into_iter().chain([owner.id.to_string()]).collect();
    let keys = vec![tags::INTERRUPTED_AT.to_owned(), tags::PROGRESS.to_owned()];
    plan.step(Step::new(RETURNED, Action::Untag { resources, keys }));
    let mut progress = lineage.record.progress.clone();
    let now = seconds_between(interruption.at, lineage.situation.now);
    progress.entry(Milestone::BackInService).or_insert(now);
    let outcome = outcome("resumed", lineage, interruption, progress);
    plan.outcome = Some((RETURNED.to_owned(), outcome));
    plan
}

/// From here on a target that cannot be registered is waited for.
fn note_return(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) {
    let Some(template) = lineage.template() else {
        return;
    };
    let mut progress = lineage.record.progress.clone();
    let now = seconds_between(interruption.at, lineage.situation.now);
    if progress.insert(Milestone::Returned, now).is_none() {
        let tags = Tags::from([(tags::PROGRESS.to_owned(), progress_text(&progress))]);
        let resources = vec![template.id.to_string()];
        plan.step(Step::new(
            "note the return",
            Action::Tag { resources, tags },
        ));
    }
}

fn outcome(
    result: &'static str,
    lineage: &Lineage,
    interruption: &Interruption,
    seconds: BTreeMap<Milestone, f64>,
) -> Outcome {
    Outcome {
        result,
        rescue: lineage.situation.lineage.clone(),
        instance: interruption.instance.clone(),
        replacement: None,
        market: None,
        at: interruption.at,
        reported: lineage.situation.now,
        volumes: VolumeCounts::default(),
        restored_from: BTreeMap::new(),
        cloned_at: BTreeMap::new(),
        seconds,
        targets_missing: lineage
            .owner
            .filter(|_| result == "resumed")
            .map(|it| close::targets_missing(lineage, it))
            .unwrap_or_default(),
    }
}
