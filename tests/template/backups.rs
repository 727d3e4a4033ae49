//! The function that keeps backups: its role may do what it calls, and the other role cannot delete a backup.

use super::closed::{properties, written};
use super::{PLUMBING, every_action, statements, statements_of, template, texts};
use serde_yaml_ng::Value;
use spot_rescue::step::Action;
use spot_rescue::tags;
use std::collections::BTreeSet;

const READS: [&str; 4] = [
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeSnapshots",
    "secretsmanager:GetSecretValue",
];

fn own() -> Vec<Value> {
    statements_of(&template(), "BackupRole")
}

#[test]
fn its_role_allows_exactly_what_it_calls() {
    let allowed: BTreeSet<String> = own().iter().flat_map(|it| texts(&it["Action"])).collect();
    let calls = |it: &Action| {
        matches!(
            it,
            Action::SnapshotInstance { .. } | Action::DeleteSnapshot { .. } | Action::Wake { .. }
        )
    };
    let actions = every_action().into_iter().filter(calls);
    let called: Vec<_> = actions.flat_map(|it| it.iam_actions().to_vec()).collect();
    let needed = called.into_iter().chain(READS).chain(PLUMBING);
    assert_eq!(allowed, needed.map(str::to_owned).collect());
}

/// Neither what it has not made, nor what was not meant to be a backup.
#[test]
fn it_deletes_only_backups() {
    let all = own();
    let deletes = |it: &&Value| texts(&it["Action"]).iter().any(|it| it.contains(":Delete"));
    let deleting: Vec<_> = { all.iter() }
        .filter(deletes)
        .filter(|it| !texts(&it["Action"]).contains(&"sqs:DeleteMessage".to_owned()))
        .collect();
    assert_eq!(deleting.len(), 1);
    let condition = written(&deleting[0]["Condition"]);
    for key in [tags::RESCUE, tags::CONSISTENCY] {
        assert!(
            condition.contains(&format!("aws:ResourceTag/{key}")),
            "{condition}"
        );
    }
}

/// What a warning, a wake or a forged message leads to is done in the other role.
#[test]
fn the_function_that_rescues_cannot_delete_a_backup() {
    let all = statements(&template());
    let denied = |it: &&Value| {
        let deletes = texts(&it["Action"]).contains(&"ec2:DeleteSnapshot".to_owned());
        it["Effect"].as_str() == Some("Deny") && deletes
    };
    let denying: Vec<_> = all.iter().filter(denied).collect();
    assert_eq!(denying.len(), 1);
    let condition = &denying[0]["Condition"]["StringLike"];
    let key = format!("aws:ResourceTag/{}", tags::CONSISTENCY);
    assert_eq!(condition[key.as_str()].as_str(), Some("*"));
    assert_eq!(condition.as_mapping().unwrap().len(), 1);
}

/// Its messages mean that it is time to look; one that is lost is made up for by the next.
#[test]
fn it_is_started_as_often_as_the_sweep() {
    let (sweep, backups) = (properties("Sweep"), properties("Backups"));
    assert_eq!(sweep["ScheduleExpression"], backups["ScheduleExpression"]);
    assert_eq!(texts(&backups["Target"]["Arn"]), ["BackupQueue.Arn"]);
    let function = properties("BackupFunction");
    let variables = &function["Environment"]["Variables"];
    assert_eq!(variables["SPOT_RESCUE_DUTY"].as_str(), Some("backups"));
    assert_eq!(texts(&variables["SPOT_RESCUE_QUEUE_URL"]), ["BackupQueue"]);
    assert_eq!(function["RecursiveLoop"].as_str(), Some("Allow"));
    let queue = properties("BackupQueue");
    let seconds = |it: &Value, key: &str| it[key].as_u64().unwrap();
    assert!(seconds(&queue, "VisibilityTimeout") >= 6 * seconds(&function, "Timeout"));
    assert!(seconds(&queue, "MessageRetentionPeriod") <= 900);
}
