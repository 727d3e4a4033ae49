//! `GetLaunchTemplateData` -> `CreateLaunchTemplate`: TRAP 9, TRAP 10.

use super::replay::{Answer, Wire, assert_has, assert_lacks, id, ok};
use super::run::VERSION;
use spot_rescue::cloud::Cloud;
use spot_rescue::situation::{PublicAddress, VolumeSettings};
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

/// Another caller has added two versions since ours.
const ADDED: &str = "<CreateLaunchTemplateVersionResponse><launchTemplateVersion>\
    <launchTemplateId>lt-0123456789abcdef0</launchTemplateId><versionNumber>8</versionNumber>\
    </launchTemplateVersion></CreateLaunchTemplateVersionResponse>";

fn write() -> WriteTemplate {
    let text = |it: &str| it.to_owned();
    WriteTemplate {
        source: id("i-0123456789abcdef0"),
        name: text("spot-rescue-i-0123456789abcdef0"),
        existing: None,
        extends: false,
        image: None,
        spec: TemplateSpec {
            instance_tags: Tags::from([(text("Name"), text("db"))]),
            security_groups: vec![text("sg-0aaaaaaaaaaaaaaa1")],
            volume_tags: Tags::from([(text("backup"), text("daily"))]),
            interface_tags: Tags::from([(text("team"), text("db"))]),
            public_address: Some(PublicAddress::Refused),
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
            bare: false,
        },
        tags: Tags::from([(text("spot-rescue:rescue"), text("i-0123456789abcdef0"))]),
        token: text("token-3"),
    }
}

/// The second request, made from the answer to the first.
async fn written(write: WriteTemplate, answer: &str) -> BTreeMap<String, String> {
    written_of(SHOWN, write, answer).await
}

/// EC2's description of the type, if it is read.
const T3: &str = "<item><instanceType>t3.large</instanceType>\
    <burstablePerformanceSupported>true</burstablePerformanceSupported><vCpuInfo><defaultVCpus>2</defaultVCpus>\
    <defaultCores>1</defaultCores><defaultThreadsPerCore>2</defaultThreadsPerCore><validCores><item>1</item>\
    </validCores><validThreadsPerCore><item>1</item><item>2</item></validThreadsPerCore></vCpuInfo></item>";

fn types(items: &str) -> String {
    format!(
        "<DescribeInstanceTypesResponse><instanceTypeSet>{items}</instanceTypeSet></DescribeInstanceTypesResponse>"
    )
}

/// The same for an instance with this description.
async fn written_of(shown: &str, write: WriteTemplate, answer: &str) -> BTreeMap<String, String> {
    written_as(shown, T3, write, answer).await
}

/// And a type with this description.
async fn written_as(
    shown: &str,
    of_type: &str,
    write: WriteTemplate,
    answer: &str,
) -> BTreeMap<String, String> {
    let mut answers = vec![ok(shown)];
    answers.extend(write.spec.one_type.then(|| ok(types(of_type))));
    answers.push(ok(answer));
    let wire = Wire::new(answers);
    let number = if write.existing.is_some() { 8 } else { 1 };
    let made = wire.aws.act(&Action::WriteTemplate(write)).await;
    assert_eq!(
        made.expect("a success"),
        format!("lt-0123456789abcdef0 {number}")
    );
    let mut requests = wire.requests();
    let source = ("InstanceId", "i-0123456789abcdef0");
    assert_has(&requests[0], &[("Action", "GetLaunchTemplateData"), source]);
    requests.pop().expect("the last")
}

/// TRAP 9: details of the old instance make every launch from its description fail, or worse, make new volumes under
/// the devices that the old ones need.
#[tokio::test]
async fn settings_of_the_old_instance_alone_are_left_out() {
    let request = written(write(), CREATED).await;
    for unwanted in [
        "NetworkInterfaceId",
        "PrivateIpAddress",
        "SubnetId",
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
async fn settings_that_make_it_the_same_machine_are_kept() {
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
        ("NetworkInterface.1.DeviceIndex", "0"),
        (
            "NetworkInterface.1.SecurityGroupId.1",
            "sg-0aaaaaaaaaaaaaaa1",
        ),
        ("MetadataOptions.HttpTokens", "required"),
        ("MetadataOptions.HttpPutResponseHopLimit", "2"),
        ("Monitoring.Enabled", "true"),
        ("CreditSpecification.CpuCredits", "unlimited"),
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

/// TRAP 53, TRAP 10: a public address is asked for or declined in interface 0, with the groups inside it and nowhere
/// else; left open, neither is given.
#[tokio::test]
async fn a_public_address_is_explicitly_asked_for_or_declined() {
    for (public_address, said) in [
        (Some(PublicAddress::Given), Some("true")),
        (Some(PublicAddress::Refused), Some("false")),
        (None, None),
    ] {
        let mut write = write();
        write.spec.public_address = public_address;
        let request = written(write, CREATED).await;
        let interface = "LaunchTemplateData.NetworkInterface.1";
        let groups = format!("{interface}.SecurityGroupId.1");
        let device = format!("{interface}.DeviceIndex");
        let expected = [(&*device, "0"), (&*groups, "sg-0aaaaaaaaaaaaaaa1")];
        assert_has(&request, &expected);
        let public = request.get(&format!("{interface}.AssociatePublicIpAddress"));
        assert_eq!(public.map(String::as_str), said);
        assert_lacks(&request, "LaunchTemplateData.SecurityGroupId");
        assert_lacks(&request, "LaunchTemplateData.NetworkInterface.2");
        assert_lacks(&request, "eni-");
    }
}

/// TRAP 58: a launch on an existing interface gives the network settings itself, and tags for an interface that is
/// not made fail it.
#[tokio::test]
async fn for_a_launch_on_an_interface_nothing_is_said_of_the_network() {
    let mut write = write();
    write.spec.bare = true;
    write.spec.interface_tags.clear();
    let request = written(write, CREATED).await;
    for unwanted in [
        "NetworkInterface",
        "SecurityGroup",
        "network-interface",
        "AssociatePublicIpAddress",
    ] {
        assert_lacks(&request, unwanted);
    }
}

/// TRAP 58: for a launch without that interface after all, a version with network settings is made from the last one:
/// no instance is read, since it has ended.
#[tokio::test]
async fn a_version_that_says_the_network_is_made_of_the_one_before() {
    let wire = Wire::new([ok(ADDED)]);
    let extends = WriteTemplate {
        extends: true,
        existing: Some((id("lt-0123456789abcdef0"), Some(5))),
        spec: TemplateSpec {
            security_groups: vec!["sg-0aaaaaaaaaaaaaaa1".to_owned()],
            public_address: Some(PublicAddress::Refused),
            ..TemplateSpec::default()
        },
        ..write()
    };
    let made = wire.aws.act(&Action::WriteTemplate(extends.clone())).await;
    assert_eq!(made.expect("a success"), "lt-0123456789abcdef0 8");
    let request = wire.only_request();
    let data = request
        .keys()
        .filter(|it| it.starts_with("LaunchTemplateData."));
    let of_network = |it: &&String| it.contains("NetworkInterface.1.");
    assert_eq!(
        data.clone().count(),
        data.filter(of_network).count(),
        "{request:?}"
    );
    assert_has(
        &request,
        &[
            ("Action", "CreateLaunchTemplateVersion"),
            ("SourceVersion", "5"),
            ("ClientToken", "token-3"),
            ("LaunchTemplateData.NetworkInterface.1.DeviceIndex", "0"),
            (
                "LaunchTemplateData.NetworkInterface.1.AssociatePublicIpAddress",
                "false",
            ),
            (
                "LaunchTemplateData.NetworkInterface.1.SecurityGroupId.1",
                "sg-0aaaaaaaaaaaaaaa1",
            ),
        ],
    );
    // Without a source version there is nothing to make it from.
    let wire = Wire::new([]);
    let existing = Some((id("lt-0123456789abcdef0"), None));
    let of_none = WriteTemplate {
        existing,
        ..extends
    };
    assert!(wire.aws.act(&Action::WriteTemplate(of_none)).await.is_err());
}

/// TRAP 54: and the user's tags of the interface that the launch makes now. A version's own tag specifications may take the
/// place of its source's, so those are repeated; where they cannot be read, nothing is said of tags.
#[tokio::test]
async fn a_version_that_says_the_network_repeats_the_tags_of_the_one_before() {
    let extends = WriteTemplate {
        extends: true,
        existing: Some((id("lt-0123456789abcdef0"), Some(17))),
        spec: TemplateSpec {
            interface_tags: Tags::from([("team".to_owned(), "db".to_owned())]),
            ..TemplateSpec::default()
        },
        ..write()
    };
    let denied = Answer::Says(
        403,
        "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>"
            .to_owned(),
    );
    for (version, kinds) in [
        (ok(VERSION), vec!["instance", "network-interface", "volume"]),
        (denied, vec![]),
    ] {
        let wire = Wire::new([version, ok(ADDED)]);
        let made = wire.aws.act(&Action::WriteTemplate(extends.clone())).await;
        assert_eq!(made.expect("a success"), "lt-0123456789abcdef0 8");
        let [asked, added] = <[_; 2]>::try_from(wire.requests()).expect("two requests");
        assert_has(&asked, &[("LaunchTemplateVersion.1", "17")]);
        let specification = |n| format!("LaunchTemplateData.TagSpecification.{n}");
        let said = (1..9).filter_map(|n| added.get(&format!("{}.ResourceType", specification(n))));
        assert_eq!(said.collect::<Vec<_>>(), kinds, "{added:?}");
        if !kinds.is_empty() {
            let key = format!("{}.Tag.1.Key", specification(2));
            assert_has(&added, &[(&key, "team")]);
        }
    }
}

/// TRAP 54: tags for the resources that are made, each kind once, and never for a Spot request, as an On-Demand
/// launch would fail.
#[tokio::test]
async fn volumes_and_interfaces_are_made_with_their_users_tags() {
    let kinds = |request: &BTreeMap<String, String>| -> Vec<String> {
        let kind = |n| {
            request.get(&format!(
                "LaunchTemplateData.TagSpecification.{n}.ResourceType"
            ))
        };
        (1..9).filter_map(kind).cloned().collect()
    };
    let request = written(write(), CREATED).await;
    assert_eq!(kinds(&request), ["instance", "volume", "network-interface"]);
    for (n, key) in [(2, "backup"), (3, "team")] {
        let name = format!("LaunchTemplateData.TagSpecification.{n}.Tag.1.Key");
        assert_has(&request, &[(&name, key)]);
    }
    let mut write = write();
    write.spec.volume_tags.clear();
    write.spec.interface_tags.clear();
    assert_eq!(kinds(&written(write, CREATED).await), ["instance"]);
}

/// By its id, as a shared group has to be named; the partition only together with it.
#[tokio::test]
async fn a_placement_group_is_named_once_with_the_place_in_it() {
    let with = |text: &str| SHOWN.replace("<groupName>close</groupName>", text);
    for (shown, expected) in [
        ("<groupName>close</groupName>", [Some("close"), None, None]),
        ("<groupId>pg-1</groupId>", [None, Some("pg-1"), None]),
        (
            "<groupName>close</groupName><groupId>pg-1</groupId><partitionNumber>3</partitionNumber>",
            [None, Some("pg-1"), Some("3")],
        ),
        (
            "<groupName>close</groupName><groupId/><partitionNumber>0</partitionNumber>",
            [Some("close"), None, None],
        ),
        ("<partitionNumber>2</partitionNumber>", [None, None, None]),
    ] {
        let request = written_of(&with(shown), write(), CREATED).await;
        let said = ["GroupName", "GroupId", "PartitionNumber"].map(|it| {
            let name = format!("LaunchTemplateData.Placement.{it}");
            request.get(&name).map(String::as_str)
        });
        assert_eq!(said, expected, "{shown}");
    }
}

/// TRAP 50: settings that are the type's own, or that it does not support, are left out. The table: the type, the
/// instance as shown, and the options that are given.
#[tokio::test]
async fn options_are_said_only_where_the_type_takes_them_and_has_others() {
    let of = |name: &str, burstable: bool, cores: &str, threads: &str| {
        format!(
            "<item><instanceType>{name}</instanceType><burstablePerformanceSupported>{burstable}\
             </burstablePerformanceSupported><vCpuInfo><defaultCores>4</defaultCores><defaultThreadsPerCore>2\
             </defaultThreadsPerCore><validCores>{cores}</validCores><validThreadsPerCore>{threads}\
             </validThreadsPerCore></vCpuInfo></item>"
        )
    };
    let choice = "<item>1</item><item>2</item><item>4</item>";
    let m5 = of("m5.2xlarge", false, choice, choice);
    let t2 = of("t2.2xlarge", true, "", "");
    let trn1 = of("trn1.2xlarge", false, "", "");
    let shown = |name: &str, cores: u8, threads: u8, extra: &str| {
        let cpu = format!(
            "<coreCount>{cores}</coreCount><threadsPerCore>{threads}</threadsPerCore>{extra}"
        );
        SHOWN.replace("t3.large", name).replace(
            "<coreCount>1</coreCount><threadsPerCore>2</threadsPerCore>",
            &cpu,
        )
    };
    let snp = "<amdSevSnp>enabled</amdSevSnp>";
    for (shown, of_type, cpu, credits) in [
        (shown("m5.2xlarge", 4, 2, ""), &*m5, None, None),
        (shown("m5.2xlarge", 4, 1, ""), &m5, Some("1"), None),
        (shown("m5.2xlarge", 2, 2, ""), &m5, Some("2"), None),
        (shown("m5.2xlarge", 4, 2, snp), &m5, None, None),
        (shown("t2.2xlarge", 8, 1, ""), &t2, None, Some("unlimited")),
        (shown("trn1.2xlarge", 4, 2, ""), &trn1, None, None),
        (shown("gone.large", 1, 1, ""), "", None, None),
    ] {
        let request = written_as(&shown, of_type, write(), CREATED).await;
        let said = |name: &str| {
            request
                .get(&format!("LaunchTemplateData.{name}"))
                .map(String::as_str)
        };
        assert_eq!(said("CpuOptions.ThreadsPerCore"), cpu, "{shown}");
        assert_eq!(said("CreditSpecification.CpuCredits"), credits, "{shown}");
        let special = shown.contains(snp).then_some("enabled");
        assert_eq!(said("CpuOptions.AmdSevSnp"), special);
    }
}

/// Where reading types is denied the options are left out; without an answer the step fails and is planned again.
#[tokio::test]
async fn a_type_that_cannot_be_asked_is_no_reason_to_prepare_nothing() {
    let refused = |code: &str| {
        let body = format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors>\
             <RequestID>r-9</RequestID></Response>"
        );
        Answer::Says(400, body)
    };
    let wire = Wire::new([ok(SHOWN), refused("UnauthorizedOperation"), ok(CREATED)]);
    assert!(wire.aws.act(&Action::WriteTemplate(write())).await.is_ok());
    let written = wire.requests().pop().expect("three");
    assert_lacks(&written, "CpuOptions");
    assert_lacks(&written, "CreditSpecification");
    let wire = Wire::new([ok(SHOWN), refused("InvalidParameterValue")]);
    let error = wire.aws.act(&Action::WriteTemplate(write())).await;
    assert_eq!(error.unwrap_err().operation, "DescribeInstanceTypes");
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

/// TRAP 51: only what an account or a type may refuse is changed; the hop limit stays as it was.
#[tokio::test]
async fn a_plain_version_has_no_cpu_options_and_requires_tokens_and_is_the_same_otherwise() {
    let optional = SHOWN.replace("<httpTokens>required", "<httpTokens>optional");
    let optional = optional.replace("<threadsPerCore>2", "<threadsPerCore>1");
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

/// The version to launch is known from the answer alone: without a number there is none.
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
        let wire = Wire::new([ok(SHOWN), ok(types(T3)), ok(answer)]);
        let write = WriteTemplate {
            existing,
            ..write()
        };
        let error = wire.aws.act(&Action::WriteTemplate(write)).await;
        let error = error.unwrap_err();
        assert_eq!((error.operation, error.code.as_str()), (operation, "Empty"));
    }
}
