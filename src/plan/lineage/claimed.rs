//! A launch template that bears the name of an instance says for which lineage it is claimed.

use crate::id::InstanceId;
use crate::situation::{Instance, Situation};
use crate::tags;

/// Auto Scaling says it is a member, and the claim says whose.
#[must_use]
pub fn is_claimed(situation: &Situation, instance: &Instance) -> bool {
    let group = situation.group.known().and_then(Option::as_ref);
    group.is_some_and(|group| {
        let mut claimed = group.claimed(&situation.lineage).into_iter();
        claimed.any(|it| it.id == instance.id)
    })
}

/// The lineage another rescue has claimed this instance for: the template of its own name says so
/// before its tags do.
#[must_use]
pub fn claimed_by(situation: &Situation) -> Option<InstanceId> {
    let template = situation.template.known()?.as_ref()?;
    let lineage: InstanceId = template.tags.get(tags::RESCUE)?.parse().ok()?;
    (lineage != situation.lineage).then_some(lineage)
}
