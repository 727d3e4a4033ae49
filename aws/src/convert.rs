//! SDK types -> plain facts. Items without an id or a state are left out: nothing could be done with them.

mod instance;
mod targets;

pub use instance::instance;
pub use targets::{lattice_registration, load_balancer, registration};

use super::plain::{operator, strings};
use super::tags::tags;
use aws_sdk_ec2::types as ec2;
use aws_smithy_types::DateTime;
use spot_rescue::clock::Timestamp;
use spot_rescue::event::InstanceAction;
use spot_rescue::situation::{
    Address, Attachment, Boot, Image, ImageState, RequestEnd, Snapshot, SnapshotState, SpotRequest,
    Template, Volume, VolumeSettings, VolumeState,
};

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
        completed: time(it.completion_time()),
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

fn time(at: Option<&DateTime>) -> Option<Timestamp> {
    Timestamp::from_unix_timestamp_nanos(at?.as_nanos()).ok()
}
