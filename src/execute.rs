//! Plan x Cloud -> Report. Makes no choices: independent steps run at once, a step waits for those
//! named in its `after`, a failing step never stops an independent one.

use crate::calls::Calls;
use crate::cloud::{Class, CloudError};
use crate::plan::Plan;
use crate::report::{StepOutcome, StepReport};
use crate::step::{Action, Step};
use futures_util::future::join_all;
use std::time::Duration;

/// What this invocation has done already: describes are eventually consistent, so a step may be
/// planned again a moment after it succeeded. It is not repeated.
#[derive(Debug, Default)]
pub struct Done(Vec<Action>);

impl Done {
    #[must_use]
    pub fn contains(&self, action: &Action) -> bool {
        self.0.contains(action)
    }
}

/// Runs the steps not done before. `left` is the time the invocation still has.
pub async fn execute(
    plan: &Plan,
    calls: &Calls<'_>,
    done: &mut Done,
    left: Duration,
) -> Vec<StepReport> {
    let mut reports: Vec<StepReport> = Vec::new();
    let mut open: Vec<&Step> = plan
        .steps
        .iter()
        .filter(|it| !done.contains(&it.action))
        .collect();
    let started = tokio::time::Instant::now();
    while !open.is_empty() {
        let (ready, blocked): (Vec<&Step>, Vec<&Step>) = open.iter().partition(|step| {
            step.after
                .iter()
                .all(|id| is_settled(id, plan, &reports, &open))
        });
        if ready.is_empty() {
            // A circle of dependencies: a bug in the plan, reported as such.
            reports.extend(
                blocked
                    .iter()
                    .map(|it| skipped(it, "its dependencies form a circle")),
            );
            break;
        }
        let left = left.saturating_sub(started.elapsed());
        let round = ready.iter().map(|step| run(step, calls, &reports, left));
        let finished = join_all(round).await;
        reports.extend(finished);
        open = blocked;
    }
    remember(plan, &reports, done);
    reports
}

/// A dependency is settled when it has a report, or is not part of what is to be done.
fn is_settled(id: &str, plan: &Plan, reports: &[StepReport], open: &[&Step]) -> bool {
    let reported = reports.iter().any(|it| it.id == id);
    let pending = open.iter().any(|it| it.id == id);
    reported || !pending || !plan.steps.iter().any(|it| it.id == id)
}

async fn run(step: &Step, calls: &Calls<'_>, before: &[StepReport], left: Duration) -> StepReport {
    let failed = |id: &&String| {
        before
            .iter()
            .any(|it| it.id == **id && !it.outcome.succeeded())
    };
    if let Some(cause) = step.after.iter().find(failed) {
        return skipped(step, &format!("because [{cause}] was not done"));
    }
    let budget = step.action.budget().min(left);
    let outcome = match tokio::time::timeout(budget, calls.act(&step.action)).await {
        Ok(Ok(what)) => StepOutcome::Done { what },
        Ok(Err(error)) if error.class == Class::AlreadyDone => {
            StepOutcome::AlreadyDone { why: error.code }
        }
        Ok(Err(error)) => StepOutcome::Failed(error),
        Err(_) => StepOutcome::OutOfTime,
    };
    if let StepOutcome::Failed(error) = &outcome {
        note_failure(step, error, calls, left).await;
    }
    StepReport {
        id: step.id.clone(),
        action: step.action.to_string(),
        outcome,
    }
}

/// Writes down what the plan wants written when AWS has answered a launch with a refusal: the answer is
/// remembered with the request's token. If nobody has looked at it the same request is sent again, and whoever
/// sends it in the meantime gets the same instance. Should the writing fail, the same request is only repeated
/// once more.
async fn note_failure(step: &Step, failed: &CloudError, calls: &Calls<'_>, left: Duration) {
    let refusal = step.on_failure.as_ref();
    let refusal = refusal.filter(|it| it.counts(failed));
    let Some(action) = refusal.and_then(|it| it.action(failed)) else {
        return;
    };
    match tokio::time::timeout(action.budget().min(left), calls.act(&action)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(step = step.id, %error, "failed to write down a failure"),
        Err(_) => tracing::warn!(step = step.id, "out of time writing down a failure"),
    }
}

fn skipped(step: &Step, why: &str) -> StepReport {
    let outcome = StepOutcome::Skipped {
        why: why.to_owned(),
    };
    StepReport {
        id: step.id.clone(),
        action: step.action.to_string(),
        outcome,
    }
}

fn remember(plan: &Plan, reports: &[StepReport], done: &mut Done) {
    let succeeded = |step: &&Step| {
        reports
            .iter()
            .any(|it| it.id == step.id && it.outcome.succeeded())
    };
    done.0.extend(
        plan.steps
            .iter()
            .filter(succeeded)
            .map(|it| it.action.clone()),
    );
}
