//! SDK types -> plain facts. Items without an id or a state are left out: nothing could be done with them.

use super::plain::{operator, strings};
use super::{likeness, network, tags::tags};
use aws_sdk_ec2::types as ec2;
use aws_sdk_elasticloadbalancing::types as classic;
use aws_sdk_elasticloadbalancingv2::types as elb;
use aws_sdk_vpclattice::types as lattice;
use aws_smithy_types::DateTime;
use spot_rescue::clock::Timestamp;
use spot_rescue::event::{InstanceAction, InstanceState};
use spot_rescue::situation::{
    Address, Attachment, Boot, Device, Image, ImageState, Instance, ListedGroup, Market, Operated,
    Registration, RequestEnd, Snapshot, SnapshotState, SpotRequest, Target, TargetGroup, Template,
    Volume, VolumeSettings, VolumeState,
};

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

fn image_boot(it: &ec2::Image) -> Boot {
    Boot {
        architecture: text(it.architecture().map(|it| it.as_str())),
        virtualization: text(it.virtualization_type().map(|it| it.as_str())),
        mode: it.boot_mode().map(|it| it.as_str().to_owned()),
        ena: it.ena_support().unwrap_or(false),
        sriov: it.sriov_net_support() == Some("simple"),
        tpm: it.tpm_support().is_some_and(|it| it.as_str() == "v2.0"),
        imds: it.imds_support().is_some_and(|it| it.as_str() == "v2.0"),
        platform: text(it.platform_details()),
        product_codes: codes(it.product_codes()),
    }
}

fn codes(all: &[ec2::ProductCode]) -> Vec<String> {
    strings(all.iter().map(ec2::ProductCode::product_code_id))
}

fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
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

/// A volume that a service manages is left out: only that service may use it.
pub fn volume(it: &ec2::Volume) -> Option<Volume> {
    if operator(it.operator()).is_some() {
        return None;
    }
    Some(Volume {
        id: it.volume_id()?.parse().ok()?,
        state: volume_state(it.state()?)?,
        availability_zone: it.availability_zone()?.to_owned(),
        created: time(it.create_time())?,
        snapshot: it.snapshot_id().and_then(|id| id.parse().ok()),
        source: it.source_volume_id().and_then(|id| id.parse().ok()),
        attachments: it.attachments().iter().filter_map(attachment).collect(),
        settings: settings(it)?,
        tags: tags(it.tags()),
        unproven: Vec::new(),
    })
}

fn volume_state(state: &ec2::VolumeState) -> Option<VolumeState> {
    Some(match state.as_str() {
        "creating" => VolumeState::Creating,
        "available" => VolumeState::Available,
        "in-use" => VolumeState::InUse,
        "deleting" => VolumeState::Deleting,
        "deleted" => VolumeState::Deleted,
        "error" => VolumeState::Error,
        _ => return None,
    })
}

fn attachment(it: &ec2::VolumeAttachment) -> Option<Attachment> {
    let state = it.state().map_or("", |it| it.as_str());
    (state != "detached").then_some(())?;
    Some(Attachment {
        instance: it.instance_id()?.parse().ok()?,
        device: it.device().unwrap_or_default().to_owned(),
        settled: state == "attached",
        delete_on_termination: it.delete_on_termination().unwrap_or(false),
    })
}

/// IOPS and throughput only where they are a choice: gp2 reports what its size gives it.
fn settings(it: &ec2::Volume) -> Option<VolumeSettings> {
    let volume_type = it.volume_type()?.as_str().to_owned();
    Some(VolumeSettings {
        size: it.size()?,
        iops: it
            .iops()
            .filter(|_| matches!(volume_type.as_str(), "gp3" | "io1" | "io2")),
        throughput: it.throughput().filter(|_| volume_type == "gp3"),
        encrypted: it.encrypted().unwrap_or(false),
        kms_key: it
            .kms_key_id()
            .filter(|it| !it.is_empty())
            .map(str::to_owned),
        multi_attach: it.multi_attach_enabled().unwrap_or(false),
        volume_type,
    })
}

pub fn snapshot(it: &ec2::Snapshot) -> Option<Snapshot> {
    Some(Snapshot {
        id: it.snapshot_id()?.parse().ok()?,
        volume: it.volume_id()?.parse().ok()?,
        state: match it.state()?.as_str() {
            "pending" => SnapshotState::Pending,
            "completed" => SnapshotState::Completed,
            _ => SnapshotState::Unusable,
        },
        started: time(it.start_time())?,
        description: text(it.description()),
        tags: tags(it.tags()),
    })
}

/// What is archived, or in the Recycle Bin, cannot be restored from within days.
pub fn is_usable(it: &ec2::Snapshot) -> bool {
    let archived = it.storage_tier().is_some_and(|it| it.as_str() == "archive");
    !archived && it.state() != Some(&ec2::SnapshotState::Recoverable)
}

/// Without a behaviour EC2 terminates.
pub fn request(it: &ec2::SpotInstanceRequest) -> Option<SpotRequest> {
    let behaviour = it.instance_interruption_behavior();
    let behaviour = behaviour.map_or("terminate", |it| it.as_str());
    let state = it.state()?.as_str();
    Some(SpotRequest {
        id: it.spot_instance_request_id()?.parse().ok()?,
        persistent: it.r#type()?.as_str() == "persistent",
        behaviour: InstanceAction::parse(behaviour)?,
        live: matches!(state, "open" | "active" | "disabled"),
        disabled: state == "disabled",
        instance: it.instance_id().and_then(|id| id.parse().ok()),
        end: it.status().and_then(request_end),
        tags: tags(it.tags()),
    })
}

fn request_end(it: &ec2::SpotInstanceStatus) -> Option<RequestEnd> {
    RequestEnd::of(it.code()?, time(it.update_time()))
}

pub fn template(it: &ec2::LaunchTemplate) -> Option<Template> {
    Some(Template {
        id: it.launch_template_id()?.parse().ok()?,
        name: it.launch_template_name()?.to_owned(),
        tags: tags(it.tags()),
        created_by: it.created_by().map(str::to_owned),
        latest: u64::try_from(it.latest_version_number()?).ok()?,
        default: u64::try_from(it.default_version_number()?).ok()?,
        ours: false,
        unproven: Vec::new(),
    })
}

pub fn address(it: &ec2::Address) -> Option<Address> {
    Some(Address {
        allocation: it.allocation_id()?.parse().ok()?,
        instance: it.instance_id().and_then(|id| id.parse().ok()),
        interface: it.network_interface_id().and_then(|id| id.parse().ok()),
        private_address: it.private_ip_address().map(str::to_owned),
    })
}

pub fn image(it: &ec2::Image) -> Option<Image> {
    let devices = it
        .block_device_mappings()
        .iter()
        .filter(|it| it.ebs().is_some());
    let root = devices
        .clone()
        .find(|device| device.device_name() == it.root_device_name());
    let root_snapshot = root.and_then(|it| it.ebs()?.snapshot_id());
    Some(Image {
        id: it.image_id()?.parse().ok()?,
        name: text(it.name()),
        state: match it.state()?.as_str() {
            "available" => ImageState::Available,
            "pending" | "transient" => ImageState::Pending,
            _ => ImageState::Unusable,
        },
        root_device: it.root_device_name().map(str::to_owned),
        root_snapshot: root_snapshot.and_then(|id| id.parse().ok()),
        devices: strings(devices.map(ec2::BlockDeviceMapping::device_name)),
        boot: image_boot(it),
        tags: tags(it.tags()),
    })
}

/// A registration and whether it still gets traffic. `unused` with reason `Target.NotInUse` or `Target.InvalidState`
/// *is* registered (TRAP 20); only `Target.NotRegistered` is not. Zone `all` marks an address outside the group's
/// VPC: it is no instance of ours, even if one has the same address.
pub fn registration(arn: &str, it: &elb::TargetHealthDescription) -> Option<Registration> {
    let target = it.target()?;
    let health = it.target_health();
    let reason = health
        .and_then(|it| it.reason())
        .map_or("", |it| it.as_str());
    if reason == "Target.NotRegistered" || target.availability_zone() == Some("all") {
        return None;
    }
    let state = health
        .and_then(|it| it.state())
        .map_or("", |it| it.as_str());
    let target = Target {
        group: TargetGroup::Elb(arn.into()),
        id: target.id()?.to_owned(),
        port: Some(u16::try_from(target.port()?).ok()?),
    };
    Some(Registration {
        target,
        vpc: None,
        draining: state.ends_with("draining"),
        answering: matches!(state, "healthy" | "initial"),
    })
}

/// The listing shows neither the health of its instances nor which of them are being deregistered.
pub fn load_balancer(it: &classic::LoadBalancerDescription) -> Option<ListedGroup> {
    let group = TargetGroup::Classic(it.load_balancer_name()?.into());
    let vpc = it.vpc_id().map(str::to_owned);
    let ids = it.instances().iter().filter_map(|it| it.instance_id());
    let registrations = ids.map(|id| Registration {
        target: Target {
            group: group.clone(),
            id: id.to_owned(),
            port: None,
        },
        vpc: vpc.clone(),
        draining: false,
        answering: true,
    });
    let registrations = Some(registrations.collect());
    Some(ListedGroup {
        group,
        vpc,
        port: None,
        registrations,
    })
}

pub fn lattice_registration(arn: &str, it: &lattice::TargetSummary) -> Option<Registration> {
    let target = Target {
        group: TargetGroup::Lattice(arn.into()),
        id: it.id()?.to_owned(),
        port: Some(u16::try_from(it.port()?).ok()?),
    };
    let status = it.status().map_or("", |it| it.as_str());
    Some(Registration {
        target,
        vpc: None,
        draining: status == "DRAINING",
        answering: matches!(status, "HEALTHY" | "INITIAL"),
    })
}

fn time(at: Option<&DateTime>) -> Option<Timestamp> {
    Timestamp::from_unix_timestamp_nanos(at?.as_nanos()).ok()
}
