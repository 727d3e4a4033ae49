//! Facts as the XML that EC2 and Elastic Load Balancing answer with, about as long as theirs.

use spot_rescue::clock::Timestamp;
use spot_rescue::event::InstanceState;
use spot_rescue::situation::{
    Address, Image, Instance, ListedGroup, Market, Registration, Snapshot, SnapshotState,
    TargetGroup, Template, Volume, VolumeState,
};
use spot_rescue::tags::Tags;
use std::fmt::{Display, Write};
use time::format_description::well_known::Rfc3339;

pub const ACCOUNT: &str = "123456789012";

/// `<name>text</name>`, nothing for nothing.
pub fn element(name: &str, text: impl Display) -> String {
    let text = text.to_string();
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!("<{name}>{text}</{name}>")
}

fn optional(name: &str, text: Option<impl Display>) -> String {
    text.map(|it| element(name, it)).unwrap_or_default()
}

/// A list of `<item>`s.
pub fn items(name: &str, each: impl Iterator<Item = String>) -> String {
    wrapped(name, "item", each)
}

pub fn wrapped(name: &str, member: &str, each: impl Iterator<Item = String>) -> String {
    let mut all = String::new();
    for it in each {
        write!(all, "<{member}>{it}</{member}>").ok();
    }
    format!("<{name}>{all}</{name}>")
}

pub fn ec2(action: &str, inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{action}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>bench</requestId>{inner}</{action}Response>"
    )
}

pub fn elb(action: &str, inner: &str) -> String {
    format!(
        "<{action}Response xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"><{action}Result>{inner}</{action}Result><ResponseMetadata><RequestId>bench</RequestId></ResponseMetadata></{action}Response>"
    )
}

pub fn ec2_error(code: &str, message: &str) -> String {
    let (code, message) = (element("Code", code), element("Message", message));
    format!(
        "<Response><Errors><Error>{code}{message}</Error></Errors><RequestID>bench</RequestID></Response>"
    )
}

pub fn elb_error(code: &str, message: &str) -> String {
    let (code, message) = (element("Code", code), element("Message", message));
    format!(
        "<ErrorResponse><Error><Type>Sender</Type>{code}{message}</Error><RequestId>bench</RequestId></ErrorResponse>"
    )
}

fn at(time: Timestamp) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}

fn tags(tags: &Tags) -> String {
    let tag = |(key, value)| element("key", key) + &element("value", value);
    items("tagSet", tags.iter().map(tag))
}

pub fn instance(it: &Instance) -> String {
    let device = |device: &spot_rescue::situation::Device| {
        let ebs = element("volumeId", &device.volume)
            + &element("status", "attached")
            + &element("attachTime", at(it.launch_time))
            + &element("deleteOnTermination", device.delete_on_termination);
        element("deviceName", &device.name) + &format!("<ebs>{ebs}</ebs>")
    };
    let group = |id: &String| element("groupId", id) + &element("groupName", "bench");
    let address = it.private_addresses.first();
    let interface = |nic: &spot_rescue::situation::Interface| {
        let attachment = element("attachmentId", &nic.attachment)
            + &element("deviceIndex", nic.slot.device)
            + &element("status", "attached");
        let private = |(n, address): (usize, &String)| {
            element("privateIpAddress", address) + &element("primary", n == 0)
        };
        element("networkInterfaceId", &nic.id)
            + &optional("subnetId", it.subnet.as_ref())
            + &element("status", "in-use")
            + &optional("privateIpAddress", nic.addresses.first())
            + &format!("<attachment>{attachment}</attachment>")
            + &items(
                "privateIpAddressesSet",
                nic.addresses.iter().enumerate().map(private),
            )
    };
    let mut all = element("instanceId", &it.id)
        + &optional("imageId", it.image.as_ref())
        + &format!("<instanceState>{}</instanceState>", state(it.state))
        + &element("privateDnsName", "ip-10-0-0-1.eu-west-1.compute.internal")
        + &element("amiLaunchIndex", 0)
        + &element("instanceType", &it.instance_type)
        + &element("launchTime", at(it.launch_time))
        + &format!(
            "<placement>{}{}</placement>",
            element("availabilityZone", &it.availability_zone),
            element("tenancy", "default")
        )
        + "<monitoring><state>disabled</state></monitoring>"
        + &optional("subnetId", it.subnet.as_ref())
        + &optional("vpcId", it.vpc.as_ref())
        + &optional("privateIpAddress", address)
        + &element("sourceDestCheck", true)
        + &items("groupSet", it.security_groups.iter().map(group))
        + &element("architecture", "x86_64")
        + &element("rootDeviceType", "ebs")
        + &optional("rootDeviceName", it.root_device.as_ref())
        + &items("blockDeviceMapping", it.devices.iter().map(device))
        + &element("virtualizationType", "hvm")
        + &tags(&it.tags)
        + &element("hypervisor", "xen")
        + &items("networkInterfaceSet", it.interfaces.iter().map(interface))
        + &element("ebsOptimized", true)
        + "<cpuOptions><coreCount>1</coreCount><threadsPerCore>2</threadsPerCore></cpuOptions>"
        + "<metadataOptions><state>applied</state><httpTokens>required</httpTokens><httpEndpoint>enabled</httpEndpoint></metadataOptions>"
        + &format!(
            "<hibernationOptions>{}</hibernationOptions>",
            element("configured", it.hibernation)
        );
    if it.market == Market::Spot {
        all += &element("instanceLifecycle", "spot");
    }
    if let Some(code) = &it.state_reason {
        all.extend(["<stateReason>", &element("code", code), "</stateReason>"]);
    }
    all
}

fn state(state: InstanceState) -> String {
    let code = match state {
        InstanceState::Pending => 0,
        InstanceState::Running => 16,
        InstanceState::ShuttingDown => 32,
        InstanceState::Terminated => 48,
        InstanceState::Stopping => 64,
        InstanceState::Stopped => 80,
    };
    element("code", code) + &element("name", state)
}

pub fn volume(it: &Volume) -> String {
    let state = match it.state {
        VolumeState::Creating => "creating",
        VolumeState::Available => "available",
        VolumeState::InUse => "in-use",
        VolumeState::Deleting => "deleting",
        VolumeState::Deleted => "deleted",
        VolumeState::Error => "error",
    };
    let attachment = |attachment: &spot_rescue::situation::Attachment| {
        let settled = if attachment.settled {
            "attached"
        } else {
            "detaching"
        };
        element("volumeId", &it.id)
            + &element("instanceId", &attachment.instance)
            + &element("device", &attachment.device)
            + &element("status", settled)
            + &element("deleteOnTermination", attachment.delete_on_termination)
    };
    element("volumeId", &it.id)
        + &element("size", it.settings.size)
        + &optional("snapshotId", it.snapshot.as_ref())
        + &optional("sourceVolumeId", it.source.as_ref())
        + &element("availabilityZone", &it.availability_zone)
        + &element("status", state)
        + &element("createTime", at(it.created))
        + &items("attachmentSet", it.attachments.iter().map(attachment))
        + &tags(&it.tags)
        + &element("volumeType", &it.settings.volume_type)
        + &optional("iops", it.settings.iops)
        + &optional("throughput", it.settings.throughput)
        + &element("encrypted", it.settings.encrypted)
        + &optional("kmsKeyId", it.settings.kms_key.as_ref())
        + &element("multiAttachEnabled", it.settings.multi_attach)
}

pub fn snapshot(it: &Snapshot) -> String {
    let state = match it.state {
        SnapshotState::Pending => "pending",
        SnapshotState::Completed => "completed",
        SnapshotState::Unusable => "error",
    };
    element("snapshotId", &it.id)
        + &element("volumeId", &it.volume)
        + &element("status", state)
        + &element("startTime", at(it.started))
        + &element("ownerId", ACCOUNT)
        + &element("description", &it.description)
        + &element("storageTier", "standard")
        + &tags(&it.tags)
}

pub fn template(it: &Template) -> String {
    element("launchTemplateId", &it.id)
        + &element("launchTemplateName", &it.name)
        + &optional("createdBy", it.created_by.as_ref())
        + &element("defaultVersionNumber", it.default)
        + &element("latestVersionNumber", it.latest)
        + &tags(&it.tags)
}

pub fn address(it: &Address) -> String {
    element("allocationId", &it.allocation)
        + &element("domain", "vpc")
        + &optional("instanceId", it.instance.as_ref())
        + &optional("networkInterfaceId", it.interface.as_ref())
        + &optional("privateIpAddress", it.private_address.as_ref())
}

pub fn image(it: &Image) -> String {
    let device =
        |name: &String| element("deviceName", name) + "<ebs><volumeSize>8</volumeSize></ebs>";
    let root = it
        .root_device
        .iter()
        .filter(|root| !it.devices.contains(*root));
    element("imageId", &it.id)
        + &element("imageState", "available")
        + &element("architecture", "x86_64")
        + &element("rootDeviceType", "ebs")
        + &optional("rootDeviceName", it.root_device.as_ref())
        + &items("blockDeviceMapping", root.chain(&it.devices).map(device))
}

pub fn target_group(it: &ListedGroup) -> String {
    let TargetGroup::Elb(arn) = &it.group else {
        return String::new();
    };
    element("TargetGroupArn", arn)
        + &element(
            "TargetGroupName",
            arn.rsplit('/').nth(1).unwrap_or_default(),
        )
        + &element("Protocol", "HTTP")
        + &element("Port", 80)
        + &optional("VpcId", it.vpc.as_ref())
        + &element("TargetType", "instance")
}

pub fn health(it: &Registration) -> String {
    let state = match (it.draining, it.answering) {
        (true, _) => "draining",
        (false, true) => "healthy",
        (false, false) => "unhealthy",
    };
    let target = element("Id", &it.target.id) + &optional("Port", it.target.port);
    let health = element("State", state);
    format!(
        "<Target>{target}</Target><HealthCheckPort>80</HealthCheckPort><TargetHealth>{health}</TargetHealth>"
    )
}
