//! The interruption-rate breaker: a lineage that is taken again and again does not go back to Spot.
//!
//! The count is taken at the moment of the last interruption, not at the time of looking, so that
//! whoever plans the same launch comes to the same conclusion.

use crate::clock::Timestamp;
use crate::event::InstanceAction;
use crate::plan::lineage::Lineage;
use crate::policy::OnDemand;
use crate::record::Taken;

/// Everything known, this interruption included; each instance once.
pub fn history(lineage: &Lineage) -> Vec<Taken> {
    let mut history = lineage.record.history.clone();
    for (instance, interruption) in lineage.interrupted() {
        let known = history.iter().any(|it| it.instance == instance.id);
        if !known && interruption.action == InstanceAction::Terminate {
            let at = interruption.at;
            history.push(Taken {
                instance: instance.id.clone(),
                at: at.replace_nanosecond(0).unwrap_or(at),
            });
        }
    }
    history
}

/// The last interruption lies so far back that it would count for nothing beside another one. None if
/// there was none, or if nothing is counted.
pub fn calm_from(lineage: &Lineage) -> Option<Timestamp> {
    let breaker = lineage.policy.breaker.value?;
    let last = history(lineage).iter().map(|it| it.at).max()?;
    open(lineage).map(|_| last + breaker.window)
}

/// Why On-Demand comes first, if it does.
pub fn open(lineage: &Lineage) -> Option<String> {
    let breaker = lineage.policy.breaker.value?;
    let history = until_base(lineage);
    let last = history.iter().map(|it| it.at).max()?;
    let within = |it: &&Taken| it.at > last - breaker.window;
    let too_many = history.iter().filter(within).count() >= breaker.interruptions;
    let allowed = lineage.policy.on_demand.value != OnDemand::Never;
    (too_many && allowed).then(|| format!("{breaker}: On-Demand comes first"))
}

/// Without what was taken after the instance that is to be replaced: it may be known to one and not yet to
/// another who plans the same launch, and one token stands for one request (TRAP 7).
fn until_base(lineage: &Lineage) -> Vec<Taken> {
    let base = lineage.base().and_then(|it| lineage.interruption(it));
    let mut history = history(lineage);
    history.retain(|it| base.as_ref().is_none_or(|base| it.at <= base.at));
    history
}
