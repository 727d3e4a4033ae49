//! The plan as it is drafted: steps, waits and notes for a person.

use crate::clock::Timestamp;
use crate::event::Interruption;
use crate::id::{InstanceId, VolumeId};
use crate::plan::lineage::Lineage;
use crate::policy::PolicyWarning;
use crate::report::Outcome;
use crate::step::{Action, Step, Until, Wait};
use crate::tags;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A suspicion is believed after so long.
const BELIEVED: time::Duration = time::Duration::MINUTE;

/// The steps to take now, what the plan waits for, and notes for a person.
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use = "an unread plan rescues nothing"]
pub struct Plan {
    pub steps: Vec<Step>,
    pub waits: Vec<Wait>,
    pub notes: Vec<String>,
    pub warnings: Vec<PolicyWarning>,
    /// Observations that are believed after a minute, and when each was first made.
    pub suspects: BTreeMap<String, Timestamp>,
    /// Reported once the step of this id has been done.
    pub outcome: Option<(String, Outcome)>,
    /// When the work that the plan waits for began: the longer ago, the rarer the looks.
    pub since: Option<Timestamp>,
    /// The interruption of the instance that is in no target group once the plan's deregistrations are done.
    pub leaves_for_good: Option<Interruption>,
    /// Interrupted instances without a snapshot set of their volumes.
    pub without_set: BTreeSet<InstanceId>,
    /// Steps that are put off, because other lineages need the scarce calls more.
    pub deferred: Vec<Step>,
}

impl Plan {
    pub fn nothing(note: impl Into<String>) -> Self {
        Self {
            notes: vec![note.into()],
            ..Self::default()
        }
    }

    pub fn step(&mut self, step: Step) {
        self.steps.push(step);
    }

    pub fn wait(&mut self, seconds: u16, what: impl Into<String>) {
        self.waits.push(Wait {
            what: what.into(),
            seconds,
            until: None,
        });
    }

    /// Waits for an instance to boot or to end.
    pub fn wait_until(&mut self, until: Until, seconds: u16, what: impl Into<String>) {
        self.waits.push(Wait {
            what: what.into(),
            seconds,
            until: Some(until),
        });
    }

    /// The volumes that the plan waits for, if it waits for nothing but volumes and the boot of a replacement.
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

    /// True if this has been observed for a minute: EC2 shows changes late. Otherwise the plan waits.
    pub fn confirmed(&mut self, lineage: &Lineage, seen: String, what: impl Into<String>) -> bool {
        self.confirmed_for(BELIEVED, lineage, seen, what)
    }

    /// True if this has been observed for so long.
    pub fn confirmed_for(
        &mut self,
        period: time::Duration,
        lineage: &Lineage,
        seen: String,
        what: impl Into<String>,
    ) -> bool {
        let now = lineage.now;
        let since = lineage.inputs.suspected.get(&seen).copied();
        let since = since.unwrap_or(now);
        self.suspects.insert(seen, since);
        let left = (since + period - now).whole_seconds();
        let left = u16::try_from(left).unwrap_or_default();
        if left > 0 {
            self.wait(left, what);
        }
        left == 0
    }

    /// Leaves the last step and its report to the invocation that owns the chain of wakes, so that it is reported once.
    pub fn leave_outcome(&mut self) {
        if let Some((last, _)) = self.outcome.take() {
            self.steps.retain(|it| it.id != last);
        }
    }

    /// The tags planned since then are such as each sweep would write: nothing waits for them. What leaves a volume to
    /// its user is not one of them, nor what notes what another step has done.
    pub fn can_wait(&mut self, since: usize) {
        let writes = |it: &Step| {
            let Action::Tag { tags, .. } = &it.action else {
                return false;
            };
            it.after.is_empty() && !tags.contains_key(tags::KEPT)
        };
        let since = self.steps.iter_mut().skip(since);
        let tags = since.filter(|it| writes(it));
        tags.for_each(|it| it.can_wait = true);
    }

    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

/// The same text for the same plan: golden files and log lines are made of it.
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
            leaves_for_good: _,
            without_set: _,
            deferred: _,
        } = self;
        for Step {
            id,
            action,
            after,
            on_failure,
            can_wait: _,
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

pub fn attach_id(volume: &VolumeId) -> String {
    format!("attach {volume}")
}

/// Why nothing is launched now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Look again in so many seconds.
    Wait(u16, String),
    /// The function does not launch: something else replaces the instance, or nothing does.
    NotOurs(String),
    /// The private address cannot be kept.
    GiveUpAddress(String),
    /// The token was used for another request.
    TokenUsed,
}
