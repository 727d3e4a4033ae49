//! Which part of the core may use which. The floors are those of ARCHITECTURE.md, the lowest first: a
//! part uses its own floor and those below it. Only `function/` names the SDK and Lambda's runtime,
//! and plans are made without a clock and without waiting.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const FLOORS: &[&[&str]] = &[
    &["clock", "dns", "id", "parity"],
    &["event", "tags", "target"],
    &["situation"],
    &["cloud", "record", "step"],
    &["policy"],
    &["plan", "report"],
    &["seal"],
    &["calls", "execute", "observe", "reads", "warm"],
    &["reconcile"],
    &["handler"],
    // The in-memory AWS plays the whole function.
    &["sim"],
];

/// Every file below a folder, and its text without comments and unit tests.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, code(&text)));
        }
    }
    found
}

fn code(text: &str) -> String {
    let tests = ["#[cfg(test)]", "#[cfg(all(test"];
    let end = tests.iter().filter_map(|it| text.find(it)).min();
    let lines = text[..end.unwrap_or(text.len())].lines();
    let own = lines.filter(|line| !line.trim_start().starts_with("//"));
    own.flat_map(|line| [line, "\n"]).collect()
}

/// `src/plan/volumes.rs` is a part of `plan`.
fn part(path: &Path) -> String {
    let below = path.strip_prefix("src").unwrap();
    let first = below.components().next().unwrap().as_os_str();
    first.to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn used(text: &str) -> BTreeSet<&str> {
    let after = text.split("crate::").skip(1);
    after
        .filter_map(|it| it.split(|c: char| !c.is_alphanumeric() && c != '_').next())
        .collect()
}

fn floor(part: &str) -> Option<usize> {
    FLOORS.iter().position(|it| it.contains(&part))
}

#[test]
fn a_part_uses_its_own_floor_and_those_below() {
    let mut wrong = Vec::new();
    for (path, text) in sources(Path::new("src")) {
        let part = part(&path);
        if part == "lib" {
            continue;
        }
        let own = floor(&part).unwrap_or_else(|| panic!("{part} has no floor in this test"));
        for other in used(&text) {
            assert!(!other.is_empty(), "{}: one part a line", path.display());
            if floor(other).is_some_and(|it| it > own) {
                wrong.push(format!("{} uses {other}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_function_names_the_sdk_and_lambda() {
    let sdk = ["aws_sdk_", "aws_config", "aws_smithy", "lambda_runtime"];
    for (path, text) in sources(Path::new("src")) {
        let named = sdk.iter().find(|it| text.contains(**it));
        assert!(named.is_none(), "{} names {named:?}", path.display());
    }
}

#[test]
fn a_plan_is_made_without_a_clock_and_without_waiting() {
    let words = [
        "async ",
        ".await",
        "Clock",
        "now_utc",
        "Instant",
        "SystemTime",
    ];
    for (path, text) in sources(Path::new("src")) {
        if part(&path) == "plan" {
            let found = words.iter().find(|it| text.contains(**it));
            assert!(found.is_none(), "{}: {found:?}", path.display());
        }
    }
}
