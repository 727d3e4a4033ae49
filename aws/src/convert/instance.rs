//! `DescribeInstances` -> what is known of an instance.

use super::{codes, text, time};
use crate::plain::{operator, strings};
use crate::{likeness, network, tags::tags};
use aws_sdk_ec2::types as ec2;
use spot_rescue::event::InstanceState;
use spot_rescue::situation::{Boot, Device, Instance, Market, Operated};

pub fn instance(it: &ec2::Instance) -> Option<Instance> {
    let state = it.state()?.name()?.as_str();
    let instance = Instance {
        id: it.instance_id()?.parse().ok()?,
        state: InstanceState::parse(state)?,
        launch_time: time(it.launch_time())?,
        availability_zone: it.placement()?.availability_zone()?.to_owned(),
        vpc: it.vpc_id().map(str::to_owned),
        subnet: it.subnet_id().and_then(|id| id.parse().ok()),
        instance_type: it.instance_type()?.as_str().to_owned(),
        image: it.image_id().and_then(|id| id.parse().ok()),
        market: market(it),
        request: it.spot_instance_request_id().and_then(|id| id.parse().ok()),
        root_device: it.root_device_name().map(str::to_owned),
        devices: it
            .block_device_mappings()
            .iter()
            .filter_map(device)
            .collect(),
        private_addresses: private_addresses(it),
        interfaces: network::interfaces(it),
        public_address: it.public_ip_address().map(str::to_owned),
        auto_public_address: has_auto_public_address(it),
        forwards: it.source_dest_check() == Some(false),
        security_groups: strings(
            it.security_groups()
                .iter()
                .map(ec2::GroupIdentifier::group_id),
        ),
        key_pair: it.key_name().filter(|it| !it.is_empty()).map(str::to_owned),
        instance_profile: it
            .iam_instance_profile()
            .and_then(|it| it.arn())
            .map(str::to_owned),
        state_reason: it
            .state_reason()
            .and_then(|it| it.code())
            .map(str::to_owned),
        hibernation: it
            .hibernation_options()
            .and_then(|it| it.configured())
            .unwrap_or(false),
        boot: boot(it),
        operated: operated(it),
        likeness: likeness::of(it),
        tags: tags(it.tags()),
        // The core decides which tags are proven.
        unproven: Vec::new(),
        placed: false,
        sealed: false,
    };
    Some(instance.without_operated())
}

fn operated(it: &ec2::Instance) -> Operated {
    let volumes = it.block_device_mappings().iter().filter_map(|it| it.ebs());
    let volumes = volumes.filter_map(|it| Some((it.volume_id()?, operator(it.operator())?)));
    let interfaces = it.network_interfaces().iter();
    let interfaces =
        interfaces.filter_map(|it| Some((it.network_interface_id()?, operator(it.operator())?)));
    let parts = volumes.chain(interfaces);
    Operated {
        by: operator(it.operator()),
        parts: parts.map(|(id, by)| (id.to_owned(), by)).collect(),
        root: None,
    }
}

/// The mode it booted in: an image that prefers UEFI leaves the choice to the type.
fn boot(it: &ec2::Instance) -> Boot {
    let mode = it.current_instance_boot_mode().map(|it| it.as_str());
    Boot {
        architecture: text(it.architecture().map(|it| it.as_str())),
        virtualization: text(it.virtualization_type().map(|it| it.as_str())),
        mode: mode.map(str::to_owned),
        ena: it.ena_support().unwrap_or(false),
        sriov: it.sriov_net_support() == Some("simple"),
        tpm: it.tpm_support() == Some("v2.0"),
        imds: false,
        platform: text(it.platform_details()),
        product_codes: codes(it.product_codes()),
    }
}

/// The field is absent for On-Demand Instances (TRAP 35). Interruptible Capacity Reservations and Capacity Blocks are
/// interrupted like Spot.
fn market(it: &ec2::Instance) -> Market {
    match it
        .instance_lifecycle()
        .map(ec2::InstanceLifecycleType::as_str)
    {
        Some("spot" | "interruptible-capacity-reservation" | "capacity-block") => Market::Spot,
        _ => Market::OnDemand,
    }
}

fn device(it: &ec2::InstanceBlockDeviceMapping) -> Option<Device> {
    let ebs = it.ebs()?;
    Some(Device {
        name: it.device_name()?.to_owned(),
        volume: ebs.volume_id()?.parse().ok()?,
        delete_on_termination: ebs.delete_on_termination().unwrap_or(false),
    })
}

/// The primary interface first, and on each its primary address first.
fn private_addresses(it: &ec2::Instance) -> Vec<String> {
    let mut interfaces: Vec<&ec2::InstanceNetworkInterface> =
        it.network_interfaces().iter().collect();
    interfaces.sort_by_key(|it| {
        it.attachment()
            .and_then(|it| it.device_index())
            .unwrap_or(i32::MAX)
    });
    let mut all: Vec<String> = it
        .private_ip_address()
        .map(str::to_owned)
        .into_iter()
        .collect();
    for interface in interfaces {
        let mut v4: Vec<_> = interface.private_ip_addresses().iter().collect();
        v4.sort_by_key(|it| !it.primary().unwrap_or(false));
        all.extend(strings(
            v4.into_iter()
                .map(ec2::InstancePrivateIpAddress::private_ip_address),
        ));
        let v6 = interface.ipv6_addresses().iter();
        all.extend(strings(v6.map(ec2::InstanceIpv6Address::ipv6_address)));
    }
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|address| seen.insert(address.clone()));
    all
}

/// From Amazon's pool: an Elastic IP belongs to an account.
fn has_auto_public_address(it: &ec2::Instance) -> bool {
    let owners = it
        .network_interfaces()
        .iter()
        .filter_map(|it| it.association()?.ip_owner_id());
    owners.into_iter().any(|owner| owner == "amazon")
}
