//! What a person gets to see: one JSON line per invocation and lineage, and one outcome per rescue,
//! which is also a set of `CloudWatch` metrics (embedded metric format).
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

pub(crate) mod emf;
mod kind;
mod unprotected;

pub use kind::{Kind, Level};
pub use unprotected::Unprotected;

use crate::clock::{SWEEP_SECONDS, Timestamp};
use crate::cloud::CloudError;
use crate::id::InstanceId;
use crate::record::Milestone;
use crate::situation::Market;
use crate::step::Wait;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// The end of a rescue, or of its first part.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub result: Kind,
    pub rescue: InstanceId,
    pub instance: InstanceId,
    pub replacement: Option<InstanceId>,
    pub market: Option<Market>,
    pub instance_type: Option<String>,
    /// Pools that had no capacity: market, type, subnet, and AWS's code.
    pub refused: Vec<String>,
    /// Why On-Demand came before Spot, if it did.
    pub breaker: Option<String>,
    /// Why the rescue led to nothing, where it was begun.
    pub why: Option<String>,
    /// The interruption's own time: seconds count from here.
    pub at: Timestamp,
    pub reported: Timestamp,
    pub volumes: VolumeCounts,
    /// Device -> seconds between the snapshot it came from and the interruption.
    pub restored_from: BTreeMap<String, f64>,
    /// Device -> seconds from the interruption to the clone it came from.
    pub cloned_at: BTreeMap<String, f64>,
    pub seconds: BTreeMap<Milestone, f64>,
    /// Targets that could not be registered again.
    pub targets_missing: Vec<String>,
    /// Elastic IPs that could not be associated again.
    pub addresses_missing: Vec<String>,
    /// Record sets that were not pointed at the replacement, and why.
    pub names_left: Vec<String>,
    /// The private address that was to be kept and is not, and why.
    pub address_lost: Option<String>,
    /// What the instance had gained (`+`) and lost (`-`) since the last sweep.
    pub changed: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct VolumeCounts {
    pub moved: usize,
    pub cloned: usize,
    pub restored: usize,
    pub lost: usize,
    pub left: usize,
}

/// The result of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepOutcome {
    Done {
        what: String,
    },
    /// AWS answers that the wanted state is there already.
    AlreadyDone {
        why: String,
    },
    Skipped {
        why: String,
    },
    Failed(CloudError),
    /// A rehearsal was answered: a warning would be refused this step.
    Foretold(CloudError),
    OutOfTime,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepReport {
    pub id: String,
    pub action: String,
    pub outcome: StepOutcome,
}

/// What one invocation did for one lineage.
#[derive(Debug, Clone, Default)]
#[must_use = "an unread report is not actionable"]
pub struct Report {
    pub steps: Vec<StepReport>,
    pub waits: Vec<Wait>,
    pub notes: Vec<String>,
    pub outcomes: Vec<Outcome>,
}

impl StepOutcome {
    #[must_use]
    pub fn succeeded(&self) -> bool {
        matches!(
            self,
            Self::Done { .. } | Self::AlreadyDone { .. } | Self::Foretold(_)
        )
    }

    fn is_refused(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::OutOfTime)
    }
}

impl Report {
    pub fn wait(&mut self, seconds: u16, what: impl Into<String>) {
        let what = what.into();
        self.waits.push(Wait {
            what,
            seconds,
            until: None,
        });
    }

    /// One log line. Steps are text: "what: what came of it".
    #[must_use]
    pub fn line(&self, lineage: &InstanceId) -> String {
        let Self {
            steps,
            waits,
            notes,
            outcomes: _,
        } = self;
        let failed = steps.iter().any(|it| !it.outcome.succeeded());
        let waits: Vec<String> = waits.iter().map(|it| it.what.clone()).collect();
        json!({
            "level": if failed { "WARN" } else { "INFO" },
            "message": "reconciled",
            "rescue": lineage,
            "steps": steps.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "waiting_for": waits,
            "notes": notes,
        })
        .to_string()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            steps,
            waits,
            notes,
            outcomes,
        } = self;
        steps.is_empty() && waits.is_empty() && notes.is_empty() && outcomes.is_empty()
    }
}

impl Outcome {
    /// One log line that is also metrics.
    #[must_use]
    pub fn line(&self) -> String {
        let Self {
            result,
            rescue,
            instance,
            replacement,
            market,
            instance_type,
            refused,
            breaker,
            why,
            at,
            volumes,
            ..
        } = self;
        let mut line = json!({
            "level": self.level().as_str(),
            "message": self.to_string(),
            "outcome": result,
            "rescue": rescue,
            "instance": instance,
            "replacement": replacement,
            "market": market,
            "instance_type": instance_type,
            "refused": refused,
            "breaker": breaker,
            "why": why,
            "interrupted_at": crate::clock::format(*at),
            "seconds": self.seconds(),
            "volumes": volumes,
            "restored_from_seconds_before": self.restored_from,
            "cloned_at_seconds": self.cloned_at,
            "targets_missing": self.targets_missing,
            "addresses_missing": self.addresses_missing,
            "names_left": self.names_left,
            "private_address_lost": self.address_lost,
            "changed_since_last_sweep": self.changed,
        });
        if let (Value::Object(line), Value::Object(metrics)) = (&mut line, emf::metrics(self)) {
            line.extend(metrics);
        }
        line.to_string()
    }

    fn level(&self) -> Level {
        let lacking = if self.is_lacking() {
            Level::Warn
        } else {
            Level::Info
        };
        self.result.level().max(lacking)
    }

    /// Where it cannot be written down that the outcome was reported, the time alone decides: once in the first
    /// quarter of an hour, when the wakes end, and then by the first sweep of each day.
    #[must_use]
    pub fn is_told_unnoted(&self) -> bool {
        const FIRST: std::ops::Range<i64> = 300..960;
        const DAY: i64 = 86_400;
        let age = (self.reported - self.at).whole_seconds();
        let daily = age >= DAY && age % DAY < i64::from(SWEEP_SECONDS);
        self.result.lasts() && (FIRST.contains(&age) || daily)
    }

    /// Steps refused in this look are part of the reason why the rescue stands still.
    pub fn because(&mut self, steps: &[StepReport]) {
        const MOST: usize = 3;
        let failed = steps.iter().filter(|it| it.outcome.is_refused());
        let failed: Vec<String> = failed.take(MOST).map(ToString::to_string).collect();
        if self.result.lasts() && !failed.is_empty() {
            let before = self.why.take();
            let all: Vec<String> = before.into_iter().chain(failed).collect();
            self.why = Some(all.join("; "));
        }
    }

    /// In service, with something missing.
    #[must_use]
    pub fn is_lacking(&self) -> bool {
        let lists = [
            &self.targets_missing,
            &self.addresses_missing,
            &self.names_left,
        ];
        lists.iter().any(|it| !it.is_empty()) || self.address_lost.is_some()
    }

    fn seconds(&self) -> BTreeMap<&'static str, f64> {
        self.seconds
            .iter()
            .map(|(milestone, seconds)| (milestone.as_str(), *seconds))
            .collect()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let VolumeCounts {
            moved,
            cloned,
            restored,
            lost,
            left,
        } = self.volumes;
        write!(f, "{} is {}", self.instance, self.result)?;
        if let Some(replacement) = &self.replacement {
            write!(f, " as {replacement}")?;
        }
        if let Some(seconds) = self.seconds.get(&Milestone::BackInService) {
            write!(f, " after {seconds} s")?;
        }
        write!(
            f,
            "; volumes: {moved} moved, {cloned} cloned, {restored} restored, {lost} lost, {left} left"
        )?;
        for (device, seconds) in &self.restored_from {
            write!(f, "; {device} from {seconds} s before the interruption")?;
        }
        for (device, seconds) in &self.cloned_at {
            write!(f, "; {device} without what was written from {seconds} s on")?;
        }
        if let Some(why) = &self.why {
            write!(f, "; {why}")?;
        }
        if !self.targets_missing.is_empty() {
            let missing = self.targets_missing.join(" ");
            write!(f, "; could not be registered again: {missing}")?;
        }
        if !self.addresses_missing.is_empty() {
            let missing = self.addresses_missing.join(" ");
            write!(f, "; could not be associated again: {missing}")?;
        }
        for name in &self.names_left {
            write!(f, "; {name}")?;
        }
        if let Some(lost) = &self.address_lost {
            write!(f, "; private address {lost}")?;
        }
        Ok(())
    }
}

impl fmt::Display for StepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id: _,
            action,
            outcome,
        } = self;
        match outcome {
            StepOutcome::Done { what } => write!(f, "{action}: done {what}"),
            StepOutcome::AlreadyDone { why } => write!(f, "{action}: already done ({why})"),
            StepOutcome::Skipped { why } => write!(f, "{action}: skipped, {why}"),
            StepOutcome::Failed(error) => write!(f, "{action}: {error}; {}", advice(error)),
            StepOutcome::Foretold(error) => write!(f, "{action}: {error}"),
            StepOutcome::OutOfTime => write!(f, "{action}: out of time; will look again"),
        }
    }
}

/// What happens next, and what a person can do.
fn advice(error: &CloudError) -> &'static str {
    use crate::cloud::Class;
    if let Some(advice) = crate::cloud::advice(error.operation, &error.code) {
        return advice;
    }
    match error.class {
        Class::AlreadyDone => "nothing to do",
        Class::Capacity => "the next way is tried",
        Class::Transient => "will be tried again",
        Class::Denied => "allow the action in the function's role; tried again at the next look",
        Class::Permanent => "not repeated in this invocation; see the code in the EC2 error list",
    }
}

/// Log lines are JSON on standard output: `CloudWatch` Logs takes them as they are.
pub fn print(line: &str) {
    use std::io::Write;
    // A closed log must not end a rescue.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
