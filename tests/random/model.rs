//! What should be, derived only from what happened: no plan, no API, no clock.
//!
//! Deliberately naive, so that it can be checked by reading. Per lineage it knows what there was,
//! what the user has asked for, and whether anything happened for which a loss is to be excused; if
//! nothing did, everything must be there again.

use crate::start::{Setup, Weather};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::{AllocationId, InstanceId, VolumeId};
use std::collections::{BTreeMap, BTreeSet};

/// What happened, as seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// EC2 interrupts a member; `faults` are armed and have not struck yet.
    Interrupted {
        lineage: InstanceId,
        taken: InstanceId,
        action: InstanceAction,
        told: bool,
        faults: usize,
    },
    WarningLost(InstanceId),
    WarningDelayed(InstanceId, i64),
    Unattended(i64),
    FaultArmed,
    SnapshotsFail,
    BootFails,
    GivenUp(InstanceId),
    UserEnded(InstanceId),
    UserStopped(InstanceId),
    Retagged(InstanceId, &'static str, &'static str),
    Deregistered(InstanceId),
    /// An attacker has written over what is on record.
    Overwritten(InstanceId),
    /// The user has deleted a volume, or has attached it somewhere else.
    TakenByUser(VolumeId),
}

/// Why something may be missing in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Excuse {
    /// The warning never came, or so late that the instance may have ended first.
    Late,
    /// The user ended or stopped a member, or EC2 gave a stopped one up.
    Ended,
    /// A snapshot failed that may have been needed.
    SnapshotFailed,
    /// The user changed targets or volumes.
    Hands,
    /// EC2 did not bring it back in time, and it was to be replaced: which instance serves depends on the hour.
    Overdue,
    /// The user changed the policy on the way: the old wish and the new one are both right.
    NewPolicy,
    /// The record was written over: what only it knew is lost (THREATS.md, "What remains").
    Overwritten,
}

/// What must be in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The instance itself, with everything.
    Itself,
    /// One replacement with all targets and addresses, and volumes as the policy says.
    Replaced,
    /// No instance; all volumes free.
    Kept,
    /// Nothing gone without a report; the policies obeyed.
    Accounted,
}

#[derive(Debug, Clone)]
pub struct Lineage {
    pub instance: InstanceId,
    /// Device -> the volume and its `DeleteOnTermination`.
    pub volumes: BTreeMap<String, (VolumeId, bool)>,
    pub targets: BTreeSet<(String, u16)>,
    pub address: Option<AllocationId>,
    pub behaviour: InstanceAction,
    pub excuses: BTreeSet<Excuse>,
    elsewhere: bool,
    in_group: bool,
    in_fleet: bool,
    restores: bool,
    /// `DeleteOnTermination` is off for good.
    pub keeps_always: bool,
    /// Every value a policy ever had.
    policies: BTreeMap<&'static str, BTreeSet<&'static str>>,
    terminated: bool,
    /// From the interruption to the end: two minutes, unless a user or a group ends it sooner.
    pub notice: i64,
    /// How many seconds may still be wasted before the instance ends.
    slack: Option<i64>,
}

#[derive(Debug)]
pub struct Model {
    pub lineages: Vec<Lineage>,
    pub bystander: InstanceId,
    pub faults: usize,
    /// The most that delivery and the calls themselves take of the two minutes.
    wasted: i64,
}

const REPLACE: &str = "spot-rescue:replace";
const DATA: &str = "spot-rescue:data";
const NO_RETURN: &str = "spot-rescue:no-return";
const ON_DEMAND: &str = "spot-rescue:on-demand";
const DEFAULTS: [(&str, &str); 3] = [(REPLACE, "auto"), (DATA, "auto"), (ON_DEMAND, "fallback")];
/// What a fault costs: the message becomes visible again after thirty seconds.
const FAULT: i64 = 35;

impl Lineage {
    pub fn new(
        setup: &Setup,
        instance: InstanceId,
        volumes: BTreeMap<String, (VolumeId, bool)>,
        targets: BTreeSet<(String, u16)>,
        address: Option<AllocationId>,
    ) -> Self {
        let mut policies = BTreeMap::new();
        for (key, default) in DEFAULTS {
            let set = setup.policy.iter().find(|(it, _)| *it == key);
            policies.insert(key, BTreeSet::from([set.map_or(default, |it| it.1)]));
        }
        Self {
            instance,
            volumes,
            targets,
            address,
            behaviour: setup.behaviour,
            excuses: BTreeSet::new(),
            elsewhere: setup.elsewhere,
            in_group: setup.in_group,
            in_fleet: setup.in_fleet,
            restores: setup
                .policy
                .iter()
                .any(|it| it.1 == "restore" && it.0 == NO_RETURN),
            keeps_always: setup.policy.contains(&("spot-rescue:protect", "always")),
            policies,
            terminated: false,
            notice: 120,
            slack: None,
        }
    }

    /// Not interrupted yet, and neither group nor fleet looks after it.
    pub fn is_well(&self) -> bool {
        !self.terminated && !self.in_group && !self.in_fleet
    }

    /// A group's new member has the group's wishes, not those of the one it takes over from.
    pub fn may_forget_always(&self) -> bool {
        self.keeps_always && self.in_group
    }

    pub fn expected(&self) -> Expected {
        if !self.excuses.is_empty() {
            Expected::Accounted
        } else if !self.terminated {
            Expected::Itself
        } else if self.in_group && self.has_nothing() {
            // What its group launches is like any other.
            Expected::Accounted
        } else if self.in_fleet || self.only(REPLACE, "none") {
            Expected::Kept
        } else {
            Expected::Replaced
        }
    }

    fn has_nothing(&self) -> bool {
        let volumes = self.volumes.is_empty() || self.may_leave_volumes();
        volumes && self.targets.is_empty() && self.address.is_none()
    }

    /// The policy never had another value.
    fn only(&self, key: &str, value: &str) -> bool {
        self.policies[key].iter().all(|it| *it == value)
    }

    pub fn never_launches(&self) -> bool {
        if self.in_fleet {
            return true;
        }
        let all = self.policies[REPLACE].iter();
        let mut may = all.filter(|it| **it == "launch" || (**it == "auto" && !self.in_group));
        may.next().is_none()
    }

    pub fn never_on_demand(&self) -> bool {
        self.only(ON_DEMAND, "never")
    }

    pub fn never_moves(&self) -> bool {
        self.only(DATA, "restore") || self.only(DATA, "none")
    }

    pub fn never_restores(&self) -> bool {
        self.only(DATA, "move") || self.only(DATA, "none")
    }

    /// A volume may stay behind, free and whole: the policy says so.
    pub fn may_leave_volumes(&self) -> bool {
        let all = &self.policies[DATA];
        all.contains("none") || (all.contains("move") && self.elsewhere)
    }

    /// A clone is made while the old instance lives: what that writes later is not in it.
    pub fn may_clone(&self) -> bool {
        self.policies[DATA].contains("clone")
    }

    pub fn must_leave_volumes(&self) -> bool {
        self.only(DATA, "none")
    }

    /// Launched ahead and not needed so far: its end is no loss.
    fn is_spare(&self, taken: &InstanceId) -> bool {
        !self.terminated && *taken != self.instance
    }

    /// What a group launches has the group's tags, not those its member had.
    fn taken_again(&mut self) {
        if self.terminated && self.in_group {
            for (key, default) in DEFAULTS {
                self.policies.entry(key).or_default().insert(default);
            }
        }
    }

    fn lose(&mut self, seconds: i64) {
        if let Some(slack) = &mut self.slack {
            *slack -= seconds;
            if *slack <= 0 {
                self.excuses.insert(Excuse::Late);
                // To a look that was not told, its group's doing looks like its user's.
                self.excuses
                    .extend((self.notice < 120).then_some(Excuse::Ended));
            }
        }
    }
}

impl Model {
    pub fn new(lineages: Vec<Lineage>, bystander: InstanceId, weather: &Weather) -> Self {
        let late = i64::try_from(weather.late_seconds).unwrap_or(0);
        // An invocation makes a few dozen calls for each instance, some at once; one that takes a single
        // message shares none of them, and a sweep has every instance looked at.
        let each = if weather.batch == 1 { 60 } else { 30 };
        let count = i64::try_from(lineages.len()).unwrap_or(0);
        let calls = count * weather.call_millis * each / 1000;
        // A launch in each of four ways, should three be refused.
        let launches = count * weather.launch_millis * 4 / 1000;
        Self {
            lineages,
            bystander,
            faults: 0,
            wasted: late + calls + launches + 15,
        }
    }

    pub fn hear(&mut self, happened: &Happened) {
        match happened {
            Happened::Interrupted {
                lineage,
                taken,
                action,
                told,
                faults,
            } => {
                let faults = FAULT * i64::try_from(*faults).unwrap_or(0);
                let wasted = self.wasted + faults;
                self.with(lineage, |it| {
                    let stopped = *action == InstanceAction::Stop && it.restores;
                    it.excuses.extend(stopped.then_some(Excuse::Overdue));
                });
                if !told {
                    self.unheard_of(lineage);
                }
                if let Some(it) = self.lineage(lineage)
                    && *action == InstanceAction::Terminate
                    && !it.is_spare(taken)
                {
                    it.taken_again();
                    it.terminated = true;
                    it.slack = Some(it.notice - wasted);
                    it.lose(if *told { 0 } else { 120 });
                }
            }
            Happened::WarningLost(lineage) => {
                self.unheard_of(lineage);
                self.with(lineage, |it| it.lose(120));
            }
            Happened::WarningDelayed(lineage, by) => self.with(lineage, |it| it.lose(*by)),
            Happened::Unattended(seconds) => {
                self.lineages.iter_mut().for_each(|it| it.lose(*seconds));
            }
            Happened::FaultArmed => {
                self.faults += 1;
                self.lineages.iter_mut().for_each(|it| it.lose(FAULT));
            }
            Happened::SnapshotsFail => self.snapshots_fail(),
            Happened::BootFails => self.boot_fails(),
            Happened::GivenUp(lineage)
            | Happened::UserEnded(lineage)
            | Happened::UserStopped(lineage) => self.excuse(lineage, Excuse::Ended),
            Happened::Deregistered(lineage) => self.excuse(lineage, Excuse::Hands),
            Happened::Overwritten(lineage) => self.excuse(lineage, Excuse::Overwritten),
            Happened::Retagged(lineage, key, value) => self.retagged(lineage, key, value),
            Happened::TakenByUser(volume) => {
                let of = |it: &&mut Lineage| it.volumes.values().any(|(id, _)| id == volume);
                if let Some(it) = self.lineages.iter_mut().find(of) {
                    it.excuses.insert(Excuse::Hands);
                }
            }
        }
    }

    /// Lineages that move their volumes need no snapshots.
    fn snapshots_fail(&mut self) {
        for it in &mut self.lineages {
            if it.elsewhere || !it.only(DATA, "auto") {
                it.excuses.insert(Excuse::SnapshotFailed);
            }
        }
    }

    /// A stopped instance boots again by itself, and may die of it.
    fn boot_fails(&mut self) {
        for it in &mut self.lineages {
            let boots = it.behaviour != InstanceAction::Terminate;
            it.excuses.extend(boots.then_some(Excuse::Ended));
        }
    }

    /// A group's new member that is taken without a word: the lineage it replaces loses with it.
    fn unheard_of(&mut self, taken: &InstanceId) {
        if self.lineage(taken).is_none() {
            for member in self.lineages.iter_mut().filter(|it| it.in_group) {
                member.excuses.insert(Excuse::Late);
            }
        }
    }

    /// What is not understood is the same as the default.
    fn retagged(&mut self, lineage: &InstanceId, key: &'static str, value: &'static str) {
        let value = if value == "nonsense" { "auto" } else { value };
        if self.lineage(lineage).is_none() {
            // A group's new member: the lineage it replaces has its wishes then.
            for member in self.lineages.iter_mut().filter(|it| it.in_group) {
                member.excuses.insert(Excuse::NewPolicy);
            }
            return;
        }
        self.with(lineage, |it| {
            let is_new = it.policies.entry(key).or_default().insert(value);
            it.excuses.extend(is_new.then_some(Excuse::NewPolicy));
        });
    }

    fn excuse(&mut self, lineage: &InstanceId, excuse: Excuse) {
        self.with(lineage, |it| {
            it.excuses.insert(excuse);
        });
    }

    fn with(&mut self, lineage: &InstanceId, change: impl FnOnce(&mut Lineage)) {
        if let Some(it) = self.lineage(lineage) {
            change(it);
        }
    }

    fn lineage(&mut self, id: &InstanceId) -> Option<&mut Lineage> {
        self.lineages.iter_mut().find(|it| it.instance == *id)
    }
}
