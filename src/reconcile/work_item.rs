//! One lineage in one invocation: its triggers, what is known of it, and the result.

use super::throttling::Position;
use crate::clock::Timestamp;
use crate::event::{Glance, InstanceState, Interruption, Memory, Risk, Trigger, is_recent};
use crate::execute::Done;
use crate::id::InstanceId;
use crate::plan::{REMEMBER, SEEN};
use crate::report::{Outcome, Report, StepReport};
use crate::situation::{Inputs, Instance, Rehearsing};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use std::collections::BTreeSet;

/// The first looks of a chain read and ask for everything.
const FIRST_LOOKS: u32 = 3;

/// One lineage, and what this invocation knows and did about it.
#[derive(Debug)]
pub struct WorkItem {
    pub lineage: InstanceId,
    /// Positions of the triggers that led here.
    pub triggers: Vec<usize>,
    /// What earlier looks of the chain have handed on.
    pub memory: Memory,
    pub risks: Vec<Risk>,
    /// Instances with a warning that has just come: first aid before anything else is read.
    pub newly_warned: BTreeSet<InstanceId>,
    pub instances: Vec<Instance>,
    pub attempt: u32,
    /// Seconds that the chain of wakes has waited by now.
    pub waited: u32,
    /// Since when the plan has waited for the same thing.
    pub since: Option<Timestamp>,
    /// An outcome that could not be written down as reported.
    pub untold: Option<Outcome>,
    /// The state of its instances, where the plan waits for nothing else.
    pub seen: Option<Glance>,
    /// Steps refused for good, by id.
    pub refused: BTreeSet<String>,
    /// Written into the record by this invocation when launches failed.
    pub unread_writes: Tags,
    /// AWS's answers to the dry runs.
    pub rehearsing: Rehearsing,
    pub done: Done,
    pub report: Report,
    /// The last plan held nothing new.
    pub idle: bool,
    /// This invocation has finished with it: the next wake was sent, or why that failed.
    pub rescheduled: Option<Result<(), String>>,
    /// The factor by which the next look may come later than planned.
    pub backoff: u32,
    /// Every rescue has one chain of wakes. The warning starts it, or the look that finds an interruption without a
    /// warning; each wake continues it. Other events only look.
    pub owns_chain: bool,
    /// A first look, or the first after a long time: all target groups are asked.
    pub full_discovery: bool,
    /// So many instances of this batch have nothing that keeps their volumes: what they need comes first.
    pub unprotected: usize,
}

impl WorkItem {
    pub fn new(lineage: InstanceId) -> Self {
        Self {
            lineage,
            triggers: Vec::new(),
            memory: Memory::default(),
            risks: Vec::new(),
            newly_warned: BTreeSet::new(),
            instances: Vec::new(),
            attempt: 0,
            waited: 0,
            since: None,
            untold: None,
            seen: None,
            refused: BTreeSet::new(),
            unread_writes: Tags::new(),
            rehearsing: Rehearsing::default(),
            done: Done::default(),
            report: Report::default(),
            idle: false,
            rescheduled: None,
            backoff: 0,
            owns_chain: false,
            full_discovery: false,
            unprotected: 0,
        }
    }

    /// Everything its plan is made from that is not read from AWS.
    pub fn inputs(&self, defaults: &Tags, pass: u32) -> Inputs {
        Inputs {
            risks: self.risks.clone(),
            defaults: defaults.clone(),
            pass,
            refused: self.refused.clone(),
            unread_writes: self.unread_writes.clone(),
            late: self.is_late(),
            rehearsing: self.rehearsing.clone(),
            ..Inputs::of(&self.memory)
        }
    }

    /// It may be a lineage of its own: that is looked up before anything is done.
    pub fn doubt(&mut self, position: usize, trigger: &Trigger) {
        self.add(position, trigger);
        self.newly_warned.clear();
        self.full_discovery = true;
        self.owns_chain = true;
    }

    pub fn add(&mut self, position: usize, trigger: &Trigger) {
        self.triggers.push(position);
        match trigger {
            Trigger::Interruption(interruption) => {
                self.memory.interruptions.push(interruption.clone());
                self.newly_warned.insert(interruption.instance.clone());
                self.owns_chain = true;
                self.full_discovery = true;
            }
            Trigger::Wake(wake) => {
                self.memory.merge(&wake.memory);
                self.attempt = self.attempt.max(wake.attempt);
                self.waited = self.waited.max(wake.waited);
                self.owns_chain = true;
                self.full_discovery |= wake.attempt == 0 && !wake.memory.rehearses;
            }
            // A spare that was asked for is looked at until it is up.
            Trigger::AtRisk { risks } => {
                self.risks.extend(risks.iter().cloned());
                self.owns_chain = true;
            }
            // A group's own launch may be what a rescue waits for, long after its wakes have ended.
            Trigger::Launched { .. } => {
                self.owns_chain = true;
                self.full_discovery = true;
            }
            Trigger::StateChange { .. } | Trigger::Snapshots { .. } | Trigger::Sweep => {}
        }
    }

    /// Every target group has been asked.
    pub fn note_listed(&mut self, all: bool) {
        let warned = self.memory.interruptions.iter().filter(|_| all);
        let warned = warned.map(|it| it.instance.clone());
        self.memory.listed.extend(warned);
    }

    /// A mass reclaim must not go on asking all target groups. A new warning starts anew.
    pub fn is_late(&self) -> bool {
        self.attempt >= FIRST_LOOKS && self.newly_warned.is_empty()
    }

    /// No target group is to be asked beyond those on record.
    pub fn is_listed(&self) -> bool {
        let mut warned = self.memory.interruptions.iter();
        let listed = warned.all(|it| self.memory.listed.contains(&it.instance));
        self.is_late() || (listed && !self.memory.interruptions.is_empty())
    }

    /// Deregistered instances within their two minutes, when reads may be throttled.
    pub fn out(&self, now: Timestamp) -> impl Iterator<Item = &InstanceId> {
        let out = self.memory.deregistered.iter();
        out.filter(move |(_, at)| is_recent(**at, now))
            .map(|(id, _)| id)
    }

    /// The interruption to note, if AWS has accepted every planned deregistration.
    pub fn note_deregistered(&mut self, interruption: Option<Interruption>, steps: &[Step]) {
        let open = |it: &Step| {
            matches!(it.action, Action::Deregister { .. }) && !self.done.contains(&it.action)
        };
        let Some(Interruption { instance, at, .. }) = interruption else {
            return;
        };
        if steps.iter().any(open) {
            self.memory.deregistered.remove(&instance);
        } else {
            self.memory.deregistered.insert(instance, at);
        }
    }

    /// What a look has seen must not be lost because AWS accepts no tags for a while.
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
                self.remember_unwritten(&step.id, tags);
            }
        }
    }

    /// Together with the head it is about: it says nothing of another one. The record's head is written by a
    /// hand-over alone.
    fn remember_unwritten(&mut self, step: &str, tags: &Tags) {
        let warned = self.memory.interruptions.first();
        let head = warned.map(|it| (tags::HEAD.to_owned(), it.instance.to_string()));
        if head.is_some() || step == REMEMBER {
            // How far it has come is seen again at each look.
            let mut tags = tags.clone();
            tags.remove(tags::PROGRESS);
            self.memory.unwritten.extend(tags);
            self.memory.unwritten.extend(head);
        }
    }

    /// A launch may have returned an instance that ended long ago: EC2 remembers a token longer than an instance.
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

    /// A quarter of an hour has passed: an outcome that still holds is reported now, even if that could not be
    /// written down.
    pub fn tell_unnoted(&mut self) {
        let untold = self.untold.take();
        let told = untold.filter(Outcome::is_told_unnoted);
        self.report.outcomes.extend(told);
    }

    /// The longer a rescue takes, the rarer the looks.
    pub fn slow_down(&mut self) {
        self.backoff = self.attempt / 20;
    }

    /// A warning about an instance that is not visible: one that is seconds old may not be visible yet, and its
    /// volumes would be deleted with it.
    pub fn await_sight(&mut self) {
        tracing::warn!(instance = %self.lineage, "no such instance is visible; looking again while the warning is fresh");
        let what = format!("{} to be visible", self.lineage);
        self.report.wait(5, what);
        self.idle = true;
    }

    /// The instances of this lineage that a warning names and that are visible.
    pub fn warned(&self) -> Vec<Instance> {
        let is_warned = |it: &&Instance| self.newly_warned.contains(&it.id);
        let mut warned: Vec<Instance> = self.instances.iter().filter(is_warned).cloned().collect();
        warned.dedup_by(|a, b| a.id == b.id);
        warned
    }

    pub fn position(&self) -> Position<'_> {
        // An interrupted instance, or a replacement that comes up.
        let in_rescue = |it: &Instance| {
            let begins = matches!(it.state, InstanceState::Pending | InstanceState::Running);
            let replaces = it.tags.contains_key(tags::REPLACES);
            it.tags.contains_key(tags::INTERRUPTED_AT) || (replaces && begins)
        };
        let meanwhile =
            self.memory.interruptions.is_empty() && self.instances.iter().any(in_rescue);
        Position::new(&self.lineage, self.attempt, meanwhile)
    }

    /// The first warning: its two minutes end first.
    pub fn warned_at(&self) -> Option<Timestamp> {
        self.memory.interruptions.iter().map(|it| it.at).min()
    }

    pub fn soonest_wait(&self) -> Option<u16> {
        self.report.waits.iter().map(|it| it.seconds).min()
    }
}
