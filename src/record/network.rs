//! The network part of the record: interfaces beyond the primary one (that one too, where its address is to be kept),
//! secondary private addresses, and the place of each Elastic IP.
//!
//! An address on the primary private address of the primary interface is written as its bare id; only
//! what differs from that is spelled out.

use crate::id::{AllocationId, InterfaceId};
use crate::situation::{Address, Instance, Slot};
use crate::tags::{self, Tags};

/// An Elastic IP.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordedAddress {
    pub allocation: AllocationId,
    /// None stands for the primary private address of the primary interface.
    pub placement: Option<EipPlacement>,
}

/// The interface and private address that an Elastic IP is associated with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EipPlacement {
    pub slot: Slot,
    pub private_address: String,
}

/// An interface that is to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedInterface {
    pub interface: InterfaceId,
    pub slot: Slot,
    /// As the user had set it, before we kept the interface.
    pub delete_on_termination: bool,
}

/// The Elastic IPs of an instance, by what was read of them.
#[must_use]
pub fn addresses_of(instance: &Instance, found: &[Address]) -> Vec<RecordedAddress> {
    let of_instance = found
        .iter()
        .filter(|it| it.instance.as_ref() == Some(&instance.id));
    let mut all: Vec<RecordedAddress> = of_instance
        .map(|it| RecordedAddress {
            allocation: it.allocation.clone(),
            placement: placement(instance, it),
        })
        .collect();
    all.sort();
    all
}

fn placement(instance: &Instance, address: &Address) -> Option<EipPlacement> {
    let id = address.interface.as_ref()?;
    let interface = instance.interfaces.iter().find(|it| it.id == *id)?;
    let private_address = address.private_address.clone()?;
    let usual =
        interface.slot.is_primary() && interface.addresses.first() == Some(&private_address);
    (!usual).then_some(EipPlacement {
        slot: interface.slot,
        private_address,
    })
}

/// The interfaces of a living instance. The primary one only if it is to follow as well: a replacement has its own.
#[must_use]
pub fn interfaces_of(instance: &Instance, with_primary: bool) -> Vec<RecordedInterface> {
    let following = instance
        .interfaces
        .iter()
        .filter(|it| with_primary || !it.slot.is_primary());
    following
        .map(|it| RecordedInterface {
            interface: it.id.clone(),
            slot: it.slot,
            delete_on_termination: it.delete_on_termination,
        })
        .collect()
}

/// The secondary private addresses of its primary interface.
#[must_use]
pub fn secondary_of(instance: &Instance) -> Vec<String> {
    let primary = instance.primary_interface();
    let addresses = primary.map(|it| it.addresses.as_slice());
    addresses
        .and_then(|it| it.get(1..))
        .unwrap_or_default()
        .to_vec()
}

/// The interfaces as a packed list.
#[must_use]
pub fn interface_tags(interfaces: &[RecordedInterface]) -> Tags {
    tags::pack(tags::INTERFACES, interfaces.iter().map(interface_text))
}

/// The Elastic IPs as a packed list.
#[must_use]
pub fn address_tags(addresses: &[RecordedAddress]) -> Tags {
    tags::pack(tags::ADDRESSES, addresses.iter().map(address_text))
}

pub(super) fn address_text(it: &RecordedAddress) -> String {
    let RecordedAddress {
        allocation,
        placement,
    } = it;
    match placement {
        None => allocation.to_string(),
        Some(EipPlacement {
            slot,
            private_address,
        }) => format!("{allocation}={}={private_address}", slot_text(*slot)),
    }
}

pub(super) fn address_from(text: &str) -> Option<RecordedAddress> {
    let mut words = text.split('=');
    let allocation = words.next()?.parse().ok()?;
    let placement = match (words.next(), words.next()) {
        (None, _) => None,
        (Some(slot), Some(address)) => Some(EipPlacement {
            slot: slot_from(slot)?,
            private_address: private_from(address)?,
        }),
        (Some(_), None) => return None,
    };
    Some(RecordedAddress {
        allocation,
        placement,
    })
}

fn interface_text(it: &RecordedInterface) -> String {
    let RecordedInterface {
        interface,
        slot,
        delete_on_termination,
    } = it;
    let delete = if *delete_on_termination {
        "=delete"
    } else {
        ""
    };
    format!("{interface}={}{delete}", slot_text(*slot))
}

pub(super) fn interface_from(text: &str) -> Option<RecordedInterface> {
    let mut words = text.split('=');
    Some(RecordedInterface {
        interface: words.next()?.parse().ok()?,
        slot: slot_from(words.next()?)?,
        delete_on_termination: words.next() == Some("delete"),
    })
}

/// Text that is no address was not written by the function.
pub(super) fn private_from(text: &str) -> Option<String> {
    text.parse::<std::net::IpAddr>()
        .is_ok()
        .then(|| text.to_owned())
}

/// The device alone on the first card, which is the only one of nearly every instance type.
fn slot_text(slot: Slot) -> String {
    let Slot { card, device } = slot;
    match card {
        0 => device.to_string(),
        _ => format!("{device}@{card}"),
    }
}

fn slot_from(text: &str) -> Option<Slot> {
    let (device, card) = text.split_once('@').unwrap_or((text, "0"));
    Some(Slot {
        card: card.parse().ok()?,
        device: device.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_what_is_usual_is_short() {
        for text in [
            "eipalloc-12345678",
            "eipalloc-12345678=0=10.0.0.11",
            "eipalloc-12345678=1@1=10.0.1.5",
        ] {
            assert_eq!(address_text(&address_from(text).unwrap()), text);
        }
        for text in [
            "eni-12345678=1",
            "eni-12345678=2@1=delete",
            "eni-12345678=0=delete",
        ] {
            assert_eq!(interface_text(&interface_from(text).unwrap()), text);
        }
    }

    #[test]
    fn an_edited_value_is_left_out() {
        for text in [
            "",
            "eipalloc-12345678=1",
            "eipalloc-12345678=x=10.0.0.1",
            "eni-1=1",
        ] {
            assert_eq!(address_from(text), None, "{text}");
        }
        assert_eq!(address_from("eipalloc-12345678=0=$(reboot)"), None);
        assert_eq!(interface_from("eni-12345678=300"), None);
    }
}
