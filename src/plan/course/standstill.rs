//! When a rescue that is stuck is reported, and why it is stuck: soon, then once a day, for a week. The rescue goes on
//! all the same.

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

/// A replacement should run so long after the interruption: twice as long as a rescue takes.
pub const REPLACED: Duration = Duration::minutes(5);

/// The replacement should serve so many seconds after the interruption and after its own launch.
const SERVING: f64 = 600.0;

const AGAIN: f64 = 86_400.0;

const END: f64 = 7.0 * AGAIN;

/// Advice for so many codes at most, so that the report stays readable.
const MOST_ADVICE: usize = 3;

/// How the rescue is stuck, and the milestone that records the report. None while it is in time.
pub fn of(lineage: &Lineage, interruption: &Interruption) -> Option<(Kind, Milestone)> {
    let age = age(lineage, interruption);
    let running = lineage
        .successor
        .filter(|it| it.state == InstanceState::Running);
    match running {
        None if age >= REPLACED.as_seconds_f64() => Some((Kind::Unreplaced, Milestone::Unreplaced)),
        Some(it) if age.min(seconds_between(it.launch_time, lineage.now)) >= SERVING => {
            Some((Kind::Stuck, Milestone::Stuck))
        }
        None | Some(_) => None,
    }
}

/// Seconds since the interruption, or since a stopped instance was reported as overdue: it is replaced only then.
fn age(lineage: &Lineage, interruption: &Interruption) -> f64 {
    let overdue = lineage.record.progress.get(&Milestone::Overdue);
    seconds_between(interruption.at, lineage.now) - overdue.unwrap_or(&0.0)
}

/// Whether a report is due. `told` is the time of the last one; both are seconds since the interruption.
pub fn is_due(told: Option<f64>, now: f64) -> bool {
    now < END && told.is_none_or(|told| now - told >= AGAIN)
}

/// Why the rescue is stuck, for a person to read.
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

/// The prepared rescue cannot be read: nothing is launched, and no milestone can be written down.
pub fn unread(lineage: &Lineage, interruption: &Interruption, why: &str, plan: &mut Plan) {
    if let Some((kind, _)) = of(lineage, interruption) {
        let hand_over = HandOver::default();
        let progress = BTreeMap::new();
        let mut outcome = outcome::of_rescue(kind, lineage, interruption, &hand_over, progress);
        outcome.why = Some(format!("the prepared rescue cannot be read: {why}"));
        plan.outcome = Some((String::new(), outcome));
    }
}
