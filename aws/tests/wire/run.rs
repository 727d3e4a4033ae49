//! `RunInstances`, for launches on an existing interface.

use super::replay::{Answer, Wire, assert_has, assert_lacks, id, ok};
use spot_rescue::cloud::{Class, Cloud};
use spot_rescue::situation::Market;
use spot_rescue::step::{Action, InstanceTypes, Launch, LaunchTemplate};
use spot_rescue::tags::Tags;
use std::collections::BTreeMap;

const LAUNCHED: &str = "<RunInstancesResponse><requestId>r-1</requestId><instancesSet><item>\
    <instanceId>i-0aaaaaaaaaaaaaaa1</instanceId></item></instancesSet></RunInstancesResponse>";

/// The launch reads its version's tags first.
pub const VERSION: &str = "<DescribeLaunchTemplateVersionsResponse><launchTemplateVersionSet><item>\
    <launchTemplateId>lt-0123456789abcdef0</launchTemplateId><versionNumber>17</versionNumber><launchTemplateData>\
    <tagSpecificationSet><item><resourceType>instance</resourceType><tagSet><item><key>spot-rescue</key>\
    <value>on</value></item></tagSet></item><item><resourceType>volume</resourceType><tagSet><item><key>backup</key>\
    <value>daily</value></item></tagSet></item></tagSpecificationSet></launchTemplateData></item>\
    </launchTemplateVersionSet></DescribeLaunchTemplateVersionsResponse>";

pub fn launch(market: Market) -> Action {
    Action::Launch(Launch {
        template: LaunchTemplate::Version(id("lt-0123456789abcdef0"), 17),
        market,
        instance_types: InstanceTypes::Named(vec!["m6i.large".to_owned()]),
        subnet: id("subnet-0123456789abcdefa"),
        interface: Some(id("eni-0123456789abcdef0")),
        image: None,
        tags: Tags::from([("spot-rescue:rescue".to_owned(), "i-0123".to_owned())]),
        attempt: 0,
        token: "token-1".to_owned(),
    })
}

/// The second of two requests: the first reads the version.
fn launching(wire: &Wire) -> BTreeMap<String, String> {
    let [asked, launched] = <[_; 2]>::try_from(wire.requests()).expect("two requests");
    let version = [
        ("Action", "DescribeLaunchTemplateVersions"),
        ("LaunchTemplateId", "lt-0123456789abcdef0"),
        ("LaunchTemplateVersion.1", "17"),
    ];
    assert_has(&asked, &version);
    launched
}

/// TRAP 58: all tags are given, those of the version as well: AWS does not document whether a request's tags are
/// added to them or replace them. TRAP 10: neither a subnet nor groups beside an interface, nor a flag or a public
/// address for one that exists. A request that is not one-time would be fulfilled again by EC2.
#[tokio::test]
async fn a_launch_on_an_interface_names_it_and_no_other_place() {
    let wire = Wire::new([ok(VERSION), ok(LAUNCHED)]);
    let launched = wire.aws.act(&launch(Market::Spot)).await;
    assert_eq!(launched.unwrap(), "i-0aaaaaaaaaaaaaaa1");
    let request = launching(&wire);
    let spot = "InstanceMarketOptions.SpotOptions";
    assert_has(
        &request,
        &[
            ("Action", "RunInstances"),
            ("MinCount", "1"),
            ("MaxCount", "1"),
            ("ClientToken", "token-1"),
            ("InstanceType", "m6i.large"),
            ("LaunchTemplate.LaunchTemplateId", "lt-0123456789abcdef0"),
            ("LaunchTemplate.Version", "17"),
            ("NetworkInterface.1.DeviceIndex", "0"),
            (
                "NetworkInterface.1.NetworkInterfaceId",
                "eni-0123456789abcdef0",
            ),
            ("InstanceMarketOptions.MarketType", "spot"),
            (&format!("{spot}.SpotInstanceType"), "one-time"),
            (&format!("{spot}.InstanceInterruptionBehavior"), "terminate"),
            ("TagSpecification.1.ResourceType", "instance"),
            ("TagSpecification.1.Tag.1.Key", "spot-rescue"),
            ("TagSpecification.1.Tag.2.Key", "spot-rescue:rescue"),
            ("TagSpecification.2.ResourceType", "volume"),
            ("TagSpecification.2.Tag.1.Key", "backup"),
        ],
    );
    for unwanted in [
        "SubnetId",
        "SecurityGroup",
        "AssociatePublicIpAddress",
        "DeleteOnTermination",
        "Placement",
        "MaxPrice",
        "ImageId",
        "NetworkInterface.2",
        "TagSpecification.3",
    ] {
        assert_lacks(&request, unwanted);
    }
}

#[tokio::test]
async fn an_on_demand_launch_on_an_interface_says_nothing_of_spot() {
    let wire = Wire::new([ok(VERSION), ok(LAUNCHED)]);
    wire.aws.act(&launch(Market::OnDemand)).await.unwrap();
    let request = launching(&wire);
    assert_has(&request, &[("Action", "RunInstances")]);
    assert_lacks(&request, "InstanceMarketOptions");
}

/// EC2 answers it with HTTP 500: repeated, the same request would only cost time.
#[tokio::test]
async fn want_of_capacity_is_not_asked_for_again() {
    let body = "<Response><Errors><Error><Code>InsufficientInstanceCapacity</Code>\
                <Message>We currently do not have sufficient capacity</Message></Error></Errors>\
                <RequestID>r-9</RequestID></Response>";
    let wire = Wire::new([ok(VERSION), Answer::Says(500, body.to_owned())]);
    let error = wire.aws.act(&launch(Market::Spot)).await.unwrap_err();
    assert_eq!(error.class, Class::Capacity);
    assert_has(&launching(&wire), &[("Action", "RunInstances")]);
    // Any other passing error is repeated.
    let passing = body.replace("InsufficientInstanceCapacity", "InternalError");
    let wire = Wire::new([ok(VERSION), Answer::Says(500, passing), ok(LAUNCHED)]);
    assert!(wire.aws.act(&launch(Market::Spot)).await.is_ok());
    assert_eq!(wire.requests().len(), 3);
}

/// Errors that a fleet has inside its answer are errors of the call here, and lead to the same: the next way, another
/// look, or none at all.
#[tokio::test]
async fn a_refusal_says_whether_another_try_makes_sense() {
    for (code, class) in [
        ("InsufficientInstanceCapacity", Class::Capacity),
        ("MaxSpotInstanceCountExceeded", Class::Capacity),
        ("InvalidNetworkInterface.InUse", Class::Transient),
        ("InvalidParameterCombination", Class::Permanent),
        ("IdempotentParameterMismatch", Class::AlreadyDone),
    ] {
        let body = format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors>\
             <RequestID>r-9</RequestID></Response>"
        );
        let wire = Wire::new([ok(VERSION), Answer::Says(400, body)]);
        let error = wire.aws.act(&launch(Market::Spot)).await.unwrap_err();
        assert_eq!(error.operation, "RunInstances");
        assert_eq!((error.code.as_str(), error.class), (code, class));
    }
}
