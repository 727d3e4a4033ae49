//! Situations to plan for: one lineage, `i-0123456789abcdef0`, with a root and two data volumes, two
//! targets (one with a port override) and one Elastic IP, at every stage of its life.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "shared by several test binaries; ids here are constants"
)]

pub mod apply;
pub mod scenes;

use spot_rescue::clock::Timestamp;
use spot_rescue::event::{InstanceAction, InstanceState};
use spot_rescue::situation::*;
use spot_rescue::tags::{self, Tags};
use std::collections::BTreeSet;

pub const LINEAGE: &str = "i-0123456789abcdef0";
pub const SUCCESSOR: &str = "i-0aaaaaaaaaaaaaaa1";
pub const ROOT: &str = "vol-00000000000000001";
pub const DATA: &str = "vol-00000000000000002";
pub const LOGS: &str = "vol-00000000000000003";
pub const TEMPLATE: &str = "lt-0123456789abcdef0";
pub const ADDRESS: &str = "eipalloc-0123456789abcdef0";
pub const PRIMARY: &str = "eni-0123456789abcdef0";
pub const SECOND: &str = "eni-00000000000000002";
pub const ZONE: &str = "us-east-2a";
pub const OTHER_ZONE: &str = "us-east-2b";
pub const VPC: &str = "vpc-0123456789abcdef0";
pub const WEB: &str =
    "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/web/0123456789abcdef";
pub const ADMIN: &str =
    "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/admin/fedcba9876543210";

pub fn tags(pairs: &[(&str, &str)]) -> Tags {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

/// The protected instance as it ran yesterday.
pub fn instance(at: Timestamp) -> Instance {
    Instance {
        id: LINEAGE.parse().unwrap(),
        state: InstanceState::Running,
        launch_time: at - time::Duration::days(1),
        availability_zone: ZONE.to_owned(),
        vpc: Some(VPC.to_owned()),
        subnet: "subnet-0123456789abcdef0".parse().ok(),
        instance_type: "m6i.large".to_owned(),
        image: "ami-0123456789abcdef0".parse().ok(),
        market: Market::Spot,
        request: "sir-q2ci6n6k".parse().ok(),
        root_device: Some("/dev/xvda".to_owned()),
        devices: vec![
            device("/dev/xvda", ROOT, true),
            device("/dev/sdf", DATA, true),
            device("/dev/sdg", LOGS, false),
        ],
        private_addresses: vec!["10.0.0.10".to_owned()],
        interfaces: vec![interface(PRIMARY, 0, &["10.0.0.10"])],
        public_address: None,
        auto_public_address: false,
        forwards: false,
        security_groups: vec!["sg-0123456789abcdef0".to_owned()],
        key_pair: None,
        instance_profile: None,
        state_reason: None,
        hibernation: false,
        boot: boot(),
        operated: Operated::default(),
        likeness: Likeness::default(),
        tags: tags(&[("Name", "db"), (tags::OPT_IN, "on")]),
        unproven: Vec::new(),
        placed: false,
        sealed: true,
    }
}

pub fn interface(id: &str, device: u8, addresses: &[&str]) -> Interface {
    Interface {
        id: id.parse().unwrap(),
        slot: Slot { card: 0, device },
        attachment: id.replace("eni-", "eni-attach-"),
        delete_on_termination: true,
        addresses: addresses.iter().map(|it| (*it).to_owned()).collect(),
    }
}

/// In the subnet of the protected instance, and on it.
pub fn network_interface(id: &str, address: &str) -> NetworkInterface {
    NetworkInterface {
        id: id.parse().unwrap(),
        subnet: "subnet-0123456789abcdef0".parse().unwrap(),
        availability_zone: ZONE.to_owned(),
        addresses: vec![address.to_owned()],
        holder: Holder::Instance(LINEAGE.parse().unwrap()),
        tags: Tags::new(),
    }
}

/// Linux on Nitro.
pub fn boot() -> Boot {
    Boot {
        architecture: "x86_64".to_owned(),
        virtualization: "hvm".to_owned(),
        mode: Some("uefi".to_owned()),
        ena: true,
        platform: "Linux/UNIX".to_owned(),
        ..Boot::default()
    }
}

pub fn device(name: &str, volume: &str, delete_on_termination: bool) -> Device {
    Device {
        name: name.to_owned(),
        volume: volume.parse().unwrap(),
        delete_on_termination,
    }
}

/// A volume in use by an instance, or free.
pub fn volume(id: &str, held_by: Option<(&str, &str)>, at: Timestamp) -> Volume {
    let attachments: Vec<Attachment> =
        Vec::from_iter(held_by.map(|(instance, device)| Attachment {
            instance: instance.parse().unwrap(),
            device: device.to_owned(),
            settled: true,
            delete_on_termination: false,
        }));
    Volume {
        id: id.parse().unwrap(),
        state: if attachments.is_empty() {
            VolumeState::Available
        } else {
            VolumeState::InUse
        },
        availability_zone: ZONE.to_owned(),
        created: at - time::Duration::days(1),
        snapshot: None,
        source: None,
        attachments,
        settings: VolumeSettings {
            volume_type: "gp3".to_owned(),
            size: 100,
            iops: Some(3000),
            throughput: Some(125),
            encrypted: true,
            kms_key: Some("arn:aws:kms:us-east-2:123456789012:key/0f".to_owned()),
            multi_attach: false,
        },
        tags: tags(&[(tags::RESCUE, LINEAGE)]),
        unproven: Vec::new(),
    }
}

pub fn snapshot(
    id: &str,
    of: &str,
    set: &str,
    state: SnapshotState,
    started: Timestamp,
) -> Snapshot {
    Snapshot {
        id: id.parse().unwrap(),
        volume: of.parse().unwrap(),
        state,
        started,
        completed: None,
        description: String::new(),
        tags: tags(&[
            (tags::RESCUE, LINEAGE),
            (tags::SET, set),
            (
                tags::VOLUME,
                "type=gp3 size=100 iops=3000 throughput=125 encrypted=true",
            ),
        ]),
    }
}

pub fn target(group: &str, id: &str, port: u16) -> Registration {
    let target = Target {
        group: group.parse().unwrap(),
        id: id.to_owned(),
        port: Some(port),
    };
    Registration {
        target,
        vpc: Some(VPC.to_owned()),
        draining: false,
        answering: true,
    }
}

/// Everything readable, nothing prepared, all well.
pub fn situation(now: Timestamp) -> Situation {
    let facts = Facts {
        instances: vec![instance(now)],
        template: Fact::Known(None),
        template_name: Some(tags::template_name(&LINEAGE.parse().unwrap())),
        volumes: Fact::Known(vec![
            volume(ROOT, Some((LINEAGE, "/dev/xvda")), now),
            volume(DATA, Some((LINEAGE, "/dev/sdf")), now),
            volume(LOGS, Some((LINEAGE, "/dev/sdg")), now),
        ]),
        snapshots: Fact::Known(Vec::new()),
        registrations: Fact::Known(Registrations::of_all(vec![
            target(WEB, LINEAGE, 80),
            target(ADMIN, LINEAGE, 8080),
        ])),
        addresses: Fact::Known(vec![Address {
            allocation: ADDRESS.parse().unwrap(),
            instance: LINEAGE.parse().ok(),
            interface: PRIMARY.parse().ok(),
            private_address: Some("10.0.0.10".to_owned()),
        }]),
        interfaces: Fact::Known(Vec::new()),
        images: Fact::Known(vec![Image {
            id: "ami-0123456789abcdef0".parse().unwrap(),
            name: "al2023".to_owned(),
            state: ImageState::Available,
            root_device: Some("/dev/xvda".to_owned()),
            root_snapshot: None,
            devices: vec!["/dev/sdb".to_owned()],
            boot: boot(),
            tags: Tags::new(),
        }]),
        group: Fact::Known(None),
        requests: Fact::Known(vec![SpotRequest {
            id: "sir-q2ci6n6k".parse().unwrap(),
            persistent: false,
            behaviour: InstanceAction::Terminate,
            live: true,
            disabled: false,
            instance: LINEAGE.parse().ok(),
            end: None,
            tags: Tags::new(),
        }]),
        root_tasks: Fact::Known(Vec::new()),
        fleets: Fact::Known(Vec::new()),
        termination_protected: Fact::Known(BTreeSet::new()),
        ..Facts::default()
    };
    Situation {
        lineage: LINEAGE.parse().unwrap(),
        now,
        inputs: Inputs {
            pass: 1,
            ..Inputs::default()
        },
        facts,
    }
}
