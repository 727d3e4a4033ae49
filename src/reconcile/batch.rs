//! Which lineages a batch of triggers is about, after one `DescribeInstances` for all of them.

use super::context::Context;
use super::work_item::WorkItem;
use super::{endings, glance, sets};
use crate::clock::Timestamp;
use crate::cloud::{CloudError, Query};
use crate::event::{InstanceState, Trigger, is_recent};
use crate::id::InstanceId;
use crate::observe::{self, Known};
use crate::plan::reads::skipped::Deregistered;
use crate::policy::Policy;
use crate::report::Unprotected;
use crate::situation::{Instance, Template};
use crate::tags;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub struct Batch {
    pub items: BTreeMap<InstanceId, WorkItem>,
    /// Instances with a tag that only looks like an opt-in.
    pub unprotected: Vec<Unprotected>,
    /// How many were found with neither flags off nor a snapshot set.
    pub most_unprotected: usize,
    /// Spot Instances that are being interrupted and bear no tags of ours.
    pub taken: Vec<Instance>,
}

impl Batch {
    /// An instance that is not opted in costs the one describe and nothing else.
    pub async fn of(context: &Context<'_>, triggers: &[Trigger]) -> Result<Self, CloudError> {
        let now = context.clock.now();
        let named = triggers.iter().flat_map(instances_of);
        let watched = triggers.iter().flat_map(glance::watched);
        let ids: BTreeSet<InstanceId> = named.chain(watched).cloned().collect();
        let (visible, volumes) =
            tokio::join!(describe(context, &ids), glance::volumes(context, triggers));
        let visible = visible?;
        let (calm, changed): (Vec<_>, Vec<_>) =
            { triggers.iter() }.partition(|it| glance::unchanged(it, &visible, &volumes, now));
        let known = Self::unseen(context, &changed, &visible).await?;
        let by_snapshot = sets::lineages(context, triggers).await?;
        let mut batch = Self::default();
        for (position, trigger) in triggers.iter().enumerate() {
            if let Some(wake) = glance::wake(trigger).filter(|_| calm.contains(&trigger)) {
                batch.item(wake.instance.clone()).add(position, trigger);
                continue;
            }
            if let Trigger::Snapshots { snapshots } = trigger {
                let lineages = snapshots.iter().filter_map(|it| by_snapshot.get(it));
                lineages.for_each(|it| batch.item(it.clone()).add(position, trigger));
                continue;
            }
            for id in instances_of(trigger) {
                let seen = visible.iter().find(|it| it.id == *id);
                batch.about(position, trigger, id, seen, known.get(id), now);
            }
        }
        // Last, as another trigger of the same batch may concern the same lineage.
        for wake in calm.into_iter().filter_map(glance::wake) {
            glance::rest(batch.item(wake.instance.clone()), wake, &visible, now);
        }
        Ok(batch)
    }

    /// Adds a trigger to the lineage of one of the instances it names.
    fn about(
        &mut self,
        position: usize,
        trigger: &Trigger,
        id: &InstanceId,
        seen: Option<&Instance>,
        known: Option<&InstanceId>,
        now: Timestamp,
    ) {
        match seen {
            Some(instance) if is_bare(instance) && known.is_some() => {
                let lineage = known.unwrap_or(id).clone();
                self.item(lineage).add(position, trigger);
            }
            Some(instance) if !is_ours(instance, trigger) => {
                self.leave(instance, trigger, now);
            }
            Some(instance) if endings::leads_nowhere(instance, trigger, now) => {
                tracing::debug!(%id, "event ignored: nothing can be done by it");
            }
            Some(instance) => {
                if instance.is_doubtful(now) {
                    self.item(instance.id.clone()).doubt(position, trigger);
                }
                let item = self.item(instance.lineage());
                item.add(position, trigger);
                let starts = starts_watch(instance, trigger);
                item.owns_chain |= starts;
                item.full_discovery |= starts;
                if matches!(trigger, Trigger::Interruption(_)) {
                    item.memory.flagged.extend(flagged(instance));
                }
                item.instances.push(instance.clone());
            }
            None if let Some(lineage) = known => {
                self.item(lineage.clone()).add(position, trigger);
            }
            None if is_fresh(trigger, now) => {
                let item = self.item(id.clone());
                item.add(position, trigger);
                item.await_sight();
            }
            None => tracing::info!(%id, "event ignored: no such instance, no prepared rescue"),
        }
    }

    /// The instance is left alone. A tag that only looks like an opt-in is reported while it can be corrected, and at
    /// the interruption.
    fn leave(&mut self, instance: &Instance, trigger: &Trigger, at: Timestamp) {
        let id = &instance.id;
        tracing::debug!(%id, "not opted in");
        let interrupted = matches!(trigger, Trigger::Interruption(_));
        let runs = matches!(trigger, Trigger::StateChange { state, .. } if *state == InstanceState::Running);
        if let Some(why) = Policy::misspelt(&instance.tags).filter(|_| interrupted || runs) {
            self.unprotected.push(Unprotected {
                instance: id.clone(),
                why,
                interrupted,
                at,
            });
        } else if interrupted && !instance.tags.contains_key(tags::OPT_IN) {
            self.taken.push(instance.clone());
        }
    }

    /// Ids that `DescribeInstances` no longer shows, or shows without tags, and the lineage that has them on record.
    async fn unseen(
        context: &Context<'_>,
        triggers: &[&Trigger],
        visible: &[Instance],
    ) -> Result<BTreeMap<InstanceId, InstanceId>, CloudError> {
        let (late, others) =
            { triggers.iter().copied() }.partition::<Vec<_>, _>(|it| may_be_late(it));
        let late: BTreeSet<&InstanceId> = late.into_iter().flat_map(instances_of).collect();
        let others = others.into_iter().flat_map(instances_of);
        let shown = |id: &InstanceId| {
            let mut all = visible.iter().filter(|it| it.id == *id);
            all.any(|it| !(late.contains(id) && is_bare(it)))
        };
        let ids = late.iter().copied().chain(others);
        let unseen: BTreeSet<InstanceId> = ids.filter(|id| !shown(id)).cloned().collect();
        if unseen.is_empty() {
            return Ok(BTreeMap::new());
        }
        let found = observe::prepared(context.cloud, &unseen).await?;
        let named = |it: &&InstanceId| observe::prepared_of(it, &found).is_some();
        let mut known: BTreeMap<_, _> = { unseen.iter() }
            .filter(named)
            .map(|it| (it.clone(), it.clone()))
            .collect();
        // The first instance of a lineage gave it its name; later owners are heads on record.
        let mut named = known.keys();
        if { late.iter() }.any(|it| unseen.contains(*it) && !named.any(|known| known == *it)) {
            let all = context
                .cloud
                .templates(&Query::TagKey(tags::RESCUE))
                .await?;
            let headed = all.iter().filter_map(headed);
            known.extend(headed.filter(|(head, _)| unseen.contains(head)));
        }
        Ok(known)
    }

    fn item(&mut self, lineage: InstanceId) -> &mut WorkItem {
        self.items
            .entry(lineage.clone())
            .or_insert_with(|| WorkItem::new(lineage))
    }

    /// The lineages that may still have something to do.
    pub fn active(&self) -> impl Iterator<Item = &InstanceId> {
        self.items
            .iter()
            .filter(|(_, it)| !it.idle)
            .map(|(id, _)| id)
    }

    /// Instances known to belong to the active lineages, whatever their tags show by now.
    pub fn named(&self) -> BTreeSet<InstanceId> {
        let active = self.items.values().filter(|it| !it.idle);
        let launched = active
            .clone()
            .flat_map(|it| it.memory.launched.keys().cloned());
        let instances = active.flat_map(|it| &it.instances);
        instances.map(|it| it.id.clone()).chain(launched).collect()
    }

    pub fn out(&self, now: Timestamp, pass: u32) -> Deregistered {
        let all = self.items.values();
        let unwarned = all.clone().filter(|it| it.memory.interruptions.is_empty());
        let listed = all.clone().filter(|it| pass > 1 || it.is_listed());
        let warned = all.clone().flat_map(|it| &it.memory.interruptions);
        Deregistered {
            now,
            warned: warned.map(|it| (it.instance.clone(), it.at)).collect(),
            instances: all.flat_map(|it| it.out(now)).cloned().collect(),
            listed: listed.map(|it| it.lineage.clone()).collect(),
            unwarned: unwarned.map(|it| it.lineage.clone()).collect(),
        }
    }

    /// The snapshots that the lineages' wakes know of.
    pub fn sets(&self) -> Known {
        let active = self.items.iter().filter(|(_, it)| !it.idle);
        Known(
            active
                .map(|(id, it)| (id.clone(), it.memory.sets.clone()))
                .collect(),
        )
    }

    pub fn is_new(&self) -> bool {
        self.items.values().any(|it| it.full_discovery)
    }

    /// Without the instances nothing can be planned: look again soon.
    pub fn read_failed(&mut self, error: &CloudError) {
        for item in self.items.values_mut().filter(|it| !it.idle) {
            let what = format!("instances to be readable ({error})");
            item.report.wait(5, what);
            item.owns_chain = true;
            item.slow_down();
        }
    }
}

fn instances_of(trigger: &Trigger) -> Vec<&InstanceId> {
    match trigger {
        Trigger::Interruption(interruption) => vec![&interruption.instance],
        Trigger::StateChange { instance, .. } | Trigger::Launched { instance } => vec![instance],
        Trigger::Wake(wake) => vec![&wake.instance],
        Trigger::AtRisk { risks } => risks.iter().map(|it| &it.instance).collect(),
        Trigger::Snapshots { .. } | Trigger::Sweep => Vec::new(),
    }
}

/// What is deleted with it, by the flags of this moment.
fn flagged(instance: &Instance) -> impl Iterator<Item = String> {
    let volumes = instance
        .devices
        .iter()
        .filter(|it| it.delete_on_termination);
    let volumes = volumes.map(|it| it.volume.to_string());
    let interfaces = { instance.interfaces.iter() }.filter(|it| it.delete_on_termination);
    volumes.chain(interfaces.map(|it| it.id.to_string()))
}

/// Preparing needs a later look; so does a return from a stop. A replacement that begins to run is looked at by the
/// rescue that launched it.
fn starts_watch(instance: &Instance, trigger: &Trigger) -> bool {
    let runs =
        matches!(trigger, Trigger::StateChange { state, .. } if *state == InstanceState::Running);
    let tagged = |key| instance.tags.contains_key(key);
    runs && (!tagged(tags::REPLACES) || tagged(tags::INTERRUPTED_AT))
}

/// The trigger names an interruption that is not over yet.
fn is_fresh(trigger: &Trigger, now: Timestamp) -> bool {
    match trigger {
        Trigger::Interruption(interruption) => is_recent(interruption.at, now),
        Trigger::Wake(wake) => wake
            .memory
            .interruptions
            .iter()
            .any(|it| is_recent(it.at, now)),
        Trigger::StateChange { .. }
        | Trigger::AtRisk { .. }
        | Trigger::Launched { .. }
        | Trigger::Snapshots { .. }
        | Trigger::Sweep => false,
    }
}

/// Opted in; or a wake of ours for an instance that has lost its tags at its end, or was opted out after its rescue
/// was prepared.
fn is_ours(instance: &Instance, trigger: &Trigger) -> bool {
    let opted_in = instance.tags.get(tags::OPT_IN).is_some_and(|it| it == "on");
    let was = is_bare(instance) || instance.tags.contains_key(tags::PREPARED);
    opted_in || (was && matches!(trigger, Trigger::Wake(_)))
}

/// The trigger may come when EC2 has forgotten the instance, or its tags. Any other trigger is believed only if the
/// instance itself is shown with our tags.
fn may_be_late(trigger: &Trigger) -> bool {
    matches!(trigger, Trigger::Interruption(_) | Trigger::Wake(_))
}

/// Its tags have gone with its end: what it was is on record, or lost.
fn is_bare(instance: &Instance) -> bool {
    instance.tags.is_empty() && !instance.is_alive()
}

/// The head of a prepared rescue, and its lineage.
fn headed(template: &Template) -> Option<(InstanceId, InstanceId)> {
    let head = template.tags.get(tags::HEAD)?.parse().ok()?;
    Some((head, template.tags.get(tags::RESCUE)?.parse().ok()?))
}

async fn describe(
    context: &Context<'_>,
    ids: &BTreeSet<InstanceId>,
) -> Result<Vec<Instance>, CloudError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    context
        .cloud
        .instances(&Query::Instances(ids.iter().cloned().collect()))
        .await
}
