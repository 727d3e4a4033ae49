//! Which lineages rehearse at this sweep. A dry run counts against the account's few launches per second, so it is a
//! few lineages at each sweep, seconds apart, and none while a rescue may need the launches.

use crate::clock::{SWEEP, Timestamp};
use crate::event::{InstanceState, Memory, Wake};
use crate::id::InstanceId;
use crate::record::Record;
use crate::situation::{Instance, Template};
use crate::step::{Action, Step, fingerprint};
use crate::tags::{self, Tags};
use time::Duration;

/// How many lineages rehearse at each sweep.
const AT_A_SWEEP: usize = 12;

/// Seconds between two rehearsals: the last one begins before the next sweep.
const APART: u16 = 20;

/// A refused request is rehearsed again after so long.
const AGAIN: Duration = Duration::hours(6);

/// So long after a warning, as long as its chain of wakes lasts, no lineage rehearses.
const YOUNG: Duration = SWEEP;

/// Wakes that rehearse, the longest overdue first.
#[must_use]
pub fn due(
    now: Timestamp,
    protected: &[Instance],
    templates: &[Template],
    defaults: &Tags,
) -> Vec<Step> {
    let records: Vec<(&Template, Record)> = { templates.iter() }
        .map(|it| (it, Record::from_tags(&it.tags)))
        .collect();
    let young = |(_, it): &(&Template, Record)| {
        { it.interruption.as_ref() }.is_some_and(|it| now - it.at < YOUNG)
    };
    let off = defaults.get(tags::REHEARSAL).is_some_and(|it| it == "off");
    if off || records.iter().any(young) {
        return Vec::new();
    }
    let overdue = records.iter().filter_map(|(template, record)| {
        let lineage = of(now, protected, template, record)?;
        // Lineages that were never rehearsed come in another order each time, so that one that cannot be rehearsed does
        // not hold up the others.
        let order = fingerprint(&(now.unix_timestamp(), &lineage));
        Some((record.rehearsed.whole.map(|it| it.1), order, lineage))
    });
    let mut overdue: Vec<(Option<Timestamp>, String, InstanceId)> = overdue.collect();
    overdue.sort();
    let lineages = overdue.into_iter().map(|it| it.2).take(AT_A_SWEEP);
    lineages
        .zip(0..)
        .map(|(it, place)| wake(it, place))
        .collect()
}

/// The lineage, if its owner runs, is not interrupted or at risk, and a rehearsal is due.
fn of(
    now: Timestamp,
    protected: &[Instance],
    template: &Template,
    record: &Record,
) -> Option<InstanceId> {
    let (version, _) = template.versions()?;
    let head = record.head.as_ref()?;
    let mut running = protected
        .iter()
        .filter(|it| it.state == InstanceState::Running);
    let owner = running.find(|it| it.id == *head)?;
    let quiet = !owner.tags.contains_key(tags::INTERRUPTED_AT) && record.risk.is_none();
    let is_new = |it: u64| it != version;
    let due = record.rehearsed.whole.is_none_or(|(rehearsed, at)| {
        let again = !record.rehearsed.caveats.is_empty() && now - at >= AGAIN;
        is_new(rehearsed) || again
    });
    let lineage = template.tags.get(tags::RESCUE)?.parse().ok()?;
    (template.ours && quiet && due).then_some(lineage)
}

fn wake(lineage: InstanceId, place: u16) -> Step {
    let memory = Memory {
        rehearses: true,
        ..Memory::default()
    };
    let wake = Wake {
        memory,
        ..Wake::look(lineage)
    };
    let id = format!("rehearse {}", wake.instance);
    let action = Action::Wake {
        wake,
        delay_seconds: place * APART,
    };
    Step::new(id, action)
}
