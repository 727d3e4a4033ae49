//! Snapshot sets: those that have completed, and the lineages that they let go on; those that were just taken.

use super::context::Context;
use super::endings;
use crate::backup;
use crate::cloud::{CloudError, Query};
use crate::event::Trigger;
use crate::id::{InstanceId, SnapshotId};
use crate::plan::Plan;
use crate::report::{StepOutcome, StepReport};
use crate::situation::Snapshot;
use crate::step::Action;
use crate::tags;
use std::collections::{BTreeMap, BTreeSet};

/// Lineages by snapshot. A set is of no use before its instance has ended: until then the volumes themselves are
/// there.
pub async fn lineages(
    context: &Context<'_>,
    triggers: &[Trigger],
) -> Result<BTreeMap<SnapshotId, InstanceId>, CloudError> {
    let named = triggers.iter().filter_map(snapshots);
    let ids: Vec<SnapshotId> = named.flatten().cloned().collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = context.cloud.snapshots(&Query::Snapshots(ids)).await?;
    let sources: BTreeSet<InstanceId> = found.iter().filter_map(source).collect();
    let sources = Query::Instances(sources.into_iter().collect());
    let sources = if sources.names_nothing() {
        Vec::new()
    } else {
        context.cloud.instances(&sources).await?
    };
    let now = context.clock.now();
    let holds = |id: &InstanceId| {
        let mut all = sources.iter();
        all.any(|it| it.id == *id && endings::still_holds(it, now))
    };
    let useful = found
        .into_iter()
        .filter(|it| !source(it).is_some_and(|it| holds(&it)));
    let lineage = |it: Snapshot| {
        let lineage = it.tags.get(tags::RESCUE)?.parse().ok()?;
        Some((it.id, lineage))
    };
    Ok(useful.filter_map(lineage).collect())
}

fn snapshots(trigger: &Trigger) -> Option<&Vec<SnapshotId>> {
    let Trigger::Snapshots { snapshots } = trigger else {
        return None;
    };
    Some(snapshots)
}

/// The instance that a set was taken of: at a warning, or by its schedule.
fn source(snapshot: &Snapshot) -> Option<InstanceId> {
    let set = snapshot.tags.get(tags::SET)?;
    let set = backup::set::run(set).unwrap_or(set);
    let (instance, _) = set.rsplit_once('-')?;
    instance.parse().ok()
}

/// The snapshots that the calls of a look have returned.
pub fn taken(plan: &Plan, reports: &[StepReport]) -> BTreeSet<SnapshotId> {
    let takes = |id: &str| {
        let mut steps = plan.steps.iter().filter(|it| it.id == id);
        steps.any(|it| {
            matches!(
                it.action,
                Action::SnapshotInstance { .. } | Action::SnapshotVolume { .. }
            )
        })
    };
    let takes = reports.iter().filter(|it| takes(&it.id));
    let answers = takes.filter_map(|it| match &it.outcome {
        StepOutcome::Done { what } => Some(what),
        StepOutcome::AlreadyDone { .. }
        | StepOutcome::Failed(_)
        | StepOutcome::Foretold(_)
        | StepOutcome::Skipped { .. }
        | StepOutcome::OutOfTime => None,
    });
    let ids = answers.flat_map(|it| it.split_whitespace());
    ids.filter_map(|it| it.parse().ok()).collect()
}
