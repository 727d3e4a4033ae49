//! Both calls that launch: their time limits, and what is made of every answer.

use super::errors::{attach, ec2};
use super::replay::{Answer, Wire, ok};
use super::{fleet, run};
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::sdk_config::Builder;
use spot_rescue::cloud::{Class, Cloud, CloudError};
use spot_rescue::situation::Market;
use spot_rescue::step::Action;
use spot_rescue_aws::with_timeouts;
use std::time::Duration;

/// The function's own configuration, with shorter times and immediate retries.
fn impatient(whole: Duration) -> impl FnOnce(Builder) -> Builder {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(20))
        .operation_timeout(whole)
        .build();
    let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    move |it| {
        with_timeouts(it)
            .timeout_config(timeouts)
            .retry_config(retries)
    }
}

fn launches() -> [Action; 2] {
    [fleet::launch(Market::Spot), run::launch(Market::Spot)]
}

/// The request for the tags of its version.
fn asked_before(launch: &Action) -> Vec<Answer> {
    let on_interface = matches!(launch, Action::Launch(it) if it.interface.is_some());
    on_interface.then(|| ok(run::VERSION)).into_iter().collect()
}

/// It may have launched by then, and the same token would only be told so.
#[tokio::test]
async fn a_launch_without_an_answer_is_asked_once_and_has_all_the_time() {
    for launch in launches() {
        let whole = impatient(Duration::from_millis(300));
        let before = asked_before(&launch);
        let calls = before.len() + 1;
        let answers = before.into_iter().chain([Answer::Silence]);
        let wire = Wire::with(answers, whole);
        let error = wire.aws.act(&launch).await.unwrap_err();
        let told = (error.code.as_str(), error.class);
        assert_eq!(told, ("Timeout", Class::Transient));
        assert_eq!(wire.bodies().len(), calls);
    }
}

#[tokio::test]
async fn another_call_without_an_answer_is_asked_again() {
    let answers = [Answer::Silence, ok("<AttachVolumeResponse/>")];
    let wire = Wire::with(answers, impatient(Duration::from_secs(5)));
    wire.aws.act(&attach()).await.unwrap();
    assert_eq!(wire.bodies().len(), 2);
}

/// Whatever was configured: the core reckons with this.
#[tokio::test]
async fn whoever_connects_is_in_time() {
    let once = |it: Builder| it.retry_config(RetryConfig::disabled());
    let answers = [Answer::Reset, ok("<AttachVolumeResponse/>")];
    let wire = Wire::connecting(answers, once);
    wire.aws.act(&attach()).await.unwrap();
    assert_eq!(wire.bodies().len(), 2);
}

/// Seconds; the core has no way to know the SDK's.
#[test]
fn a_step_has_as_much_time_as_its_calls_take() {
    let config = with_timeouts(SdkConfig::builder()).build();
    let timeouts = config.timeout_config().expect("timeouts");
    let whole = timeouts.operation_timeout().expect("one for all attempts");
    let attempt = timeouts.operation_attempt_timeout().expect("one for each");
    let backoff = Duration::from_secs(1);
    assert!(attempt * 2 + backoff <= whole, "{timeouts:?}");
    for launch in launches() {
        assert!(launch.budget() > whole);
    }
    let usual = Duration::from_secs(2);
    assert!(attach().budget() >= attempt + usual);
}

/// An answer with these pools, each with its code.
fn refused(pools: &[(&str, &str)]) -> Answer {
    let item = |(name, code): &(&str, &str)| {
        format!(
            "<item><launchTemplateAndOverrides><overrides><instanceType>{name}</instanceType>\
             </overrides></launchTemplateAndOverrides><lifecycle>spot</lifecycle>\
             <errorCode>{code}</errorCode><errorMessage>says {code}</errorMessage></item>"
        )
    };
    let items: String = pools.iter().map(item).collect();
    ok(format!(
        "<CreateFleetResponse><requestId>r-2</requestId><fleetId>fleet-2</fleetId>\
         <errorSet>{items}</errorSet><fleetInstanceSet/></CreateFleetResponse>"
    ))
}

async fn answered(launch: &Action, answer: Answer) -> Result<String, CloudError> {
    let before = asked_before(launch);
    let calls = before.len() + 1;
    let wire = Wire::new(before.into_iter().chain([answer]));
    let launched = wire.aws.act(launch).await;
    assert_eq!(wire.bodies().len(), calls);
    launched
}

/// TRAP 44: codes of pools that were not tried count only if no pool was tried.
#[tokio::test]
async fn the_code_of_pools_that_were_tried_leads() {
    let pools = [
        ("m5.large", "UnfulfillableCapacity"),
        ("m6i.large", "InvalidFleetConfiguration"),
        ("m7i.large", "InsufficientInstanceCapacity"),
    ];
    let error = answered(&fleet::launch(Market::Spot), refused(&pools)).await;
    let error = error.unwrap_err();
    assert_eq!(error.code, "InvalidFleetConfiguration");
    let owned = pools.map(|(name, code)| (name.to_owned(), code.to_owned()));
    assert_eq!(error.refused, owned.into());
}

/// As many words as there are reasons: a tag has room for two hundred letters.
#[tokio::test]
async fn one_code_of_several_pools_is_told_once_with_all_of_them() {
    let pools = [
        ("m5.large", "InsufficientInstanceCapacity"),
        ("m6i.large", "UnfulfillableCapacity"),
        ("m7i.large", "InsufficientInstanceCapacity"),
        // In a second pool of the type.
        ("m7i.large", "UnfulfillableCapacity"),
    ];
    let error = answered(&fleet::launch(Market::Spot), refused(&pools)).await;
    let error = error.unwrap_err();
    assert_eq!(
        error.message,
        "m5.large, m7i.large: InsufficientInstanceCapacity: says InsufficientInstanceCapacity; \
         m6i.large, m7i.large: UnfulfillableCapacity: says UnfulfillableCapacity"
    );
    assert_eq!(error.refused["m7i.large"], "InsufficientInstanceCapacity");
    assert_eq!(error.request_id.as_deref(), Some("request-in-header"));
}

/// Whatever the code: AWS's own message and the request id go with it.
#[tokio::test]
async fn a_refused_launch_keeps_code_message_and_request() {
    for code in [
        "InvalidFleetConfiguration",
        "UnauthorizedOperation",
        "IdempotentInstanceTerminated",
        "TagPolicyViolation",
        "SomethingNew",
    ] {
        for launch in launches() {
            let refusal = Answer::Says(400, ec2(code, "in AWS's words"));
            let error = answered(&launch, refusal).await.unwrap_err();
            assert_eq!(
                (error.code.as_str(), error.message.as_str()),
                (code, "in AWS's words")
            );
            assert_eq!(error.request_id.as_deref(), Some("request-in-header"));
        }
        let inside = answered(&fleet::launch(Market::Spot), refused(&[("m5.large", code)])).await;
        let inside = inside.unwrap_err();
        assert_eq!(
            (inside.code.as_str(), &inside.refused["m5.large"]),
            (code, &code.to_owned())
        );
        assert_eq!(inside.message, format!("m5.large: {code}: says {code}"));
        assert_eq!(inside.request_id.as_deref(), Some("request-in-header"));
    }
}

/// Neither is taken for an instance.
#[tokio::test]
async fn an_answer_of_unknown_shape_is_reported() {
    let empty = "<CreateFleetResponse><errorSet/><fleetInstanceSet/></CreateFleetResponse>";
    let nameless = "<CreateFleetResponse><errorSet><item/></errorSet><fleetInstanceSet><item><instanceIds><item>\
        </item></instanceIds></item></fleetInstanceSet></CreateFleetResponse>";
    for (body, code, message) in [
        (
            empty,
            "UnfulfillableCapacity",
            "neither an instance nor an error",
        ),
        (nameless, "Unknown", "Unknown: no message"),
    ] {
        let error = answered(&fleet::launch(Market::Spot), ok(body)).await;
        let error = error.unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            (code, message)
        );
    }
    for body in [
        "<RunInstancesResponse/>",
        "<RunInstancesResponse><instancesSet><item/></instancesSet></RunInstancesResponse>",
    ] {
        let error = answered(&run::launch(Market::Spot), ok(body)).await;
        let error = error.unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.class),
            ("Empty", Class::Transient)
        );
        assert_eq!(error.message, "the answer names no instance");
        assert!(error.request_id.is_some());
    }
}
