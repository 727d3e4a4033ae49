//! Whether an instance is about to release its volumes, and whether it has any.

use crate::id::InstanceId;
use crate::plan::lineage::Lineage;
use crate::situation::Instance;

/// A member that is interrupted or has ended releases its volumes and addresses by itself.
pub fn is_ending(lineage: &Lineage, holder: &InstanceId) -> bool {
    let member = lineage.member(holder);
    let ending = member.is_some_and(|it| !it.is_alive() || lineage.interruption(it).is_some());
    ending || (member.is_none() && lineage.record.head.as_ref() == Some(holder))
}

/// The instance has its root volume only.
#[must_use]
pub fn is_empty(instance: &Instance) -> bool {
    let mut devices = instance.devices.iter();
    devices.all(|it| instance.is_root(&it.name))
}
