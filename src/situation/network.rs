//! Interfaces and addresses.

use crate::id::{AllocationId, InstanceId, InterfaceId, SubnetId};
use crate::tags::Tags;

/// A network interface as the instance sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    pub id: InterfaceId,
    pub slot: Slot,
    /// The id that `ModifyNetworkInterfaceAttribute` needs.
    pub attachment: String,
    pub delete_on_termination: bool,
    /// IPv4, the primary one first.
    pub addresses: Vec<String>,
}

/// Where on an instance an interface is; the primary one is at device 0 of card 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Slot {
    pub card: u8,
    pub device: u8,
}

/// A public address of Amazon's pool, asked for or declined (TRAP 53). Left open, the subnet's default decides: only
/// for an instance with an Elastic IP, so that its replacement reaches the internet while it boots, as the original
/// could.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublicAddress {
    Given,
    Refused,
}

/// A network interface by itself: it may outlive its instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkInterface {
    pub id: InterfaceId,
    pub subnet: SubnetId,
    pub availability_zone: String,
    pub addresses: Vec<String>,
    pub holder: Holder,
    pub tags: Tags,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// `available`
    Free,
    Instance(InstanceId),
    /// A load balancer, a gateway, a function.
    Service,
    /// Being attached or detached.
    Unsettled,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub allocation: AllocationId,
    pub instance: Option<InstanceId>,
    /// Set for services as well: an address is free only without one.
    pub interface: Option<InterfaceId>,
    pub private_address: Option<String>,
}

impl Slot {
    #[must_use]
    pub fn is_primary(self) -> bool {
        self == Self::default()
    }
}
