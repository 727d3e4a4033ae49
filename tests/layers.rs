//! Which part of the core may use which. The floors are those of ARCHITECTURE.md, the lowest first: a part uses the
//! floors below its own, and on its own floor whatever does not use it in turn. Within `plan` the same holds for its
//! rooms, and no two modules anywhere use each other in a circle. Only `aws/` names the SDK, only `function/` what Lambda
//! is, and plans are made without a clock and without waiting.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const FLOORS: &[&[&str]] = &[
    &["clock", "dns", "id", "parity"],
    &["event", "tags", "target"],
    &["situation"],
    &["backup", "error"],
    &["record"],
    &["step"],
    &["cloud", "policy"],
    &["report"],
    &["plan"],
    &["seal"],
    &["calls", "execute", "observe", "reads", "warm"],
    &["keeper", "reconcile", "restore"],
    &["handler"],
    // The in-memory AWS plays the whole function.
    &["sim"],
];

/// Of `plan`, the lowest first.
const ROOMS: &[&[&str]] = &[
    &["pace", "reads"],
    &["lineage"],
    &["facts"],
    &["draft"],
    &["marks"],
    &["volumes"],
    &["network"],
    &["capacity"],
    &["traffic"],
    &["group"],
    &["course"],
    &["phase"],
];

/// `src/plan/volumes/root.rs` is `plan`, `volumes`, `root`.
type Module = Vec<String>;

struct Source {
    module: Module,
    /// Without comments and unit tests.
    code: String,
}

fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    read(Path::new(folder), Path::new(folder), &mut found);
    found
}

fn read(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(root, &path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let below = path.strip_prefix(root).unwrap().with_extension("");
            let words = below.iter().map(|it| it.to_string_lossy().into_owned());
            found.push(Source {
                module: words.collect(),
                code: code(&fs::read_to_string(&path).unwrap()),
            });
        }
    }
}

fn code(text: &str) -> String {
    let tests = ["#[cfg(test)]", "#[cfg(all(test"];
    let end = tests.iter().filter_map(|it| text.find(it)).min();
    let lines = text[..end.unwrap_or(text.len())].lines();
    let own = lines.filter(|line| !line.trim_start().starts_with("//"));
    own.flat_map(|line| [line, "\n"]).collect()
}

/// Every path in it that begins at the crate, at a parent or at the module itself; the braces of a `use` spelt out.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for begin in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(begin) {
            let word = |it: char| it.is_alphanumeric() || it == '_' || it == ':';
            // The rest of a longer path is found with its beginning.
            if !code[..at].ends_with(word) {
                spell_out(String::new(), &code[at..], &mut found);
            }
        }
    }
    found
}

/// `a::{b, c::{d, e}}` is `a::b`, `a::c::d` and `a::c::e`. Returns what follows.
fn spell_out<'a>(before: String, text: &'a str, found: &mut Vec<String>) -> &'a str {
    let word = |it: char| it.is_alphanumeric() || it == '_' || it == ':';
    let text = text.trim_start();
    let end = text.find(|it| !word(it)).unwrap_or(text.len());
    let path = before + &text[..end];
    let mut rest = &text[end..];
    if !(path.ends_with("::") && rest.starts_with('{')) {
        found.push(path);
        return rest;
    }
    while !rest.starts_with('}') {
        rest = spell_out(path.clone(), &rest[1..], found).trim_start();
        if let Some(renamed) = rest.strip_prefix("as ") {
            rest = renamed.trim_start_matches(|it| it != ',' && it != '}');
        }
        if rest.is_empty() || rest[1..].trim_start().starts_with('}') && rest.starts_with(',') {
            rest = rest.trim_start_matches(',').trim_start();
        }
    }
    &rest[1..]
}

/// The module that a path leads to from here: as far as there are modules.
fn target(from: &Module, path: &str, all: &BTreeSet<Module>) -> Module {
    let mut words = path.split("::").filter(|it| !it.is_empty()).peekable();
    let mut to: Module = match words.next() {
        Some("crate") => Vec::new(),
        Some("super") => from[..from.len() - 1].to_vec(),
        _ => from.clone(),
    };
    while words.next_if_eq(&"super").is_some() {
        to.pop();
    }
    for word in words {
        let next = [to.as_slice(), &[word.to_owned()]].concat();
        if !all.contains(&next) {
            break;
        }
        to = next;
    }
    to
}

/// Which module uses which others.
fn ties(folder: &str) -> BTreeMap<Module, BTreeSet<Module>> {
    let mut sources = sources(folder);
    // The door of a package knows all of it.
    sources.retain(|it| it.module != ["lib"] && it.module != ["main"]);
    let all: BTreeSet<Module> = sources.iter().map(|it| it.module.clone()).collect();
    let of = |it: &Source| {
        let paths = paths(&it.code).into_iter();
        let used = paths.map(|path| target(&it.module, &path, &all));
        used.filter(|to| !to.is_empty() && *to != it.module)
            .collect()
    };
    sources
        .iter()
        .map(|it| (it.module.clone(), of(it)))
        .collect()
}

fn floor(floors: &[&[&str]], name: &str) -> usize {
    let found = floors.iter().position(|it| it.contains(&name));
    found.unwrap_or_else(|| panic!("{name} has no floor in this test"))
}

fn name(module: &Module) -> String {
    format!("src/{}.rs", module.join("/"))
}

/// What uses something above its own floor, the `depth`th word of a module being its place.
fn against(floors: &[&[&str]], depth: usize, within: &[&str]) -> Vec<String> {
    let place = |it: &Module| it.get(depth).map(|it| floor(floors, it));
    let is_within = |it: &Module| it.iter().zip(within).all(|(a, b)| a == b) && it.len() > depth;
    let mut wrong = Vec::new();
    for (from, used) in ties("src").iter().filter(|(it, _)| is_within(it)) {
        // The door of a floor stands above everything on it.
        let up = |it: &&Module| {
            it.starts_with(&from[..depth]) && place(it).is_none_or(|to| Some(to) > place(from))
        };
        wrong.extend(
            used.iter()
                .filter(up)
                .map(|to| format!("{} uses {}", name(from), name(to))),
        );
    }
    wrong
}

#[test]
fn a_part_uses_its_own_floor_and_those_below() {
    let wrong = against(FLOORS, 0, &[]);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_room_of_the_plan_uses_its_own_and_those_below() {
    let wrong = against(ROOMS, 1, &["plan"]);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_architecture_prints_the_order() {
    let text = fs::read_to_string("ARCHITECTURE.md").unwrap();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for floors in [FLOORS, ROOMS] {
        let all: Vec<String> = floors.iter().map(|it| it.join(" ")).collect();
        assert!(text.contains(&all.join(" < ")), "{}", all.join(" < "));
    }
}

/// Takes off what uses nothing that is left, until nothing can be taken off: what stays goes round in a circle. Two words
/// are a module with all that is in it, one is a whole part.
fn circle(folder: &str, depth: usize) -> Vec<String> {
    let short = |it: &Module| it[..it.len().min(depth)].to_vec();
    let mut left: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for (from, used) in ties(folder) {
        let others = used.iter().map(short).filter(|it| *it != short(&from));
        left.entry(short(&from)).or_default().extend(others);
    }
    assert!(
        left.values().any(|it| !it.is_empty()),
        "{folder}: no ties were found"
    );
    while let Some(free) =
        { left.iter() }.find_map(|(it, used)| used.is_empty().then(|| it.clone()))
    {
        left.remove(&free);
        for used in left.values_mut() {
            used.remove(&free);
        }
    }
    { left.iter() }
        .map(|(it, used)| format!("{} {used:?}", name(it)))
        .collect()
}

#[test]
fn modules_use_each_other_in_no_circle() {
    for (folder, depths) in [
        ("src", &[1, 2, usize::MAX][..]),
        ("aws/src", &[1, usize::MAX]),
        ("function/src", &[1]),
    ] {
        for depth in depths {
            let circle = circle(folder, *depth);
            assert!(circle.is_empty(), "{folder}: {circle:#?}");
        }
    }
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
        for source in sources(folder) {
            let named = foreign.iter().find(|it| source.code.contains(**it));
            assert!(
                named.is_none(),
                "{folder}: {} names {named:?}",
                name(&source.module)
            );
        }
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
    for source in sources("src") {
        if source.module[0] == "plan" {
            let found = words.iter().find(|it| source.code.contains(**it));
            assert!(found.is_none(), "{}: {found:?}", name(&source.module));
        }
    }
}
