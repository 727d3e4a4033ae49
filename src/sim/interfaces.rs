//! Network interfaces: in use, or `available`; what becomes of them when their instance ends.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachNetworkInterface.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignPrivateIpAddresses.html>

use super::{Lagged, SimInterface, State, World, error::refused};
use crate::cloud::CloudError;
use crate::event::InstanceState;
use crate::id::{InstanceId, InterfaceId, SubnetId};
use crate::situation::{Holder, Interface, NetworkInterface, Slot};
use crate::step::{Network, PrivateAddresses};
use crate::tags::{self, Tags};

/// Of an `m5.large`
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/AvailableIpPerENI.html>).
const MOST_ADDRESSES: usize = 10;
const MOST_INTERFACES: usize = 3;

impl World {
    /// A further interface of a running instance. With what comes with it: one private address.
    ///
    /// # Panics
    /// If there is no such instance.
    #[must_use]
    pub fn interface(&self, on: &InstanceId, device: u8, delete: bool) -> InterfaceId {
        self.change(|it| {
            let facts = &it.instances[on].facts;
            let subnet = facts.subnet.clone().expect("a running instance has one");
            let zone = facts.availability_zone.clone();
            let address = it.new_address();
            let id = it.new_interface(subnet, zone, vec![address]);
            it.put_interface(&id, on, Slot { card: 0, device }, delete);
            id
        })
    }

    /// Its user switches the source/destination check of its primary interface off, or on.
    pub fn forward(&self, instance: &InstanceId, forwards: bool) {
        self.change(|it| {
            let seat = it.primary_seat(instance);
            let interface = seat.and_then(|(id, _)| it.interfaces.get_mut(&id));
            if let Some(interface) = interface {
                interface.forwards = forwards;
            }
            it.show_network(instance);
        });
    }

    /// A secondary private address of the primary interface.
    ///
    /// # Panics
    /// If there is no such instance.
    #[must_use]
    pub fn secondary_address(&self, on: &InstanceId) -> String {
        self.change(|it| {
            let (primary, _) = it.primary_seat(on).expect("it has a network");
            let address = it.new_address();
            if let Some(interface) = it.interfaces.get_mut(&primary) {
                interface.facts.addresses.push(address.clone());
            }
            it.show_network(on);
            address
        })
    }
}

impl State {
    pub(super) fn new_interface(
        &mut self,
        subnet: SubnetId,
        availability_zone: String,
        addresses: Vec<String>,
    ) -> InterfaceId {
        let id: InterfaceId = self.new_id("eni-");
        let facts = NetworkInterface {
            id: id.clone(),
            subnet,
            availability_zone,
            addresses,
            holder: Holder::Free,
            tags: Tags::new(),
        };
        let interface = SimInterface {
            facts,
            tags: Lagged::new(Tags::new()),
            slot: Slot::default(),
            attachment: String::new(),
            delete_on_termination: false,
            forwards: false,
        };
        self.interfaces.insert(id.clone(), interface);
        id
    }

    /// What a launch makes when the request names no interface.
    pub(super) fn add_primary_interface(&mut self, id: &InstanceId) {
        let facts = &self.instances[id].facts;
        let Some(subnet) = facts.subnet.clone() else {
            return;
        };
        let zone = facts.availability_zone.clone();
        let interface = self.new_interface(subnet, zone, facts.private_addresses.clone());
        self.put_interface(&interface, id, Slot::default(), true);
    }

    /// As its launch says.
    pub(super) fn tag_primary(&mut self, id: &InstanceId, tags: &Tags) {
        let primary = self.primary_seat(id).map(|it| it.0);
        let primary = primary.and_then(|it| self.interfaces.get_mut(&it));
        if let Some(interface) = primary {
            interface.tags = Lagged::new(tags.clone());
        }
    }

    /// Past all rules.
    pub(super) fn put_interface(
        &mut self,
        id: &InterfaceId,
        on: &InstanceId,
        slot: Slot,
        delete_on_termination: bool,
    ) {
        if let Some(it) = self.interfaces.get_mut(id) {
            it.facts.holder = Holder::Instance(on.clone());
            it.slot = slot;
            it.attachment = format!("{}-attach", id.as_str().replacen("eni-", "eni-attach-", 1));
            it.delete_on_termination = delete_on_termination;
        }
        self.show_network(on);
    }

    /// The instance shows the interfaces it has.
    pub(super) fn show_network(&mut self, id: &InstanceId) {
        let holder = Holder::Instance(id.clone());
        let held = self
            .interfaces
            .values()
            .filter(|it| it.facts.holder == holder);
        let mut interfaces: Vec<Interface> = held
            .map(|it| Interface {
                id: it.facts.id.clone(),
                slot: it.slot,
                attachment: it.attachment.clone(),
                delete_on_termination: it.delete_on_termination,
                addresses: it.facts.addresses.clone(),
            })
            .collect();
        interfaces.sort_by_key(|it| it.slot);
        let primary = interfaces.iter().find(|it| it.slot.is_primary());
        let primary = primary.and_then(|it| self.interfaces.get(&it.id));
        let forwards = primary.is_some_and(|it| it.forwards);
        if let Some(instance) = self.instances.get_mut(id) {
            let addresses = interfaces.iter().flat_map(|it| it.addresses.iter());
            instance.facts.private_addresses = addresses.cloned().collect();
            instance.facts.interfaces = interfaces;
            instance.facts.forwards = forwards;
        }
    }

    /// At the end: deleted, or `available`, with its addresses.
    pub(super) fn release_interfaces(&mut self, id: &InstanceId) {
        let holder = Holder::Instance(id.clone());
        let held = self.interfaces.values_mut();
        for it in held.filter(|it| it.facts.holder == holder && !it.delete_on_termination) {
            it.facts.holder = Holder::Free;
        }
        self.interfaces.retain(|_, it| it.facts.holder != holder);
        let interfaces = &self.interfaces;
        for seat in self.addresses.values_mut() {
            seat.take_if(|(interface, _)| !interfaces.contains_key(interface));
        }
        self.show_network(id);
    }

    /// Its primary interface and the primary private address of that.
    pub(super) fn primary_seat(&self, id: &InstanceId) -> Option<(InterfaceId, String)> {
        let interface = self.instances.get(id)?.facts.primary_interface()?;
        Some((interface.id.clone(), interface.addresses.first()?.clone()))
    }

    pub(super) fn change_network(&mut self, change: &Network) -> Result<String, CloudError> {
        match change {
            Network::Associate {
                allocation,
                interface,
                private_address,
                take,
            } => self.associate(allocation, interface, private_address, *take),
            Network::Assign {
                interface,
                addresses,
            } => self.assign_private(interface, addresses),
            Network::Flag {
                interface,
                attachment,
                delete_on_termination,
            } => self.flag_interface(interface, attachment, *delete_on_termination),
            Network::Attach {
                interface,
                instance,
                slot,
            } => self.attach_interface(interface, instance, *slot),
            Network::Delete { interface } => self.delete_interface(interface),
        }
    }

    /// The resources that a change touches: the interface that an address is taken from counts, too.
    pub(super) fn touched_by(&self, change: &Network) -> Vec<String> {
        match change {
            Network::Associate {
                allocation,
                interface,
                ..
            } => {
                let seat = self.addresses.get(allocation).cloned().flatten();
                let from = seat.map(|(interface, _)| interface.to_string());
                from.into_iter().chain([interface.to_string()]).collect()
            }
            Network::Assign { interface, .. }
            | Network::Flag { interface, .. }
            | Network::Delete { interface } => vec![interface.to_string()],
            Network::Attach {
                interface,
                instance,
                ..
            } => vec![interface.to_string(), instance.to_string()],
        }
    }

    fn attach_interface(
        &mut self,
        id: &InterfaceId,
        on: &InstanceId,
        slot: Slot,
    ) -> Result<String, CloudError> {
        const CALL: &str = "AttachNetworkInterface";
        let interface = self.known_interface(CALL, id)?;
        let instance = self
            .instance(on)
            .ok_or_else(|| refused(CALL, "InvalidInstanceID.NotFound", on.as_str()))?;
        if interface.facts.holder != Holder::Free {
            return Err(refused(CALL, "InvalidNetworkInterface.InUse", id.as_str()));
        }
        if !matches!(
            instance.facts.state,
            InstanceState::Running | InstanceState::Stopped
        ) {
            return Err(refused(CALL, "IncorrectInstanceState", on.as_str()));
        }
        if interface.facts.availability_zone != instance.facts.availability_zone {
            let message = "You may not attach a network interface to an instance if they are not in the same availability zone";
            return Err(refused(CALL, "InvalidParameterCombination", message));
        }
        let held = &instance.facts.interfaces;
        if held.iter().any(|it| it.slot == slot) {
            let message = "Instance already has an interface attached at that device index";
            return Err(refused(CALL, "InvalidParameterValue", message));
        }
        if held.len() >= MOST_INTERFACES {
            return Err(refused(CALL, "AttachmentLimitExceeded", on.as_str()));
        }
        self.put_interface(id, on, slot, false);
        Ok(format!("{id} attached"))
    }

    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkInterface.html>
    fn delete_interface(&mut self, id: &InterfaceId) -> Result<String, CloudError> {
        const CALL: &str = "DeleteNetworkInterface";
        let interface = self.known_interface(CALL, id)?;
        if interface.facts.holder != Holder::Free {
            return Err(refused(
                CALL,
                "InvalidParameterValue",
                "it is currently in use",
            ));
        }
        if !interface.tags.current().contains_key(tags::EXPIRES_AT) {
            self.violations
                .push(format!("{id} was deleted without an expiry"));
        }
        self.interfaces.remove(id);
        for seat in self.addresses.values_mut() {
            seat.take_if(|(interface, _)| interface == id);
        }
        Ok(String::new())
    }

    fn flag_interface(
        &mut self,
        id: &InterfaceId,
        attachment: &str,
        delete_on_termination: bool,
    ) -> Result<String, CloudError> {
        const CALL: &str = "ModifyNetworkInterfaceAttribute";
        let interface = self.known_interface(CALL, id)?;
        let Holder::Instance(on) = interface.facts.holder.clone() else {
            return Err(refused(CALL, "InvalidAttachmentID.NotFound", attachment));
        };
        if interface.attachment != attachment {
            return Err(refused(CALL, "InvalidAttachmentID.NotFound", attachment));
        }
        if self.instance(&on).is_none_or(|it| !it.facts.is_alive()) {
            return Err(refused(CALL, "IncorrectInstanceState", on.as_str()));
        }
        if let Some(it) = self.interfaces.get_mut(id) {
            it.delete_on_termination = delete_on_termination;
        }
        self.show_network(&on);
        Ok(String::new())
    }

    fn assign_private(
        &mut self,
        id: &InterfaceId,
        wanted: &PrivateAddresses,
    ) -> Result<String, CloudError> {
        const CALL: &str = "AssignPrivateIpAddresses";
        let (subnet, has) = {
            let facts = &self.known_interface(CALL, id)?.facts;
            (facts.subnet.clone(), facts.addresses.clone())
        };
        let new: Vec<String> = match wanted {
            PrivateAddresses::Any(count) => (0..*count).map(|_| self.new_address()).collect(),
            PrivateAddresses::These(these) => {
                let others = self.interfaces.values().filter(|it| it.facts.id != *id);
                let mut taken = others.filter(|it| it.facts.subnet == subnet);
                if taken.any(|it| it.facts.addresses.iter().any(|ip| these.contains(ip))) {
                    let message = "assigned, but move is not allowed";
                    return Err(refused(CALL, "InvalidParameterValue", message));
                }
                these
                    .iter()
                    .filter(|it| !has.contains(it))
                    .cloned()
                    .collect()
            }
        };
        if has.len() + new.len() > MOST_ADDRESSES {
            return Err(refused(CALL, "PrivateIpAddressLimitExceeded", id.as_str()));
        }
        let Some(interface) = self.interfaces.get_mut(id) else {
            return Ok(String::new());
        };
        interface.facts.addresses.extend(new.iter().cloned());
        if let Holder::Instance(on) = interface.facts.holder.clone() {
            self.show_network(&on);
        }
        Ok(new.join(" "))
    }

    pub(super) fn known_interface(
        &self,
        call: &'static str,
        id: &InterfaceId,
    ) -> Result<&SimInterface, CloudError> {
        let code = "InvalidNetworkInterfaceID.NotFound";
        self.interfaces
            .get(id)
            .ok_or_else(|| refused(call, code, id.as_str()))
    }
}
