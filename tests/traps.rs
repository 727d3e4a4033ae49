//! `docs/TRAPS.md` is true: all traps are there, every test it names exists and says which trap it is for. And the
//! traps of services that are not used here: that they are not used.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;

/// Those of a warning's two minutes, and those of launches, found in the field.
fn traps() -> impl Iterator<Item = usize> {
    1..=66
}

/// Number and tests of each line of the table.
fn table() -> Vec<(usize, Vec<String>)> {
    let text = fs::read_to_string("docs/TRAPS.md").unwrap();
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let number = cells.get(1)?.parse().ok()?;
        let tests = cells.get(3)?.split('`').skip(1).step_by(2);
        Some((number, tests.map(str::to_owned).collect()))
    });
    rows.collect()
}

/// The fault in naming this test, if any.
fn fault(number: usize, test: &str) -> Option<String> {
    let (file, name) = test.split_once("::")?;
    let Ok(source) = fs::read_to_string(file) else {
        return Some(format!("trap {number}: no file {file}"));
    };
    let is_there = [format!("fn {name}("), format!("def {name}(")];
    let mark = format!("TRAP {number}");
    let follows = |rest: &str| !rest.starts_with(|it: char| it.is_ascii_digit());
    let is_marked = source
        .match_indices(&mark)
        .any(|(at, _)| follows(&source[at + mark.len()..]));
    if !is_there.iter().any(|it| source.contains(it)) {
        Some(format!("trap {number}: no test {name} in {file}"))
    } else if is_marked {
        None
    } else {
        Some(format!("trap {number}: {file} does not say {mark}"))
    }
}

#[test]
fn every_trap_has_a_test_that_exists_and_says_so() {
    let table = table();
    let numbers: Vec<usize> = table.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, traps().collect::<Vec<_>>());
    let mut faults = Vec::new();
    for (number, tests) in &table {
        assert!(!tests.is_empty(), "trap {number} has no test");
        assert!(tests.iter().all(|it| it.contains("::")), "trap {number}");
        faults.extend(tests.iter().filter_map(|it| fault(*number, it)));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Neither the role nor the code contains these.
fn is_unused(words: &[&str]) {
    let role = fs::read_to_string("template.yaml").unwrap();
    let code = ["act", "autoscaling", "read", "fleet", "roots", "template"];
    let code = code.map(|it| fs::read_to_string(format!("aws/src/{it}.rs")).unwrap());
    for word in words {
        assert!(!role.contains(word), "{word} is in template.yaml");
        assert!(
            code.iter().all(|it| !it.contains(word)),
            "{word} is in aws/src"
        );
    }
}

/// TRAP 13: making an image from the dying instance reboots it. Where one is needed it is registered, of the snapshot
/// of a root that is not in use any more.
#[test]
fn no_image_is_made_of_an_instance() {
    is_unused(&["CreateImage", "create_image"]);
}

/// TRAP 18: a volume that is mounted goes `busy`. EC2 lets go of it when the instance has ended.
#[test]
fn no_volume_is_ever_pulled_off_an_instance() {
    is_unused(&["DetachVolume", "detach_volume"]);
}

/// TRAP 23: no hook delays a reclaim, so nothing waits in one that ends an instance.
#[test]
fn no_termination_hook_is_relied_on() {
    is_unused(&[
        "EC2_INSTANCE_TERMINATING",
        "Instance-terminate Lifecycle Action",
        "RecordLifecycleActionHeartbeat",
        "record_lifecycle_action_heartbeat",
    ]);
}

/// TRAP 32: an agent that does not answer, and a file system that stays frozen.
#[test]
fn nothing_is_run_on_the_dying_instance() {
    is_unused(&["ssm:", "SendCommand", "send_command"]);
}

/// TRAP 38: fast snapshot restore begins without credits, and is billed by the hour.
#[test]
fn no_snapshot_is_made_fast() {
    is_unused(&["FastSnapshotRestore", "fast_snapshot_restore"]);
}

/// TRAP 40: events stay on the default bus of their Region; the stack listens there and nowhere else.
#[test]
fn the_stack_listens_where_events_are() {
    is_unused(&["EventBusName", "us-east-1", "eu-west-1"]);
    let readme = fs::read_to_string("README.md").unwrap();
    assert!(readme.contains("One stack per account and Region"));
}
