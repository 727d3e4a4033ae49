//! The reads: the parameters sent, every page of the answer, and what is believed of it.

use super::replay::{Wire, assert_has, assert_lacks, id, ok};
use spot_rescue::cloud::{Cloud, Query};
use spot_rescue::situation::{
    Balancing, Holder, Likeness, Market, SnapshotState, TargetGroup, Unlike,
};

const A: &str = "i-0aaaaaaaaaaaaaaa1";
const B: &str = "i-0aaaaaaaaaaaaaaa2";

fn instance(id: &str, more: &str) -> String {
    format!(
        "<item><reservationId>r-1</reservationId><instancesSet><item><instanceId>{id}</instanceId>\
         <imageId>ami-0123456789abcdef0</imageId><instanceState><code>16</code><name>running</name>\
         </instanceState><instanceType>m6i.large</instanceType>\
         <launchTime>2026-11-23T10:00:00.000Z</launchTime>\
         <placement><availabilityZone>eu-west-1a</availabilityZone></placement>{more}</item>\
         </instancesSet></item>"
    )
}

fn page(items: &str, next: Option<&str>) -> String {
    let token = next.map(|it| format!("<nextToken>{it}</nextToken>"));
    format!(
        "<DescribeInstancesResponse><requestId>r-1</requestId><reservationSet>{items}\
         </reservationSet>{}</DescribeInstancesResponse>",
        token.unwrap_or_default()
    )
}

fn by_tag() -> Query {
    Query::Tag {
        key: "spot-rescue:rescue",
        values: vec![A.to_owned()],
    }
}

/// "You might receive an empty page with a token": the end is where no token is.
#[tokio::test]
async fn an_empty_page_is_not_the_end() {
    let wire = Wire::new([
        ok(page(&instance(A, ""), Some("two"))),
        ok(page("", Some("three"))),
        ok(page(&instance(B, ""), None)),
    ]);
    let found = wire.aws.instances(&by_tag()).await.unwrap();
    let ids: Vec<&str> = found.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, [A, B]);
    let requests = wire.requests();
    assert!(!requests[0].contains_key("NextToken"));
    assert_has(&requests[1], &[("NextToken", "two")]);
    assert_has(&requests[2], &[("NextToken", "three")]);
    for request in &requests {
        assert_has(request, &[("Filter.1.Name", "tag:spot-rescue:rescue")]);
    }
}

/// Half of a list is no list: what the other half holds must not count as gone.
#[tokio::test]
async fn a_page_that_fails_fails_the_read() {
    let refused = super::errors::ec2("UnauthorizedOperation", "no");
    let wire = Wire::new([
        ok(page(&instance(A, ""), Some("two"))),
        super::replay::Answer::Says(403, refused),
    ]);
    let error = wire.aws.instances(&by_tag()).await.unwrap_err();
    assert_eq!(error.code, "UnauthorizedOperation");
}

/// TRAP 35: by filter, because one id that is gone fails a whole list of ids. A filter takes 200.
#[tokio::test]
async fn many_ids_are_filters_of_two_hundred() {
    let ids = (0..250).map(|n| id(&format!("i-{n:017x}")));
    let wire = Wire::new([ok(page("", None)), ok(page("", None))]);
    let query = Query::Instances(ids.collect());
    assert_eq!(wire.aws.instances(&query).await, Ok(Vec::new()));
    let requests = wire.requests();
    let values = |n: usize| {
        let all = requests[n].keys();
        all.filter(|it| it.starts_with("Filter.1.Value.")).count()
    };
    assert_eq!((values(0), values(1)), (200, 50));
    for request in &requests {
        assert_has(request, &[("Filter.1.Name", "instance-id")]);
        assert!(!request.keys().any(|it| it.starts_with("InstanceId")));
    }
}

/// An empty filter would list everything.
#[tokio::test]
async fn nothing_asked_for_is_no_call() {
    let wire = Wire::new([]);
    let none = Query::Instances(Vec::new());
    assert_eq!(wire.aws.instances(&none).await, Ok(Vec::new()));
    assert_eq!(wire.aws.volumes(&none).await, Ok(Vec::new()));
    assert_eq!(
        wire.aws.images(&Query::Images(vec![])).await,
        Ok(Vec::new())
    );
    assert!(wire.requests().is_empty());
}

/// TRAP 35: On-Demand has no lifecycle; a terminated instance has next to nothing.
#[tokio::test]
async fn an_instance_with_missing_fields_is_read_all_the_same() {
    let spot = "<instanceLifecycle>spot</instanceLifecycle><tagSet><item><key>Name</key><value/>\
        </item></tagSet><blockDeviceMapping><item><deviceName>/dev/sdf</deviceName><ebs>\
        <volumeId>vol-0123456789abcdef0</volumeId><status>attached</status>\
        <deleteOnTermination>true</deleteOnTermination></ebs></item></blockDeviceMapping>";
    let wire = Wire::new([ok(page(&(instance(A, spot) + &instance(B, "")), None))]);
    let found = wire.aws.instances(&by_tag()).await.unwrap();
    assert_eq!(found[0].market, Market::Spot);
    assert_eq!(found[0].tags["Name"], "");
    assert!(found[0].devices[0].delete_on_termination);
    assert_eq!(found[1].market, Market::OnDemand);
    assert_eq!(found[1].devices, Vec::new());
}

/// TRAP 27: without an owner, public snapshots that carry our tags are in the list.
#[tokio::test]
async fn snapshots_are_the_accounts_own() {
    let snapshot = |n: u32, more: &str| {
        format!(
            "<item><snapshotId>snap-0aaaaaaaaaaaaaaa{n}</snapshotId>\
             <volumeId>vol-0123456789abcdef0</volumeId>\
             <startTime>2026-11-23T10:00:00.000Z</startTime>{more}</item>"
        )
    };
    let all = [
        snapshot(1, "<status>completed</status>"),
        snapshot(2, "<status>pending</status>"),
        snapshot(3, "<status>error</status>"),
        snapshot(
            4,
            "<status>completed</status><storageTier>archive</storageTier>",
        ),
        snapshot(5, "<status>recoverable</status>"),
    ];
    let body = format!(
        "<DescribeSnapshotsResponse><snapshotSet>{}</snapshotSet></DescribeSnapshotsResponse>",
        all.concat()
    );
    let wire = Wire::new([ok(body)]);
    let found = wire.aws.snapshots(&by_tag()).await.unwrap();
    let request = wire.only_request();
    assert_has(
        &request,
        &[("Action", "DescribeSnapshots"), ("Owner.1", "self")],
    );
    assert_lacks(&request, "RestorableBy");
    let states: Vec<SnapshotState> = found.iter().map(|it| it.state).collect();
    // The archived one and the one in the Recycle Bin cannot be used within minutes.
    assert_eq!(
        states,
        [
            SnapshotState::Completed,
            SnapshotState::Pending,
            SnapshotState::Unusable
        ]
    );
}

/// TRAP 19, TRAP 20: every port, and what is registered but out of use; nothing outside the VPC.
#[tokio::test]
async fn registrations_are_told_with_port_and_state() {
    let target = |port: u16, state: &str, reason: &str| {
        let zone = if port == 84 { "all" } else { "eu-west-1a" };
        format!(
            "<member><Target><Id>{A}</Id><Port>{port}</Port>\
             <AvailabilityZone>{zone}</AvailabilityZone></Target><TargetHealth>\
             <State>{state}</State><Reason>{reason}</Reason></TargetHealth></member>"
        )
    };
    let all = [
        target(80, "healthy", ""),
        target(81, "draining", "Target.DeregistrationInProgress"),
        target(82, "unused", "Target.InvalidState"),
        target(83, "unused", "Target.NotRegistered"),
        target(84, "healthy", ""),
    ];
    let body = format!(
        "<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions>{}\
         </TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>",
        all.concat()
    );
    let wire = Wire::new([ok(body)]);
    let group = TargetGroup::Elb("arn:group".into());
    let found = wire.aws.targets(&group).await.unwrap();
    let told: Vec<(u16, bool, bool)> = found
        .iter()
        .map(|it| {
            let port = it.target.port.unwrap();
            (port, it.draining, it.answering)
        })
        .collect();
    assert_eq!(
        told,
        [(80, false, true), (81, true, false), (82, false, false)]
    );
    let request = wire.only_request();
    assert_has(&request, &[("TargetGroupArn", "arn:group")]);
    assert_lacks(&request, "Targets.member");
}

/// `lambda` and `alb` groups hold no instances; pages here are told by a marker.
#[tokio::test]
async fn target_groups_of_all_pages_that_can_hold_instances() {
    let page = |groups: &[(&str, &str)], marker: &str| {
        let group = |(arn, kind): &(&str, &str)| {
            format!(
                "<member><TargetGroupArn>{arn}</TargetGroupArn><TargetType>{kind}</TargetType></member>"
            )
        };
        let groups: String = groups.iter().map(group).collect();
        ok(format!(
            "<DescribeTargetGroupsResponse><DescribeTargetGroupsResult><TargetGroups>{groups}\
             </TargetGroups>{marker}</DescribeTargetGroupsResult></DescribeTargetGroupsResponse>"
        ))
    };
    let wire = Wire::new([
        page(
            &[("a", "instance"), ("b", "lambda")],
            "<NextMarker>m</NextMarker>",
        ),
        page(&[("c", "ip"), ("d", "alb")], ""),
    ]);
    let listing = wire.aws.target_groups(Balancing::Elb).await.unwrap();
    let names = listing.groups.iter().map(|it| it.group.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["a", "c"]);
    assert_has(&wire.requests()[1], &[("Marker", "m")]);
}

/// By id or by private address, whatever holds them; an interface that is being detached still names its instance.
#[tokio::test]
async fn interfaces_tell_what_holds_them() {
    let interface = |id: &str, status: &str, attachment: &str| {
        format!(
            "<item><networkInterfaceId>{id}</networkInterfaceId><subnetId>subnet-0123456789abcdef0</subnetId>\
             <availabilityZone>eu-west-1a</availabilityZone><status>{status}</status>{attachment}\
             <privateIpAddressesSet><item><privateIpAddress>10.0.0.12</privateIpAddress>\
             <primary>false</primary></item><item><privateIpAddress>10.0.0.11</privateIpAddress>\
             <primary>true</primary></item></privateIpAddressesSet><tagSet><item><key>a</key><value>b</value>\
             </item></tagSet></item>"
        )
    };
    let page = |items: &str, next: &str| {
        ok(format!(
            "<DescribeNetworkInterfacesResponse><requestId>r</requestId><networkInterfaceSet>{items}\
             </networkInterfaceSet>{next}</DescribeNetworkInterfacesResponse>"
        ))
    };
    let by =
        |instance: &str| format!("<attachment><instanceId>{instance}</instanceId></attachment>");
    let [free, held, service, leaving] = [
        "eni-1aaaaaaa",
        "eni-2aaaaaaa",
        "eni-3aaaaaaa",
        "eni-4aaaaaaa",
    ];
    let first = [
        interface(free, "available", ""),
        interface(held, "in-use", &by(A)),
    ];
    let second = [
        interface(
            service,
            "in-use",
            "<attachment><instanceOwnerId>amazon-elb</instanceOwnerId></attachment>",
        ),
        interface(leaving, "detaching", ""),
    ];
    let wire = Wire::new([
        page(&first.concat(), "<nextToken>two</nextToken>"),
        page(&second.concat(), ""),
    ]);
    let asked = Query::PrivateAddresses(vec!["10.0.0.12".to_owned()]);
    let found = wire.aws.interfaces(&asked).await.unwrap();
    let holders: Vec<&Holder> = found.iter().map(|it| &it.holder).collect();
    let wanted = [
        &Holder::Free,
        &Holder::Instance(id(A)),
        &Holder::Service,
        &Holder::Unsettled,
    ];
    assert_eq!(holders, wanted);
    assert_eq!(
        found[0].addresses,
        ["10.0.0.11", "10.0.0.12"],
        "the primary one first"
    );
    assert_eq!(found[0].tags["a"], "b");
    let requests = wire.requests();
    assert_has(
        &requests[0],
        &[
            ("Filter.1.Name", "addresses.private-ip-address"),
            ("Filter.1.Value.1", "10.0.0.12"),
        ],
    );
    assert_has(&requests[1], &[("NextToken", "two")]);
    let wire = Wire::new([page("", "")]);
    let asked = Query::Interfaces(vec![id(free)]);
    assert_eq!(wire.aws.interfaces(&asked).await.unwrap(), []);
    assert_has(&wire.only_request(), &[("NetworkInterfaceId.1", free)]);
}

/// TRAP 49: two calls, or one where there is nothing more to ask.
/// By ids, one that is not in the bin may fail the call.
#[tokio::test]
async fn the_recycle_bin_is_read_page_by_page_and_without_ids() {
    let page = |volume: &str, next: &str| {
        let item = format!("<item><volumeId>{volume}</volumeId></item>");
        let token = format!("<nextToken>{next}</nextToken>");
        let list = format!("<volumeSet>{item}</volumeSet>{token}");
        let call = "ListVolumesInRecycleBinResponse";
        ok(format!("<{call}>{list}</{call}>"))
    };
    let (first, second) = ("vol-0123456789abcdef1", "vol-0123456789abcdef2");
    let wire = Wire::new([page(first, "more"), page(second, "")]);
    let found = wire.aws.recycled().await.unwrap();
    let ids: Vec<&str> = found.iter().map(|it| it.as_str()).collect();
    assert_eq!(ids, [first, second]);
    let requests = wire.requests();
    assert_eq!(requests.len(), 2);
    for (request, token) in requests.iter().zip([None, Some("more")]) {
        assert_eq!(request["Action"], "ListVolumesInRecycleBin");
        assert_eq!(request.get("NextToken").map(String::as_str), token);
        assert_lacks(request, "VolumeId.1");
    }
    // There is no end of it.
    let wire = Wire::new((0..9).map(|_| page(first, "more")));
    let error = wire.aws.recycled().await.unwrap_err();
    assert!(error.is_too_much(), "{error}");
}

#[tokio::test]
async fn the_default_key_is_asked_for_where_volumes_are_encrypted_by_default() {
    let by_default = |it: bool| {
        ok(format!(
            "<GetEbsEncryptionByDefaultResponse><ebsEncryptionByDefault>{it}</ebsEncryptionByDefault>\
             </GetEbsEncryptionByDefaultResponse>"
        ))
    };
    let key = "arn:aws:kms:eu-west-1:123456789012:key/0f0f";
    let named = ok(format!(
        "<GetEbsDefaultKmsKeyIdResponse><kmsKeyId>{key}</kmsKeyId></GetEbsDefaultKmsKeyIdResponse>"
    ));
    let wire = Wire::new([by_default(true), named]);
    assert_eq!(wire.aws.default_key().await.unwrap().as_deref(), Some(key));
    let actions = wire.requests().into_iter().map(|it| it["Action"].clone());
    let expected = ["GetEbsEncryptionByDefault", "GetEbsDefaultKmsKeyId"];
    assert_eq!(actions.collect::<Vec<_>>(), expected);
    let wire = Wire::new([by_default(false)]);
    assert_eq!(wire.aws.default_key().await.unwrap(), None);
    assert_eq!(wire.requests().len(), 1);
}

/// Settings that the launch template carries without our doing, and those it cannot carry: the same text for the same
/// settings, whether EC2 has applied them yet or not, and each peculiarity by its name.
#[tokio::test]
async fn what_a_replacement_is_like_and_unlike_is_read_of_the_instance() {
    let settings = |state: &str, tokens: &str, monitoring: &str| {
        format!(
            "<metadataOptions><state>{state}</state><httpTokens>{tokens}</httpTokens></metadataOptions>\
             <monitoring><state>{monitoring}</state></monitoring>"
        )
    };
    let nic = "<networkInterfaceSet><item><networkInterfaceId>eni-0123456789abcdef0</networkInterfaceId>\
               <interfaceType>efa</interfaceType><attachment><attachmentId>eni-attach-1</attachmentId>\
               <deviceIndex>0</deviceIndex></attachment><ipv6AddressesSet><item>\
               <ipv6Address>2001:db8::1</ipv6Address></item></ipv6AddressesSet></item></networkInterfaceSet>";
    let peculiar = format!(
        "<sourceDestCheck>false</sourceDestCheck><outpostArn>arn:o</outpostArn><cpuOptions><coreCount>2</coreCount>\
         <threadsPerCore>1</threadsPerCore></cpuOptions><operator><managed>true</managed>\
         <principal>eks.amazonaws.com</principal></operator>{nic}"
    );
    let all = [
        settings("applied", "required", "enabled"),
        settings("pending", "required", "pending"),
        settings("applied", "optional", "enabled"),
        peculiar,
        "<sourceDestCheck>true</sourceDestCheck>".to_owned(),
    ];
    let items: String = all.iter().map(|it| instance(A, it)).collect();
    let body = format!(
        "<DescribeInstancesResponse><reservationSet>{items}</reservationSet></DescribeInstancesResponse>"
    );
    let wire = Wire::new([ok(&body)]);
    let read = wire.aws.instances(&Query::Instances(vec![id(A)])).await;
    let likeness: Vec<Likeness> = read.unwrap().into_iter().map(|it| it.likeness).collect();
    assert_eq!(likeness[0], likeness[1]);
    assert_ne!(likeness[0].settings, likeness[2].settings);
    let expected = [
        Unlike::InterfaceType("efa".to_owned()),
        Unlike::Ipv6(vec!["2001:db8::1".to_owned()]),
        Unlike::Outpost("arn:o".to_owned()),
    ];
    assert_eq!(likeness[3].unlike, expected);
    let cpu = likeness[3].cpu.expect("it has options");
    assert_eq!((cpu.cores, cpu.threads_per_core), (2, 1));
    assert_eq!(likeness[4], Likeness::default());
}
