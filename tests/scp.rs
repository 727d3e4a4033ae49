//! The service control policy that we ship: `docs/scp.json` says of the tags what the code says.
//!
//! `BLESS=1 cargo test --no-default-features --features sim --test scp` writes it anew. Whether it denies
//! and leaves what it should is judged in `local/permissions/scp.py`.
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};
use spot_rescue::tags::Form;
use spot_rescue::{policy, tags};
use std::collections::BTreeSet;
use std::fs;

const FILE: &str = "docs/scp.json";

/// White space counts, too, unless the policy is saved in the console.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>
const LIMIT: usize = 5120;

/// `CloudFormation` names a role `<stack>-<resource>-<random>`.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html>
const FUNCTION_ROLES: &str = "arn:*:iam::*:role/spot-rescue-FunctionRole-*";
/// Marks the backups that it takes, and nothing else.
const BACKUP_ROLES: &str = "arn:*:iam::*:role/spot-rescue-BackupRole-*";

/// The function's own, as a policy says them. The users' keys are not among them.
fn own_keys() -> Vec<String> {
    // What proves the value of another tag.
    let mut found = BTreeSet::from([tags::proof_of("spot-rescue:*")]);
    for key in tags::KEYS {
        found.insert(match key.form {
            Form::Value => key.name.to_owned(),
            Form::List => format!("{}-*", key.name),
        });
    }
    found.into_iter().collect()
}

fn policy_document() -> Value {
    let others = json!({"aws:PrincipalArn": FUNCTION_ROLES});
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyTheFunctionWritesItsTags",
                "Effect": "Deny",
                // Tagging at creation is CreateTags as well. Auto Scaling hands the tags of a group on to its
                // members, and asks for no CreateTags.
                "Action": [
                    "autoscaling:CreateAutoScalingGroup",
                    "autoscaling:CreateOrUpdateTags",
                    "ec2:CreateTags",
                    "ec2:DeleteTags",
                ],
                "Resource": "*",
                "Condition": {
                    "ArnNotLike": {"aws:PrincipalArn": [FUNCTION_ROLES, BACKUP_ROLES]},
                    "ForAnyValue:StringLike": {"aws:TagKeys": own_keys()},
                },
            },
            {
                // DeleteTags without keys deletes every tag, and names none.
                "Sid": "NobodyElseRemovesAllTags",
                "Effect": "Deny",
                "Action": "ec2:DeleteTags",
                "Resource": "*",
                "Condition": {
                    "ArnNotLike": others.clone(),
                    "Null": {"aws:TagKeys": "true"},
                    "StringLike": marked(),
                },
            },
            {
                "Sid": "OnlyTheFunctionUsesItsTemplates",
                "Effect": "Deny",
                "Action": [
                    "ec2:CreateFleet",
                    "ec2:CreateLaunchTemplateVersion",
                    "ec2:DeleteLaunchTemplate",
                    "ec2:DeleteLaunchTemplateVersions",
                    "ec2:ModifyLaunchTemplate",
                    "ec2:RunInstances",
                ],
                "Resource": "arn:*:ec2:*:*:launch-template/*",
                "Condition": {"ArnNotLike": others, "StringLike": marked()},
            },
        ],
    })
}

fn marked() -> Value {
    json!({format!("aws:ResourceTag/{}", tags::RESCUE): "*"})
}

#[test]
fn the_file_is_what_the_tags_make_of_it() {
    let mut text = serde_json::to_string_pretty(&policy_document()).unwrap();
    text.push('\n');
    if std::env::var_os("BLESS").is_some() {
        fs::write(FILE, &text).unwrap();
    }
    let written = fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        written == text,
        "{FILE} is out of date; BLESS=1 writes it anew"
    );
    assert!(text.len() <= LIMIT, "{} characters", text.len());
}

#[test]
fn every_own_key_is_in_it_and_no_key_of_the_users() {
    let own = own_keys();
    let covers = |key: &str| {
        own.iter().any(|it| match it.strip_suffix('*') {
            Some(list) => key.starts_with(list),
            None => key == it,
        })
    };
    for key in [tags::RESCUE, tags::EXPIRES_AT, tags::REPLACES, tags::HEAD] {
        assert!(covers(key), "{key}");
    }
    assert!(covers("spot-rescue:volume-7") && own.len() > 30);
    for key in policy::KEYS {
        assert!(!covers(key.name), "{}", key.name);
    }
    assert!(!covers(tags::OPT_IN));
}
