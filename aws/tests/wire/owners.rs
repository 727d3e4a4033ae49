//! Fleets, and resources that AWS services manage.

use super::errors::ec2;
use super::replay::{Answer, Wire, assert_has, ok};
use spot_rescue::cloud::{Cloud, Query};
use spot_rescue::situation::{Fleet, Market};

const INSTANCE: &str = "i-0aaaaaaaaaaaaaaa1";

fn fleet(id: &str, kind: &str, state: &str) -> Answer {
    ok(format!(
        "<DescribeFleetsResponse><requestId>r-1</requestId><fleetSet><item><fleetId>{id}</fleetId>\
         <fleetState>{state}</fleetState><type>{kind}</type></item></fleetSet></DescribeFleetsResponse>"
    ))
}

fn spot_fleet(id: &str, kind: &str) -> Answer {
    ok(format!(
        "<DescribeSpotFleetRequestsResponse><requestId>r-1</requestId><spotFleetRequestConfigSet><item>\
         <spotFleetRequestId>{id}</spotFleetRequestId><spotFleetRequestState>active</spotFleetRequestState>\
         <spotFleetRequestConfig><iamFleetRole>arn</iamFleetRole><targetCapacity>1</targetCapacity>{kind}\
         </spotFleetRequestConfig></item></spotFleetRequestConfigSet></DescribeSpotFleetRequestsResponse>"
    ))
}

fn ids(of: &[&str]) -> Vec<String> {
    of.iter().map(|it| (*it).to_owned()).collect()
}

/// Each by its id, or no instant fleet is shown; and each by itself, or one that is gone fails the rest.
#[tokio::test]
async fn fleets_are_asked_for_one_by_one() {
    let wire = Wire::new([
        fleet("fleet-1", "maintain", "active"),
        fleet("fleet-2", "instant", "active"),
        fleet("fleet-3", "maintain", "deleted_running"),
        Answer::Says(400, ec2("InvalidFleetId.NotFound", "no such fleet")),
        spot_fleet("sfr-1", "<type>maintain</type>"),
        spot_fleet("sfr-2", "<type>request</type>"),
        spot_fleet("sfr-3", ""),
        Answer::Says(
            400,
            ec2("InvalidSpotFleetRequestId.NotFound", "no such request"),
        ),
    ]);
    let named = ids(&[
        "fleet-1", "fleet-2", "fleet-3", "fleet-4", "sfr-1", "sfr-2", "sfr-3", "sfr-4",
    ]);
    let found = wire.aws.fleets(&named).await.expect("they are read");
    let known = [
        ("fleet-1", true),
        ("fleet-2", false),
        ("fleet-3", false),
        ("sfr-1", true),
        ("sfr-2", false),
        ("sfr-3", true),
    ];
    let known = known.map(|(id, maintains)| Fleet {
        id: id.to_owned(),
        maintains,
    });
    assert_eq!(found, known);
    let requests = wire.requests();
    for (request, id) in requests.iter().zip(&named) {
        let of_spot = ("SpotFleetRequestId.1", id.as_str());
        let of_ec2 = ("FleetId.1", id.as_str());
        assert_has(
            request,
            &[if Fleet::is_spot(id) { of_spot } else { of_ec2 }],
        );
    }
}

/// A fleet that cannot be read is not taken for gone.
#[tokio::test]
async fn a_fleet_that_may_not_be_read_is_no_fleet_that_is_gone() {
    let wire = Wire::new([Answer::Says(403, ec2("UnauthorizedOperation", "no"))]);
    let error = wire
        .aws
        .fleets(&ids(&["fleet-1"]))
        .await
        .expect_err("it is denied");
    assert_eq!(
        (error.operation, error.code.as_str()),
        ("DescribeFleets", "UnauthorizedOperation")
    );
}

fn operator(managed: bool) -> String {
    let principal = "<principal>ecs.amazonaws.com</principal>";
    format!("<operator><managed>{managed}</managed>{principal}</operator>")
}

fn instance(more: &str) -> Answer {
    ok(format!(
        "<DescribeInstancesResponse><requestId>r-1</requestId><reservationSet><item><reservationId>r-1</reservationId>\
         <instancesSet><item><instanceId>{INSTANCE}</instanceId><imageId>ami-0123456789abcdef0</imageId>\
         <instanceState><code>16</code><name>running</name></instanceState><instanceType>m6i.large</instanceType>\
         <launchTime>2026-11-23T10:00:00.000Z</launchTime><placement><availabilityZone>eu-west-1a</availabilityZone>\
         </placement>{more}</item></instancesSet></item></reservationSet></DescribeInstancesResponse>"
    ))
}

fn device(name: &str, volume: &str, operator: &str) -> String {
    format!(
        "<item><deviceName>{name}</deviceName><ebs><volumeId>{volume}</volumeId><deleteOnTermination>true\
         </deleteOnTermination>{operator}</ebs></item>"
    )
}

fn interface(id: &str, device: u8, address: &str, operator: &str) -> String {
    format!(
        "<item><networkInterfaceId>{id}</networkInterfaceId><attachment><attachmentId>eni-attach-1</attachmentId>\
         <deviceIndex>{device}</deviceIndex></attachment><privateIpAddressesSet><item><privateIpAddress>{address}\
         </privateIpAddress><primary>true</primary></item></privateIpAddressesSet>{operator}</item>"
    )
}

/// Named with the service, and none of the instance's own.
#[tokio::test]
async fn what_a_service_manages_of_an_instance_is_told_apart() {
    let (own, managed) = ("vol-0aaaaaaaaaaaaaaa1", "vol-0aaaaaaaaaaaaaaa2");
    let (primary, theirs) = ("eni-0aaaaaaaaaaaaaaa1", "eni-0aaaaaaaaaaaaaaa2");
    let devices =
        device("/dev/sdf", own, &operator(false)) + &device("/dev/sdg", managed, &operator(true));
    let interfaces =
        interface(primary, 0, "10.0.0.4", "") + &interface(theirs, 1, "10.0.0.5", &operator(true));
    let wire = Wire::new([instance(&format!(
        "<blockDeviceMapping>{devices}</blockDeviceMapping><networkInterfaceSet>{interfaces}</networkInterfaceSet>"
    ))]);
    let query = Query::Instances(vec![INSTANCE.parse().expect("an id")]);
    let found = wire.aws.instances(&query).await.expect("it is read");
    let volumes: Vec<&str> = found[0]
        .devices
        .iter()
        .map(|it| it.volume.as_str())
        .collect();
    let held: Vec<&str> = found[0]
        .interfaces
        .iter()
        .map(|it| it.id.as_str())
        .collect();
    assert_eq!((volumes, held), (vec![own], vec![primary]));
    assert_eq!(found[0].private_addresses, ["10.0.0.4"]);
    assert_eq!(found[0].operated.by, None);
    let parts: Vec<(&str, &str)> = { found[0].operated.parts.iter() }
        .map(|(id, by)| (id.as_str(), by.as_str()))
        .collect();
    assert_eq!(
        parts,
        [
            (theirs, "ecs.amazonaws.com"),
            (managed, "ecs.amazonaws.com")
        ]
    );
}

/// The instance itself; and a Capacity Block is interrupted, as Spot is.
#[tokio::test]
async fn a_managed_instance_says_so_and_a_capacity_block_is_interrupted() {
    let block = "<instanceLifecycle>capacity-block</instanceLifecycle>";
    let wire = Wire::new([instance(&(operator(true) + block))]);
    let query = Query::Instances(vec![INSTANCE.parse().expect("an id")]);
    let found = wire.aws.instances(&query).await.expect("it is read");
    assert_eq!(found[0].operated.by.as_deref(), Some("ecs.amazonaws.com"));
    assert_eq!(found[0].market, Market::Spot);
}
