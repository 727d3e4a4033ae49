//! What is asked for when, by the table.

use super::position::SPREAD;
use super::*;
use crate::cloud::{Class, CloudError};
use crate::id::InstanceId;
use crate::step::Except;
use crate::tags::Tags;
use std::collections::BTreeMap;

fn id(n: u32) -> InstanceId {
    format!("i-{n:017x}").parse().expect("an id")
}

fn wanting(flags: bool, snapshots: bool) -> Plan {
    let (instance, tags) = (id(1), Tags::new());
    let set = Action::SetDeleteOnTermination {
        instance: instance.clone(),
        devices: BTreeMap::new(),
    };
    let snapshot = Action::SnapshotInstance {
        instance,
        description: String::new(),
        tags,
        copy_tags: true,
        except: Except::default(),
    };
    let all = [
        (flags, Step::new("flags", set)),
        (snapshots, Step::new("snapshots", snapshot)),
    ];
    let steps = all.into_iter().filter(|(wanted, _)| *wanted);
    let unsaved = snapshots.then(|| id(1));
    Plan {
        steps: steps.map(|(_, step)| step).collect(),
        without_set: unsaved.into_iter().collect(),
        ..Plan::default()
    }
}

/// What later looks ask for, at an even and at an odd attempt, by how many are unprotected.
#[test]
fn every_row_of_the_table_is_followed() {
    let of = |flags: bool, set: bool, neither: bool, unprotected: usize| {
        let mut plan = wanting(flags, set);
        plan.without_set = neither.then(|| id(1)).into_iter().collect();
        let mut asked: Vec<(bool, bool)> = Vec::new();
        for attempt in 2..40 {
            let mut plan = plan.clone();
            defer_contended(
                Position::new(&id(1), attempt, false),
                unprotected,
                &mut plan,
            );
            asked.push(wants(&plan.steps));
        }
        asked.sort_unstable();
        asked.dedup();
        asked
    };
    let (none, flags, set, both) = ((false, false), (true, false), (false, true), (true, true));
    let table = [
        (true, true, true, [vec![both], vec![both], vec![set, flags]]),
        (true, false, true, [vec![flags], vec![flags], vec![flags]]),
        (true, true, false, [vec![both], vec![set], vec![set]]),
        (
            false,
            true,
            false,
            [vec![none, set], vec![none], vec![none]],
        ),
        (false, false, false, [vec![none], vec![none], vec![none]]),
    ];
    for (wants_flags, wants_set, neither, expected) in table {
        for (unprotected, asked) in [0, FEW, FEW + 1].into_iter().zip(expected) {
            let row = format!("{wants_flags} {wants_set} {neither} {unprotected}");
            assert_eq!(
                of(wants_flags, wants_set, neither, unprotected),
                asked,
                "{row}"
            );
        }
    }
}

#[test]
fn an_unprotected_lineage_is_the_first_to_be_protected() {
    let mut line: Vec<(bool, bool)> = [(true, false), (false, true), (true, true)].into();
    line.sort_by_key(|(flags, snapshots)| priority(&wanting(*flags, *snapshots)));
    let first_flag = line.iter().find(|it| it.0);
    let last_snapshot = line.iter().rfind(|it| it.1);
    assert_eq!(first_flag, Some(&(true, true)));
    assert_eq!(last_snapshot, Some(&(true, true)));
}

#[test]
fn a_lineage_with_its_flags_off_leaves_snapshots_to_others() {
    let asking = |flags, snapshots, attempt, meanwhile| {
        let left = (0..600).filter(|n| {
            let mut plan = wanting(flags, snapshots);
            defer_contended(Position::new(&id(*n), attempt, meanwhile), 0, &mut plan);
            wants(&plan.steps) == (flags, snapshots)
        });
        left.count()
    };
    assert_eq!(asking(true, true, 9, false), 600);
    assert_eq!(asking(true, false, 9, false), 600);
    assert_eq!(asking(false, true, 1, false), 600);
    // Some ask at every moment: no token is left unused for long.
    assert!((50..200).contains(&asking(false, true, 9, false)));
    // Other events are many in a mass reclaim.
    assert!((50..200).contains(&asking(false, true, 0, true)));
}

#[test]
fn a_lineage_with_flags_off_or_a_set_leaves_the_other_to_unprotected_ones() {
    let left = |flags, snapshots| {
        let mut plan = wanting(flags, snapshots);
        defer_contended(Position::new(&id(1), 9, false), 1, &mut plan);
        wants(&plan.steps) != (flags, snapshots) && plan.waits.len() == 1
    };
    assert!(left(true, false));
    assert!(left(false, true));
    assert!(!left(true, true));
}

/// EC2 takes no snapshot of it, or that is not known: only the flags can be had.
#[test]
fn without_a_possible_snapshot_it_always_asks_for_the_flags() {
    let mut plan = wanting(true, false);
    plan.without_set.insert(id(1));
    assert_eq!(priority(&plan), priority(&wanting(true, true)));
    defer_contended(Position::new(&id(1), 9, false), 9, &mut plan);
    assert_eq!(wants(&plan.steps), (true, false));
}

#[test]
fn many_unprotected_lineages_ask_for_one_of_both_by_turns() {
    let asked = |lineage, attempt, needy| {
        let mut plan = wanting(true, true);
        defer_contended(
            Position::new(&id(lineage), attempt, false),
            needy,
            &mut plan,
        );
        wants(&plan.steps)
    };
    let flags = (0..100).filter(|n| asked(*n, 9, 9) == (true, false));
    assert!((30..70).contains(&flags.count()));
    let looks: Vec<(bool, bool)> = (2..12).map(|attempt| asked(1, attempt, 9)).collect();
    assert!(looks.contains(&(true, false)) && looks.contains(&(false, true)));
    assert!(
        (2..12).all(|attempt| asked(1, attempt, 1) == (true, true)),
        "alone"
    );
}

/// `protect=always`: nothing is about to be lost.
#[test]
fn flags_ahead_of_any_warning_are_left_to_a_rescue() {
    let mut plan = wanting(true, false);
    assert!(!is_unprotected(&plan));
    defer_contended(Position::new(&id(1), 9, false), 1, &mut plan);
    assert!(plan.steps.is_empty());
}

#[test]
fn flags_are_asked_for_while_none_is_unprotected() {
    for n in 0..20 {
        let mut plan = wanting(true, false);
        defer_contended(Position::new(&id(n), 9, false), 0, &mut plan);
        assert_eq!(wants(&plan.steps), (true, false));
    }
}

#[test]
fn an_instance_with_traffic_is_not_kept_waiting_for_long() {
    let group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/1";
    let action = Action::Deregister {
        group: group.parse().expect("a target group"),
        targets: Vec::new(),
    };
    let step = Step::new("deregister", action);
    let report = StepReport {
        id: step.id.clone(),
        action: step.action.to_string(),
        outcome: StepOutcome::OutOfTime,
    };
    let mut plan = Plan::default();
    plan.steps.push(step);
    let reports = [report];
    let latest =
        (0..1000).map(|n| retry_after(Position::new(&id(n), 39, false), false, &plan, &reports));
    assert!(latest.max() < Some(SOON + SPREAD));
}

/// There is no hurry then, and few ask.
#[test]
fn a_set_ahead_of_any_warning_is_asked_for_at_once() {
    let mut plan = Plan::default();
    let tags = Tags::from([(crate::tags::SET.to_owned(), "risk-1".to_owned())]);
    let action = Action::SnapshotInstance {
        description: String::new(),
        instance: id(1),
        tags,
        copy_tags: true,
        except: Except::default(),
    };
    plan.steps.push(Step::new("ahead", action));
    for n in 0..20 {
        defer_contended(Position::new(&id(n), 9, true), 0, &mut plan);
    }
    assert_eq!(plan.steps.len(), 1);
}

#[test]
fn an_unprotected_lineage_asks_again_sooner() {
    let throttled = CloudError {
        class: Class::Transient,
        ..CloudError::new("ModifyInstanceAttribute", "RequestLimitExceeded", "", None)
    };
    let average = |flags: bool, snapshots: bool| -> u32 {
        let plan = wanting(flags, snapshots);
        let failed = |it: &Step| StepReport {
            id: it.id.clone(),
            action: it.action.to_string(),
            outcome: StepOutcome::Failed(throttled.clone()),
        };
        let reports: Vec<StepReport> = plan.steps.iter().map(failed).collect();
        assert!(was_throttled(&plan, &reports));
        let again = |n| {
            let lineage = id(n);
            let looks = Position::new(&lineage, 2, false);
            u32::from(retry_after(looks, false, &plan, &reports))
        };
        (0..1000).map(again).sum::<u32>() / 1000
    };
    let neither = average(true, true);
    assert!(neither < average(true, false));
    assert!(neither < average(false, true));
}

/// What brings service back is asked for soon, but not while others have nothing that keeps their volumes.
#[test]
fn a_protected_lineage_yields_to_unprotected_ones() {
    let action = Action::Attach {
        volume: "vol-0123456789abcdef0".parse().expect("an id"),
        instance: id(1),
        device: "/dev/sdf".to_owned(),
    };
    let step = Step::new("attach", action);
    let report = StepReport {
        id: step.id.clone(),
        action: step.action.to_string(),
        outcome: StepOutcome::OutOfTime,
    };
    let plan = Plan {
        steps: vec![step],
        ..Plan::default()
    };
    let reports = [report];
    let average = |yields: bool| -> u32 {
        let again = |n| {
            let lineage = id(n);
            let looks = Position::new(&lineage, 12, false);
            u32::from(retry_after(looks, yields, &plan, &reports))
        };
        (0..1000).map(again).sum::<u32>() / 1000
    };
    assert!(average(false) < average(true));
}
