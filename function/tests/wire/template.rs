//! `GetLaunchTemplateData` -> `CreateLaunchTemplate`: TRAP 9, TRAP 10.

use super::replay::{Wire, assert_has, assert_lacks, id, ok};
use spot_rescue::cloud::Cloud;
use spot_rescue::situation::VolumeSettings;
use spot_rescue::step::{Action, RootDevice, TemplateSpec, WriteTemplate};
use spot_rescue::tags::Tags;
use std::collections::BTreeMap;

/// A Spot Instance in a placement group, with everything that ties it to its first life.
const SHOWN: &str = "<GetLaunchTemplateDataResponse><requestId>r-1</requestId><launchTemplateData>\
    <imageId>ami-0123456789abcdef0</imageId><instanceType>t3.large</instanceType>\
    <keyName/><kernelId/><userData>IyEvYmluL3NoCg==</userData><ebsOptimized>true</ebsOptimized>\
    <iamInstanceProfile><arn>arn:aws:iam::123456789012:instance-profile/db</arn><name>db</name>\
    </iamInstanceProfile><placement><availabilityZone>eu-west-1a</availabilityZone>\
    <groupName>close</groupName><hostId>h-1</hostId><tenancy>default</tenancy></placement>\
    <instanceMarketOptions><marketType>spot</marketType><spotOptions><maxPrice>0.1</maxPrice>\
    <spotInstanceType>persistent</spotInstanceType></spotOptions></instanceMarketOptions>\
    <instanceInitiatedShutdownBehavior>stop</instanceInitiatedShutdownBehavior>\
    <networkInterfaceSet><item><deviceIndex>0</deviceIndex>\
    <networkInterfaceId>eni-0123456789abcdef0</networkInterfaceId>\
    <privateIpAddress>10.7.0.14</privateIpAddress><subnetId>subnet-0123456789abcdef0</subnetId>\
    <groupSet><groupId>sg-0aaaaaaaaaaaaaaa1</groupId></groupSet></item></networkInterfaceSet>\
    <blockDeviceMappingSet><item><deviceName>/dev/xvda</deviceName><ebs>\
    <snapshotId>snap-0123456789abcdef0</snapshotId><volumeSize>8</volumeSize></ebs></item>\
    <item><deviceName>/dev/sdf</deviceName><ebs><volumeSize>20</volumeSize></ebs></item>\
    </blockDeviceMappingSet><capacityReservationSpecification>\
    <capacityReservationPreference>open</capacityReservationPreference>\
    </capacityReservationSpecification><cpuOptions><coreCount>1</coreCount>\
    <threadsPerCore>2</threadsPerCore></cpuOptions><creditSpecification>\
    <cpuCredits>unlimited</cpuCredits></creditSpecification><metadataOptions>\
    <state>applied</state><httpTokens>required</httpTokens>\
    <httpPutResponseHopLimit>2</httpPutResponseHopLimit></metadataOptions>\
    <monitoring><enabled>true</enabled></monitoring><securityGroupIdSet>\
    <item>sg-0aaaaaaaaaaaaaaa1</item></securityGroupIdSet></launchTemplateData>\
    </GetLaunchTemplateDataResponse>";

const CREATED: &str = "<CreateLaunchTemplateResponse><launchTemplate>\
    <launchTemplateId>lt-0123456789abcdef0</launchTemplateId><latestVersionNumber>1</latestVersionNumber>\
    </launchTemplate>\
    </CreateLaunchTemplateResponse>";

/// Somebody has added two since ours.
const ADDED: &str = "<CreateLaunchTemplateVersionResponse><launchTemplateVersion>\
    <launchTemplateId>lt-0123456789abcdef0</launchTemplateId><versionNumber>8</versionNumber>\
    </launchTemplateVersion></CreateLaunchTemplateVersionResponse>";

fn write() -> WriteTemplate {
    let text = |it: &str| it.to_owned();
    WriteTemplate {
        source: id("i-0123456789abcdef0"),
        name: text("spot-rescue-i-0123456789abcdef0"),
        existing: None,
        image: None,
        spec: TemplateSpec {
            instance_tags: Tags::from([(text("Name"), text("db"))]),
            security_groups: vec![text("sg-0aaaaaaaaaaaaaaa1")],
            public_address: false,
            groups_on_interface: false,
            empty_devices: vec![text("/dev/sdf"), text("/dev/sdh")],
            root: Some(RootDevice {
                device: text("/dev/xvda"),
                settings: VolumeSettings {
                    volume_type: text("gp3"),
                    size: 8,
                    iops: Some(3000),
                    throughput: Some(125),
                    ..VolumeSettings::default()
                },
                delete_on_termination: true,
            }),
            one_type: true,
            plain: false,
        },
        tags: Tags::from([(text("spot-rescue:rescue"), text("i-0123456789abcdef0"))]),
        token: text("token-3"),
    }
}

/// The second request: what the answer to the first was made into.
async fn written(write: WriteTemplate, answer: &str) -> BTreeMap<String, String> {
    written_of(SHOWN, write, answer).await
}

/// The same of an instance that is shown so.
async fn written_of(shown: &str, write: WriteTemplate, answer: &str) -> BTreeMap<String, String> {
    let wire = Wire::new([ok(shown), ok(answer)]);
    let number = if write.existing.is_some() { 8 } else { 1 };
    let made = wire.aws.act(&Action::WriteTemplate(write)).await;
    assert_eq!(
        made.expect("a success"),
        format!("lt-0123456789abcdef0 {number}")
    );
    let [asked, written] = <[_; 2]>::try_from(wire.requests()).expect("two requests");
    let source = ("InstanceId", "i-0123456789abcdef0");
    assert_has(&asked, &[("Action", "GetLaunchTemplateData"), source]);
    written
}

/// TRAP 9: what ties a description to the old instance makes every launch from it fail, or worse,
/// makes new volumes under the devices the old ones are to have.
#[tokio::test]
async fn what_belongs_to_the_old_instance_is_left_out() {
    let request = written(write(), CREATED).await;
    for unwanted in [
        "NetworkInterface",
        "eni-",
        "10.7.0.14",
        "subnet-",
        "AvailabilityZone",
        "HostId",
        "h-1",
        "MarketOptions",
        "persistent",
        "CapacityReservation",
        "snap-",
        "ShutdownBehavior",
        "KeyName",
        "KernelId",
        "RamDiskId",
        "IamInstanceProfile.Name",
        "Tenancy",
    ] {
        assert_lacks(&request, unwanted);
    }
}

#[tokio::test]
async fn what_makes_it_the_same_machine_is_kept() {
    let request = written(write(), CREATED).await;
    let data = [
        ("ImageId", "ami-0123456789abcdef0"),
        ("InstanceType", "t3.large"),
        ("UserData", "IyEvYmluL3NoCg=="),
        ("EbsOptimized", "true"),
        (
            "IamInstanceProfile.Arn",
            "arn:aws:iam::123456789012:instance-profile/db",
        ),
        ("Placement.GroupName", "close"),
        ("MetadataOptions.HttpTokens", "required"),
        ("MetadataOptions.HttpPutResponseHopLimit", "2"),
        ("Monitoring.Enabled", "true"),
        ("CpuOptions.CoreCount", "1"),
        ("CreditSpecification.CpuCredits", "unlimited"),
        ("SecurityGroupId.1", "sg-0aaaaaaaaaaaaaaa1"),
        ("BlockDeviceMapping.1.DeviceName", "/dev/xvda"),
        ("BlockDeviceMapping.1.Ebs.VolumeType", "gp3"),
        ("BlockDeviceMapping.1.Ebs.DeleteOnTermination", "true"),
        ("TagSpecification.1.ResourceType", "instance"),
        ("TagSpecification.1.Tag.1.Key", "Name"),
    ];
    for (name, value) in data {
        assert_has(&request, &[(&format!("LaunchTemplateData.{name}"), value)]);
    }
    assert_has(
        &request,
        &[
            ("Action", "CreateLaunchTemplate"),
            ("LaunchTemplateName", "spot-rescue-i-0123456789abcdef0"),
            ("ClientToken", "token-3"),
            ("TagSpecification.1.ResourceType", "launch-template"),
            ("TagSpecification.1.Tag.1.Key", "spot-rescue:rescue"),
        ],
    );
}

/// TRAP 9: an empty string is the wire form of "no device"; omitted, the image's volume comes.
#[tokio::test]
async fn every_other_device_is_kept_empty() {
    let request = written(write(), CREATED).await;
    for (n, device) in [(2, "/dev/sdf"), (3, "/dev/sdh")] {
        let mapping = format!("LaunchTemplateData.BlockDeviceMapping.{n}");
        let name = format!("{mapping}.DeviceName");
        assert_has(
            &request,
            &[(&name, device), (&format!("{mapping}.NoDevice"), "")],
        );
        assert!(
            !request
                .keys()
                .any(|it| it.starts_with(&format!("{mapping}.Ebs")))
        );
    }
}

/// TRAP 10: security groups stand beside the interfaces or inside one, never both.
#[tokio::test]
async fn a_public_address_needs_an_interface_that_holds_the_groups() {
    let mut write = write();
    write.spec.public_address = true;
    let request = written(write, CREATED).await;
    let interface = "LaunchTemplateData.NetworkInterface.1";
    assert_has(
        &request,
        &[
            (&format!("{interface}.DeviceIndex"), "0"),
            (&format!("{interface}.AssociatePublicIpAddress"), "true"),
            (
                &format!("{interface}.SecurityGroupId.1"),
                "sg-0aaaaaaaaaaaaaaa1",
            ),
        ],
    );
    assert_lacks(&request, "LaunchTemplateData.SecurityGroupId");
    assert_lacks(&request, "eni-");
}

/// Where a launch is to name another interface, groups beside it would be refused; no public address is
/// asked for, the subnet says.
#[tokio::test]
async fn groups_stand_inside_an_interface_that_may_be_replaced() {
    let mut write = write();
    write.spec.groups_on_interface = true;
    let request = written(write, CREATED).await;
    let interface = "LaunchTemplateData.NetworkInterface.1";
    let groups = format!("{interface}.SecurityGroupId.1");
    let device = format!("{interface}.DeviceIndex");
    let expected = [(&*device, "0"), (&*groups, "sg-0aaaaaaaaaaaaaaa1")];
    assert_has(&request, &expected);
    assert_lacks(&request, "LaunchTemplateData.SecurityGroupId");
    assert_lacks(&request, "AssociatePublicIpAddress");
}

/// Core counts and credits of one type are refused for another.
#[tokio::test]
async fn what_fits_one_type_is_left_out_where_there_are_several() {
    let mut write = write();
    write.spec.one_type = false;
    let request = written(write, CREATED).await;
    assert_lacks(&request, "CpuOptions");
    assert_lacks(&request, "CreditSpecification");
}

/// TRAP 51: what an account or a type may refuse, and nothing else; how far a token may go stays as it was.
#[tokio::test]
async fn a_plain_one_has_no_cpu_options_and_requires_tokens_and_is_the_same_otherwise() {
    let optional = SHOWN.replace("<httpTokens>required", "<httpTokens>optional");
    let start = optional.find("<metadataOptions>").expect("they are shown");
    let end = optional.find("<monitoring>").expect("it is shown");
    let unknown = [&optional[..start], &optional[end..]].concat();
    for shown in [&optional, &unknown] {
        let [as_it_was, plain] = [false, true].map(|plain| {
            let mut write = write();
            write.spec.plain = plain;
            written_of(shown, write, CREATED)
        });
        let (as_it_was, plain) = (as_it_was.await, plain.await);
        let tokens = "LaunchTemplateData.MetadataOptions.HttpTokens";
        let cpu = "LaunchTemplateData.CpuOptions";
        let before = as_it_was.get(tokens).map(String::as_str);
        assert_eq!(before, (shown == &optional).then_some("optional"));
        assert_has(&as_it_was, &[(&format!("{cpu}.CoreCount"), "1")]);
        let mut expected = as_it_was;
        expected.retain(|it, _| !it.starts_with(cpu));
        expected.insert(tokens.to_owned(), "required".to_owned());
        assert_eq!(plain, expected);
    }
}

/// A new version; the template's tags are the record and are written by themselves.
#[tokio::test]
async fn an_existing_template_gets_a_version() {
    let existing = Some((id("lt-0123456789abcdef0"), Some(5)));
    let request = written(
        WriteTemplate {
            existing,
            ..write()
        },
        ADDED,
    )
    .await;
    assert_has(
        &request,
        &[
            ("Action", "CreateLaunchTemplateVersion"),
            ("LaunchTemplateId", "lt-0123456789abcdef0"),
            ("ClientToken", "token-3"),
            ("LaunchTemplateData.ImageId", "ami-0123456789abcdef0"),
        ],
    );
    assert!(!request.contains_key("TagSpecification.1.ResourceType"));
    assert!(!request.contains_key("SourceVersion"));
}

#[tokio::test]
async fn an_answer_without_data_writes_nothing() {
    let wire = Wire::new([ok("<GetLaunchTemplateDataResponse/>")]);
    let error = wire.aws.act(&Action::WriteTemplate(write())).await;
    assert_eq!(error.unwrap_err().operation, "GetLaunchTemplateData");
    assert_eq!(wire.requests().len(), 1);
}

/// Which version is launched follows from the answer alone: without a number nothing is.
#[tokio::test]
async fn an_answer_without_a_number_is_no_success() {
    let nameless = "<CreateLaunchTemplateResponse><launchTemplate>\
        <launchTemplateId>lt-0123456789abcdef0</launchTemplateId></launchTemplate>\
        </CreateLaunchTemplateResponse>";
    let existing = Some((id("lt-0123456789abcdef0"), None));
    for (existing, answer, operation) in [
        (None, nameless, "CreateLaunchTemplate"),
        (
            existing,
            "<CreateLaunchTemplateVersionResponse/>",
            "CreateLaunchTemplateVersion",
        ),
    ] {
        let wire = Wire::new([ok(SHOWN), ok(answer)]);
        let write = WriteTemplate {
            existing,
            ..write()
        };
        let error = wire.aws.act(&Action::WriteTemplate(write)).await;
        let error = error.unwrap_err();
        assert_eq!((error.operation, error.code.as_str()), (operation, "Empty"));
    }
}
