//! The fuzz targets on stable: every file of the corpus, and mutations of it by a small generator. `SMOKE=100000`
//! tries more. A crash that fuzzing finds becomes a file of the corpus.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "tests")]

use spot_rescue::sim::{Rng, inputs};
use std::fs;

/// Fragments that an event parser may fail on.
const SPLICES: [&str; 14] = [
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "null",
    "-1",
    "1e999",
    "\u{0}",
    "\u{1f4a5}",
    "i-",
    "=",
    "on",
    "\r\n",
];

fn corpus(target: &str) -> Vec<String> {
    let files = fs::read_dir(format!("fuzz/corpus/{target}")).unwrap();
    let mut paths: Vec<_> = files.map(|it| it.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|it| fs::read_to_string(it).unwrap())
        .collect()
}

/// One to four edits: something left out, doubled, spliced in, or taken from another file.
fn mutated(text: &str, others: &[String], rng: &mut Rng) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=rng.below(3) {
        let from = rng.index(chars.len() + 1);
        let to = (from + rng.index(12)).min(chars.len());
        match rng.below(5) {
            0 => drop(chars.drain(from..to)),
            1 => {
                let again: Vec<char> = chars[from..to].to_vec();
                chars.splice(from..from, again);
            }
            2 => {
                let splice = SPLICES[rng.index(SPLICES.len())];
                chars.splice(from..to, splice.chars());
            }
            3 => {
                let other = &others[rng.index(others.len())];
                let cut = rng.index(other.chars().count() + 1);
                chars.truncate(from);
                chars.extend(other.chars().skip(cut));
            }
            _ => chars.truncate(from),
        }
    }
    chars.into_iter().collect()
}

fn smoke(target: &str, seed: u64, check: fn(&str)) {
    let set = std::env::var("SMOKE").ok();
    let rounds = set.and_then(|it| it.parse().ok()).unwrap_or(3000);
    let corpus = corpus(target);
    for text in &corpus {
        check(text);
    }
    let mut rng = Rng::new(seed);
    for _ in 0..rounds {
        let text = mutated(&corpus[rng.index(corpus.len())], &corpus, &mut rng);
        check(&text);
    }
}

#[test]
fn any_event_is_read_or_refused() {
    smoke("event", 1, inputs::event);
}

#[test]
fn any_policy_is_followed_or_warned_about() {
    smoke("policy", 2, inputs::policy);
}

#[test]
fn any_payload_is_answered_and_changes_nothing() {
    smoke("envelope", 3, inputs::envelope);
}
