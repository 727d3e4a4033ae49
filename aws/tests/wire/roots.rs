//! Replacing roots, and images of them.

use super::replay::{Answer, Wire, assert_has, assert_lacks, id, ok};
use spot_rescue::cloud::{Cloud, Query};
use spot_rescue::situation::{Boot, ImageState, RootTaskState, VolumeSettings};
use spot_rescue::step::{Action, RegisterImage, ReplaceRoot, RootDevice, RootSource};
use spot_rescue::tags::Tags;

const INSTANCE: &str = "i-0123456789abcdef0";
const VOLUME: &str = "vol-0123456789abcdef0";
const SNAPSHOT: &str = "snap-0123456789abcdef0";
const IMAGE: &str = "ami-0123456789abcdef0";

fn tags() -> Tags {
    Tags::from([("spot-rescue:rescue".to_owned(), INSTANCE.to_owned())])
}

fn replace(by: RootSource) -> Action {
    Action::ReplaceRoot(ReplaceRoot {
        instance: id(INSTANCE),
        by,
        tags: tags(),
        token: "token-1".to_owned(),
    })
}

fn register(uefi: bool) -> Action {
    Action::RegisterImage(RegisterImage {
        name: "spot-rescue-image".to_owned(),
        snapshot: id(SNAPSHOT),
        root: RootDevice {
            device: "/dev/xvda".to_owned(),
            settings: VolumeSettings {
                volume_type: "gp3".to_owned(),
                size: 30,
                iops: Some(3000),
                throughput: Some(125),
                encrypted: true,
                kms_key: Some("key".to_owned()),
                multi_attach: false,
            },
            delete_on_termination: true,
        },
        boot: Boot {
            architecture: "arm64".to_owned(),
            virtualization: "hvm".to_owned(),
            mode: Some("uefi".to_owned()),
            ena: true,
            sriov: true,
            tpm: true,
            imds: true,
            platform: "Linux/UNIX".to_owned(),
            product_codes: Vec::new(),
        },
        uefi_data_of: uefi.then(|| id(INSTANCE)),
        tags: tags(),
    })
}

/// EC2 never deletes the replaced root: it is marked, and expires.
#[tokio::test]
async fn a_root_is_replaced_by_a_volume_or_from_an_image_and_stays() {
    let answer = "<CreateReplaceRootVolumeTaskResponse><replaceRootVolumeTask>\
        <replaceRootVolumeTaskId>replacevol-1</replaceRootVolumeTaskId>\
        </replaceRootVolumeTask></CreateReplaceRootVolumeTaskResponse>";
    for (by, named, other) in [
        (
            RootSource::Volume(id(VOLUME)),
            ("VolumeId", VOLUME),
            "ImageId",
        ),
        (RootSource::Image(id(IMAGE)), ("ImageId", IMAGE), "VolumeId"),
    ] {
        let wire = Wire::new([ok(answer)]);
        let made = wire.aws.act(&replace(by)).await;
        assert_eq!(made.as_deref(), Ok("replacevol-1"));
        let request = wire.only_request();
        assert_has(
            &request,
            &[
                ("Action", "CreateReplaceRootVolumeTask"),
                ("InstanceId", INSTANCE),
                named,
                ("ClientToken", "token-1"),
                ("DeleteReplacedRootVolume", "false"),
                (
                    "TagSpecification.1.ResourceType",
                    "replace-root-volume-task",
                ),
                ("TagSpecification.1.Tag.1.Key", "spot-rescue:rescue"),
            ],
        );
        assert_lacks(&request, other);
        assert_lacks(&request, "SnapshotId");
    }
}

/// TRAP 12: fields left out become i386 and paravirtual. The encryption is the snapshot's.
#[tokio::test]
async fn an_image_says_how_it_boots() {
    let wire = Wire::new([
        ok("<GetInstanceUefiDataResponse><uefiData>QU1a</uefiData></GetInstanceUefiDataResponse>"),
        ok("<RegisterImageResponse><imageId>ami-1</imageId></RegisterImageResponse>"),
    ]);
    assert_eq!(wire.aws.act(&register(true)).await.as_deref(), Ok("ami-1"));
    let requests = wire.requests();
    assert_has(
        &requests[0],
        &[("Action", "GetInstanceUefiData"), ("InstanceId", INSTANCE)],
    );
    let device = "BlockDeviceMapping.1";
    let of = |name: &str| format!("{device}.{name}");
    let ebs = [
        (of("DeviceName"), "/dev/xvda"),
        (of("Ebs.SnapshotId"), SNAPSHOT),
        (of("Ebs.VolumeSize"), "30"),
        (of("Ebs.VolumeType"), "gp3"),
        (of("Ebs.DeleteOnTermination"), "true"),
    ];
    let ebs: Vec<(&str, &str)> = ebs.iter().map(|(key, it)| (key.as_str(), *it)).collect();
    assert_has(&requests[1], &ebs);
    assert_has(
        &requests[1],
        &[
            ("Action", "RegisterImage"),
            ("Name", "spot-rescue-image"),
            ("Architecture", "arm64"),
            ("VirtualizationType", "hvm"),
            ("BootMode", "uefi"),
            ("EnaSupport", "true"),
            ("SriovNetSupport", "simple"),
            ("TpmSupport", "v2.0"),
            ("ImdsSupport", "v2.0"),
            ("UefiData", "QU1a"),
            ("RootDeviceName", "/dev/xvda"),
            ("TagSpecification.1.ResourceType", "image"),
        ],
    );
    for key in ["Ebs.Encrypted", "Ebs.KmsKeyId"] {
        assert_lacks(&requests[1], &of(key));
    }
}

#[tokio::test]
async fn an_image_is_described_without_uefi_data_where_ec2_returns_none() {
    let refused = super::errors::ec2("UnsupportedOperation", "no such data");
    let wire = Wire::new([
        Answer::Says(400, refused),
        ok("<RegisterImageResponse><imageId>ami-1</imageId></RegisterImageResponse>"),
    ]);
    assert!(wire.aws.act(&register(true)).await.is_ok());
    assert_lacks(&wire.requests()[1], "UefiData");
}

/// An unknown state counts as not over.
#[tokio::test]
async fn tasks_are_over_only_when_they_say_so() {
    use RootTaskState::{Failed, FailedDetached, Succeeded, Underway};
    let task = |state: &str| {
        format!(
            "<item><replaceRootVolumeTaskId>replacevol-1</replaceRootVolumeTaskId>\
             <instanceId>{INSTANCE}</instanceId><taskState>{state}</taskState></item>"
        )
    };
    let states = [
        "pending",
        "failing-detached",
        "something-new",
        "succeeded",
        "failed",
    ];
    let all: String = states
        .into_iter()
        .chain(["failed-detached"])
        .map(task)
        .collect();
    let body = format!(
        "<DescribeReplaceRootVolumeTasksResponse><replaceRootVolumeTaskSet>{all}\
         </replaceRootVolumeTaskSet></DescribeReplaceRootVolumeTasksResponse>"
    );
    let wire = Wire::new([ok(body)]);
    let found = wire.aws.root_tasks(&[id(INSTANCE)]).await.unwrap();
    let states: Vec<RootTaskState> = found.iter().map(|it| it.state).collect();
    let expected = [
        Underway,
        Underway,
        Underway,
        Succeeded,
        Failed,
        FailedDetached,
    ];
    assert_eq!(states, expected);
    assert_has(
        &wire.only_request(),
        &[
            ("Filter.1.Name", "instance-id"),
            ("Filter.1.Value.1", INSTANCE),
        ],
    );
}

/// By tag only our own: other accounts may share an image that carries our tags. Deprecated ones launch.
#[tokio::test]
async fn images_are_found_deprecated_or_not_and_by_tag_only_our_own() {
    let image = format!(
        "<DescribeImagesResponse><imagesSet><item><imageId>{IMAGE}</imageId><name>n</name>\
         <imageState>available</imageState><architecture>arm64</architecture>\
         <virtualizationType>hvm</virtualizationType><bootMode>uefi-preferred</bootMode>\
         <enaSupport>true</enaSupport><tpmSupport>v2.0</tpmSupport><imdsSupport>v2.0</imdsSupport>\
         <platformDetails>Windows</platformDetails>\
         <productCodes><item><productCode>abc</productCode></item></productCodes>\
         <rootDeviceName>/dev/xvda</rootDeviceName><blockDeviceMapping><item>\
         <deviceName>/dev/xvda</deviceName><ebs><snapshotId>{SNAPSHOT}</snapshotId></ebs>\
         </item></blockDeviceMapping></item></imagesSet></DescribeImagesResponse>"
    );
    let tag = Query::TagKey("spot-rescue:rescue");
    for (query, ours) in [(Query::Images(vec![id(IMAGE)]), false), (tag, true)] {
        let wire = Wire::new([ok(image.clone())]);
        let [found] = <[_; 1]>::try_from(wire.aws.images(&query).await.unwrap()).unwrap();
        assert_eq!(found.state, ImageState::Available);
        assert_eq!(found.root_snapshot, Some(id(SNAPSHOT)));
        let Boot {
            tpm,
            imds,
            ena,
            mode,
            ..
        } = &found.boot;
        assert!(*tpm && *imds && *ena && mode.as_deref() == Some("uefi-preferred"));
        assert_eq!(found.boot.product_codes, ["abc"]);
        assert_eq!(found.boot.platform, "Windows");
        let request = wire.only_request();
        assert_has(&request, &[("IncludeDeprecated", "true")]);
        assert_eq!(request.contains_key("Owner.1"), ours);
    }
}
