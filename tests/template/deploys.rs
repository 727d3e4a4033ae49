//! Demands of an account on a stack, and what AWS refuses when the stack is made.

use super::{allowing, template};
use serde_yaml_ng::Value;

/// All texts in it, those of functions included.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Sequence(all) => all.iter().flat_map(texts).collect(),
        Value::Tagged(tagged) => texts(&tagged.value),
        Value::String(text) => vec![text.clone()],
        Value::Mapping(all) => all.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

fn all(kind: &str) -> Vec<Value> {
    let template = template();
    let resources = template["Resources"].as_mapping().unwrap().values();
    { resources }
        .filter(|it| it["Type"].as_str() == Some(kind))
        .cloned()
        .collect()
}

fn queue(name: &str) -> Value {
    template()["Resources"][name]["Properties"].clone()
}

/// TRAP 42: each queue has a policy of its own, and a statement names that queue alone.
#[test]
fn a_statement_of_a_queue_names_one_queue() {
    let policies = all("AWS::SQS::QueuePolicy");
    assert_eq!(policies.len(), 3);
    for policy in policies {
        let policy = &policy["Properties"];
        let of = texts(&policy["Queues"]);
        assert_eq!(of.len(), 1, "{of:?}");
        let arn = format!("{}.Arn", of[0]);
        let statements = policy["PolicyDocument"]["Statement"].as_sequence().unwrap();
        assert!(!statements.is_empty());
        for it in statements {
            assert_eq!(texts(&it["Resource"]), [arn.as_str()], "{of:?}");
        }
    }
}

#[test]
fn every_role_has_the_boundary_and_the_path_that_an_account_demands() {
    let roles = all("AWS::IAM::Role");
    assert!(roles.len() >= 2);
    for role in roles {
        let role = &role["Properties"];
        assert_eq!(texts(&role["Path"]), ["RolePath"]);
        let boundary = texts(&role["PermissionsBoundary"]);
        assert_eq!(
            boundary,
            ["HasBoundary", "PermissionsBoundaryArn", "AWS::NoValue"]
        );
    }
}

/// TRAP 59: a message that cannot be handled because AWS is throttling comes back after the visibility timeout; and an
/// invocation that Lambda throttles gives its messages back, which counts as received each time. A new account may have ten
/// executions at once. What is thrown away before is no dead letter at all.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
#[test]
fn ten_minutes_of_throttling_put_no_message_aside() {
    let queue = queue("Queue");
    let seconds = queue["VisibilityTimeout"].as_u64().unwrap();
    let times = queue["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap();
    assert!(
        (600..=1800).contains(&(seconds * times)),
        "{seconds} s x {times}"
    );
    let kept = |it: &Value| it["MessageRetentionPeriod"].as_u64().unwrap();
    assert!(kept(&queue) > seconds * times);
    // A dead letter's time counts from when it was sent first.
    assert!(kept(&self::queue("DeadLetterQueue")) > kept(&queue));
}

/// TRAP 48: a shared resource has its owner's account id in its ARN.
#[test]
fn what_may_be_shared_is_not_looked_for_in_this_account_alone() {
    let allowed = allowing(&template());
    let launching = allowed
        .iter()
        .filter(|it| texts(&it["Action"]).contains(&"ec2:RunInstances".to_owned()));
    let resources: Vec<String> = launching.flat_map(|it| texts(&it["Resource"])).collect();
    for part in [
        "subnet/",
        "security-group/",
        "placement-group/",
        "license-configuration:",
    ] {
        let of_part: Vec<_> = resources.iter().filter(|it| it.contains(part)).collect();
        assert!(!of_part.is_empty(), "{part}");
        for it in of_part {
            assert!(it.contains(&format!(":*:{part}")), "{it}");
        }
    }
}

/// A wake may wait a quarter of an hour in the queue, by design.
#[test]
fn a_queue_that_is_not_emptied_and_a_function_that_fails_ring() {
    let alarms = all("AWS::CloudWatch::Alarm");
    for (namespace, metric, of) in [
        (
            "AWS/SQS",
            "ApproximateAgeOfOldestMessage",
            "Queue.QueueName",
        ),
        ("AWS/Lambda", "Errors", "Function"),
        ("AWS/Lambda", "Errors", "BackupFunction"),
        ("AWS/Lambda", "Throttles", "Function"),
    ] {
        let is_it = |it: &&Value| {
            let it = &it["Properties"];
            let named = || texts(&it["Dimensions"][0]["Value"]);
            it["Namespace"].as_str() == Some(namespace)
                && it["MetricName"].as_str() == Some(metric)
                && named() == [of]
        };
        let found: Vec<_> = alarms.iter().filter(is_it).collect();
        assert_eq!(found.len(), 1, "{metric}");
        let alarm = &found[0]["Properties"];
        assert_eq!(
            texts(&alarm["AlarmActions"]),
            ["HasAlarmTopic", "AlarmTopicArn", "AWS::NoValue"]
        );
        if namespace == "AWS/SQS" {
            assert!(alarm["Threshold"].as_u64().unwrap() > 900);
        }
    }
}
