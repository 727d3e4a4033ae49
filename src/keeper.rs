//! Scheduled backups, done: one run for all protected instances, whenever the sweep's schedule says so.
//!
//! It is a function of its own, with a role of its own: this one may delete backups and nothing else, and the one that
//! rescues may not delete them. A run reads what there is, takes the sets that are due and deletes those that no rule
//! keeps. What it leaves, the next run finds again; nothing is remembered but the sets.

mod holding;
mod ready;
mod retire;
mod stale;
mod take;

pub use holding::{Holding, holdings};
pub use ready::ready;
pub use retire::{Retired, retire};
pub use stale::stale;
pub use take::{Taken, take};

use crate::backup;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::cloud::{Cloud, CloudError, Query};
use crate::event::{self, Trigger, Wake};
use crate::execute::{Done, execute};
use crate::plan::Plan;
use crate::report::StepReport;
use crate::seal::{Seal, Sealed};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// Kept free at the end of an invocation, for the message and the answer.
const RESERVE: Duration = Duration::from_secs(5);
/// So many calls are under way at a time: a rescue needs the same buckets.
const AT_ONCE: usize = 10;
/// Sets and deletions of one run. The next run follows after this many seconds, if more are due.
const MOST_SETS: usize = 60;
const MOST_DELETIONS: usize = 100;
const NEXT_RUN: u16 = 30;
/// A chain of runs ends after so many: the schedule begins another, and one that never came to its end would pile up.
const MOST_RUNS: u32 = 20;

/// What is built once per process.
pub struct Keeper<C, K> {
    pub cloud: C,
    pub clock: K,
    /// The policy defaults of the stack.
    pub defaults: Tags,
    pub seal: Seal,
    /// Where log lines go.
    pub print: fn(&str),
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Kept {
    pub reports: Vec<StepReport>,
    /// One line each, for a person.
    pub lines: Vec<String>,
}

impl<C: Cloud, K: Clock> Keeper<C, K> {
    /// One invocation, whatever its messages say: they mean that it is time to look. A step that fails is planned again by
    /// the next run. If what there is cannot be read, the invocation fails, which an alarm counts.
    pub async fn handle(&self, payload: Value, remaining: Duration) -> Result<Value, CloudError> {
        let ends = Instant::now() + remaining.saturating_sub(RESERVE);
        let kept = self.run(runs_before(&payload), ends).await;
        let kept = kept.inspect_err(|error| {
            tracing::error!(
                %error,
                "backups: what there is could not be read, so none was taken or deleted; the schedule begins the next run within \
                 15 minutes"
            );
        })?;
        kept.lines.iter().for_each(|it| (self.print)(it));
        Ok(json!({ "batchItemFailures": [] }))
    }

    /// Reads, decides, and does what is due. `before` is how many runs its chain has had.
    pub async fn run(&self, before: u32, ends: Instant) -> Result<Kept, CloudError> {
        let now = self.clock.now();
        let sealed = Sealed::new(&self.cloud, &self.seal, now);
        let (protected, prepared, scheduled) = (
            Query::Tag {
                key: tags::OPT_IN,
                values: vec!["on".to_owned()],
            },
            Query::TagKey(tags::RESCUE),
            Query::TagKey(tags::CONSISTENCY),
        );
        let (instances, templates, snapshots) = tokio::try_join!(
            sealed.instances(&protected),
            sealed.templates(&prepared),
            sealed.snapshots(&scheduled),
        )?;
        let sets = backup::sets(&snapshots);
        let holdings = holdings(now, &self.defaults, &instances, &templates, &sets);
        let Taken { steps, more } = take(now, &holdings, MOST_SETS);
        let Retired {
            steps: deletions,
            more: and_more,
        } = retire(&holdings, MOST_DELETIONS);
        let mut kept = Kept {
            lines: [stale(now, &holdings), ready(now, &holdings)].concat(),
            ..Kept::default()
        };
        let calls = &Calls::new(&sealed);
        for all in [steps, deletions] {
            kept.reports.extend(do_all(calls, all, ends).await);
        }
        if (more || and_more) && before < MOST_RUNS {
            let again = self.again(before + 1, calls, &holdings, ends).await;
            kept.reports.extend(again);
        }
        kept.tell();
        Ok(kept)
    }

    /// The next run: any message to the function's own queue begins one.
    async fn again(
        &self,
        attempt: u32,
        calls: &Calls<'_>,
        holdings: &[Holding<'_>],
        ends: Instant,
    ) -> Vec<StepReport> {
        let wake = holdings.first().map(|it| Action::Wake {
            wake: Wake {
                attempt,
                ..Wake::look(it.lineage.clone())
            },
            delay_seconds: NEXT_RUN,
        });
        let step = wake.map(|it| Step::new("the next run", it));
        do_all(calls, step.into_iter().collect(), ends).await
    }
}

/// The chain that has had the fewest; none if the schedule itself has sent a message.
fn runs_before(payload: &Value) -> u32 {
    let records = payload.get("Records").and_then(Value::as_array);
    let bodies = { records.into_iter().flatten() }.filter_map(|it| it.get("body")?.as_str());
    let before = bodies.map(|it| match event::parse(it) {
        Ok(Trigger::Wake(wake)) => wake.attempt,
        Ok(_) | Err(_) => 0,
    });
    before.min().unwrap_or_default()
}

impl Kept {
    fn tell(&mut self) {
        let failed = self.reports.iter().filter(|it| !it.outcome.succeeded());
        let failed: Vec<String> = failed.map(ToString::to_string).collect();
        for it in &failed {
            tracing::warn!(
                step = it,
                "a backup step was not done; the next run plans it again"
            );
        }
        if !self.reports.is_empty() {
            let done = self.reports.len() - failed.len();
            tracing::info!(done, failed = failed.len(), "backups");
        }
    }
}

async fn do_all(calls: &Calls<'_>, steps: Vec<Step>, ends: Instant) -> Vec<StepReport> {
    let mut reports = Vec::new();
    for chunk in steps.chunks(AT_ONCE) {
        let plan = Plan {
            steps: chunk.to_vec(),
            ..Plan::default()
        };
        let left = ends.saturating_duration_since(Instant::now());
        reports.extend(execute(&plan, calls, &mut Done::default(), left).await);
    }
    reports
}
