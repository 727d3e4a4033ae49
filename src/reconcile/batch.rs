//! Which lineages a batch of triggers is about, after one `DescribeInstances` for all of them.

use super::Context;
use super::scarcity::Looks;
use crate::clock::Timestamp;
use crate::cloud::{CloudError, Query};
use crate::event::{InstanceState, Interruption, Risk, Trigger};
use crate::execute::Done;
use crate::id::{InstanceId, SnapshotId};
use crate::observe::{self, Out, is_recent};
use crate::report::{Outcome, Report};
use crate::situation::Instance;
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use std::collections::{BTreeMap, BTreeSet};

/// One lineage, and what this invocation knows and did about it.
#[derive(Debug)]
pub struct Subject {
    pub lineage: InstanceId,
    /// Positions of the triggers that led here.
    pub triggers: Vec<usize>,
    pub notices: Vec<Interruption>,
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
    pub confirming: BTreeSet<String>,
    pub confirm_next: Option<String>,
    /// Steps refused for good, by id.
    pub refused: BTreeSet<String>,
    /// Written into the record by this invocation when launches failed.
    pub remembered: Tags,
    /// Instances that AWS has deregistered wherever they were registered, and when they were interrupted.
    pub deregistered: BTreeMap<InstanceId, Timestamp>,
    /// What launches have returned.
    pub launched: BTreeSet<InstanceId>,
    /// Since when one of them is not to be seen.
    pub unseen: Option<Timestamp>,
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
        let known = Self::unseen(context, &ids, &visible).await?;
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
                let is_fresh = is_fresh(trigger, context.clock.now());
                batch.about(position, trigger, id, seen, known.contains(id), is_fresh);
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
        known: bool,
        is_fresh: bool,
    ) {
        match seen {
            Some(instance) if !is_ours(instance, trigger) => {
                tracing::debug!(%id, "not opted in");
            }
            Some(instance) => {
                let subject = self.subject(instance.lineage());
                subject.add(position, trigger);
                let starts = starts_watch(instance, trigger);
                subject.watching |= starts;
                subject.new |= starts;
                subject.instances.push(instance.clone());
            }
            None if known => self.subject(id.clone()).add(position, trigger),
            None if is_fresh => {
                let subject = self.subject(id.clone());
                subject.add(position, trigger);
                subject.await_sight();
            }
            None => tracing::info!(%id, "event ignored: no such instance, no prepared rescue"),
        }
    }

    /// Ids that `DescribeInstances` no longer shows but that have a prepared rescue.
    async fn unseen(
        context: &Context<'_>,
        ids: &BTreeSet<InstanceId>,
        visible: &[Instance],
    ) -> Result<BTreeSet<InstanceId>, CloudError> {
        let unseen = ids
            .iter()
            .filter(|id| visible.iter().all(|it| it.id != **id));
        let unseen: BTreeSet<InstanceId> = unseen.cloned().collect();
        if unseen.is_empty() {
            return Ok(unseen);
        }
        let found = observe::prepared(context.cloud, &unseen).await?;
        let known = |it: &InstanceId| observe::prepared_of(it, &found).is_some();
        Ok(unseen.into_iter().filter(known).collect())
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
        let launched = active.clone().flat_map(|it| it.launched.clone());
        let instances = active.flat_map(|it| &it.instances);
        instances.map(|it| it.id.clone()).chain(launched).collect()
    }

    pub fn out(&self, now: Timestamp) -> Out {
        let all = self.subjects.values();
        let unwarned = all.clone().filter(|it| it.notices.is_empty());
        let warned = all.clone().flat_map(|it| &it.notices);
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
            notices: Vec::new(),
            risks: Vec::new(),
            urgent: BTreeSet::new(),
            instances: Vec::new(),
            attempt: 0,
            waited: 0,
            since: None,
            untold: None,
            confirming: BTreeSet::new(),
            confirm_next: None,
            refused: BTreeSet::new(),
            remembered: Tags::new(),
            deregistered: BTreeMap::new(),
            launched: BTreeSet::new(),
            unseen: None,
            done: Done::default(),
            report: Report::default(),
            resting: false,
            left: None,
            patience: 0,
            watching: false,
            new: false,
        }
    }

    fn add(&mut self, position: usize, trigger: &Trigger) {
        self.triggers.push(position);
        match trigger {
            Trigger::Interruption(interruption) => {
                self.notices.push(interruption.clone());
                self.urgent.insert(interruption.instance.clone());
                self.watching = true;
                self.new = true;
            }
            Trigger::Wake(wake) => {
                self.notices.extend(wake.interruptions.iter().cloned());
                self.attempt = self.attempt.max(wake.attempt);
                self.waited = self.waited.max(wake.waited);
                self.confirming.extend(wake.confirm.clone());
                self.deregistered.extend(wake.deregistered.clone());
                self.launched.extend(wake.launched.clone());
                self.unseen = self.unseen.or(wake.unseen);
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
        let out = self.deregistered.iter();
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
            self.deregistered.remove(&instance);
        } else {
            self.deregistered.insert(instance, at);
        }
    }

    /// A launch may have returned what has ended long ago: EC2 remembers a token longer than an instance.
    pub fn note_unseen(&mut self, now: Timestamp, is_seen: impl Fn(&InstanceId) -> bool) {
        let missing = self.launched.iter().any(|it| !is_seen(it));
        self.unseen = missing.then(|| self.unseen.unwrap_or(now));
    }

    /// An instance has been launched lately.
    pub fn has_launched(&self) -> bool {
        !self.launched.is_empty()
    }

    /// Its chain of wakes ends here. What lasts is told now, even if that could not be noted.
    pub fn leave_to_sweep(&mut self) {
        let note = "still waiting; left to the next sweep".to_owned();
        self.report.notes.push(note);
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
        let meanwhile = self.notices.is_empty() && self.instances.iter().any(in_rescue);
        Looks::new(&self.lineage, self.attempt, meanwhile)
    }

    /// The first warning: its two minutes end first.
    pub fn warned_at(&self) -> Option<Timestamp> {
        self.notices.iter().map(|it| it.at).min()
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
        Trigger::Wake(wake) => wake.interruptions.iter().any(|it| is_recent(it.at, now)),
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
    let bare = instance.tags.is_empty() && !instance.is_alive();
    opted_in || (bare && matches!(trigger, Trigger::Wake(_)))
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
