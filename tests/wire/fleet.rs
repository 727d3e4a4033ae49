//! `CreateFleet`.

use super::replay::{Wire, assert_has, assert_lacks, id, ok};
use spot_rescue::cloud::{Class, Cloud};
use spot_rescue::situation::Market;
use spot_rescue::step::{Action, InstanceTypes, Launch, LaunchTemplate};
use spot_rescue::tags::Tags;

const LAUNCHED: &str = "<CreateFleetResponse><requestId>r-1</requestId><fleetId>fleet-1</fleetId>\
    <errorSet/><fleetInstanceSet><item><instanceIds><item>i-0aaaaaaaaaaaaaaa1</item></instanceIds>\
    <lifecycle>spot</lifecycle></item></fleetInstanceSet></CreateFleetResponse>";

fn launch(market: Market) -> Action {
    Action::Launch(Launch {
        template: LaunchTemplate::Id(id("lt-0123456789abcdef0")),
        market,
        instance_types: InstanceTypes::Named(vec!["m6i.large".to_owned(), "m7i.large".to_owned()]),
        subnet: id("subnet-0123456789abcdefa"),
        tags: Tags::from([("team".to_owned(), "a & b = c/ü".to_owned())]),
        attempt: 0,
        token: "token-1".to_owned(),
    })
}

fn errors(list: &[(&str, &str)]) -> String {
    let item = |(code, message): &(&str, &str)| {
        format!(
            "<item><errorCode>{code}</errorCode><errorMessage>{message}</errorMessage>\
             <lifecycle>spot</lifecycle></item>"
        )
    };
    let items: String = list.iter().map(item).collect();
    format!(
        "<CreateFleetResponse><requestId>r-2</requestId><fleetId>fleet-2</fleetId>\
         <errorSet>{items}</errorSet><fleetInstanceSet/></CreateFleetResponse>"
    )
}

/// TRAP 8: `instant`, or EC2 relaunches for ever. The market is said once, by the fleet: a template
/// with market options, or a second way to say it, is refused.
#[tokio::test]
async fn a_launch_is_one_instant_fleet() {
    let wire = Wire::new([ok(LAUNCHED)]).await;
    let launched = wire.aws.act(&launch(Market::Spot)).await;
    assert_eq!(launched.unwrap(), "i-0aaaaaaaaaaaaaaa1");
    let request = wire.only_request();
    let config = "LaunchTemplateConfigs.1";
    let template = format!("{config}.LaunchTemplateSpecification");
    assert_has(
        &request,
        &[
            ("Action", "CreateFleet"),
            ("Type", "instant"),
            ("ClientToken", "token-1"),
            ("TargetCapacitySpecification.TotalTargetCapacity", "1"),
            (
                "TargetCapacitySpecification.DefaultTargetCapacityType",
                "spot",
            ),
            ("SpotOptions.AllocationStrategy", "price-capacity-optimized"),
            (
                &format!("{template}.LaunchTemplateId"),
                "lt-0123456789abcdef0",
            ),
            (&format!("{template}.Version"), "$Latest"),
            ("TagSpecification.1.ResourceType", "instance"),
            ("TagSpecification.1.Tag.1.Key", "team"),
            ("TagSpecification.1.Tag.1.Value", "a & b = c/ü"),
            ("TagSpecification.2.ResourceType", "fleet"),
        ],
    );
    for (n, (instance_type, zone)) in [("m6i", 'a'), ("m6i", 'b'), ("m7i", 'a'), ("m7i", 'b')]
        .into_iter()
        .enumerate()
    {
        let pool = format!("{config}.Overrides.{}", n + 1);
        assert_has(
            &request,
            &[
                (
                    &format!("{pool}.InstanceType"),
                    &format!("{instance_type}.large"),
                ),
                (
                    &format!("{pool}.SubnetId"),
                    &format!("subnet-0123456789abcdef{zone}"),
                ),
            ],
        );
    }
    for unwanted in [
        "MarketOptions",
        "MaxPrice",
        "ValidUntil",
        "Overrides.5",
        "LaunchTemplateName",
    ] {
        assert_lacks(&request, unwanted);
    }
}

#[tokio::test]
async fn an_on_demand_launch_says_nothing_of_spot() {
    let wire = Wire::new([ok(LAUNCHED)]).await;
    wire.aws.act(&launch(Market::OnDemand)).await.unwrap();
    let request = wire.only_request();
    let market = "TargetCapacitySpecification.DefaultTargetCapacityType";
    assert_has(&request, &[("Type", "instant"), (market, "on-demand")]);
    assert_lacks(&request, "SpotOptions");
}

/// TRAP 8: a 200 without an instance is a failure, with the code that was given for it.
#[tokio::test]
async fn errors_inside_a_200_are_errors() {
    let body = errors(&[("InsufficientInstanceCapacity", "none left")]);
    let wire = Wire::new([ok(body)]).await;
    let error = wire.aws.act(&launch(Market::Spot)).await.unwrap_err();
    assert_eq!(error.code, "InsufficientInstanceCapacity");
    assert_eq!(error.class, Class::Capacity);
    assert!(error.request_id.is_some(), "{error}");
    assert_eq!(wire.requests().len(), 1, "the next try is another request");
}

/// Four pools, three reasons: if one of them allows another way, it is taken.
#[tokio::test]
async fn the_error_that_allows_another_way_goes_first() {
    let body = errors(&[
        ("InvalidParameterValue", "no such type"),
        ("UnfulfillableCapacity", "none left"),
        ("InvalidSubnetID.NotFound", "gone"),
    ]);
    let wire = Wire::new([ok(body)]).await;
    let error = wire.aws.act(&launch(Market::Spot)).await.unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.class),
        ("UnfulfillableCapacity", Class::Capacity)
    );
    for part in ["InvalidParameterValue: no such type", "gone"] {
        assert!(error.message.contains(part), "{error}");
    }
}

#[tokio::test]
async fn no_instance_and_no_error_is_no_capacity() {
    let wire = Wire::new([ok(errors(&[]))]).await;
    let error = wire.aws.act(&launch(Market::Spot)).await.unwrap_err();
    assert_eq!(error.class, Class::Capacity);
}

/// Another pool was short, but there is an instance: a success.
#[tokio::test]
async fn an_instance_beside_errors_counts() {
    let error = "<item><errorCode>InsufficientInstanceCapacity</errorCode></item>";
    let body = LAUNCHED.replace("<errorSet/>", &format!("<errorSet>{error}</errorSet>"));
    let wire = Wire::new([ok(body)]).await;
    let launched = wire.aws.act(&launch(Market::Spot)).await;
    assert_eq!(launched.unwrap(), "i-0aaaaaaaaaaaaaaa1");
}

/// TRAP 7: someone else is ahead of us with this token.
#[tokio::test]
async fn a_token_used_otherwise_counts_as_done() {
    let body = super::errors::ec2("IdempotentParameterMismatch", "other parameters");
    let wire = Wire::new([super::replay::Answer::Says(400, body)]).await;
    let error = wire.aws.act(&launch(Market::Spot)).await.unwrap_err();
    assert_eq!(error.class, Class::AlreadyDone);
}
