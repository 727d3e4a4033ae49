//! Which lineages a batch of triggers is about, after one `DescribeInstances` for all of them.

use super::Context;
use super::scarcity::Looks;
use crate::clock::Timestamp;
use crate::cloud::{CloudError, Query};
use crate::event::{InstanceState, Interruption, Memory, Risk, Trigger};
use crate::execute::Done;
use crate::id::{InstanceId, SnapshotId};
use crate::observe::{self, Out, is_recent};
use crate::plan::{REMEMBER, SEEN};
use crate::report::{Outcome, Report, StepReport};
use crate::situation::{Instance, Template};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use std::collections::{BTreeMap, BTreeSet};

/// One lineage, and what this invocation knows and did about it.
#[derive(Debug)]
pub struct Subject {
    pub lineage: InstanceId,
    /// Positions of the triggers that led here.
    pub triggers: Vec<usize>,
    /// What the looks before this one have handed on.
    pub memory: Memory,
    pub risks: Vec<Risk>,
    /// Whose warning has just come: first aid before anything else is read.
    pub urgent: BTreeSet<InstanceId>,
    pub instances: Vec<Instance>,
    pub attempt: u32,
    /// Seconds that the chain of wakes has waited by now.
    pub waited: u32,
    /// Since when what the last plan waits for has taken.
    pub since: Option<Timestamp>,
    /// What could not be noted as told.
    pub untold: Option<Outcome>,
    /// Steps refused for good, by id.
    pub refused: BTreeSet<String>,
    /// Written into the record by this invocation when launches failed.
    pub remembered: Tags,
    pub done: Done,
    pub report: Report,
    /// The last plan held nothing new.
    pub resting: bool,
    /// This invocation has done with it; the wake that goes on with it has been sent, or why not.
    pub left: Option<Result<(), String>>,
    /// By how many times the next look may come later than planned.
    pub patience: u32,
    /// Every rescue has one chain of wakes: the warning starts it, each wake goes on with it, and
    /// so does whoever found an interruption that no warning announced. Other events only look.
    pub watching: bool,
    /// First look, or a look after long: all target groups are asked.
    new: bool,
}

#[derive(Debug, Default)]
pub struct Batch {
    pub subjects: BTreeMap<InstanceId, Subject>,
    /// How many were found with neither flags nor snapshots.
    pub needy: usize,
}

impl Batch {
    /// An instance that is not opted in costs the one describe and nothing else.
    pub async fn of(context: &Context<'_>, triggers: &[Trigger]) -> Result<Self, CloudError> {
        let ids: BTreeSet<InstanceId> = triggers.iter().flat_map(instances_of).cloned().collect();
        let visible = describe(context, &ids).await?;
        let known = Self::unseen(context, triggers, &visible).await?;
        let by_snapshot = by_snapshot(context, triggers).await?;
        let mut batch = Self::default();
        for (position, trigger) in triggers.iter().enumerate() {
            if let Trigger::Snapshots { snapshots } = trigger {
                let lineages = snapshots.iter().filter_map(|it| by_snapshot.get(it));
                lineages.for_each(|it| batch.subject(it.clone()).add(position, trigger));
                continue;
            }
            for id in instances_of(trigger) {
                let seen = visible.iter().find(|it| it.id == *id);
                batch.about(
                    position,
                    trigger,
                    id,
                    seen,
                    known.get(id),
                    context.clock.now(),
                );
            }
        }
        Ok(batch)
    }

    /// Whose lineage a trigger concerns by one of the instances it names.
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
                self.subject(lineage).add(position, trigger);
            }
            Some(instance) if !is_ours(instance, trigger) => {
                tracing::debug!(%id, "not opted in");
            }
            Some(instance) => {
                if instance.is_doubtful(now) {
                    self.subject(instance.id.clone()).doubt(position, trigger);
                }
                let subject = self.subject(instance.lineage());
                subject.add(position, trigger);
                let starts = starts_watch(instance, trigger);
                subject.watching |= starts;
                subject.new |= starts;
                if matches!(trigger, Trigger::Interruption(_)) {
                    subject.memory.flagged.extend(flagged(instance));
                }
                subject.instances.push(instance.clone());
            }
            None if let Some(lineage) = known => {
                self.subject(lineage.clone()).add(position, trigger);
            }
            None if is_fresh(trigger, now) => {
                let subject = self.subject(id.clone());
                subject.add(position, trigger);
                subject.await_sight();
            }
            None => tracing::info!(%id, "event ignored: no such instance, no prepared rescue"),
        }
    }

    /// Ids that `DescribeInstances` no longer shows, or without their tags, and the lineage whose record names them.
    async fn unseen(
        context: &Context<'_>,
        triggers: &[Trigger],
        visible: &[Instance],
    ) -> Result<BTreeMap<InstanceId, InstanceId>, CloudError> {
        let (late, others) = { triggers.iter() }.partition::<Vec<_>, _>(|it| may_be_late(it));
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
        // The first of a lineage gave it its name; those after it are heads on record.
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

    fn subject(&mut self, lineage: InstanceId) -> &mut Subject {
        self.subjects
            .entry(lineage.clone())
            .or_insert_with(|| Subject::new(lineage))
    }

    /// Those that may still have something to do.
    pub fn active(&self) -> impl Iterator<Item = &InstanceId> {
        self.subjects
            .iter()
            .filter(|(_, it)| !it.resting)
            .map(|(id, _)| id)
    }

    /// Instances known to belong to the active lineages, whatever their tags show by now.
    pub fn named(&self) -> BTreeSet<InstanceId> {
        let active = self.subjects.values().filter(|it| !it.resting);
        let launched = active
            .clone()
            .flat_map(|it| it.memory.launched.keys().cloned());
        let instances = active.flat_map(|it| &it.instances);
        instances.map(|it| it.id.clone()).chain(launched).collect()
    }

    pub fn out(&self, now: Timestamp) -> Out {
        let all = self.subjects.values();
        let unwarned = all.clone().filter(|it| it.memory.interruptions.is_empty());
        let warned = all.clone().flat_map(|it| &it.memory.interruptions);
        Out {
            now,
            warned: warned.map(|it| it.instance.clone()).collect(),
            instances: all.flat_map(|it| it.out(now)).cloned().collect(),
            unwarned: unwarned.map(|it| it.lineage.clone()).collect(),
        }
    }

    pub fn is_new(&self) -> bool {
        self.subjects.values().any(|it| it.new)
    }

    /// What the first look could not ask.
    pub fn is_unlisted(&self) -> bool {
        let mut active = self.subjects.values().filter(|it| !it.resting);
        active.any(|it| it.memory.unlisted)
    }

    /// Without the instances nothing can be planned: look again soon.
    pub fn read_failed(&mut self, error: &CloudError) {
        for subject in self.subjects.values_mut().filter(|it| !it.resting) {
            let what = format!("instances to be readable ({error})");
            subject.report.wait(5, what);
            subject.watching = true;
            subject.slow_down();
        }
    }
}

impl Subject {
    fn new(lineage: InstanceId) -> Self {
        Self {
            lineage,
            triggers: Vec::new(),
            memory: Memory::default(),
            risks: Vec::new(),
            urgent: BTreeSet::new(),
            instances: Vec::new(),
            attempt: 0,
            waited: 0,
            since: None,
            untold: None,
            refused: BTreeSet::new(),
            remembered: Tags::new(),
            done: Done::default(),
            report: Report::default(),
            resting: false,
            left: None,
            patience: 0,
            watching: false,
            new: false,
        }
    }

    /// It may be a lineage of its own: that is looked at before anything is done.
    fn doubt(&mut self, position: usize, trigger: &Trigger) {
        self.add(position, trigger);
        self.urgent.clear();
        self.new = true;
        self.watching = true;
    }

    fn add(&mut self, position: usize, trigger: &Trigger) {
        self.triggers.push(position);
        match trigger {
            Trigger::Interruption(interruption) => {
                self.memory.interruptions.push(interruption.clone());
                self.urgent.insert(interruption.instance.clone());
                self.watching = true;
                self.new = true;
            }
            Trigger::Wake(wake) => {
                self.memory.learn(&wake.memory);
                self.attempt = self.attempt.max(wake.attempt);
                self.waited = self.waited.max(wake.waited);
                self.watching = true;
                self.new |= wake.attempt == 0;
            }
            // Whoever asks for a spare looks how it comes up.
            Trigger::AtRisk { risks } => {
                self.risks.extend(risks.iter().cloned());
                self.watching = true;
            }
            // A group's own launch may be what a rescue waits for, long after its wakes have ended.
            Trigger::Launched { .. } => {
                self.watching = true;
                self.new = true;
            }
            Trigger::StateChange { .. } | Trigger::Snapshots { .. } | Trigger::Sweep => {}
        }
    }

    /// Within their two minutes, when what AWS grants of reads may be scarce.
    fn out(&self, now: Timestamp) -> impl Iterator<Item = &InstanceId> {
        let out = self.memory.deregistered.iter();
        out.filter(move |(_, at)| is_recent(**at, now))
            .map(|(id, _)| id)
    }

    /// Whose, if AWS has taken every deregistration that was planned.
    pub fn note_deregistered(&mut self, whose: Option<Interruption>, steps: &[Step]) {
        let open = |it: &Step| {
            matches!(it.action, Action::Deregister { .. }) && !self.done.contains(&it.action)
        };
        let Some(Interruption { instance, at, .. }) = whose else {
            return;
        };
        if steps.iter().any(open) {
            self.memory.deregistered.remove(&instance);
        } else {
            self.memory.deregistered.insert(instance, at);
        }
    }

    /// What is seen once must not be forgotten because AWS takes no tags for a while.
    pub fn note_unwritten(&mut self, steps: &[Step], reports: &[StepReport]) {
        for step in steps {
            let Action::Tag { resources, tags } = &step.action else {
                continue;
            };
            let of_record = resources.iter().all(|it| it.starts_with("lt-"));
            let report = reports.iter().find(|it| it.id == step.id);
            let (true, Some(report)) = (of_record, report) else {
                continue;
            };
            if report.outcome.succeeded() {
                let unwritten = &mut self.memory.unwritten;
                unwritten.retain(|key, _| !tags.contains_key(key));
            } else if [REMEMBER, SEEN].contains(&step.id.as_str()) {
                self.memory.unwritten.extend(tags.clone());
            }
        }
    }

    /// A launch may have returned what has ended long ago: EC2 remembers a token longer than an instance.
    pub fn note_unseen(&mut self, now: Timestamp, is_seen: impl Fn(&InstanceId) -> bool) {
        let missing = { self.memory.launched.keys() }.filter(|it| !is_seen(it));
        let since = |it: &InstanceId| self.memory.unseen.get(it).copied().unwrap_or(now);
        self.memory.unseen = missing.map(|it| (it.clone(), since(it))).collect();
    }

    /// An instance has been launched lately.
    pub fn has_launched(&self) -> bool {
        !self.memory.launched.is_empty()
    }

    /// Its chain of wakes ends here.
    pub fn leave_to_sweep(&mut self) {
        let note = "still waiting; left to the next sweep".to_owned();
        self.report.notes.push(note);
    }

    /// A quarter of an hour has passed: what lasts is told now, even if that could not be noted.
    pub fn tell_unnoted(&mut self) {
        let untold = self.untold.take();
        let told = untold.filter(Outcome::is_told_unnoted);
        self.report.outcomes.extend(told);
    }

    /// The longer it takes, the less often we look.
    pub fn slow_down(&mut self) {
        self.patience = self.attempt / 20;
    }

    /// A warning about an instance that is not to be seen: one that is seconds old may not be
    /// visible yet, and its volumes would go with it.
    fn await_sight(&mut self) {
        tracing::warn!(instance = %self.lineage, "no such instance is visible; looking again while the warning is fresh");
        let what = format!("{} to be visible", self.lineage);
        self.report.wait(5, what);
        self.resting = true;
    }

    /// The instances of this lineage that a warning names and that are visible.
    pub fn warned(&self) -> Vec<Instance> {
        let is_warned = |it: &&Instance| self.urgent.contains(&it.id);
        let mut warned: Vec<Instance> = self.instances.iter().filter(is_warned).cloned().collect();
        warned.dedup_by(|a, b| a.id == b.id);
        warned
    }

    pub fn looks(&self) -> Looks<'_> {
        // An interrupted instance, or a replacement that comes up.
        let in_rescue = |it: &Instance| {
            let begins = matches!(it.state, InstanceState::Pending | InstanceState::Running);
            let replaces = it.tags.contains_key(tags::REPLACES);
            it.tags.contains_key(tags::INTERRUPTED_AT) || (replaces && begins)
        };
        let meanwhile =
            self.memory.interruptions.is_empty() && self.instances.iter().any(in_rescue);
        Looks::new(&self.lineage, self.attempt, meanwhile)
    }

    /// The first warning: its two minutes end first.
    pub fn warned_at(&self) -> Option<Timestamp> {
        self.memory.interruptions.iter().map(|it| it.at).min()
    }

    pub fn soonest_wait(&self) -> Option<u16> {
        self.report.waits.iter().map(|it| it.seconds).min()
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

/// What is to go with it as things are.
fn flagged(instance: &Instance) -> impl Iterator<Item = String> {
    let volumes = instance
        .devices
        .iter()
        .filter(|it| it.delete_on_termination);
    let volumes = volumes.map(|it| it.volume.to_string());
    let interfaces = { instance.interfaces.iter() }.filter(|it| it.delete_on_termination);
    volumes.chain(interfaces.map(|it| it.id.to_string()))
}

/// Preparing needs someone to look again; so does a return from a stop. A replacement that begins to
/// run is watched over by the rescue it was launched in.
fn starts_watch(instance: &Instance, trigger: &Trigger) -> bool {
    let runs =
        matches!(trigger, Trigger::StateChange { state, .. } if *state == InstanceState::Running);
    let tagged = |key| instance.tags.contains_key(key);
    runs && (!tagged(tags::REPLACES) || tagged(tags::INTERRUPTED_AT))
}

/// Names an interruption that is not over yet.
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

/// Opted in, or a wake of ours for an instance whose tags have gone with it.
fn is_ours(instance: &Instance, trigger: &Trigger) -> bool {
    let opted_in = instance.tags.get(tags::OPT_IN).is_some_and(|it| it == "on");
    opted_in || (is_bare(instance) && matches!(trigger, Trigger::Wake(_)))
}

/// It may come when EC2 has forgotten the instance, or its tags. What says of any other event that it is about an
/// instance of ours is that instance.
fn may_be_late(trigger: &Trigger) -> bool {
    matches!(trigger, Trigger::Interruption(_) | Trigger::Wake(_))
}

/// Its tags have gone with it: what it was is on record, or nowhere.
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

/// Which lineage a snapshot belongs to, for those that belong to one.
async fn by_snapshot(
    context: &Context<'_>,
    triggers: &[Trigger],
) -> Result<BTreeMap<SnapshotId, InstanceId>, CloudError> {
    let named = triggers.iter().filter_map(|it| match it {
        Trigger::Snapshots { snapshots } => Some(snapshots.clone()),
        Trigger::Interruption(_)
        | Trigger::StateChange { .. }
        | Trigger::AtRisk { .. }
        | Trigger::Launched { .. }
        | Trigger::Wake(_)
        | Trigger::Sweep => None,
    });
    let ids: Vec<SnapshotId> = named.flatten().collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = context.cloud.snapshots(&Query::Snapshots(ids)).await?;
    let lineage = |it: crate::situation::Snapshot| {
        let lineage = it.tags.get(tags::RESCUE)?.parse().ok()?;
        Some((it.id, lineage))
    };
    Ok(found.into_iter().filter_map(lineage).collect())
}
