//! Answers that are errors: which code, which class, which request id; and what is tried again.

use super::replay::{Answer, Wire, id, ok};
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_types::sdk_config::Builder;
use spot_rescue::cloud::{Class, Cloud, Query};
use spot_rescue::event::Wake;
use spot_rescue::situation::{Target, TargetGroup};
use spot_rescue::step::Action;
use spot_rescue_aws::with_timeouts;
use std::time::Duration;

const NO_INSTANCES: &str =
    "<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>";

/// EC2's form of an error.
pub fn ec2(code: &str, message: &str) -> String {
    format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
         <RequestID>request-in-body</RequestID></Response>"
    )
}

pub fn attach() -> Action {
    Action::Attach {
        volume: id("vol-0123456789abcdef0"),
        instance: id("i-0123456789abcdef0"),
        device: "/dev/sdf".to_owned(),
    }
}

fn by_id() -> Query {
    Query::Instances(vec![id("i-0123456789abcdef0")])
}

#[tokio::test]
async fn an_error_of_ec2_keeps_code_message_and_request() {
    let body = ec2("UnauthorizedOperation", "You are not authorized");
    let wire = Wire::new([Answer::Says(403, body)]);
    let error = wire.aws.act(&attach()).await.unwrap_err();
    assert_eq!(error.operation, "AttachVolume");
    assert_eq!(error.code, "UnauthorizedOperation");
    assert_eq!(error.message, "You are not authorized");
    assert_eq!(error.class, Class::Denied);
    assert!(error.request_id.is_some());
    assert_eq!(
        wire.bodies().len(),
        1,
        "a permission does not come by asking"
    );
}

/// The query protocol nests its errors otherwise.
#[tokio::test]
async fn an_error_of_the_load_balancer_keeps_code_and_request() {
    let body = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidTarget</Code>\
        <Message>gone</Message></Error><RequestId>request-in-body</RequestId></ErrorResponse>";
    let action = |register| {
        let arn = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/a/b";
        let group = TargetGroup::Elb(arn.into());
        let targets = vec![Target {
            group: group.clone(),
            id: "i-0123456789abcdef0".to_owned(),
            port: Some(80),
        }];
        if register {
            Action::Register { group, targets }
        } else {
            Action::Deregister { group, targets }
        }
    };
    for (register, class) in [(true, Class::Transient), (false, Class::AlreadyDone)] {
        let wire = Wire::new([Answer::Says(400, body.to_owned())]);
        let error = wire.aws.act(&action(register)).await.unwrap_err();
        assert_eq!(error.code, "InvalidTarget");
        assert_eq!(error.class, class);
        assert!(error.request_id.is_some(), "{error}");
    }
}

/// SQS speaks JSON, its codes have a namespace in front.
#[tokio::test]
async fn an_error_of_the_queue_keeps_its_code() {
    let body = r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no such queue"}"#;
    let wire = Wire::new([Answer::Says(400, body.to_owned())]);
    let wake = Wake::look(id("i-0123456789abcdef0"));
    let action = Action::Wake {
        wake,
        delay_seconds: 5,
    };
    let error = wire.aws.act(&action).await.unwrap_err();
    assert_eq!(error.operation, "SendMessage");
    assert!(error.code.ends_with("QueueDoesNotExist"), "{error}");
    assert_eq!(error.message, "no such queue");
    assert_eq!(error.request_id.as_deref(), Some("request-in-header"));
}

#[tokio::test]
async fn unavailable_once_is_tried_again_under_the_same_id() {
    let wire = Wire::new([
        Answer::Says(503, ec2("Unavailable", "try again")),
        ok("<AttachVolumeResponse/>"),
    ]);
    wire.aws.act(&attach()).await.unwrap();
    let bodies = wire.bodies();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0], bodies[1]);
    let ids = wire.invocation_ids();
    assert!(ids[0].is_some() && ids[0] == ids[1], "{ids:?}");
}

/// EC2's throttling is a 503 with a code of its own; SQS and ELB answer 400.
#[tokio::test]
async fn throttling_of_every_try_is_transient() {
    let refusal = Answer::Says(503, ec2("RequestLimitExceeded", "slow down"));
    let wire = Wire::new(vec![refusal; 3]);
    let error = wire.aws.act(&attach()).await.unwrap_err();
    assert_eq!(error.code, "RequestLimitExceeded");
    assert_eq!(error.class, Class::Transient);
    assert_eq!(wire.bodies().len(), 3);
}

#[tokio::test]
async fn a_reset_connection_is_tried_again() {
    let wire = Wire::new([Answer::Reset, ok("<AttachVolumeResponse/>")]);
    wire.aws.act(&attach()).await.unwrap();
    assert_eq!(wire.bodies().len(), 2);
}

/// It may have been done: the next look tells.
#[tokio::test]
async fn resets_of_every_try_are_transient() {
    let wire = Wire::new(vec![Answer::Reset; 3]);
    let error = wire.aws.act(&attach()).await.unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.class),
        ("Dispatch", Class::Transient)
    );
    assert!(error.message.contains("connection reset"), "{error}");
}

/// The function's own configuration, with shorter times.
fn impatient(builder: Builder) -> Builder {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(100))
        .operation_timeout(Duration::from_secs(5));
    with_timeouts(builder).timeout_config(timeouts.build())
}

#[tokio::test]
async fn a_call_without_an_answer_is_cut_off_and_tried_again() {
    let answers = [Answer::Silence, ok(NO_INSTANCES)];
    let wire = Wire::with(answers, impatient);
    assert_eq!(wire.aws.instances(&by_id()).await, Ok(Vec::new()));
    assert_eq!(wire.bodies().len(), 2);
}

#[tokio::test]
async fn no_answer_to_any_try_is_a_timeout() {
    let wire = Wire::with(vec![Answer::Silence; 3], impatient);
    let error = wire.aws.instances(&by_id()).await.unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.class),
        ("Timeout", Class::Transient)
    );
    assert_eq!(wire.bodies().len(), 3);
}

/// A proxy's page instead of an answer, or nothing at all: nothing is concluded from it. Half an
/// answer is not tried here: the SDK reads XML that breaks off as if the lists in it ended there, and
/// only HTTP's framing, which has no part in this test, tells that something is missing.
#[tokio::test]
async fn an_answer_that_cannot_be_read_is_no_empty_list() {
    for body in ["<html>Bad gateway</html>", ""] {
        let wire = Wire::new([ok(body)]);
        let answer = wire.aws.instances(&by_id()).await;
        assert!(answer.is_err(), "{body:?} was taken for {answer:?}");
    }
}
