//! The breaker: after several interruptions within its window, a lineage launches On-Demand first.
//!
//! Interruptions are counted back from the last one, not from the time of the look, so that two invocations that plan
//! the same launch come to the same result.

use crate::clock::Timestamp;
use crate::event::InstanceAction;
use crate::plan::lineage::Lineage;
use crate::policy::OnDemand;
use crate::record::PastInterruption;

/// All known interruptions, the present one included, each instance once.
pub fn history(lineage: &Lineage) -> Vec<PastInterruption> {
    let mut history = lineage.record.history.clone();
    for (instance, interruption) in lineage.interrupted() {
        let known = history.iter().any(|it| it.instance == instance.id);
        if !known && interruption.action == InstanceAction::Terminate {
            let at = interruption.at;
            history.push(PastInterruption {
                instance: instance.id.clone(),
                at: at.replace_nanosecond(0).unwrap_or(at),
            });
        }
    }
    history
}

/// When an open breaker closes: the last interruption is then out of its window. None if it is not open.
pub fn calm_from(lineage: &Lineage) -> Option<Timestamp> {
    let breaker = lineage.policy.breaker.value?;
    let last = history(lineage).iter().map(|it| it.at).max()?;
    open(lineage).map(|_| last + breaker.window)
}

/// Why On-Demand comes first, if the breaker is open.
pub fn open(lineage: &Lineage) -> Option<String> {
    let breaker = lineage.policy.breaker.value?;
    let history = until_base(lineage);
    let last = history.iter().map(|it| it.at).max()?;
    let within = |it: &&PastInterruption| it.at > last - breaker.window;
    let too_many = history.iter().filter(within).count() >= breaker.interruptions;
    let allowed = lineage.policy.on_demand.value != OnDemand::Never;
    (too_many && allowed).then(|| format!("{breaker}: On-Demand comes first"))
}

/// Leaves out interruptions after that of the instance to be replaced: not every invocation that plans the same launch
/// may know them yet, and one token stands for one request (TRAP 7).
fn until_base(lineage: &Lineage) -> Vec<PastInterruption> {
    let base = lineage.base().and_then(|it| lineage.interruption(it));
    let mut history = history(lineage);
    history.retain(|it| base.as_ref().is_none_or(|base| it.at <= base.at));
    history
}
