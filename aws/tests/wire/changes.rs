//! The changes: the parameters of each call.

use super::replay::{QUEUE, Wire, assert_has, assert_lacks, id, ok};
use spot_rescue::cloud::Cloud;
use spot_rescue::event::{
    Glance, InstanceAction, Interruption, Memory, Sets, Trigger, Wake, parse,
};
use spot_rescue::restore::Hands;
use spot_rescue::situation::{Slot, Target, TargetGroup, VolumeSettings};
use spot_rescue::step::{Action, CopyVolume, CreateVolume, Except, Network, PrivateAddresses};
use spot_rescue::tags::Tags;
use std::collections::{BTreeMap, BTreeSet};

const INSTANCE: &str = "i-0123456789abcdef0";
const INTERFACE: &str = "eni-0123456789abcdef0";
const VOLUME: &str = "vol-0123456789abcdef0";
const GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/1";

/// The request of an action that is answered with an empty element of this name.
async fn sent(action: &Action, answer: &str) -> BTreeMap<String, String> {
    let wire = Wire::new([ok(format!("<{answer}/>"))]);
    wire.aws.act(action).await.expect("a success");
    wire.only_request()
}

fn tags() -> Tags {
    Tags::from([("spot-rescue:rescue".to_owned(), INSTANCE.to_owned())])
}

/// TRAP 15: an omitted flag means true, and the data goes with the instance.
#[tokio::test]
async fn delete_on_termination_is_always_explicit() {
    let devices = [
        ("/dev/sdf".to_owned(), false),
        ("/dev/sdg".to_owned(), true),
    ];
    let action = Action::SetDeleteOnTermination {
        instance: id(INSTANCE),
        devices: devices.into(),
    };
    let request = sent(&action, "ModifyInstanceAttributeResponse").await;
    assert_has(
        &request,
        &[
            ("Action", "ModifyInstanceAttribute"),
            ("InstanceId", INSTANCE),
            ("BlockDeviceMapping.1.DeviceName", "/dev/sdf"),
            ("BlockDeviceMapping.1.Ebs.DeleteOnTermination", "false"),
            ("BlockDeviceMapping.2.DeviceName", "/dev/sdg"),
            ("BlockDeviceMapping.2.Ebs.DeleteOnTermination", "true"),
        ],
    );
    assert_lacks(&request, "VolumeId");
}

/// TRAP 19: without its port a target that was registered with one stays.
#[tokio::test]
async fn targets_are_named_with_their_ports() {
    let target = |port| Target {
        group: TargetGroup::Elb(GROUP.into()),
        id: INSTANCE.to_owned(),
        port: Some(port),
    };
    let targets = vec![target(80), target(15432)];
    let group = TargetGroup::Elb(GROUP.into());
    let deregister = Action::Deregister {
        group: group.clone(),
        targets: targets.clone(),
    };
    let register = Action::Register { group, targets };
    for (action, name) in [
        (deregister, "DeregisterTargets"),
        (register, "RegisterTargets"),
    ] {
        let answer = format!("<{name}Response><{name}Result/></{name}Response>");
        let wire = Wire::new([ok(answer)]);
        wire.aws.act(&action).await.unwrap();
        let request = wire.only_request();
        assert_has(
            &request,
            &[
                ("Action", name),
                ("TargetGroupArn", GROUP),
                ("Targets.member.1.Id", INSTANCE),
                ("Targets.member.1.Port", "80"),
                ("Targets.member.2.Id", INSTANCE),
                ("Targets.member.2.Port", "15432"),
            ],
        );
    }
}

/// The root by its own parameter: "If you specify the ID of the root volume, the request fails."
#[tokio::test]
async fn what_a_set_leaves_out_is_said_and_otherwise_nothing() {
    let answer = "<CreateSnapshotsResponse><snapshotSet/></CreateSnapshotsResponse>";
    let (root, first) = (
        "InstanceSpecification.ExcludeBootVolume",
        "InstanceSpecification.ExcludeDataVolumeId.1",
    );
    for (of_root, volumes) in [
        (false, vec![]),
        (true, vec![]),
        (false, vec!["vol-0aaaaaaaaaaaaaaa1"]),
    ] {
        let action = Action::SnapshotInstance {
            instance: id(INSTANCE),
            description: String::new(),
            tags: tags(),
            copy_tags: true,
            except: Except {
                root: of_root,
                volumes: volumes.iter().map(|it| id(it)).collect(),
            },
        };
        let wire = Wire::new([ok(answer)]);
        wire.aws.act(&action).await.unwrap();
        let request = wire.only_request();
        let said = |name| request.get(name).map(String::as_str);
        assert_eq!(said(root), of_root.then_some("true"), "{request:?}");
        assert_eq!(said(first), volumes.first().copied(), "{request:?}");
    }
}

/// TRAP 4: one set over all volumes; the volumes' own tags say what each was.
#[tokio::test]
async fn a_set_is_one_call_and_copies_tags() {
    let action = Action::SnapshotInstance {
        instance: id(INSTANCE),
        description: "spot-rescue: set a of b @code".to_owned(),
        tags: tags(),
        copy_tags: true,
        except: Except::default(),
    };
    let answer = "<CreateSnapshotsResponse><snapshotSet>\
        <item><snapshotId>snap-0aaaaaaaaaaaaaaa1</snapshotId></item>\
        <item><snapshotId>snap-0aaaaaaaaaaaaaaa2</snapshotId></item>\
        </snapshotSet></CreateSnapshotsResponse>";
    let wire = Wire::new([ok(answer)]);
    let made = wire.aws.act(&action).await.unwrap();
    assert_eq!(made, "snap-0aaaaaaaaaaaaaaa1 snap-0aaaaaaaaaaaaaaa2");
    let request = wire.only_request();
    assert_has(
        &request,
        &[
            ("Action", "CreateSnapshots"),
            ("InstanceSpecification.InstanceId", INSTANCE),
            ("CopyTagsFromSource", "volume"),
            ("Description", "spot-rescue: set a of b @code"),
            ("TagSpecification.1.ResourceType", "snapshot"),
            ("TagSpecification.1.Tag.1.Key", "spot-rescue:rescue"),
            ("TagSpecification.1.Tag.1.Value", INSTANCE),
        ],
    );
    assert_lacks(&request, "ExcludeDataVolume");
}

/// TRAP 33: a snapshot remembers size and encryption, nothing else.
#[tokio::test]
async fn a_restored_volume_is_asked_for_as_it_was() {
    let create = |settings| {
        Action::CreateVolume(CreateVolume {
            snapshot: id("snap-0123456789abcdef0"),
            availability_zone: "eu-west-1b".to_owned(),
            settings,
            initialization_rate: Some(200),
            tags: tags(),
            token: "token-2".to_owned(),
        })
    };
    let settings = VolumeSettings {
        volume_type: "gp3".to_owned(),
        size: 20,
        iops: Some(3500),
        throughput: Some(200),
        encrypted: true,
        kms_key: Some("arn:aws:kms:eu-west-1:1:key/2".to_owned()),
        multi_attach: false,
    };
    let request = sent(&create(settings.clone()), "CreateVolumeResponse").await;
    assert_has(
        &request,
        &[
            ("Action", "CreateVolume"),
            ("SnapshotId", "snap-0123456789abcdef0"),
            ("AvailabilityZone", "eu-west-1b"),
            ("VolumeType", "gp3"),
            ("Size", "20"),
            ("Iops", "3500"),
            ("Throughput", "200"),
            ("Encrypted", "true"),
            ("KmsKeyId", "arn:aws:kms:eu-west-1:1:key/2"),
            ("VolumeInitializationRate", "200"),
            ("ClientToken", "token-2"),
            ("TagSpecification.1.ResourceType", "volume"),
        ],
    );
    let plain = VolumeSettings {
        volume_type: "gp2".to_owned(),
        iops: None,
        throughput: None,
        encrypted: false,
        kms_key: None,
        ..settings
    };
    let request = sent(&create(plain), "CreateVolumeResponse").await;
    // `Encrypted=false` is refused for a snapshot that is encrypted; the rest for a gp2 volume.
    for unwanted in ["Encrypted", "Iops", "Throughput", "KmsKeyId"] {
        assert_lacks(&request, unwanted);
    }
}

/// TRAP 33: the type's default is gp2, whatever the source is.
#[tokio::test]
async fn a_clone_is_asked_for_as_its_source_is() {
    let copy = Action::CopyVolume(CopyVolume {
        source: id(VOLUME),
        settings: VolumeSettings {
            volume_type: "io2".to_owned(),
            size: 20,
            iops: Some(9000),
            throughput: None,
            encrypted: true,
            kms_key: Some("arn:aws:kms:eu-west-1:1:key/2".to_owned()),
            multi_attach: false,
        },
        tags: tags(),
        token: "token-3".to_owned(),
    });
    let request = sent(&copy, "CopyVolumesResponse").await;
    assert_has(
        &request,
        &[
            ("Action", "CopyVolumes"),
            ("SourceVolumeId", VOLUME),
            ("VolumeType", "io2"),
            ("Size", "20"),
            ("Iops", "9000"),
            ("Encrypted", "true"),
            ("KmsKeyId", "arn:aws:kms:eu-west-1:1:key/2"),
            ("ClientToken", "token-3"),
            ("TagSpecification.1.ResourceType", "volume"),
        ],
    );
    for unwanted in ["Throughput", "MultiAttachEnabled"] {
        assert_lacks(&request, unwanted);
    }
}

/// By force, a file system that is still mounted would lose what it has not written.
#[tokio::test]
async fn a_volume_is_detached_from_the_instance_that_is_named_and_never_by_force() {
    let wire = Wire::new([ok("<DetachVolumeResponse/>".to_owned())]);
    let answer = wire.aws.detach(&id(VOLUME), &id(INSTANCE)).await;
    answer.expect("a success");
    let request = wire.only_request();
    assert_has(
        &request,
        &[
            ("Action", "DetachVolume"),
            ("VolumeId", VOLUME),
            ("InstanceId", INSTANCE),
        ],
    );
    assert_lacks(&request, "Force");
}

#[tokio::test]
async fn small_changes_say_what_they_change() {
    let volume = || id(VOLUME);
    let attach = Action::Attach {
        volume: volume(),
        instance: id(INSTANCE),
        device: "/dev/sdf".to_owned(),
    };
    let request = sent(&attach, "AttachVolumeResponse").await;
    assert_has(
        &request,
        &[
            ("VolumeId", VOLUME),
            ("InstanceId", INSTANCE),
            ("Device", "/dev/sdf"),
        ],
    );
    let take_back = Action::RestoreFromBin { volume: volume() };
    let request = sent(&take_back, "RestoreVolumeFromRecycleBinResponse").await;
    assert_has(
        &request,
        &[
            ("Action", "RestoreVolumeFromRecycleBin"),
            ("VolumeId", VOLUME),
        ],
    );
    let associate = Action::Network(Network::Associate {
        allocation: id("eipalloc-0123456789abcdef0"),
        interface: id(INTERFACE),
        private_address: "10.0.0.11".to_owned(),
        take: false,
    });
    let request = sent(&associate, "AssociateAddressResponse").await;
    assert_has(
        &request,
        &[
            ("AllocationId", "eipalloc-0123456789abcdef0"),
            ("NetworkInterfaceId", INTERFACE),
            ("PrivateIpAddress", "10.0.0.11"),
            // Left out, it would mean that the address may be taken from its present holder.
            ("AllowReassociation", "false"),
        ],
    );
    // With more than one interface EC2 refuses an instance.
    assert_lacks(&request, "InstanceId");
    let snapshot = Action::SnapshotVolume {
        volume: volume(),
        description: "spot-rescue: set a of b @code".to_owned(),
        tags: tags(),
    };
    let request = sent(&snapshot, "CreateSnapshotResponse").await;
    let tagged = ("TagSpecification.1.ResourceType", "snapshot");
    let described = ("Description", "spot-rescue: set a of b @code");
    assert_has(&request, &[("VolumeId", VOLUME), described, tagged]);
    let untag = Action::Untag {
        resources: vec![INSTANCE.to_owned()],
        keys: vec!["spot-rescue:interrupted-at".to_owned()],
    };
    let request = sent(&untag, "DeleteTagsResponse").await;
    assert_has(&request, &[("Tag.1.Key", "spot-rescue:interrupted-at")]);
    // With a value, only a tag that still has it would go.
    assert_lacks(&request, "Tag.1.Value");
}

#[tokio::test]
async fn interfaces_are_kept_attached_and_given_addresses() {
    let keep = Action::Network(Network::Flag {
        interface: id(INTERFACE),
        attachment: "eni-attach-1".to_owned(),
        delete_on_termination: false,
    });
    let request = sent(&keep, "ModifyNetworkInterfaceAttributeResponse").await;
    assert_has(
        &request,
        &[
            ("NetworkInterfaceId", INTERFACE),
            ("Attachment.AttachmentId", "eni-attach-1"),
            ("Attachment.DeleteOnTermination", "false"),
        ],
    );
    let attach = Action::Network(Network::Attach {
        interface: id(INTERFACE),
        instance: id(INSTANCE),
        slot: Slot { card: 0, device: 2 },
    });
    let request = sent(&attach, "AttachNetworkInterfaceResponse").await;
    assert_has(
        &request,
        &[
            ("NetworkInterfaceId", INTERFACE),
            ("InstanceId", INSTANCE),
            ("DeviceIndex", "2"),
            ("NetworkCardIndex", "0"),
        ],
    );
    let delete = Action::Network(Network::Delete {
        interface: id(INTERFACE),
    });
    let request = sent(&delete, "DeleteNetworkInterfaceResponse").await;
    assert_has(
        &request,
        &[
            ("Action", "DeleteNetworkInterface"),
            ("NetworkInterfaceId", INTERFACE),
        ],
    );
    let assign = |addresses| {
        Action::Network(Network::Assign {
            interface: id(INTERFACE),
            addresses,
        })
    };
    let these = PrivateAddresses::These(vec!["10.0.0.11".to_owned()]);
    let request = sent(&assign(these), "AssignPrivateIpAddressesResponse").await;
    let named = ("PrivateIpAddress.1", "10.0.0.11");
    assert_has(&request, &[named, ("AllowReassignment", "false")]);
    assert_lacks(&request, "SecondaryPrivateIpAddressCount");
    let any = PrivateAddresses::Any(3);
    let request = sent(&assign(any), "AssignPrivateIpAddressesResponse").await;
    assert_has(&request, &[("SecondaryPrivateIpAddressCount", "3")]);
    assert_lacks(&request, "PrivateIpAddress.1");
}

/// What is sent to the queue is what the function reads from it.
#[tokio::test]
async fn a_wake_comes_back_as_it_went() {
    let wake = Wake {
        instance: id(INSTANCE),
        attempt: 3,
        waited: 0,
        memory: Memory {
            interruptions: vec![Interruption {
                instance: id(INSTANCE),
                action: InstanceAction::Terminate,
                at: spot_rescue::clock::parse("2026-11-23T10:00:00Z").unwrap(),
            }],
            listed: BTreeSet::from([INSTANCE.parse().unwrap()]),
            unwritten: BTreeMap::from([("key".to_owned(), "value".to_owned())]),
            sets: Sets {
                taken: BTreeSet::from([id("snap-0123456789abcdef0")]),
                unlisted: true,
            },
            glance: Some(Glance {
                at: spot_rescue::clock::parse("2026-11-23T10:00:05Z").unwrap(),
                seen: BTreeMap::from([(id(INSTANCE), "alive".to_owned())]),
                held: BTreeMap::from([(id("vol-0123456789abcdef0"), "held".to_owned())]),
            }),
            ..Memory::default()
        },
        sent: None,
        proof: None,
    };
    let action = Action::Wake {
        wake: wake.clone(),
        delay_seconds: 45,
    };
    let wire = Wire::new([ok(r#"{"MessageId":"m-1"}"#)]);
    assert_eq!(wire.aws.act(&action).await.unwrap(), "m-1");
    let body: serde_json::Value = serde_json::from_str(&wire.bodies()[0]).unwrap();
    assert_eq!(body["QueueUrl"], QUEUE);
    assert_eq!(body["DelaySeconds"], 45);
    let message = body["MessageBody"].as_str().unwrap();
    assert_eq!(parse(message).unwrap(), Trigger::Wake(wake));
}
