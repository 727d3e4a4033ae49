//! The milestones of a rescue, written down when first seen: a later invocation than the one that deregistered reports
//! the outcome.

use crate::clock::seconds_between;
use crate::event::{InstanceState, Interruption};
use crate::plan::course::{outcome, standstill};
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::tombstone::REMEMBER;
use crate::plan::traffic::deregister;
use crate::plan::volumes::fate::{Fate, HandOver};
use crate::plan::volumes::snapshot;
use crate::record::{Milestone, progress_text};
use crate::report::Kind;
use crate::step::{Action, Step, warning_set};
use crate::tags::{self, Tags};
use std::collections::BTreeMap;

pub const STEP: &str = "note progress";

/// Adds the milestones reached since the last look, and reports a loss once, and a rescue that is stuck.
pub fn plan(lineage: &Lineage, interruption: &Interruption, hand_over: &HandOver, plan: &mut Plan) {
    let mut progress = reached(lineage, interruption, hand_over);
    let told = if is_new(lineage, &progress, Milestone::Failed) {
        Some(Kind::Failed)
    } else {
        stands_still(lineage, interruption, &mut progress)
    };
    write_down(lineage, &progress, told.is_some(), plan);
    if let Some(kind) = told {
        let mut outcome = outcome::of_rescue(kind, lineage, interruption, hand_over, progress);
        outcome.why = kind
            .lasts()
            .then(|| standstill::why(lineage, hand_over, plan));
        plan.outcome = Some((STEP.to_owned(), outcome));
    }
}

/// The report that is due of a stuck rescue; it is added to the progress.
fn stands_still(
    lineage: &Lineage,
    interruption: &Interruption,
    progress: &mut BTreeMap<Milestone, f64>,
) -> Option<Kind> {
    let (kind, milestone) = standstill::of(lineage, interruption)?;
    let now = seconds_between(interruption.at, lineage.now);
    let told = progress.get(&milestone).copied();
    standstill::is_due(told, now).then(|| {
        progress.insert(milestone, now);
        kind
    })
}

/// No replacement is launched: what was protected is reported once.
pub fn kept(lineage: &Lineage, interruption: &Interruption, why: Option<String>, plan: &mut Plan) {
    let hand_over = HandOver::default();
    let mut progress = reached(lineage, interruption, &hand_over);
    let now = seconds_between(interruption.at, lineage.now);
    progress.entry(Milestone::Kept).or_insert(now);
    let newly = is_new(lineage, &progress, Milestone::Kept);
    write_down(lineage, &progress, newly, plan);
    if newly {
        let mut outcome =
            outcome::of_rescue(Kind::Kept, lineage, interruption, &hand_over, progress);
        outcome.why = why;
        plan.outcome = Some((STEP.to_owned(), outcome));
    }
}

fn is_new(lineage: &Lineage, progress: &BTreeMap<Milestone, f64>, milestone: Milestone) -> bool {
    lineage.template().is_some()
        && progress.contains_key(&milestone)
        && !lineage.record.progress.contains_key(&milestone)
}

/// What tells nothing goes along with what else is written on record, or can wait: the next look finds it reached as well.
fn write_down(
    lineage: &Lineage,
    progress: &BTreeMap<Milestone, f64>,
    tells: bool,
    plan: &mut Plan,
) {
    let Some(template) = lineage.template() else {
        return;
    };
    if *progress == lineage.record.progress {
        return;
    }
    let tag = (tags::PROGRESS.to_owned(), progress_text(progress));
    if !tells && let Some(tags) = remembered(plan) {
        tags.extend([tag]);
        return;
    }
    let (resources, tags) = (vec![template.id.to_string()], Tags::from([tag]));
    plan.step(Step {
        can_wait: !tells,
        ..Step::new(STEP, Action::Tag { resources, tags })
    });
}

/// What the first look writes on record.
fn remembered(plan: &mut Plan) -> Option<&mut Tags> {
    let step = plan.steps.iter_mut().find(|it| it.id == REMEMBER)?;
    let Action::Tag { tags, .. } = &mut step.action else {
        return None;
    };
    Some(tags)
}

/// All milestones reached by now, in seconds since the time of the interruption.
pub fn reached(
    lineage: &Lineage,
    interruption: &Interruption,
    hand_over: &HandOver,
) -> BTreeMap<Milestone, f64> {
    let now = seconds_between(interruption.at, lineage.now);
    let mut progress = lineage.record.progress.clone();
    let mut reach = |milestone, condition: bool| {
        if condition {
            progress.entry(milestone).or_insert(now);
        }
    };
    let running = lineage
        .successor
        .is_some_and(|it| it.state == InstanceState::Running);
    reach(Milestone::Deregistered, deregister::is_done(lineage));
    reach(
        Milestone::SnapshotStarted,
        snapshotted(lineage, interruption),
    );
    reach(Milestone::ReplacementRunning, running);
    let attached = running && hand_over.data_complete();
    reach(Milestone::DataAttached, attached);
    let root = hand_over.root().map(|(_, fate)| fate);
    let replaced = running && root.is_some_and(|it| matches!(it, Fate::Attached { .. }));
    reach(Milestone::RootReplaced, replaced);
    reach(Milestone::Failed, hand_over.count(Fate::is_hopeless) > 0);
    forget(&mut progress, hand_over, attached, replaced);
    progress
}

/// After a replacement was interrupted in turn, the next one has not reached its milestones, from which the time to
/// register targets counts. A milestone is not removed because volumes could not be read.
fn forget(
    progress: &mut BTreeMap<Milestone, f64>,
    hand_over: &HandOver,
    attached: bool,
    replaced: bool,
) {
    let seen = |done: bool| done || !hand_over.known;
    if !seen(attached) {
        progress.remove(&Milestone::DataAttached);
    }
    if !seen(replaced) {
        progress.remove(&Milestone::RootReplaced);
    }
}

fn snapshotted(lineage: &Lineage, interruption: &Interruption) -> bool {
    let set = warning_set(interruption);
    let instance = lineage.member(&interruption.instance);
    let reused = instance.and_then(|it| snapshot::is_taken(lineage, it, interruption));
    let all = lineage.facts.snapshots.known();
    let taken = all.is_some_and(|all| all.iter().any(|it| it.tags.get(tags::SET) == Some(&set)));
    taken || reused == Some(true)
}
