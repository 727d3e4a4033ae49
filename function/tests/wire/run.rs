//! `RunInstances`, which launches on an interface that exists.

use super::replay::{Answer, Wire, assert_has, assert_lacks, id, ok};
use spot_rescue::cloud::{Class, Cloud};
use spot_rescue::situation::Market;
use spot_rescue::step::{Action, InstanceTypes, Launch, LaunchTemplate};
use spot_rescue::tags::Tags;

const LAUNCHED: &str = "<RunInstancesResponse><requestId>r-1</requestId><instancesSet><item>\
    <instanceId>i-0aaaaaaaaaaaaaaa1</instanceId></item></instancesSet></RunInstancesResponse>";

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

/// TRAP 10: neither a subnet nor groups beside an interface, nor a flag or a public address for one that
/// exists. Of a request that is not one-time EC2 would launch again by itself.
#[tokio::test]
async fn a_launch_on_an_interface_names_it_and_no_other_place() {
    let wire = Wire::new([ok(LAUNCHED)]);
    let launched = wire.aws.act(&launch(Market::Spot)).await;
    assert_eq!(launched.unwrap(), "i-0aaaaaaaaaaaaaaa1");
    let request = wire.only_request();
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
            ("TagSpecification.1.Tag.1.Key", "spot-rescue:rescue"),
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
        "TagSpecification.2",
    ] {
        assert_lacks(&request, unwanted);
    }
}

#[tokio::test]
async fn an_on_demand_launch_on_an_interface_says_nothing_of_spot() {
    let wire = Wire::new([ok(LAUNCHED)]);
    wire.aws.act(&launch(Market::OnDemand)).await.unwrap();
    let request = wire.only_request();
    assert_has(&request, &[("Action", "RunInstances")]);
    assert_lacks(&request, "InstanceMarketOptions");
}

/// EC2 calls it an error of its own (HTTP 500): repeated, the same request would only cost time.
#[tokio::test]
async fn want_of_capacity_is_not_asked_for_again() {
    let body = "<Response><Errors><Error><Code>InsufficientInstanceCapacity</Code>\
                <Message>We currently do not have sufficient capacity</Message></Error></Errors>\
                <RequestID>r-9</RequestID></Response>";
    let wire = Wire::new([Answer::Says(500, body.to_owned())]);
    let error = wire.aws.act(&launch(Market::Spot)).await.unwrap_err();
    assert_eq!(error.class, Class::Capacity);
    assert_has(&wire.only_request(), &[("Action", "RunInstances")]);
    // Anything else that passes is.
    let passing = body.replace("InsufficientInstanceCapacity", "InternalError");
    let wire = Wire::new([Answer::Says(500, passing), ok(LAUNCHED)]);
    assert!(wire.aws.act(&launch(Market::Spot)).await.is_ok());
    assert_eq!(wire.requests().len(), 2);
}

/// What a fleet says inside its answer is an error here, and leads to the same: the next way, another
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
        let wire = Wire::new([Answer::Says(400, body)]);
        let error = wire.aws.act(&launch(Market::Spot)).await.unwrap_err();
        assert_eq!(error.operation, "RunInstances");
        assert_eq!((error.code.as_str(), error.class), (code, class));
    }
}
