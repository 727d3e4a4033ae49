//! The settings of the policy that more than one part of the plan asks for.

use crate::plan::lineage::Lineage;
use crate::policy::{PrivateIp, Protect};
use crate::record::RecordedInterface;

pub fn keeps_volumes_always(lineage: &Lineage) -> bool {
    lineage.policy.protect.value == Protect::Always
}

/// The interface with the address to keep.
pub fn kept_interface<'a>(lineage: &'a Lineage) -> Option<&'a RecordedInterface> {
    lineage.record.primary().filter(|_| keeps_address(lineage))
}

pub fn keeps_address(lineage: &Lineage) -> bool {
    lineage.policy.private_ip.value == PrivateIp::Keep
}
