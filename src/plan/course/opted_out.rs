//! An instance was opted out: its prepared rescue is deleted. A terminated instance no longer shows tags, so the policy
//! would then come from the prepared rescue and lead to a rescue that is no longer wanted.

use crate::plan::course::{foreseen, tidy};
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::situation::Instance;
use crate::tags;

/// A rescue was prepared for the instance, and its tags no longer opt in. An instance without any tags has ended.
#[must_use]
pub fn is(instance: &Instance) -> bool {
    let wanted = tags::opts_in(&instance.tags);
    !wanted && instance.tags.contains_key(tags::PREPARED)
}

pub fn plan(lineage: &Lineage, why: String) -> Plan {
    let mut plan = Plan::nothing(why);
    let Some(owner) = lineage.owner.filter(|it| is(it)) else {
        return plan;
    };
    // A rescue that has begun goes on by its record, so that is kept.
    if lineage.record.interruption.is_some() || owner.tags.contains_key(tags::INTERRUPTED_AT) {
        return plan;
    }
    // EC2 shows tags late, and a tool may remove one for a moment.
    let seen = format!("{} is opted out", owner.id);
    if lineage.template().is_some() && plan.confirmed(lineage, seen, "its opt-out to be seen again")
    {
        foreseen::give_back(lineage, &mut plan);
        tidy::forget(lineage, &mut plan);
    }
    plan
}
