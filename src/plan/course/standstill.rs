//! A rescue that does not get on is told, with what stands in its way: soon, then once a day, and after a week no
//! more. It goes on all the same.

use crate::clock::seconds_between;
use crate::error::launching::meaning;
use crate::event::{InstanceState, Interruption};
use crate::plan::capacity::deaths;
use crate::plan::course::outcome;
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::volumes::fate::{Fate, HandOver};
use crate::record::{Milestone, RecordedVolume};
use crate::report::Kind;
use std::collections::{BTreeMap, BTreeSet};
use time::Duration;

/// So long after the interruption something should run in its place: twice what a rescue takes.
pub const REPLACED: Duration = Duration::minutes(5);

/// So many seconds after both it should serve.
const SERVING: f64 = 600.0;

const AGAIN: f64 = 86_400.0;

const END: f64 = 7.0 * AGAIN;

/// Different advice for different codes, but no list that nobody reads.
const MOST_ADVICE: usize = 3;

/// How it stands, and since when that is on record. None while all goes as it should.
pub fn of(lineage: &Lineage, interruption: &Interruption) -> Option<(Kind, Milestone)> {
    let age = age(lineage, interruption);
    let running = lineage
        .successor
        .filter(|it| it.state == InstanceState::Running);
    match running {
        None if age >= REPLACED.as_seconds_f64() => Some((Kind::Unreplaced, Milestone::Unreplaced)),
        Some(it) if age.min(seconds_between(it.launch_time, lineage.situation.now)) >= SERVING => {
            Some((Kind::Stuck, Milestone::Stuck))
        }
        None | Some(_) => None,
    }
}

/// What was stopped is replaced only once it is overdue, which is told.
fn age(lineage: &Lineage, interruption: &Interruption) -> f64 {
    let overdue = lineage.record.progress.get(&Milestone::Overdue);
    seconds_between(interruption.at, lineage.situation.now) - overdue.unwrap_or(&0.0)
}

/// Whether it is to be told now: `told` is when it was last, both in seconds since the interruption.
pub fn is_due(told: Option<f64>, now: f64) -> bool {
    now < END && told.is_none_or(|told| now - told >= AGAIN)
}

/// What stands in its way, for a person.
pub fn why(lineage: &Lineage, hand_over: &HandOver, plan: &Plan) -> String {
    let launched = lineage.successor.is_some();
    let refused = if launched {
        Vec::new()
    } else {
        refusals(lineage)
    };
    let missing = hand_over.volumes.iter().filter_map(missing);
    let waits = plan
        .waits
        .iter()
        .map(|it| format!("waiting for {}", it.what));
    let all: Vec<String> = refused.into_iter().chain(missing).chain(waits).collect();
    all.join("; ")
}

fn refusals(lineage: &Lineage) -> Vec<String> {
    let refusal = lineage.record.refusal.as_ref();
    let refusal = refusal.map(|it| format!("the last launch was refused: {it}"));
    let codes: BTreeSet<&str> = lineage
        .record
        .failed_pools
        .iter()
        .map(|it| it.code.as_str())
        .collect();
    let advice: BTreeSet<&str> = codes.into_iter().map(|it| meaning(it).advice).collect();
    let advice = advice.into_iter().take(MOST_ADVICE).map(str::to_owned);
    let dead = deaths::told(lineage);
    refusal.into_iter().chain(advice).chain(dead).collect()
}

fn missing((recorded, fate): &(RecordedVolume, Fate)) -> Option<String> {
    let how = match fate {
        Fate::Attached { .. } | Fate::Left { .. } => return None,
        Fate::Coming => "is not attached yet",
        Fate::Lost => "is lost",
        Fate::Stuck => "cannot be attached",
    };
    Some(format!("{} ({}) {how}", recorded.volume, recorded.device))
}

/// The prepared rescue cannot be read: nothing is launched, and nothing can be written down.
pub fn unread(lineage: &Lineage, interruption: &Interruption, why: &str, plan: &mut Plan) {
    if let Some((kind, _)) = of(lineage, interruption) {
        let hand_over = HandOver::default();
        let progress = BTreeMap::new();
        let mut outcome = outcome::of_rescue(kind, lineage, interruption, &hand_over, progress);
        outcome.why = Some(format!("the prepared rescue cannot be read: {why}"));
        plan.outcome = Some((String::new(), outcome));
    }
}
