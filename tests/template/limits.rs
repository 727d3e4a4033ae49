//! What the stack's parameters name is the limit of the function: in the role, and in the function's own
//! configuration.

use super::{allowing, statements, template, texts};
use serde_yaml_ng::Value;
use spot_rescue::tags::{self, Form, On, Since};
use std::collections::BTreeSet;

/// The table: parameter, statement, and the part of the statement it decides.
const DECIDES: &[(&str, &str, &str)] = &[
    ("InstanceRoleArns", "PassInstanceProfiles", "Resource"),
    ("AllowedInstanceTypes", "NoOtherTypes", "Condition"),
    ("AllowedInstanceTypes", "NoFleetOfOtherTypes", "Condition"),
    ("AllowedSubnets", "NoOtherSubnets", "Condition"),
    ("AllowedSubnets", "NoFleetInOtherSubnets", "Condition"),
    ("AllowedSubnets", "NoInterfacesInOtherSubnets", "Condition"),
    ("TargetGroupArns", "LeaveAndRejoinTargetGroups", "Resource"),
    (
        "TargetGroupArns",
        "LeaveAndRejoinClassicLoadBalancers",
        "Resource",
    ),
    ("TargetGroupArns", "LeaveAndRejoinLattice", "Resource"),
    ("KmsKeyArns", "UseNamedKeys", "Resource"),
    ("KmsKeyArns", "LookAtNamedKeys", "Resource"),
    ("KmsKeyArns", "LendNamedKeysToEc2", "Resource"),
    ("HostedZoneArns", "PointNamesAtReplacements", "Resource"),
];

/// Parameter, and the variable that tells the function.
const TOLD: &[(&str, &str)] = &[
    ("InstanceRoleArns", "SPOT_RESCUE_INSTANCE_ROLES"),
    ("AllowedInstanceTypes", "SPOT_RESCUE_ALLOWED_TYPES"),
    ("AllowedSubnets", "SPOT_RESCUE_ALLOWED_SUBNETS"),
    ("TargetGroupArns", "SPOT_RESCUE_TARGET_GROUPS"),
    ("KmsKeyArns", "SPOT_RESCUE_KMS_KEYS"),
    ("RecycleBinDays", "SPOT_RESCUE_RECYCLE_BIN"),
];

fn refers(value: &Value, parameter: &str) -> bool {
    let text = serde_yaml_ng::to_string(value).unwrap();
    text.lines()
        .any(|it| it.trim_end().ends_with(&format!("!Ref {parameter}")))
}

#[test]
fn every_parameter_decides_what_it_says() {
    let all = statements(&template());
    for (parameter, sid, part) in DECIDES {
        let found = all.iter().find(|it| it["Sid"] == *sid);
        let found = found.unwrap_or_else(|| panic!("no statement {sid}"));
        assert!(
            refers(&found[*part], parameter),
            "{parameter}: {sid} {part}"
        );
    }
}

#[test]
fn every_parameter_is_told_to_the_function() {
    let function = &template()["Resources"]["Function"]["Properties"];
    for (parameter, variable) in TOLD {
        let value = &function["Environment"]["Variables"][*variable];
        assert!(refers(value, parameter), "{variable}");
    }
}

/// C1: with any role of the account, a user who gets the function to launch an own instance would get the rights of
/// every role.
#[test]
fn a_role_is_passed_only_if_it_was_named() {
    let template = template();
    for statement in allowing(&template) {
        if texts(&statement["Action"])
            .iter()
            .any(|it| it == "iam:PassRole")
        {
            let resource = serde_yaml_ng::to_string(&statement["Resource"]).unwrap();
            assert_eq!(resource.trim(), "!Ref InstanceRoleArns");
        }
    }
    let parameter = &template["Parameters"]["InstanceRoleArns"];
    assert!(!parameter.is_null() && parameter["Default"].is_null());
    let policy = &template["Resources"]["PassRolePolicy"];
    assert_eq!(policy["Condition"].as_str(), Some("HasInstanceRoles"));
}

/// A mark without its seal is not believed; and the mark that says that we have launched an instance is given at a
/// launch and never afterwards.
#[test]
fn the_mark_is_written_with_its_seal() {
    let seal = format!("{}-seal", tags::RESCUE);
    let mut marking = 0;
    for statement in allowing(&template()) {
        for operator in ["ForAllValues:StringEquals", "ForAllValues:StringLike"] {
            let keys = &statement["Condition"][operator]["aws:TagKeys"];
            let keys = if keys.is_null() { vec![] } else { texts(keys) };
            let names = |key: &str| keys.iter().any(|it| it == key);
            assert!(!names(tags::LAUNCHED), "{statement:?}");
            if names(tags::RESCUE) {
                marking += 1;
                assert!(names(&seal), "{statement:?}");
            }
        }
    }
    assert_eq!(marking, 4);
}

/// What the role may write on a resource that bears no mark of ours yet is what the table of tags says of it.
#[test]
fn unmarked_resources_get_only_the_tags_of_the_table() {
    let seal_of = |name: &str| tags::proof_of(name);
    let keys_on = |on: On, since: &[Since]| {
        let mut keys: BTreeSet<String> = BTreeSet::from([seal_of(tags::RESCUE)]);
        for key in tags::KEYS
            .iter()
            .filter(|it| it.on.contains(&on) && since.contains(&it.since))
        {
            keys.insert(match key.form {
                Form::Value => key.name.to_owned(),
                Form::List => format!("{}-*", key.name),
            });
        }
        keys
    };
    let mut of_instance = keys_on(On::Instance, &[Since::Always, Since::Rescue]);
    // It is given at a launch and never afterwards.
    of_instance.remove(tags::LAUNCHED);
    of_instance.insert(seal_of(tags::GROUP));
    // It goes from the record in one call with the tombstone, which goes from the instance as well.
    of_instance.insert(tags::PROGRESS.to_owned());
    for (sid, expected) in [
        ("MarkOptedInInstances", of_instance),
        ("MarkVolumes", keys_on(On::Volume, &[Since::Always])),
        ("MarkInterfaces", keys_on(On::Interface, &[Since::Always])),
    ] {
        let all = allowing(&template());
        let statement = all
            .iter()
            .find(|it| it["Sid"].as_str() == Some(sid))
            .unwrap();
        let condition = &statement["Condition"];
        let like = &condition["ForAllValues:StringLike"]["aws:TagKeys"];
        let equal = &condition["ForAllValues:StringEquals"]["aws:TagKeys"];
        let found = texts(if like.is_null() { equal } else { like });
        assert_eq!(BTreeSet::from_iter(found), expected, "{sid}");
    }
}
