//! Changes to network interfaces and the addresses on them.

use crate::id::{AllocationId, InstanceId, InterfaceId};
use crate::situation::Slot;
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// Where an Elastic IP sits is always named: an instance may have several interfaces, each with
    /// several private addresses, and an address put where another one is drives that one away.
    Associate {
        allocation: AllocationId,
        interface: InterfaceId,
        private_address: String,
        /// It may be taken from where it is; else the call fails unless the address is free.
        take: bool,
    },
    /// Secondary private addresses.
    Assign {
        interface: InterfaceId,
        addresses: PrivateAddresses,
    },
    /// `DeleteOnTermination` of an attached interface.
    Flag {
        interface: InterfaceId,
        attachment: String,
        delete_on_termination: bool,
    },
    Attach {
        interface: InterfaceId,
        instance: InstanceId,
        slot: Slot,
    },
    /// One that has outlived its instance, past its expiry.
    Delete { interface: InterfaceId },
}

/// Named, or as many as wanted: a call takes one or the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivateAddresses {
    /// Never taken from where they are: the call fails unless they are free.
    These(Vec<String>),
    Any(u8),
}

impl Network {
    /// As its one permission is called.
    #[must_use]
    pub fn call(&self) -> &'static str {
        match self {
            Self::Associate { .. } => "ec2:AssociateAddress",
            Self::Assign { .. } => "ec2:AssignPrivateIpAddresses",
            Self::Flag { .. } => "ec2:ModifyNetworkInterfaceAttribute",
            Self::Attach { .. } => "ec2:AttachNetworkInterface",
            Self::Delete { .. } => "ec2:DeleteNetworkInterface",
        }
    }

    #[must_use]
    pub fn iam_actions(&self) -> &'static [&'static str] {
        match self {
            Self::Associate { .. } => &["ec2:AssociateAddress"],
            Self::Assign { .. } => &["ec2:AssignPrivateIpAddresses"],
            Self::Flag { .. } => &["ec2:ModifyNetworkInterfaceAttribute"],
            Self::Attach { .. } => &["ec2:AttachNetworkInterface"],
            Self::Delete { .. } => &["ec2:DeleteNetworkInterface"],
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Associate {
                allocation,
                interface,
                private_address,
                take,
            } => {
                let free = if *take { "" } else { " if it is free" };
                let placement = format!("{private_address} of {interface}");
                write!(f, "associate {allocation} with {placement}{free}")
            }
            Self::Assign {
                interface,
                addresses,
            } => write!(f, "assign {addresses} to {interface}"),
            Self::Flag {
                interface,
                attachment,
                delete_on_termination: flag,
            } => write!(
                f,
                "set DeleteOnTermination of {interface} ({attachment}): {flag}"
            ),
            Self::Attach {
                interface,
                instance,
                slot: Slot { card, device },
            } => {
                let place = format!("device {device} of card {card}");
                write!(f, "attach {interface} to {instance} as {place}")
            }
            Self::Delete { interface } => write!(f, "delete {interface}"),
        }
    }
}

impl fmt::Display for PrivateAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::These(addresses) => write!(f, "{} if free", addresses.join(" ")),
            Self::Any(count) => write!(f, "{count} more private addresses"),
        }
    }
}
