//! What an instance still holds.

use crate::id::InstanceId;
use crate::plan::lineage::Lineage;
use crate::situation::Instance;

/// A member that is being taken away, or has ended, lets go by itself.
pub fn is_ending(lineage: &Lineage, holder: &InstanceId) -> bool {
    let member = lineage.member(holder);
    let ending = member.is_some_and(|it| !it.is_alive() || lineage.interruption(it).is_some());
    ending || (member.is_none() && lineage.record.head.as_ref() == Some(holder))
}

/// It has its own root volume and nothing else.
#[must_use]
pub fn is_empty(instance: &Instance) -> bool {
    let mut devices = instance.devices.iter();
    devices.all(|it| instance.is_root(&it.name))
}
