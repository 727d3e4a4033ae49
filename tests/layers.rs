//! Which part of the core may use which. The floors are those of ARCHITECTURE.md, the lowest first: a
//! part uses its own floor and those below it. Only `aws/` names the SDK, only `function/` what Lambda is,
//! plans are made without a clock and without waiting, and where modules lie side by side, none goes round in a circle.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
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

/// What a function is started with: the environment's word, credentials, certificates, Lambda's runtime, the log.
const OF_A_FUNCTION: [&str; 8] = [
    "aws_config",
    "aws_credential_types",
    "aws_smithy_http_client",
    "env::",
    "lambda_runtime",
    "rustls",
    "tokio::main",
    "tracing_subscriber",
];

/// So that another program can share what talks to AWS.
#[test]
fn only_the_adapter_names_the_sdk_and_only_the_function_what_lambda_is() {
    let core = [&OF_A_FUNCTION[..], &["aws_sdk_", "aws_smithy", "aws_types"]].concat();
    let packages = [
        ("src", &core[..]),
        ("aws/src", &OF_A_FUNCTION),
        ("function/src", &["aws_sdk_"]),
    ];
    for (folder, foreign) in packages {
        for (path, text) in sources(Path::new(folder)) {
            let named = foreign.iter().find(|it| text.contains(**it));
            assert!(named.is_none(), "{} names {named:?}", path.display());
        }
    }
}

/// The files of a folder, and which of them each uses: what `mods` are to each other.
fn uses(folder: &str, above: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let stem = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut files = sources(Path::new(folder));
    files.retain(|(path, _)| path.parent() == Some(Path::new(folder)));
    let names: BTreeSet<String> = files.iter().map(|(path, _)| stem(path)).collect();
    let used = |own: &str, text: &str| -> BTreeSet<String> {
        let after = above.iter().flat_map(|it| text.split(it).skip(1));
        let firsts = after.flat_map(firsts);
        firsts
            .filter(|it| it != own && names.contains(it))
            .collect()
    };
    let each = files.iter().map(|(path, text)| (stem(path), text));
    each.filter(|(own, _)| own != "lib")
        .map(|(own, text)| (own.clone(), used(&own, text)))
        .collect()
}

/// Of `{convert, error::failed}` these are `convert` and `error`.
fn firsts(after: &str) -> Vec<String> {
    let word = |it: &str| -> String {
        let is_part = |it: &char| it.is_alphanumeric() || *it == '_';
        it.trim_start().chars().take_while(is_part).collect()
    };
    let Some(group) = after.strip_prefix('{') else {
        return vec![word(after)];
    };
    let mut depth = 1;
    let outer = |it: char| {
        depth += i32::from(it == '{') - i32::from(it == '}');
        (depth > 0).then_some(if depth == 1 { it } else { ' ' })
    };
    let group: String = group.chars().map_while(outer).collect();
    group.split(',').map(word).collect()
}

/// Takes off what uses nothing that is left, until nothing can be taken off: what stays goes round.
fn circle(mut uses: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    loop {
        let left: BTreeSet<String> = uses.keys().cloned().collect();
        uses.retain(|_, used| used.intersection(&left).next().is_some());
        if uses.len() == left.len() {
            return uses;
        }
    }
}

#[test]
fn modules_side_by_side_use_each_other_in_no_circle() {
    for (folder, above) in [
        ("aws/src", &["super::", "crate::"][..]),
        ("src/sim", &["super::", "crate::sim::"]),
    ] {
        let uses = uses(folder, above);
        let any = uses.values().flatten().count();
        assert!(any > 20, "{folder}: only {any} uses were found");
        let circle = circle(uses);
        assert!(circle.is_empty(), "{folder}: {circle:#?}");
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
