//! Whether an instance is claimed, and for which lineage: the launch template with the instance's name says so.

use crate::id::InstanceId;
use crate::situation::{Facts, Instance, Situation};
use crate::tags;

/// Auto Scaling shows the instance as a member, and it is claimed for this lineage.
#[must_use]
pub fn is_claimed(lineage: &InstanceId, facts: &Facts, instance: &Instance) -> bool {
    let group = facts.group.known().and_then(Option::as_ref);
    group.is_some_and(|group| {
        let mut claimed = group.claimed(lineage).into_iter();
        claimed.any(|it| it.id == instance.id)
    })
}

/// The lineage that has claimed this instance. The launch template shows that before the instance's tags do.
#[must_use]
pub fn claimed_by(situation: &Situation) -> Option<InstanceId> {
    let template = situation.facts.template.known()?.as_ref()?;
    let lineage: InstanceId = template.tags.get(tags::RESCUE)?.parse().ok()?;
    (lineage != situation.lineage).then_some(lineage)
}
