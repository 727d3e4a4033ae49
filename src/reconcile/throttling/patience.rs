//! Tags that nothing waits for are asked for once AWS has enough for all: `CreateTags` has one bucket for the account (100
//! at once, 10 a second), and in a mass reclaim what is out of service needs it more. What can wait is the plan's to say.

use super::{Position, is_throttled};
use crate::clock::Timestamp;
use crate::plan::Plan;
use crate::report::{StepOutcome, StepReport};
use time::Duration;

const CALL: &str = "CreateTags";
/// A thousand rescues need the bucket for so long.
const REST: Duration = Duration::minutes(5);
/// What has waited together is not to come back together.
const APART: u16 = 10;

/// Whether AWS has had too many tags to write.
pub fn are_scarce(reports: &[StepReport]) -> bool {
    reports.iter().any(|it| is_throttled(it) && of_tags(it))
}

pub fn of_tags(report: &StepReport) -> bool {
    matches!(&report.outcome, StepOutcome::Failed(error) if error.operation == CALL)
}

/// Refused, and the rest of the plan goes on as if it had not been asked for.
pub fn is_put_off(plan: &Plan, report: &StepReport) -> bool {
    let step = plan.steps.iter().find(|it| it.id == report.id);
    is_throttled(report) && step.is_some_and(|it| it.can_wait)
}

/// Leaves what can wait to a later look while AWS has had too many a short while ago. But not what another step waits for.
pub fn put_off(position: Position, scarce: Option<Timestamp>, now: Timestamp, plan: &mut Plan) {
    let rested = |since: Timestamp| now - since >= REST;
    if scarce.is_none_or(rested) {
        return;
    }
    let all = std::mem::take(&mut plan.steps);
    let waited_for = |id: &String| all.iter().any(|it| it.after.contains(id));
    let (left, now): (Vec<_>, Vec<_>) =
        { all.iter().cloned() }.partition(|it| it.can_wait && !waited_for(&it.id));
    plan.steps = now;
    if !left.is_empty() {
        plan.wait(rest(position), "tags that nothing waits for");
    }
}

/// In how many seconds they are asked for again.
pub fn rest(position: Position) -> u16 {
    let rest = u16::try_from(REST.whole_seconds()).unwrap_or(u16::MAX);
    rest + position.spread() * APART
}
