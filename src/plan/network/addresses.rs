//! Moves each Elastic IP to the same place as before: the same interface, and the same private address or the one in
//! its place.
//!
//! `AssociateAddress` can silently take an address from another instance, and replaces an Elastic IP that was
//! associated with the private address before. So the present holder is read first, each Elastic IP has its own private
//! address, and a free one is associated without permission to take it from another holder.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignPrivateIpAddresses.html>

use crate::id::InterfaceId;
use crate::plan::draft::Plan;
use crate::plan::facts::ending;
use crate::plan::lineage::Lineage;
use crate::plan::network::interfaces::{self, Moved};
use crate::record::{EipPlacement, RecordedAddress};
use crate::situation::{Address, Holder, Instance, Interface};
use crate::step::{Action, Network, PrivateAddresses, Step};
use std::collections::BTreeMap;

/// The private addresses of the old instance, and which one of the successor is in the place of each.
type AddressMap<'a> = BTreeMap<&'a str, Option<&'a str>>;

/// True once every address is in its place.
pub fn plan(lineage: &Lineage, successor: &Instance, moved: &Moved, plan: &mut Plan) -> bool {
    let record = &lineage.record;
    if record.addresses.is_empty() && record.secondary.is_empty() {
        return true;
    }
    let Some(found) = lineage.facts.addresses.known() else {
        plan.wait(15, "addresses to be readable");
        return false;
    };
    let Some(primary) = successor.primary_interface() else {
        plan.wait(5, format!("{} to show its network", successor.id));
        return false;
    };
    let ours = ours(lineage, successor, found, plan);
    let moved_to = moved_to(lineage, primary, moved, &ours);
    let mut complete = assign(lineage, successor, primary, &moved_to, plan);
    for (recorded, address) in ours {
        let placement = placement(lineage, successor, recorded, moved, &moved_to);
        complete &= associate(lineage, address, placement, plan);
    }
    complete
}

/// The addresses that may be moved. One that was released or is in use elsewhere is noted.
fn ours<'a>(
    lineage: &'a Lineage,
    successor: &Instance,
    found: &'a [Address],
    plan: &mut Plan,
) -> Vec<(&'a RecordedAddress, &'a Address)> {
    let mut ours = Vec::new();
    for recorded in &lineage.record.addresses {
        let allocation = &recorded.allocation;
        match found.iter().find(|it| it.allocation == *allocation) {
            None => plan.note(format!("{allocation} has been released: not moved")),
            Some(address) if is_ours(lineage, successor, address) => {
                ours.push((recorded, address));
            }
            Some(_) => plan.note(format!("{allocation} is in use by another: left there")),
        }
    }
    ours
}

/// The secondary private addresses wanted on the primary interface: those it had, and one for each Elastic IP of an
/// interface that could not be moved. An address that is not free is replaced by another, in the order of the record.
fn moved_to<'a>(
    lineage: &'a Lineage,
    primary: &'a Interface,
    moved: &Moved,
    ours: &[(&'a RecordedAddress, &'a Address)],
) -> AddressMap<'a> {
    let mut wanted: Vec<&str> = lineage
        .record
        .secondary
        .iter()
        .map(String::as_str)
        .collect();
    let placements = ours.iter().filter_map(|(it, _)| it.placement.as_ref());
    let placements =
        placements.filter(|it| it.slot.is_primary() || is_stranded(lineage, it, moved));
    wanted.extend(placements.map(|it| it.private_address.as_str()));
    let have = primary.addresses.iter().skip(1).map(String::as_str);
    let mut others = have.filter(|it| !wanted.contains(it));
    let mut moved_to = AddressMap::new();
    for address in &wanted {
        if !moved_to.contains_key(address) {
            let same = primary.addresses.iter().any(|it| it == address);
            let new = if same { Some(*address) } else { others.next() };
            moved_to.insert(address, new);
        }
    }
    moved_to
}

fn is_stranded(lineage: &Lineage, placement: &EipPlacement, moved: &Moved) -> bool {
    let mut recorded = lineage.record.interfaces.iter();
    recorded
        .find(|it| it.slot == placement.slot)
        .is_none_or(|it| moved.left.contains(&it.interface))
}

/// Assigns the same addresses where they are free, and others where they are not. True if none is missing.
fn assign(
    lineage: &Lineage,
    successor: &Instance,
    primary: &Interface,
    moved_to: &AddressMap,
    plan: &mut Plan,
) -> bool {
    let missing = moved_to.iter().filter(|(_, new)| new.is_none());
    let missing: Vec<&str> = missing.map(|(address, _)| *address).collect();
    if missing.is_empty() {
        return true;
    }
    let Some((same, others)) = to_assign(lineage, successor, &missing, plan) else {
        return false;
    };
    let mut step = |id: &str, addresses: PrivateAddresses| {
        let marked = interfaces::mark(lineage, &primary.id, plan);
        let action = Action::Network(Network::Assign {
            interface: primary.id.clone(),
            addresses,
        });
        plan.step(Step::new(format!("assign {id} to {}", primary.id), action).after(&marked));
    };
    if !same.is_empty() {
        step("the same addresses", PrivateAddresses::These(same));
    }
    if others > 0 {
        step("other addresses", PrivateAddresses::Any(others));
    }
    plan.wait(5, "private addresses to be assigned");
    false
}

/// The free ones of the missing addresses, and how many others are needed. None while that is not known.
fn to_assign(
    lineage: &Lineage,
    successor: &Instance,
    missing: &[&str],
    plan: &mut Plan,
) -> Option<(Vec<String>, u8)> {
    let place = lineage.record.place.as_ref();
    let subnet = place
        .map(|it| &it.subnet)
        .filter(|it| successor.subnet.as_ref() == Some(*it));
    let Some(subnet) = subnet else {
        return Some((Vec::new(), u8::try_from(missing.len()).unwrap_or(u8::MAX)));
    };
    let Some(all) = lineage.facts.interfaces.known() else {
        plan.wait(15, "network interfaces to be readable");
        return None;
    };
    let (mut same, mut others) = (Vec::new(), 0);
    for address in missing {
        let mut here = all.iter().filter(|it| it.subnet == *subnet);
        let holder = here.find(|it| it.addresses.iter().any(|ip| ip == address));
        match holder.map(|it| &it.holder) {
            None => same.push((*address).to_owned()),
            Some(Holder::Instance(holder)) if ending::is_ending(lineage, holder) => {
                plan.wait(20, format!("{holder} to end and release {address}"));
            }
            Some(Holder::Unsettled) => plan.wait(5, format!("{address} to be released")),
            Some(Holder::Free | Holder::Instance(_) | Holder::Service) => others += 1,
        }
    }
    Some((same, others))
}

/// The interface and private address for an Elastic IP. None while these do not exist yet.
fn placement<'a>(
    lineage: &Lineage,
    successor: &'a Instance,
    recorded: &'a RecordedAddress,
    moved: &Moved,
    moved_to: &AddressMap<'a>,
) -> Option<(&'a InterfaceId, &'a str)> {
    let primary = successor.primary_interface()?;
    let Some(placement) = &recorded.placement else {
        return Some((&primary.id, primary.addresses.first()?));
    };
    let own = successor
        .interfaces
        .iter()
        .find(|it| it.slot == placement.slot);
    let own = own.filter(|it| !it.slot.is_primary() && moved.here.contains(&it.id));
    if let Some(interface) = own {
        let same = interface
            .addresses
            .iter()
            .find(|it| **it == placement.private_address);
        return Some((&interface.id, same.or(interface.addresses.first())?));
    }
    if placement.slot.is_primary() || is_stranded(lineage, placement, moved) {
        let new = moved_to
            .get(placement.private_address.as_str())
            .copied()
            .flatten()?;
        return Some((&primary.id, new));
    }
    None
}

/// True if the address is in its place.
fn associate(
    lineage: &Lineage,
    address: &Address,
    placement: Option<(&InterfaceId, &str)>,
    plan: &mut Plan,
) -> bool {
    let allocation = &address.allocation;
    let Some((interface, private_address)) = placement else {
        plan.wait(5, format!("the private address for {allocation}"));
        return false;
    };
    let there = address.interface.as_ref() == Some(interface)
        && address.private_address.as_deref() == Some(private_address);
    if !there {
        let marked = interfaces::mark(lineage, interface, plan);
        let action = Action::Network(Network::Associate {
            allocation: allocation.clone(),
            interface: interface.clone(),
            private_address: private_address.to_owned(),
            take: address.interface.is_some(),
        });
        plan.step(Step::new(format!("associate {allocation}"), action).after(&marked));
    }
    there
}

/// The recorded addresses that are not on this instance. If they cannot be read, all count as missing.
pub fn missing<'a>(lineage: &'a Lineage, instance: &Instance) -> Vec<&'a RecordedAddress> {
    let found = lineage.facts.addresses.known();
    let is_missing = |recorded: &&RecordedAddress| match found {
        None => true,
        Some(found) => found.iter().any(|it| {
            let elsewhere = it.instance.as_ref() != Some(&instance.id);
            it.allocation == recorded.allocation && elsewhere && is_ours(lineage, instance, it)
        }),
    };
    lineage.record.addresses.iter().filter(is_missing).collect()
}

/// The address is free, on a member of the lineage, or on an interface that was kept.
fn is_ours(lineage: &Lineage, successor: &Instance, address: &Address) -> bool {
    let Address {
        instance: holder,
        interface,
        ..
    } = address;
    let of_member = holder
        .as_ref()
        .is_some_and(|it| lineage.member(it).is_some() || lineage.record.head.as_ref() == Some(it));
    let on_kept = |id: &InterfaceId| {
        let kept = lineage
            .record
            .interfaces
            .iter()
            .any(|it| it.interface == *id);
        holder.is_none() && kept || successor.interfaces.iter().any(|it| it.id == *id)
    };
    let free = holder.is_none() && interface.is_none();
    free || of_member || interface.as_ref().is_some_and(on_kept)
}
