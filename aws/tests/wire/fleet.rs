//! `CreateFleet`.

use super::replay::{Wire, assert_has, assert_lacks, id, ok};
use spot_rescue::cloud::{Class, Cloud};
use spot_rescue::situation::{Market, Shape};
use spot_rescue::step::{Action, InstanceTypes, Launch, LaunchTemplate};
use spot_rescue::tags::Tags;

const LAUNCHED: &str = "<CreateFleetResponse><requestId>r-1</requestId><fleetId>fleet-1</fleetId>\
    <errorSet/><fleetInstanceSet><item><instanceIds><item>i-0aaaaaaaaaaaaaaa1</item></instanceIds>\
    <lifecycle>spot</lifecycle></item></fleetInstanceSet></CreateFleetResponse>";

pub fn launch(market: Market) -> Action {
    Action::Launch(Launch {
        template: LaunchTemplate::Version(id("lt-0123456789abcdef0"), 17),
        market,
        instance_types: InstanceTypes::Named(vec!["m6i.large".to_owned(), "m7i.large".to_owned()]),
        subnet: id("subnet-0123456789abcdefa"),
        interface: None,
        image: None,
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
    let wire = Wire::new([ok(LAUNCHED)]);
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
            (&format!("{template}.Version"), "17"),
            ("TagSpecification.1.ResourceType", "instance"),
            ("TagSpecification.1.Tag.1.Key", "team"),
            ("TagSpecification.1.Tag.1.Value", "a & b = c/ü"),
            ("TagSpecification.2.ResourceType", "fleet"),
        ],
    );
    for (n, instance_type) in [(1, "m6i.large"), (2, "m7i.large")] {
        let pool = format!("{config}.Overrides.{n}");
        assert_has(
            &request,
            &[
                (&format!("{pool}.InstanceType"), instance_type),
                (&format!("{pool}.SubnetId"), "subnet-0123456789abcdefa"),
            ],
        );
        assert_lacks(&request, &format!("{pool}.Priority"));
    }
    for unwanted in [
        "MarketOptions",
        "MaxPrice",
        "ValidUntil",
        "Overrides.3",
        "LaunchTemplateName",
    ] {
        assert_lacks(&request, unwanted);
    }
}

#[tokio::test]
async fn an_on_demand_launch_says_nothing_of_spot() {
    let wire = Wire::new([ok(LAUNCHED)]);
    wire.aws.act(&launch(Market::OnDemand)).await.unwrap();
    let request = wire.only_request();
    let market = "TargetCapacitySpecification.DefaultTargetCapacityType";
    assert_has(&request, &[("Type", "instant"), (market, "on-demand")]);
    assert_lacks(&request, "SpotOptions");
    let overrides = "LaunchTemplateConfigs.1.Overrides";
    assert_has(
        &request,
        &[
            ("OnDemandOptions.AllocationStrategy", "prioritized"),
            (&format!("{overrides}.1.InstanceType"), "m6i.large"),
            (&format!("{overrides}.1.Priority"), "0.0"),
            (&format!("{overrides}.2.Priority"), "1.0"),
        ],
    );
}

/// "You can specify either instance types or instance attributes, but not both": and what is not said
/// would let accelerators in, and leave the original's own kind out.
#[tokio::test]
async fn a_type_like_the_original_is_asked_for_by_its_attributes() {
    for market in [Market::Spot, Market::OnDemand] {
        let wire = Wire::new([ok(LAUNCHED)]);
        let Action::Launch(named) = launch(market) else {
            panic!("a launch");
        };
        let shape = Shape {
            instance_type: "t3.large".to_owned(),
            vcpus: 2,
            memory_mib: 8192,
            architectures: vec!["x86_64".to_owned()],
            current_generation: true,
            burstable: true,
            ..Shape::default()
        };
        let like = Action::Launch(Launch {
            instance_types: InstanceTypes::Like(shape),
            ..named
        });
        wire.aws.act(&like).await.unwrap();
        let request = wire.only_request();
        let pool = "LaunchTemplateConfigs.1.Overrides.1";
        let wanted = format!("{pool}.InstanceRequirements");
        assert_has(
            &request,
            &[
                (&format!("{pool}.SubnetId"), "subnet-0123456789abcdefa"),
                (&format!("{wanted}.VCpuCount.Min"), "2"),
                (&format!("{wanted}.VCpuCount.Max"), "2"),
                (&format!("{wanted}.MemoryMiB.Min"), "8192"),
                (&format!("{wanted}.AcceleratorCount.Max"), "0"),
                (&format!("{wanted}.InstanceGeneration.1"), "current"),
                (&format!("{wanted}.BurstablePerformance"), "included"),
                (&format!("{wanted}.BareMetal"), "excluded"),
                (&format!("{wanted}.LocalStorage"), "included"),
            ],
        );
        for unwanted in [
            "InstanceType",
            "MemoryMiB.Max",
            "Overrides.2",
            "prioritized",
        ] {
            assert_lacks(&request, unwanted);
        }
    }
}

/// TRAP 8: a 200 without an instance is a failure, with the code that was given for it.
#[tokio::test]
async fn errors_inside_a_200_are_errors() {
    let body = errors(&[("InsufficientInstanceCapacity", "none left")]);
    let wire = Wire::new([ok(body)]);
    let error = wire.aws.act(&launch(Market::Spot)).await.unwrap_err();
    assert_eq!(error.code, "InsufficientInstanceCapacity");
    assert_eq!(error.class, Class::Capacity);
    assert!(error.request_id.is_some(), "{error}");
    assert_eq!(wire.requests().len(), 1, "the next try is another request");
}

/// TRAP 8: each pool has its own reason, and is remembered with it.
#[tokio::test]
async fn errors_are_told_by_type() {
    let item = |name: &str, code: &str| {
        format!(
            "<item><launchTemplateAndOverrides><overrides><instanceType>{name}</instanceType>\
             </overrides></launchTemplateAndOverrides><lifecycle>spot</lifecycle>\
             <errorCode>{code}</errorCode><errorMessage>no</errorMessage></item>"
        )
    };
    let items =
        item("m6i.large", "InsufficientInstanceCapacity") + &item("m7i.large", "Unsupported");
    let empty = format!(
        "<CreateFleetResponse><requestId>r-2</requestId><fleetId>fleet-2</fleetId>\
         <errorSet>{items}</errorSet><fleetInstanceSet/></CreateFleetResponse>"
    );
    let wire = Wire::new([ok(empty)]);
    let error = wire.aws.act(&launch(Market::Spot)).await.unwrap_err();
    assert_eq!(error.refused["m6i.large"], "InsufficientInstanceCapacity");
    assert_eq!(error.refused["m7i.large"], "Unsupported");
    let one = item("m6i.large", "InsufficientInstanceCapacity");
    let launched = LAUNCHED.replace("<errorSet/>", &format!("<errorSet>{one}</errorSet>"));
    let wire = Wire::new([ok(launched)]);
    let what = wire.aws.act(&launch(Market::Spot)).await.unwrap();
    assert!(
        what.starts_with("i-0aaaaaaaaaaaaaaa1 (not m6i.large: Insuff"),
        "{what}"
    );
}

/// The properties of a type, and no error for one that does not exist.
#[tokio::test]
async fn types_are_read_by_filter() {
    let body = "<DescribeInstanceTypesResponse><requestId>r</requestId><instanceTypeSet><item>\
        <instanceType>m6i.large</instanceType><currentGeneration>true</currentGeneration>\
        <bareMetal>false</bareMetal><instanceStorageSupported>false</instanceStorageSupported>\
        <burstablePerformanceSupported>false</burstablePerformanceSupported>\
        <processorInfo><supportedArchitectures><item>x86_64</item></supportedArchitectures>\
        </processorInfo><vCpuInfo><defaultVCpus>2</defaultVCpus></vCpuInfo>\
        <memoryInfo><sizeInMiB>8192</sizeInMiB></memoryInfo></item></instanceTypeSet>\
        </DescribeInstanceTypesResponse>";
    let wire = Wire::new([ok(body)]);
    let names = ["m6i.large".to_owned(), "m99.large".to_owned()];
    let found = wire.aws.shapes(&names).await.unwrap();
    let expected = Shape {
        instance_type: "m6i.large".to_owned(),
        vcpus: 2,
        memory_mib: 8192,
        architectures: vec!["x86_64".to_owned()],
        current_generation: true,
        ..Shape::default()
    };
    assert_eq!(found, [expected]);
    let request = wire.only_request();
    assert_has(
        &request,
        &[
            ("Action", "DescribeInstanceTypes"),
            ("Filter.1.Name", "instance-type"),
            ("Filter.1.Value.2", "m99.large"),
        ],
    );
}

/// Four pools, three reasons: a reason that allows another way goes first.
#[tokio::test]
async fn the_error_that_allows_another_way_goes_first() {
    let body = errors(&[
        ("InvalidParameterValue", "no such type"),
        ("UnfulfillableCapacity", "none left"),
        ("InvalidSubnetID.NotFound", "gone"),
    ]);
    let wire = Wire::new([ok(body)]);
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
    let wire = Wire::new([ok(errors(&[]))]);
    let error = wire.aws.act(&launch(Market::Spot)).await.unwrap_err();
    assert_eq!(error.class, Class::Capacity);
}

/// Another pool was short, but there is an instance: a success.
#[tokio::test]
async fn an_instance_beside_errors_counts() {
    let error = "<item><errorCode>InsufficientInstanceCapacity</errorCode></item>";
    let body = LAUNCHED.replace("<errorSet/>", &format!("<errorSet>{error}</errorSet>"));
    let wire = Wire::new([ok(body)]);
    let launched = wire.aws.act(&launch(Market::Spot)).await;
    let told = "i-0aaaaaaaaaaaaaaa1 (not InsufficientInstanceCapacity: no message)";
    assert_eq!(launched.unwrap(), told);
}

/// TRAP 7: another invocation has used this token before.
#[tokio::test]
async fn a_token_used_otherwise_counts_as_done() {
    let body = super::errors::ec2("IdempotentParameterMismatch", "other parameters");
    let wire = Wire::new([super::replay::Answer::Says(400, body)]);
    let error = wire.aws.act(&launch(Market::Spot)).await.unwrap_err();
    assert_eq!(error.class, Class::AlreadyDone);
}
