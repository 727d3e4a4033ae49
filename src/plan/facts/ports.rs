//! Targets that an orchestrator registers are not registered for a replacement (TRAP 66).

use crate::plan::lineage::{Lineage, ports};
use crate::policy::Targets;
use crate::situation::{Instance, Target};

/// The target is not registered for a replacement.
pub fn is_left(lineage: &Lineage, target: &Target) -> bool {
    match lineage.policy.targets.value {
        Targets::Auto => lineage.record.left_targets.contains(target),
        Targets::Rejoin => false,
        Targets::Leave => true,
    }
}

/// The targets of the owner that an orchestrator registers.
pub fn of(lineage: &Lineage, owner: &Instance, targets: &[Target]) -> Vec<Target> {
    let before = &lineage.record.left_targets;
    ports::left(targets, before, owner, lineage.facts, true)
}
