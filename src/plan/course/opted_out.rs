//! Its user has opted an instance out: what is prepared for it is deleted. An ended instance shows no tags any more, and
//! the policy is then what its prepared rescue says: left behind, that would lead to a rescue.

use crate::plan::course::{foreseen, tidy};
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::situation::Instance;
use crate::tags;

/// Of a rescue that was prepared for it, and does not say that it is wanted. One without any tags has ended.
#[must_use]
pub fn is(instance: &Instance) -> bool {
    let wanted = instance.tags.get(tags::OPT_IN).is_some_and(|it| it == "on");
    !wanted && instance.tags.contains_key(tags::PREPARED)
}

pub fn plan(lineage: &Lineage, why: String) -> Plan {
    let mut plan = Plan::nothing(why);
    let Some(owner) = lineage.owner.filter(|it| is(it)) else {
        return plan;
    };
    // What a rescue that has begun leads to is on record alone.
    if lineage.record.interruption.is_some() || owner.tags.contains_key(tags::INTERRUPTED_AT) {
        return plan;
    }
    // Tags are seen late, and a tool may take one off for a moment.
    let seen = format!("{} is opted out", owner.id);
    if lineage.template().is_some() && plan.confirmed(lineage, seen, "its opt-out to be seen again")
    {
        foreseen::give_back(lineage, &mut plan);
        tidy::forget(lineage, &mut plan);
    }
    plan
}
