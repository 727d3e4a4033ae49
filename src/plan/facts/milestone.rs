//! How far the rescue has come, according to the record.

use crate::clock::seconds_between;
use crate::event::Interruption;
use crate::plan::lineage::Lineage;
use crate::record::Milestone;

#[must_use]
pub fn seen_stopped(lineage: &Lineage) -> bool {
    lineage.record.progress.contains_key(&Milestone::Stopped)
}

/// Seconds since a milestone; 0 if it has not been written down.
pub fn since(milestone: Milestone, lineage: &Lineage, interruption: &Interruption) -> f64 {
    let now = seconds_between(interruption.at, lineage.now);
    let reached = lineage.record.progress.get(&milestone);
    reached.map_or(0.0, |reached| now - reached)
}
