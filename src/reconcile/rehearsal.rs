//! AWS's answers to the dry runs of a rehearsal, until the plan has them on record.

use super::work_item::WorkItem;
use crate::cloud::{Class, CloudError};
use crate::id::InstanceId;
use crate::plan::Plan;
use crate::report::{StepOutcome, StepReport};
use crate::situation::Answer;
use crate::step::{Action, Rehearsal};
use std::collections::BTreeMap;

/// No rescue is looked at in the same invocation: AWS's tokens are for rescues first.
pub fn is_calm(items: &BTreeMap<InstanceId, WorkItem>) -> bool {
    let mut items = items.values();
    items.all(|it| it.memory.interruptions.is_empty() && it.newly_warned.is_empty())
}

/// The lineage's turn is over once any dry run was answered, whatever the answer.
pub fn note(item: &mut WorkItem, plan: &Plan, reports: &[StepReport]) {
    for report in reports {
        let step = plan.steps.iter().find(|it| it.id == report.id);
        if let Some(Action::Rehearse(rehearsal)) = step.map(|it| &it.action) {
            let answers = &mut item.rehearsing.answers;
            answers.insert(report.id.clone(), answer(rehearsal, &report.outcome));
            item.memory.rehearses = false;
        }
    }
}

/// A rescue looks up nothing by its name: a denied look-up says nothing about a rescue.
fn answer(rehearsal: &Rehearsal, outcome: &StepOutcome) -> Answer {
    match outcome {
        StepOutcome::Foretold(error) if rehearsal.is_look() && error.class == Class::Denied => {
            Answer::Allowed
        }
        StepOutcome::Done { .. } | StepOutcome::AlreadyDone { .. } => Answer::Allowed,
        StepOutcome::Foretold(error) if is_definite(error) => Answer::Refused {
            operation: error.operation,
            code: error.code.clone(),
            message: error.message.clone(),
        },
        StepOutcome::Foretold(_)
        | StepOutcome::Failed(_)
        | StepOutcome::Skipped { .. }
        | StepOutcome::OutOfTime => Answer::Unanswered,
    }
}

/// A passing error is no caveat. Neither is want of capacity, which no person could mend today, unless the type is
/// not sold there at all.
fn is_definite(error: &CloudError) -> bool {
    const NOT_SOLD: [&str; 4] = [
        "InvalidFleetConfig",
        "InvalidFleetConfiguration",
        "Unsupported",
        "UnsupportedOperation",
    ];
    match error.class {
        Class::Denied | Class::Permanent => true,
        Class::Capacity => NOT_SOLD.contains(&error.code.as_str()),
        Class::AlreadyDone | Class::Transient => false,
    }
}
