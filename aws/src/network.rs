//! Network interfaces and Elastic IPs.

use super::error::failed;
use super::plain::{operator, strings};
use super::tags::tags;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types as ec2;
use spot_rescue::cloud::CloudError;
use spot_rescue::id::{AllocationId, InstanceId, InterfaceId};
use spot_rescue::situation::{Holder, Interface, NetworkInterface, Slot};
use spot_rescue::step::{Network, PrivateAddresses};

/// As an instance shows them. Interfaces of other kinds than `interface` (EFA without addresses, trunks and branches
/// of container networks) belong to the service that made them; the primary one counts always.
pub fn interfaces(it: &ec2::Instance) -> Vec<Interface> {
    let all = it.network_interfaces().iter();
    let mut all: Vec<Interface> = all.filter_map(of_instance).collect();
    all.sort_by_key(|it| it.slot);
    all
}

fn of_instance(it: &ec2::InstanceNetworkInterface) -> Option<Interface> {
    let attachment = it.attachment()?;
    let slot = slot(attachment.network_card_index(), attachment.device_index())?;
    let usual = it.interface_type().is_none_or(|it| it == "interface");
    if !slot.is_primary() && !usual {
        return None;
    }
    let mut addresses: Vec<_> = it.private_ip_addresses().iter().collect();
    addresses.sort_by_key(|it| !it.primary().unwrap_or(false));
    let addresses = addresses.into_iter();
    Some(Interface {
        id: it.network_interface_id()?.parse().ok()?,
        slot,
        attachment: attachment.attachment_id()?.to_owned(),
        delete_on_termination: attachment.delete_on_termination().unwrap_or(false),
        addresses: strings(addresses.map(ec2::InstancePrivateIpAddress::private_ip_address)),
    })
}

fn slot(card: Option<i32>, device: Option<i32>) -> Option<Slot> {
    Some(Slot {
        card: u8::try_from(card.unwrap_or(0)).ok()?,
        device: u8::try_from(device?).ok()?,
    })
}

/// As they show themselves. An interface that a service manages is left out: only that service may use it.
pub fn interface(it: &ec2::NetworkInterface) -> Option<NetworkInterface> {
    if operator(it.operator()).is_some() {
        return None;
    }
    let mut addresses: Vec<_> = it.private_ip_addresses().iter().collect();
    addresses.sort_by_key(|it| !it.primary().unwrap_or(false));
    let addresses = addresses.into_iter();
    Some(NetworkInterface {
        id: it.network_interface_id()?.parse().ok()?,
        subnet: it.subnet_id()?.parse().ok()?,
        availability_zone: it.availability_zone()?.to_owned(),
        addresses: strings(
            addresses.map(ec2::NetworkInterfacePrivateIpAddress::private_ip_address),
        ),
        holder: holder(it),
        tags: tags(it.tag_set()),
    })
}

/// An interface is free when it says so: one that is being detached still names its instance.
fn holder(it: &ec2::NetworkInterface) -> Holder {
    let attachment = it.attachment();
    let instance = attachment.and_then(|it| it.instance_id()?.parse().ok());
    let status = it.status().map_or("", |it| it.as_str());
    match (status, instance) {
        ("available", _) => Holder::Free,
        (_, Some(instance)) => Holder::Instance(instance),
        ("in-use" | "associated", None) => Holder::Service,
        _ => Holder::Unsettled,
    }
}

pub async fn change(ec2: &Client, change: &Network) -> Result<String, CloudError> {
    match change {
        Network::Associate {
            allocation,
            interface,
            private_address,
            take,
        } => associate(ec2, allocation, interface, private_address, *take).await,
        Network::Assign {
            interface,
            addresses,
        } => assign(ec2, interface, addresses).await,
        Network::Flag {
            interface,
            attachment,
            delete_on_termination,
        } => flag(ec2, interface, attachment, *delete_on_termination).await,
        Network::Attach {
            interface,
            instance,
            slot,
        } => attach(ec2, interface, instance, *slot).await,
        Network::Delete { interface } => delete(ec2, interface).await,
    }
}

/// Reassociation is allowed or forbidden explicitly: the plan has looked which resource holds the address. The
/// interface is named and not the instance: with more than one interface EC2 refuses an instance.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html>
async fn associate(
    ec2: &Client,
    allocation: &AllocationId,
    interface: &InterfaceId,
    private_address: &str,
    take: bool,
) -> Result<String, CloudError> {
    let request = ec2
        .associate_address()
        .allocation_id(allocation.as_str())
        .network_interface_id(interface.as_str())
        .private_ip_address(private_address)
        .allow_reassociation(take);
    let answer = request.send().await.map_err(failed("AssociateAddress"))?;
    Ok(answer.association_id().unwrap_or_default().to_owned())
}

async fn assign(
    ec2: &Client,
    interface: &InterfaceId,
    addresses: &PrivateAddresses,
) -> Result<String, CloudError> {
    let request = ec2.assign_private_ip_addresses();
    let request = request.network_interface_id(interface.as_str());
    let request = match addresses {
        PrivateAddresses::These(these) => request
            .set_private_ip_addresses(Some(these.clone()))
            .allow_reassignment(false),
        PrivateAddresses::Any(count) => {
            request.secondary_private_ip_address_count(i32::from(*count))
        }
    };
    let answer = request
        .send()
        .await
        .map_err(failed("AssignPrivateIpAddresses"))?;
    let assigned = answer.assigned_private_ip_addresses().iter();
    Ok(strings(assigned.map(ec2::AssignedPrivateIpAddress::private_ip_address)).join(" "))
}

async fn flag(
    ec2: &Client,
    interface: &InterfaceId,
    attachment: &str,
    delete_on_termination: bool,
) -> Result<String, CloudError> {
    let changes = ec2::NetworkInterfaceAttachmentChanges::builder()
        .attachment_id(attachment)
        .delete_on_termination(delete_on_termination);
    let request = ec2
        .modify_network_interface_attribute()
        .network_interface_id(interface.as_str())
        .attachment(changes.build());
    request
        .send()
        .await
        .map_err(failed("ModifyNetworkInterfaceAttribute"))?;
    Ok(String::new())
}

/// The card is always named: EC2 has mistaken a place on another card for a taken one
/// (cilium pull request 42512).
async fn attach(
    ec2: &Client,
    interface: &InterfaceId,
    instance: &InstanceId,
    slot: Slot,
) -> Result<String, CloudError> {
    let request = ec2
        .attach_network_interface()
        .network_interface_id(interface.as_str())
        .instance_id(instance.as_str())
        .network_card_index(i32::from(slot.card))
        .device_index(i32::from(slot.device));
    let answer = request
        .send()
        .await
        .map_err(failed("AttachNetworkInterface"))?;
    Ok(answer.attachment_id().unwrap_or_default().to_owned())
}

/// Only a free one: EC2 refuses one in use.
async fn delete(ec2: &Client, interface: &InterfaceId) -> Result<String, CloudError> {
    let request = ec2.delete_network_interface();
    let request = request.network_interface_id(interface.as_str());
    request
        .send()
        .await
        .map_err(failed("DeleteNetworkInterface"))?;
    Ok(String::new())
}
