//! Which events invoke the function, and how often it is tried again.

use super::{template, texts};
use serde_yaml_ng::Value;
use spot_rescue::clock;
use spot_rescue::event::{InstanceState, PARSERS, interruption, own, snapshot, state_change};
use spot_rescue::report::Kind;
use std::collections::BTreeSet;

fn patterns(template: &Value) -> Vec<Value> {
    let resources = template["Resources"].as_mapping().unwrap().values();
    let rules = resources.filter(|it| it["Type"] == "AWS::Events::Rule");
    rules
        .map(|it| it["Properties"]["EventPattern"].clone())
        .collect()
}

#[test]
fn the_rules_forward_exactly_what_the_parsers_read() {
    let template = template();
    let mut forwarded = BTreeSet::new();
    for pattern in patterns(&template) {
        for source in texts(&pattern["source"]) {
            let types = texts(&pattern["detail-type"]);
            forwarded.extend(types.into_iter().map(|it| (source.clone(), it)));
        }
    }
    let from_aws = PARSERS
        .iter()
        .filter(|(source, _, _)| *source != own::SOURCE);
    let read: BTreeSet<_> = from_aws
        .map(|(s, d, _)| ((*s).to_owned(), (*d).to_owned()))
        .collect();
    assert_eq!(forwarded, read);
    assert!(forwarded.iter().any(|(_, it)| it == interruption::SPOT));
    assert!(forwarded.iter().any(|(_, it)| it == snapshot::MULTI_VOLUME));
}

/// A bus may be open to other accounts; their events come to its rules as well.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html>
#[test]
fn every_rule_takes_the_events_of_its_own_account() {
    let found = patterns(&template());
    assert_eq!(found.len(), 6);
    for pattern in found {
        assert_eq!(
            texts(&pattern["account"]),
            ["AWS::AccountId"],
            "{pattern:?}"
        );
    }
}

/// An event that cannot be delivered is kept, and not tried for a day: it is about a minute.
#[test]
fn every_target_of_a_rule_has_a_dead_letter_queue_and_an_end() {
    let template = template();
    let resources = template["Resources"].as_mapping().unwrap().iter();
    let rules = resources.filter(|(_, it)| it["Type"] == "AWS::Events::Rule");
    for (name, rule) in rules {
        for target in rule["Properties"]["Targets"].as_sequence().unwrap() {
            let queue = texts(&target["DeadLetterConfig"]["Arn"]);
            assert_eq!(queue, ["DeadLetterQueue.Arn"], "{name:?}");
            let end = target["RetryPolicy"]["MaximumEventAgeInSeconds"].as_u64();
            assert!(end.is_some_and(|it| it <= 3600), "{name:?}");
        }
    }
}

/// A queue that does not name a rule refuses its events, and so does the dead-letter queue.
#[test]
fn every_rule_may_send_to_both_queues() {
    let template = template();
    let resources = template["Resources"].as_mapping().unwrap().iter();
    let rules = resources.filter(|(_, it)| it["Type"] == "AWS::Events::Rule");
    let rules: BTreeSet<String> = rules
        .map(|(name, _)| format!("{}.Arn", name.as_str().unwrap()))
        .collect();
    for policy in ["QueuePolicy", "DeadLetterQueuePolicy"] {
        let document = &template["Resources"][policy]["Properties"]["PolicyDocument"];
        let senders = &document["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"];
        let named: BTreeSet<String> = texts(senders).into_iter().collect();
        assert_eq!(named, rules, "{policy}");
    }
}

#[test]
fn the_states_forwarded_are_those_that_the_simulator_sends() {
    let pattern = patterns(&template())
        .into_iter()
        .find(|it| texts(&it["detail-type"]) == [state_change::DETAIL_TYPE])
        .unwrap();
    let states = texts(&pattern["detail"]["state"]);
    let states: Option<Vec<_>> = { states.iter() }
        .map(|it| InstanceState::parse(it))
        .collect();
    assert_eq!(states.unwrap(), state_change::FORWARDED);
}

/// TRAP 41: with a window a single warning may wait twenty seconds, and so may each wake.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
#[test]
fn no_batch_is_waited_for() {
    let events = &template()["Resources"]["Function"]["Properties"]["Events"];
    let queues = events.as_mapping().unwrap().values();
    let queues: Vec<_> = queues.filter(|it| it["Type"] == "SQS").collect();
    assert_eq!(queues.len(), 1);
    for queue in queues {
        let mapping = &queue["Properties"];
        assert_eq!(mapping["MaximumBatchingWindowInSeconds"], Value::Null);
        // More than ten is refused without a window.
        assert!(mapping["BatchSize"].as_u64().is_some_and(|it| it <= 10));
    }
}

/// TRAP 31: Lambda's defaults (3 s, a visibility timeout of six times that) do not fit two minutes.
#[test]
fn a_crash_is_retried_inside_the_two_minutes() {
    let resources = &template()["Resources"];
    let timeout = resources["Function"]["Properties"]["Timeout"]
        .as_u64()
        .unwrap();
    let visibility = resources["Queue"]["Properties"]["VisibilityTimeout"]
        .as_u64()
        .unwrap();
    assert!(timeout >= 10 && timeout <= visibility && visibility <= 60);
    let source = &resources["Function"]["Properties"]["Events"]["Queue"]["Properties"];
    assert_eq!(
        texts(&source["FunctionResponseTypes"]),
        ["ReportBatchItemFailures"]
    );
}

/// Times in the plan are reckoned by these two.
#[test]
fn the_sweep_comes_and_an_invocation_ends_as_soon_as_the_code_reckons_with() {
    let template = template();
    let timeout = template["Resources"]["Function"]["Properties"]["Timeout"].as_i64();
    assert_eq!(timeout, Some(clock::INVOCATION.whole_seconds()));
    let parameter = &template["Parameters"]["SweepSchedule"];
    let longest = clock::SWEEP.whole_minutes();
    let default = format!("rate({longest} minutes)");
    assert_eq!(parameter["Default"].as_str(), Some(default.as_str()));
    let minutes = |it: &String| {
        it.strip_prefix("rate(")?
            .strip_suffix(" minutes)")?
            .parse()
            .ok()
    };
    let allowed = texts(&parameter["AllowedValues"]);
    let allowed: Vec<Option<i64>> = allowed.iter().map(minutes).collect();
    assert!(!allowed.is_empty());
    assert!(allowed.iter().all(|it| it.is_some_and(|it| it <= longest)));
}

/// Lambda ends loops through SQS after 16 rounds unless told that they are meant; ours end themselves.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>
#[test]
fn waiting_by_message_is_declared_as_a_loop_on_purpose() {
    let function = &template()["Resources"]["Function"]["Properties"];
    assert_eq!(function["RecursiveLoop"].as_str(), Some("Allow"));
}

#[test]
fn the_schedule_sends_what_the_parser_calls_a_sweep() {
    let input = template()["Resources"]["Sweep"]["Properties"]["Target"]["Input"].clone();
    let trigger = spot_rescue::event::parse(input.as_str().unwrap());
    assert_eq!(trigger, Ok(spot_rescue::event::Trigger::Sweep));
}

/// Each outcome that an operator has to look after has an alarm, and no other has.
#[test]
fn there_is_an_alarm_for_each_outcome_that_needs_one() {
    let template = template();
    let resources = template["Resources"].as_mapping().unwrap().values();
    let of_outcomes = resources
        .filter(|it| it["Type"] == "AWS::CloudWatch::Alarm")
        .filter(|it| it["Properties"]["MetricName"] == "Rescues");
    let rings: BTreeSet<String> = of_outcomes
        .map(|it| texts(&it["Properties"]["Dimensions"][0]["Value"]).remove(0))
        .collect();
    let needed = Kind::ALL.into_iter().filter(|it| it.has_alarm());
    let needed: BTreeSet<String> = needed.map(|it| it.to_string()).collect();
    assert_eq!(rings, needed);
}
