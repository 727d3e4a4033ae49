//! What a lineage asks for, and when it asks again, while AWS throttles.
//!
//! At EC2's published rates neither the flags nor the snapshot sets of a thousand instances can be had
//! within two minutes, but one of both can.
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>
//!
//! Tags that nothing waits for are the second thing put off: see `patience`.

mod patience;
mod position;

pub use patience::{are_scarce, is_put_off, put_off, rest};
pub use position::Position;

use crate::plan::{Plan, snapshot};
use crate::report::{StepOutcome, StepReport};
use crate::step::{Action, Step};
use Ask::{Both, InTurns, NoFlags, NoSet, SetNowAndThen};

const SOON: u16 = 4;
/// For so few lineages AWS has enough of both.
const FEW: usize = 4;

/// What keeps the volumes of a lineage when their instance ends, as far as the plan still has steps for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Safety {
    /// No such steps are planned.
    Settled,
    /// The flags are off; a snapshot set is wanted.
    FlagsOff,
    /// Neither flags nor snapshot set yet; both are planned.
    Unprotected,
    /// Neither yet, and no snapshot set can be taken, or one is under way.
    OnlyByFlags,
    /// There is a snapshot set, or no rescue; flags are planned.
    InSet,
}

/// What is asked for now. The rest is left to the next look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Both,
    NoFlags,
    NoSet,
    /// One of both, alternating.
    InTurns,
    /// A set one time in six: other batches may have lineages with neither.
    SetNowAndThen,
}

/// For each: its priority for flags (sets are taken in reverse order, `calls`), and what it asks for while none, a
/// few, or many of the batch are unprotected.
const TABLE: [(Safety, u8, [Ask; 3]); 5] = [
    (Safety::Settled, 0, [Both, Both, Both]),
    (Safety::FlagsOff, 0, [SetNowAndThen, NoSet, NoSet]),
    (Safety::Unprotected, 1, [Both, Both, InTurns]),
    (Safety::OnlyByFlags, 1, [Both, Both, Both]),
    (Safety::InSet, 2, [Both, NoFlags, NoFlags]),
];

impl Safety {
    fn of(plan: &Plan) -> Self {
        match (wants(&plan.steps), is_unprotected(plan)) {
            ((true, true), true) => Self::Unprotected,
            ((true, false), true) => Self::OnlyByFlags,
            ((true, _), false) => Self::InSet,
            ((false, true), _) => Self::FlagsOff,
            ((false, false), _) => Self::Settled,
        }
    }

    fn row(self) -> (u8, [Ask; 3]) {
        let mut rows = TABLE.into_iter();
        let row = rows.find(|(of, _, _)| *of == self);
        row.map_or((0, [Both; 3]), |(_, place, asks)| (place, asks))
    }
}

/// Its priority.
pub fn priority(plan: &Plan) -> u8 {
    Safety::of(plan).row().0
}

/// Whether it is in a rescue, and has neither flags off nor a snapshot set.
pub fn is_unprotected(plan: &Plan) -> bool {
    let unsaved = |it: &Step| matches!(&it.action, Action::SetDeleteOnTermination { instance, .. } if plan.without_set.contains(instance));
    plan.steps.iter().chain(&plan.deferred).any(unsaved)
}

/// Puts off what the table says, while so many of the lineages looked at together are unprotected. The first looks
/// put nothing off: as a rule AWS has enough.
pub fn defer_contended(position: Position, unprotected: usize, plan: &mut Plan) {
    if position.first {
        return;
    }
    let asks = Safety::of(plan).row().1;
    let ask = asks[usize::from(unprotected > 0) + usize::from(unprotected > FEW)];
    if let Some(what) = deferred(ask, position.jitter()) {
        defer(position, what, plan);
    }
}

fn deferred(ask: Ask, jitter: u16) -> Option<fn(&Action) -> bool> {
    match ask {
        Both => None,
        NoFlags => Some(sets_flags),
        NoSet => Some(takes_set),
        InTurns => Some(if jitter.is_multiple_of(2) {
            takes_set
        } else {
            sets_flags
        }),
        SetNowAndThen => (!jitter.is_multiple_of(6)).then_some(takes_set as fn(&Action) -> bool),
    }
}

/// Steps that another step waits for are not put off.
fn defer(position: Position, what: fn(&Action) -> bool, plan: &mut Plan) {
    let waited_for = |step: &Step, all: &[Step]| all.iter().any(|it| it.after.contains(&step.id));
    let all = std::mem::take(&mut plan.steps);
    let now = |it: &Step| !what(&it.action) || waited_for(it, &all);
    (plan.steps, plan.deferred) = all.iter().cloned().partition(now);
    plan.wait(
        position.later(),
        "instances that have neither flags off nor a snapshot set",
    );
}

/// Seconds until undone steps are tried again. Where many lineages want what AWS grants at a few a second, they must
/// not all ask at the same moment, nor more often than helps: the first two times soon, then spread out. Unprotected
/// lineages ask more often than those with one of both, which yield as long as there are any in the batch: each look takes
/// an invocation from them.
pub fn retry_after(position: Position, yields: bool, plan: &Plan, reports: &[StepReport]) -> u16 {
    let serves = |it: &Step| matches!(it.action, Action::Deregister { .. });
    if position.first {
        SOON
    } else if still_unprotected(plan, reports) {
        // Lineages that were refused together must not come back together.
        SOON / 2 + position.spread() % SOON
    } else if missing(plan, reports).iter().any(serves) {
        // Traffic still goes to an instance that ends.
        SOON + position.spread()
    } else if !yields && missing(plan, reports).iter().any(restores) {
        position.soon()
    } else {
        position.later()
    }
}

/// Nothing runs in its place until this is done.
fn restores(step: &Step) -> bool {
    matches!(
        step.action,
        Action::Launch(_) | Action::Attach { .. } | Action::Register { .. }
    )
}

/// Whether it had neither before, and was refused what it asked for.
fn still_unprotected(plan: &Plan, reports: &[StepReport]) -> bool {
    is_unprotected(plan) && wants(&missing(plan, reports)) == wants(&plan.steps)
}

fn missing(plan: &Plan, reports: &[StepReport]) -> Vec<Step> {
    let of = |step: &Step| reports.iter().find(|it| it.id == step.id);
    let failed = |it: &&Step| of(it).is_some_and(|it| !it.outcome.succeeded());
    plan.steps.iter().filter(failed).cloned().collect()
}

/// Flags, and snapshots.
fn wants(steps: &[Step]) -> (bool, bool) {
    let has = |wanted: fn(&Action) -> bool| steps.iter().any(|it| wanted(&it.action));
    (has(sets_flags), has(takes_set))
}

fn sets_flags(action: &Action) -> bool {
    matches!(action, Action::SetDeleteOnTermination { .. })
}

fn takes_set(action: &Action) -> bool {
    matches!(action, Action::SnapshotInstance { tags, .. } if !snapshot::is_ahead(tags))
}

/// AWS refused a call because there were too many: what else there is to do is left to the next look, which reads as
/// little as this one. A throttled tag that can wait does not count.
pub fn was_throttled(plan: &Plan, reports: &[StepReport]) -> bool {
    reports
        .iter()
        .any(|it| is_throttled(it) && !is_put_off(plan, it))
}

/// Nothing is worth a look before what was refused is asked for again: unless those were tags, as no service waits for one,
/// and no instance of the batch is unprotected.
pub fn slows_down(yields: bool, plan: &Plan, reports: &[StepReport]) -> bool {
    let felt = |it: &&StepReport| is_throttled(it) && !is_put_off(plan, it);
    let mut refused = reports.iter().filter(felt);
    refused.any(|it| yields || !patience::of_tags(it))
}

fn is_throttled(report: &StepReport) -> bool {
    matches!(&report.outcome, StepOutcome::Failed(error) if error.is_throttled())
}

#[cfg(test)]
mod tests;
