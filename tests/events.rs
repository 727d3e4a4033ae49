//! Events as they come: every sample is read as what its name says, and a message that is no event leads to one line
//! that says what is wrong with it, and nothing else.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use spot_rescue::clock;
use spot_rescue::event::{
    self, Glance, Ignored, InstanceAction, InstanceState, Interruption, Memory, Risk, Sets,
    Trigger, Wake,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

const INSTANCE: &str = "i-0123456789abcdef0";

fn sample(name: &str) -> String {
    fs::read_to_string(format!("events/{name}.json")).unwrap()
}

fn action(text: &str) -> Option<(String, InstanceAction)> {
    match event::parse(text).unwrap() {
        Trigger::Interruption(it) => Some((it.instance.to_string(), it.action)),
        Trigger::StateChange { .. }
        | Trigger::AtRisk { .. }
        | Trigger::Launched { .. }
        | Trigger::Snapshots { .. }
        | Trigger::Wake(_)
        | Trigger::Sweep => None,
    }
}

/// TRAP 1: the ARN in `resources` has the zone where others have the Region. TRAP 39: it may be a
/// bare string. Neither is read.
#[test]
fn the_three_instance_actions_are_told_apart_and_resources_are_not_read() {
    for (name, expected) in [
        ("interruption-terminate", InstanceAction::Terminate),
        ("interruption-stop", InstanceAction::Stop),
        ("interruption-hibernate", InstanceAction::Hibernate),
        (
            "interruption-capacity-reservation",
            InstanceAction::Terminate,
        ),
        ("interruption-capacity-block", InstanceAction::Terminate),
    ] {
        let expected = Some((INSTANCE.to_owned(), expected));
        assert_eq!(action(&sample(name)), expected, "{name}");
    }
    let spot = sample("interruption-terminate");
    assert!(
        spot.contains("arn:aws:ec2:us-east-2a:instance/"),
        "the sample is not the real form"
    );
    let reservation: serde_json::Value =
        serde_json::from_str(&sample("interruption-capacity-reservation")).unwrap();
    assert!(
        reservation["resources"].is_string(),
        "the sample is not the real form"
    );
}

/// TRAP 60: a Capacity Block's end is ten minutes ahead. The two minutes before it count; a time that cannot be such
/// an end is ignored.
#[test]
fn a_capacity_reservation_says_when_its_instance_ends() {
    let block = sample("interruption-capacity-block");
    let told = "2026-11-23T10:15:30Z";
    for (ends, counted) in [
        ("2026-11-23T10:25:30Z", "2026-11-23T10:23:30Z"),
        ("2026-11-23T10:17:30Z", told),
        ("2026-11-23T10:16:00Z", told),
        ("2026-11-23T10:15:30Z", told),
        ("2026-11-23T11:17:30Z", "2026-11-23T11:15:30Z"),
        ("2026-11-23T11:17:31Z", told),
        ("2036-11-23T10:25:30Z", told),
        ("1970-01-01T00:00:00Z", told),
        ("soon", told),
        ("", told),
    ] {
        let text = block.replace("2026-11-23T10:25:30Z", ends);
        let Trigger::Interruption(found) = event::parse(&text).unwrap() else {
            panic!("{ends}: no interruption");
        };
        assert_eq!(clock::format(found.at), counted, "{ends}");
        assert_eq!(found.action, InstanceAction::Terminate);
    }
}

/// TRAP 39: keys in Pascal case, some with spaces, some absent; only the instance is read.
#[test]
fn a_groups_launch_names_the_instance() {
    for name in ["group-launch-successful", "group-launch-hook"] {
        let expected = Trigger::Launched {
            instance: INSTANCE.parse().unwrap(),
        };
        assert_eq!(event::parse(&sample(name)), Ok(expected), "{name}");
    }
    assert!(sample("group-launch-successful").contains("Availability Zone"));
}

#[test]
fn a_state_change_names_the_state() {
    for (name, expected) in [
        ("state-change-running", InstanceState::Running),
        ("state-change-shutting-down", InstanceState::ShuttingDown),
        ("state-change-stopped", InstanceState::Stopped),
        ("state-change-terminated", InstanceState::Terminated),
    ] {
        let expected = Trigger::StateChange {
            instance: INSTANCE.parse().unwrap(),
            state: expected,
        };
        assert_eq!(event::parse(&sample(name)), Ok(expected), "{name}");
    }
}

/// TRAP 28: sets have a detail-type of their own. The ARN has the Region in the account's place.
#[test]
fn snapshot_events_name_their_snapshots_whatever_the_result() {
    for (name, count) in [
        ("snapshot-succeeded", 1),
        ("snapshot-failed", 1),
        ("multi-volume-snapshots-completed", 2),
        ("multi-volume-snapshots-failed", 2),
    ] {
        let Ok(Trigger::Snapshots { snapshots }) = event::parse(&sample(name)) else {
            panic!("{name} is not read");
        };
        assert!(snapshots.len() >= count, "{name}");
    }
}

/// TRAP 39, TRAP 61: the date of a health event is of another standard than the event's own time.
#[test]
fn a_foreseen_event_has_its_date() {
    let at = clock::parse("2026-11-23T10:00:00Z").unwrap();
    let due = clock::parse("2026-12-07T18:00:00Z").ok();
    let instance = || INSTANCE.parse().unwrap();
    for (name, due) in [
        ("rebalance-recommendation", None),
        ("health-scheduled-change", due),
    ] {
        let risk = Risk {
            instance: instance(),
            at,
            due,
        };
        let expected = Ok(Trigger::AtRisk { risks: vec![risk] });
        assert_eq!(event::parse(&sample(name)), expected, "{name}");
    }
    let health = sample("health-scheduled-change");
    let no_date = health.replace("Mon, 07 Dec 2026 18:00:00 GMT", "some day");
    let risk = Risk {
        instance: instance(),
        at,
        due: None,
    };
    assert_eq!(
        event::parse(&no_date),
        Ok(Trigger::AtRisk { risks: vec![risk] })
    );
    for (from, to, fault) in [
        (
            "\"entityValue\": \"i-0123456789abcdef0\"",
            "\"entityValue\": \"vol-1\"",
            "names no instance",
        ),
        (
            "\"service\": \"EC2\"",
            "\"service\": \"RDS\"",
            "is no scheduled change",
        ),
        ("\"scheduledChange\"", "\"issue\"", "is no scheduled change"),
        // TRAP 61
        ("\"upcoming\"", "\"closed\"", "is over"),
        ("\"PENDING\"", "\"RESOLVED\"", "names no instance"),
    ] {
        let said = event::parse(&health.replace(from, to))
            .unwrap_err()
            .to_string();
        assert!(said.contains(fault), "{said}");
    }
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn our_own_messages_are_read_back() {
    let at = clock::parse("2026-11-23T10:00:00Z").unwrap();
    let wake = Wake {
        instance: INSTANCE.parse().unwrap(),
        attempt: 3,
        waited: 35,
        memory: Memory {
            interruptions: vec![Interruption {
                instance: INSTANCE.parse().unwrap(),
                action: InstanceAction::Terminate,
                at,
            }],
            suspected: BTreeMap::from([("forgotten".to_owned(), at)]),
            deregistered: BTreeMap::from([(INSTANCE.parse().unwrap(), at)]),
            launched: BTreeMap::from([(INSTANCE.parse().unwrap(), "token".to_owned())]),
            unseen: BTreeMap::from([(INSTANCE.parse().unwrap(), at)]),
            flagged: BTreeSet::from(["vol-0123456789abcdef0".to_owned()]),
            listed: BTreeSet::from([INSTANCE.parse().unwrap()]),
            unwritten: BTreeMap::from([("key".to_owned(), "value".to_owned())]),
            sets: Sets {
                taken: BTreeSet::from(["snap-0123456789abcdef0".parse().unwrap()]),
                unlisted: true,
            },
            glance: Some(Glance {
                at,
                seen: BTreeMap::from([(INSTANCE.parse().unwrap(), "word".to_owned())]),
                held: BTreeMap::from([(
                    "vol-0123456789abcdef0".parse().unwrap(),
                    "word".to_owned(),
                )]),
            }),
            rehearses: true,
            scarce: Some(at),
        },
        sent: Some(at),
        proof: None,
    };
    let written = event::own::wake(&wake);
    // Under way while the function was updated: unknown parts are ignored.
    let earlier = written.replace("{\"forgotten\":", "{\"forgotten\":1,\"other\":");
    let mut unsaid = wake.clone();
    unsaid.memory.suspected = BTreeMap::from([("other".to_owned(), at)]);
    assert_eq!(event::parse(&earlier), Ok(Trigger::Wake(unsaid)));
    assert_eq!(event::parse(&written), Ok(Trigger::Wake(wake)));
    assert!(matches!(
        event::parse(&sample("wake")),
        Ok(Trigger::Wake(_))
    ));
    let Ok(Trigger::Wake(remembers)) = event::parse(&sample("wake-with-memory")) else {
        panic!("the sample is a wake");
    };
    let again = event::own::wake(&remembers);
    assert_eq!(event::parse(&again), Ok(Trigger::Wake(remembers)));
    assert_eq!(
        json(&again)["detail"],
        json(&sample("wake-with-memory"))["detail"]
    );
    assert_eq!(event::parse(&sample("sweep")), Ok(Trigger::Sweep));
    // TRAP 39: the scheduler's default detail is a string.
    let string = r#"{"source":"spot-rescue","detail-type":"Sweep","detail":"{}"}"#;
    assert_eq!(event::parse(string), Ok(Trigger::Sweep));
}

#[test]
fn an_event_inside_an_sns_notification_is_the_same_event() {
    let batch: serde_json::Value = serde_json::from_str(&sample("sns-in-sqs")).unwrap();
    let body = batch["Records"][0]["body"].as_str().unwrap();
    assert!(body.contains("\"Type\":\"Notification\""));
    let expected = Some((INSTANCE.to_owned(), InstanceAction::Terminate));
    assert_eq!(action(body), expected);
}

/// One line each, that says what was wrong: the table is what an operator reads.
#[test]
fn a_message_that_is_no_event_is_answered_with_its_fault() {
    let warning = |detail: &str, time: &str| {
        format!(
            r#"{{"source":"aws.ec2","detail-type":"EC2 Spot Instance Interruption Warning",{time}"detail":{detail}}}"#
        )
    };
    let now = r#""time":"2026-11-23T10:00:00Z","#;
    let cases = [
        ("{".to_owned(), "malformed event ignored: not JSON: "),
        ("[1]".to_owned(), "malformed event ignored: not an event: "),
        (
            r#""text""#.to_owned(),
            "malformed event ignored: not an event: ",
        ),
        (
            r#"{"source":1}"#.to_owned(),
            "malformed event ignored: not an event: invalid type",
        ),
        (
            r#"{"source":"aws.ec2"}"#.to_owned(),
            "missing field `detail-type`",
        ),
        (
            r#"{"source":"aws.s3","detail-type":"Object Created"}"#.to_owned(),
            r#"event ignored: no parser for detail-type "Object Created" from "aws.s3""#,
        ),
        (warning("{}", now), "detail: missing field `instance-id`"),
        (warning("[]", now), "detail: invalid length 0"),
        (
            warning(r#"{"instance-id":7,"instance-action":"stop"}"#, now),
            "detail: invalid type: integer `7`",
        ),
        (
            warning(r#"{"instance-id":"x","instance-action":"stop"}"#, now),
            r#""x" is not an instance id: expected i- and 8 or 17 hexadecimal digits"#,
        ),
        (
            warning(
                r#"{"instance-id":"i-0123456789abcdef0","instance-action":"melt"}"#,
                now,
            ),
            r#"instance-action "melt" is none of terminate, stop, hibernate"#,
        ),
        (
            warning(
                r#"{"instance-id":"i-0123456789abcdef0","instance-action":"stop"}"#,
                "",
            ),
            "time is missing",
        ),
        (
            warning(
                r#"{"instance-id":"i-0123456789abcdef0","instance-action":"stop"}"#,
                r#""time":"yesterday","#,
            ),
            r#"time "yesterday": "#,
        ),
        (
            r#"{"Type":"Notification"}"#.to_owned(),
            "an SNS notification without a Message",
        ),
        (
            r#"{"Type":"Notification","Message":"{"}"#.to_owned(),
            "SNS Message is not an event",
        ),
    ];
    for (text, expected) in cases {
        let said = event::parse(&text).unwrap_err().to_string();
        assert!(
            said.contains(expected),
            "{text}\n  said     {said}\n  expected {expected}"
        );
        assert!(!said.contains('\n'));
    }
}

/// A megabyte of anything is answered with one short line.
#[test]
fn a_huge_message_gets_a_short_answer() {
    let megabyte = "x".repeat(1 << 20);
    for text in [
        megabyte.clone(),
        format!(r#"{{"source":"{megabyte}","detail-type":"{megabyte}"}}"#),
        format!(
            r#"{{"source":"aws.ec2","detail-type":"EC2 Spot Instance Interruption Warning","time":"{megabyte}",
            "detail":{{"instance-id":"{megabyte}","instance-action":"{megabyte}"}}}}"#
        ),
        "[".repeat(1 << 20),
    ] {
        let said = event::parse(&text).unwrap_err().to_string();
        assert!(said.len() < 500, "{} bytes", said.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,300}") {
        let _ = event::parse(&text);
    }

    /// A sample with one byte changed is read or refused, never taken for an event of another kind.
    #[test]
    fn a_damaged_sample_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = sample("interruption-terminate").into_bytes();
        let position = at.index(bytes.len());
        bytes[position] = byte;
        if let Ok(text) = String::from_utf8(bytes) {
            match event::parse(&text) {
                Ok(Trigger::Interruption(_)) | Err(Ignored::Malformed(_) | Ignored::Unknown { .. }) => {}
                Ok(other) => prop_assert!(false, "read as {other:?}"),
            }
        }
    }
}
