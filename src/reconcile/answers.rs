//! What AWS's answers to the steps of a plan say about the launches and the steps of the next look.

use crate::cloud::launching::is_answered;
use crate::cloud::{Class, CloudError};
use crate::id::InstanceId;
use crate::plan::{self, Plan};
use crate::report::{StepOutcome, StepReport};
use crate::step::{Action, Step};
use crate::tags::Tags;

/// The instances that launches have returned, and their tokens.
pub fn launched(plan: &Plan, reports: &[StepReport]) -> Vec<(InstanceId, String)> {
    let launches = plan.steps.iter();
    let answers = launches.filter_map(|step| {
        let Action::Launch(launch) = &step.action else {
            return None;
        };
        let report = reports.iter().find(|it| it.id == step.id)?;
        match &report.outcome {
            StepOutcome::Done { what } => {
                let id = what.split_whitespace().next()?.parse().ok()?;
                Some((id, launch.token.clone()))
            }
            StepOutcome::AlreadyDone { .. }
            | StepOutcome::Failed(_)
            | StepOutcome::Foretold(_)
            | StepOutcome::Skipped { .. }
            | StepOutcome::OutOfTime => None,
        }
    });
    answers.collect()
}

/// A launch without an answer: it may have led to an instance.
pub fn unheard(plan: &Plan, reports: &[StepReport]) -> bool {
    let mut launches = plan.steps.iter();
    launches.any(|step| {
        let report = reports.iter().find(|it| it.id == step.id);
        let unanswered = |error: &CloudError| !is_answered(error);
        matches!(step.action, Action::Launch(_))
            && report.is_some_and(|it| match &it.outcome {
                StepOutcome::Failed(error) => unanswered(error),
                StepOutcome::OutOfTime => true,
                StepOutcome::Done { .. }
                | StepOutcome::AlreadyDone { .. }
                | StepOutcome::Foretold(_)
                | StepOutcome::Skipped { .. } => false,
            })
    })
}

/// The record tags for a launch that found no capacity.
pub fn refused_launch(step: &Step, reports: &[StepReport]) -> Option<Tags> {
    let refusal = step.on_failure.as_ref()?;
    let report = reports.iter().find(|it| it.id == step.id)?;
    match &report.outcome {
        StepOutcome::Failed(error) if refusal.counts(error) => Some(refusal.tags(error)),
        StepOutcome::Failed(_)
        | StepOutcome::Foretold(_)
        | StepOutcome::Done { .. }
        | StepOutcome::AlreadyDone { .. }
        | StepOutcome::Skipped { .. }
        | StepOutcome::OutOfTime => None,
    }
}

/// Launches with a token that was used for another request.
pub fn mismatched(plan: &Plan, reports: &[StepReport]) -> Vec<String> {
    const CODE: &str = "IdempotentParameterMismatch";
    let launches = plan.steps.iter();
    let mismatched = launches.filter_map(|step| {
        let Action::Launch(launch) = &step.action else {
            return None;
        };
        let mut reports = reports.iter().filter(|it| it.id == step.id);
        let used = reports
            .any(|it| matches!(&it.outcome, StepOutcome::AlreadyDone { why } if why == CODE));
        used.then(|| plan::mismatch(&step.id, &launch.token))
    });
    mismatched.collect()
}

/// The id of a step that AWS has refused for good.
pub fn refused(report: &StepReport) -> Option<String> {
    // A launch's answer is remembered with its token, whatever it says.
    let launch = |error: &CloudError| ["CreateFleet", "RunInstances"].contains(&error.operation);
    let refused = |error: &CloudError| match error.class {
        Class::Permanent | Class::Capacity | Class::Denied => true,
        Class::Transient => launch(error) && is_answered(error),
        Class::AlreadyDone => false,
    };
    match &report.outcome {
        StepOutcome::Failed(error) if refused(error) => Some(report.id.clone()),
        StepOutcome::Failed(_)
        | StepOutcome::Foretold(_)
        | StepOutcome::Done { .. }
        | StepOutcome::AlreadyDone { .. }
        | StepOutcome::Skipped { .. }
        | StepOutcome::OutOfTime => None,
    }
}
