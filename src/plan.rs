//! Situation -> [`Plan`]: every decision of a rescue, pure and deterministic.
//!
//! Nothing here awaits, reads a clock or calls AWS. The plan is recomputed from the world each time,
//! so there is no stored program counter: what is done is not planned again, what is missing is.

mod addresses;
mod breaker;
mod caveats;
mod clone;
mod close;
mod copies;
mod deaths;
mod deregister;
mod dns;
mod group;
mod interfaces;
mod keep;
mod keys;
mod lanes;
mod launch;
mod limits;
mod lineage;
mod opted_out;
mod owed;
pub mod pace;
mod pause;
mod phase;
mod pools;
mod ports;
mod prepare;
mod primary;
mod progress;
mod protect;
mod register;
mod rehearsal;
mod rejoin;
mod requests;
mod rescue;
mod restore;
mod risk;
mod room;
mod root;
mod router;
mod seen;
pub(crate) mod snapshot;
mod stand_in;
mod standstill;
mod sweep;
mod tidy;
mod types;
mod unclaimed;
mod unlike;
mod vanished;
mod volumes;
mod way;

pub use launch::{COUNT, mismatch};
pub use lineage::Lineage;
pub use phase::{Phase, phase};
pub use progress::STEP as NOTED;
pub use protect::REMEMBER;
pub use rehearsal::due as rehearsals;
pub use seen::STEP as SEEN;
pub use seen::missed::REMEMBERED;
pub use standstill::REPLACED;
pub use sweep::{Expired, expired, on_record, wakes};

use crate::clock::Timestamp;
use crate::event::Interruption;
use crate::id::{InstanceId, VolumeId};
use crate::policy::PolicyWarning;
use crate::report::Outcome;
use crate::situation::{Fact, Instance, Situation};
use crate::step::Step;
use crate::tags;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What is seen for so long is believed.
const BELIEVED: time::Duration = time::Duration::MINUTE;

/// What to do now, what we are waiting for, and what a person should know.
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use = "an unread plan rescues nothing"]
pub struct Plan {
    pub steps: Vec<Step>,
    pub waits: Vec<Wait>,
    pub notes: Vec<String>,
    pub warnings: Vec<PolicyWarning>,
    /// What is not believed before it has been so for a minute, and since when it is.
    pub suspects: BTreeMap<String, Timestamp>,
    /// Reported once the step of this id has been done.
    pub outcome: Option<(String, Outcome)>,
    /// Since when what it waits for has taken: the longer, the more rarely it is looked at.
    pub since: Option<Timestamp>,
    /// Of the instance that is registered nowhere any more once the plan's deregistrations have been done.
    pub deregisters: Option<Interruption>,
    /// Interrupted instances whose volumes are in no snapshot set.
    pub unsaved: BTreeSet<InstanceId>,
    /// Not now: others need what AWS grants few of more than this lineage does.
    pub left: Vec<Step>,
}

/// Something only time will bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    pub what: String,
    /// When it makes sense to look again, in seconds.
    pub seconds: u16,
    /// It ends by this, and by nothing else.
    pub until: Option<Until>,
}

/// What EC2 is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    /// A replacement has booted.
    Runs,
    /// An instance that ends has let go of it.
    Free(VolumeId),
}

impl Plan {
    fn nothing(note: impl Into<String>) -> Self {
        Self {
            notes: vec![note.into()],
            ..Self::default()
        }
    }

    fn step(&mut self, step: Step) {
        self.steps.push(step);
    }

    pub fn wait(&mut self, seconds: u16, what: impl Into<String>) {
        self.waits.push(Wait {
            what: what.into(),
            seconds,
            until: None,
        });
    }

    /// For an instance that boots, or one that ends.
    fn wait_until(&mut self, until: Until, seconds: u16, what: impl Into<String>) {
        self.waits.push(Wait {
            what: what.into(),
            seconds,
            until: Some(until),
        });
    }

    /// The volumes that it waits for, where it waits for nothing but those and a replacement's boot.
    #[must_use]
    pub fn awaits(&self) -> Option<BTreeSet<&VolumeId>> {
        let all: Option<Vec<&Until>> = self.waits.iter().map(|it| it.until.as_ref()).collect();
        let all = all.filter(|it| !it.is_empty())?.into_iter();
        let volumes = all.filter_map(|it| match it {
            Until::Free(volume) => Some(volume),
            Until::Runs => None,
        });
        Some(volumes.collect())
    }

    /// It has been seen for a minute. If not, it is to be: describes lag behind.
    fn confirmed(&mut self, lineage: &Lineage, seen: String, what: impl Into<String>) -> bool {
        self.confirmed_for(BELIEVED, lineage, seen, what)
    }

    /// It has been seen for so long.
    fn confirmed_for(
        &mut self,
        period: time::Duration,
        lineage: &Lineage,
        seen: String,
        what: impl Into<String>,
    ) -> bool {
        let now = lineage.situation.now;
        let since = lineage.situation.suspected.get(&seen).copied();
        let since = since.unwrap_or(now);
        self.suspects.insert(seen, since);
        let left = (since + period - now).whole_seconds();
        let left = u16::try_from(left).unwrap_or_default();
        if left > 0 {
            self.wait(left, what);
        }
        left == 0
    }

    /// The end of a rescue is told once: by whoever watches over it. Others leave that step to it.
    pub fn leave_outcome(&mut self) {
        if let Some((last, _)) = self.outcome.take() {
            self.steps.retain(|it| it.id != last);
        }
    }

    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

/// The first pass of a warning: all that protects and needs nothing but the instance's own
/// description, so that it is sent in the second round trip.
pub fn first_aid(situation: &Situation) -> Plan {
    let lineage = Lineage::of(situation);
    match phase(&lineage) {
        Phase::Rescue(interruption) => rescue::first_aid(&lineage, &interruption),
        Phase::Paused(interruption) | Phase::Restore(interruption) => {
            pause::first_aid(&lineage, &interruption)
        }
        Phase::Unprotected(_)
        | Phase::Healthy
        | Phase::Returned(_)
        | Phase::Relieved(_)
        | Phase::Stays(_)
        | Phase::Ended(_)
        | Phase::Vanished(_) => Plan::default(),
    }
}

/// The instance cannot be read: what the record says of it is protected.
pub fn unseen(situation: &Situation) -> Plan {
    let lineage = Lineage::of(situation);
    match phase(&lineage) {
        Phase::Rescue(interruption) => rescue::unseen(&lineage, &interruption),
        Phase::Unprotected(_)
        | Phase::Paused(_)
        | Phase::Restore(_)
        | Phase::Healthy
        | Phase::Returned(_)
        | Phase::Relieved(_)
        | Phase::Stays(_)
        | Phase::Ended(_)
        | Phase::Vanished(_) => Plan::default(),
    }
}

/// Everything that is still missing.
pub fn plan(situation: &Situation) -> Plan {
    let lineage = Lineage::of(situation);
    if let Fact::Unavailable { operation, why } = &situation.template {
        return without_record(situation, operation, why);
    }
    if let Some(rescue) = group::claimed_by(situation) {
        let mut plan = Plan::default();
        group::call(&rescue, situation, &mut plan);
        return plan;
    }
    if let Some(other) = &situation.part_of {
        return Plan::nothing(format!("{} belongs to {other}", situation.lineage));
    }
    let phase = phase(&lineage);
    let owner = lineage.owner.filter(|_| phase == Phase::Healthy);
    let since = since(&lineage, &phase);
    let mut plan = match phase {
        Phase::Unprotected(why) => return opted_out::plan(&lineage, why),
        Phase::Ended(why) => tidy::ended(&lineage, why),
        Phase::Vanished(why) => vanished::plan(&lineage, &why),
        Phase::Healthy => prepare::plan(&lineage),
        Phase::Paused(interruption) => pause::plan(&lineage, &interruption),
        Phase::Restore(interruption) => pause::restore(&lineage, &interruption),
        Phase::Returned(interruption) => pause::returned(&lineage, &interruption),
        Phase::Relieved(interruption) => stand_in::relieve(&lineage, &interruption),
        Phase::Stays(interruption) => stand_in::stay(&lineage, &interruption),
        Phase::Rescue(interruption) => rescue::plan(&lineage, &interruption),
    };
    // What is left after a hand-over is new, however long the rescue has taken.
    plan.since = since.filter(|_| !plan.steps.iter().any(|it| it.id == close::STEP));
    strangers(&lineage, &mut plan);
    if let Some(owner) = owner {
        plan.warnings = group::warnings(&lineage, owner);
    }
    plan.warnings.extend(root::warning(&lineage));
    plan.warnings.extend(lineage.warnings);
    plan
}

/// A rescue begins with the interruption, and anew with each replacement.
fn since(lineage: &Lineage, phase: &Phase) -> Option<Timestamp> {
    let (Phase::Rescue(interruption) | Phase::Restore(interruption)) = phase else {
        // What is owed after it belongs to it.
        return { lineage.record.owed.as_ref() }.map(|it| it.interruption.at);
    };
    let launched = lineage.successor.map(|it| it.launch_time);
    launched.max(Some(interruption.at))
}

/// A warning's two minutes, and what it takes an instance to end.
const WARNED: time::Duration = time::Duration::seconds(180);

/// What bears marks of this lineage that the function has not made is given nothing, and told. A replacement of
/// ours may look like that for a moment.
fn strangers(lineage: &Lineage, plan: &mut Plan) {
    let (id, now) = (&lineage.situation.lineage, lineage.situation.now);
    let settled = |it: &&Instance| now - it.launch_time > time::Duration::MINUTE;
    // Of one whose launch nobody has heard the end of, a warning is not to be lost.
    let warned = |it: &&Instance| {
        let mut notices = lineage.situation.notices.iter();
        notices.any(|notice| notice.instance == it.id && now - notice.at < WARNED)
    };
    for stranger in lineage.strangers().filter(warned) {
        plan.wait(
            5,
            format!("{} to be known as a replacement of {id}", stranger.id),
        );
    }
    for stranger in lineage.strangers().filter(settled) {
        plan.note(format!(
            "{} looks like a replacement of {id}, but no launch of ours has returned it: it is given nothing",
            stranger.id
        ));
    }
    if let Some(template) = lineage.template()
        && !template.unproven.is_empty()
    {
        plan.note(format!(
            "tags of {} are not what the function wrote: {}; what they said is lost until the rescue is prepared \
             anew; find out what writes them",
            template.id,
            template.unproven.join(" ")
        ));
    }
    for member in &lineage.members {
        let planted = |it: &&String| *it == tags::INTERRUPTED_AT;
        if member.unproven.iter().any(|it| planted(&it)) {
            plan.note(format!(
                "{} bears the tag {} that the function has not written: it is not believed; find out what \
                 writes it",
                member.id,
                tags::INTERRUPTED_AT
            ));
        }
    }
}

/// The record cannot be read: what protects is done, nothing is concluded from what is missing.
fn without_record(situation: &Situation, operation: &str, why: &str) -> Plan {
    let mut plan = first_aid(situation);
    let what = format!("{operation}: {why}");
    let lineage = Lineage::of(situation);
    if let Phase::Rescue(interruption) = phase(&lineage) {
        protect::remember_unread(&lineage, &interruption, &mut plan);
    }
    seen::unread::note(&lineage, &mut plan);
    standstill::unread(&lineage, &what, &mut plan);
    plan.wait(5, format!("the prepared rescue to be readable ({what})"));
    plan
}

/// Sorted text, the same for the same plan: golden files and log lines are made of it.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            steps,
            waits,
            notes,
            warnings,
            suspects: _,
            outcome,
            since: _,
            deregisters: _,
            unsaved: _,
            left: _,
        } = self;
        for Step {
            id,
            action,
            after,
            on_failure,
        } in steps
        {
            write!(f, "do    [{id}] {action}")?;
            if !after.is_empty() {
                write!(f, " (after {})", after.join(", "))?;
            }
            if let Some(refusal) = on_failure {
                write!(f, " (on failure: {refusal})")?;
            }
            writeln!(f)?;
        }
        waits
            .iter()
            .try_for_each(|it| writeln!(f, "wait  {} s: {}", it.seconds, it.what))?;
        notes
            .iter()
            .try_for_each(|note| writeln!(f, "note  {note}"))?;
        warnings
            .iter()
            .try_for_each(|warning| writeln!(f, "warn  {warning}"))?;
        if let Some((step, outcome)) = outcome {
            writeln!(f, "then  {outcome} (once [{step}] is done)")?;
        }
        Ok(())
    }
}

fn attach_id(volume: &VolumeId) -> String {
    format!("attach {volume}")
}
