//! Golden plans: every sample event x every stage, rendered as text and reviewed as text.
//!
//! `UPDATE_PLANS=1 cargo test --no-default-features --test plans` writes the files anew; read the
//! difference before you commit it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use spot_rescue::clock;
use spot_rescue::event::{self, Interruption, Trigger};
use spot_rescue::plan::{first_aid, plan};
use spot_rescue::situation::{Facts, Situation};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use support::LINEAGE;
use support::scenes::SCENES;

const AT: &str = "2026-11-23T10:00:00Z";

/// The file that a sample event leads to: all that are not warnings only call for a look.
#[test]
fn every_sample_event_leads_to_the_plans_on_file() {
    let mut warnings = 0;
    for (name, text) in samples() {
        match event::parse(&text) {
            Ok(Trigger::Interruption(interruption)) => {
                warnings += 1;
                assert_eq!(interruption.instance.as_str(), LINEAGE, "{name}");
                compare(&name, &render(Some(&interruption)));
            }
            Ok(
                Trigger::StateChange { .. }
                | Trigger::AtRisk { .. }
                | Trigger::Launched { .. }
                | Trigger::Snapshots { .. }
                | Trigger::Wake(_)
                | Trigger::Sweep,
            )
            | Err(_) => compare("any-other-event", &render(None)),
        }
    }
    assert_eq!(
        warnings, 5,
        "terminate, stop, hibernate, capacity reservation, capacity block"
    );
}

fn samples() -> Vec<(String, String)> {
    let mut files: Vec<PathBuf> = fs::read_dir("events")
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    files.sort();
    let name = |it: &Path| it.file_stem().unwrap().to_string_lossy().into_owned();
    files
        .iter()
        .map(|it| (name(it), fs::read_to_string(it).unwrap()))
        .collect()
}

fn render(interruption: Option<&Interruption>) -> String {
    let at = interruption.map_or_else(|| clock::parse(AT).unwrap(), |it| it.at);
    let notices: Vec<Interruption> = interruption.cloned().into_iter().collect();
    let mut text = String::new();
    for (name, make) in SCENES {
        let situation = make(at, &notices);
        writeln!(text, "=== {name}").unwrap();
        if !notices.is_empty() {
            writeln!(text, "--- at once").unwrap();
            write!(text, "{}", first_aid(&of_instance(&situation))).unwrap();
            writeln!(text, "--- after looking around").unwrap();
        }
        writeln!(text, "{}", plan(&situation)).unwrap();
    }
    text
}

/// The situation before anything but the instance has been read.
fn of_instance(situation: &Situation) -> Situation {
    let instances = situation.facts.instances.iter();
    let instances = instances.filter(|it| it.id.as_str() == LINEAGE);
    let facts = Facts {
        instances: instances.cloned().collect(),
        ..Facts::default()
    };
    let mut brief = Situation {
        facts,
        ..situation.clone()
    };
    brief.inputs.pass = 0;
    brief
}

fn compare(name: &str, text: &str) {
    let path = format!("tests/plans/{name}.txt");
    if std::env::var_os("UPDATE_PLANS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == text,
        "{path} differs; UPDATE_PLANS=1 writes it anew:\n{}",
        difference(&expected, text)
    );
}

/// The first line that differs, in its section.
fn difference(expected: &str, text: &str) -> String {
    let mut section = "";
    for (old, new) in expected
        .lines()
        .chain(std::iter::repeat(""))
        .zip(text.lines())
    {
        if new.starts_with("===") {
            section = new;
        }
        if old != new {
            return format!("{section}\n- {old}\n+ {new}");
        }
    }
    "the file has more lines".to_owned()
}
