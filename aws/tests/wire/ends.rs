//! Calls that end something, and the reads before them: one instance, one request, by name.

use super::replay::{Answer, Wire, assert_has, assert_lacks, id, ok};
use spot_rescue::cloud::{Class, Cloud};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::RequestId;
use spot_rescue::step::Action;

const INSTANCE: &str = "i-0123456789abcdef0";
const REQUEST: &str = "sir-08b93456";

fn terminate() -> Action {
    Action::Terminate {
        instance: id(INSTANCE),
    }
}

/// By a clean shutdown: no parameter that would skip it is sent.
#[tokio::test]
async fn one_instance_is_ended_and_shuts_down() {
    let answer = "<TerminateInstancesResponse><instancesSet><item><instanceId>i-0123456789abcdef0\
        </instanceId><currentState><code>32</code><name>shutting-down</name></currentState>\
        </item></instancesSet></TerminateInstancesResponse>";
    let wire = Wire::new([ok(answer)]);
    wire.aws.act(&terminate()).await.expect("a success");
    let request = wire.only_request();
    let wanted = [("Action", "TerminateInstances"), ("InstanceId.1", INSTANCE)];
    assert_has(&request, &wanted);
    for absent in ["InstanceId.2", "SkipOsShutdown", "Force"] {
        assert_lacks(&request, absent);
    }
}

/// The refusal is permanent: the way back depends on it.
#[tokio::test]
async fn ending_a_protected_instance_is_refused_for_good() {
    for (code, class) in [
        ("OperationNotPermitted", Class::Permanent),
        ("UnauthorizedOperation", Class::Denied),
    ] {
        let refused = super::errors::ec2(code, "may not be terminated");
        let wire = Wire::new([Answer::Says(400, refused)]);
        let error = wire.aws.act(&terminate()).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.class), (code, class));
        assert_eq!(error.operation, "TerminateInstances");
    }
}

#[tokio::test]
async fn termination_protection_is_read_and_a_missing_value_counts_as_on() {
    for (value, expected) in [
        (
            "<disableApiTermination><value>false</value></disableApiTermination>",
            false,
        ),
        (
            "<disableApiTermination><value>true</value></disableApiTermination>",
            true,
        ),
        ("", true),
    ] {
        let name = "DescribeInstanceAttributeResponse";
        let wire = Wire::new([ok(format!("<{name}>{value}</{name}>"))]);
        let termination_protected = wire.aws.is_termination_protected(&id(INSTANCE)).await;
        assert_eq!(termination_protected, Ok(expected), "{value}");
        assert_has(
            &wire.only_request(),
            &[
                ("Action", "DescribeInstanceAttribute"),
                ("InstanceId", INSTANCE),
                ("Attribute", "disableApiTermination"),
            ],
        );
    }
}

#[tokio::test]
async fn one_request_is_cancelled() {
    let answer = "<CancelSpotInstanceRequestsResponse><spotInstanceRequestSet><item>\
        <spotInstanceRequestId>sir-08b93456</spotInstanceRequestId><state>cancelled</state>\
        </item></spotInstanceRequestSet></CancelSpotInstanceRequestsResponse>";
    let wire = Wire::new([ok(answer)]);
    let action = Action::CancelRequest {
        request: id(REQUEST),
    };
    wire.aws.act(&action).await.expect("a success");
    let request = wire.only_request();
    assert_has(
        &request,
        &[
            ("Action", "CancelSpotInstanceRequests"),
            ("SpotInstanceRequestId.1", REQUEST),
        ],
    );
    assert_lacks(&request, "SpotInstanceRequestId.2");
}

fn described(id: &str, kind: &str, state: &str, more: &str) -> String {
    format!(
        "<item><spotInstanceRequestId>{id}</spotInstanceRequestId><type>{kind}</type>\
         <state>{state}</state>{more}</item>"
    )
}

fn page(items: &str, next: &str) -> String {
    format!(
        "<DescribeSpotInstanceRequestsResponse><spotInstanceRequestSet>{items}\
         </spotInstanceRequestSet>{next}</DescribeSpotInstanceRequestsResponse>"
    )
}

/// TRAP 25, TRAP 35: by filter, every page; four fields tell what EC2 will do by itself.
#[tokio::test]
async fn requests_are_read_page_by_page_with_what_they_will_do() {
    let stops = "<instanceInterruptionBehavior>stop</instanceInterruptionBehavior>\
        <instanceId>i-0123456789abcdef0</instanceId>\
        <tagSet><item><key>spot-rescue:rescue</key><value>i-1</value></item></tagSet>";
    let ends = "<instanceInterruptionBehavior>terminate</instanceInterruptionBehavior>";
    let first = described(REQUEST, "persistent", "active", stops);
    let taken = "<status><code>instance-terminated-no-capacity</code>\
        <updateTime>2026-11-23T10:00:00.000Z</updateTime></status>";
    let second = described(
        "sir-08b93457",
        "one-time",
        "closed",
        &(ends.to_owned() + taken),
    );
    let third = described("sir-1a2b3c4d", "persistent", "disabled", ends);
    let wire = Wire::new([
        ok(page(&first, "<nextToken>two</nextToken>")),
        ok(page(&(second + &third), "")),
    ]);
    let ids: [RequestId; 3] = [id(REQUEST), id("sir-08b93457"), id("sir-1a2b3c4d")];
    let found = wire.aws.requests(&ids).await.unwrap();
    let read: Vec<_> = found
        .iter()
        .map(|it| {
            (
                it.id.as_str(),
                it.persistent,
                it.behaviour,
                it.live,
                it.disabled,
            )
        })
        .collect();
    assert_eq!(
        read,
        [
            (REQUEST, true, InstanceAction::Stop, true, false),
            (
                "sir-08b93457",
                false,
                InstanceAction::Terminate,
                false,
                false
            ),
            ("sir-1a2b3c4d", true, InstanceAction::Terminate, true, true),
        ]
    );
    let ended: Vec<_> = found.iter().map(|it| it.end.as_ref()).collect();
    assert!(ended[0].is_none() && ended[2].is_none());
    assert!(ended[1].is_some_and(|it| it.by_spot && it.at.is_some()));
    assert_eq!(found[0].instance, Some(id(INSTANCE)));
    assert!(found[0].tags.contains_key("spot-rescue:rescue"));
    let requests = wire.requests();
    assert_has(
        &requests[0],
        &[
            ("Action", "DescribeSpotInstanceRequests"),
            ("Filter.1.Name", "spot-instance-request-id"),
            ("Filter.1.Value.1", REQUEST),
            ("Filter.1.Value.2", "sir-08b93457"),
        ],
    );
    assert_lacks(&requests[0], "NextToken");
    assert_has(&requests[1], &[("NextToken", "two")]);
}
