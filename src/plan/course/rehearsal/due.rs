//! Whose turn it is. EC2 grants few launches a second to the whole account, and a dry run is one of them: so a few
//! lineages at each sweep, seconds apart, and none while a rescue may need them.

use crate::clock::{SWEEP, Timestamp};
use crate::event::{InstanceState, Memory, Wake};
use crate::id::InstanceId;
use crate::record::Record;
use crate::situation::{Instance, Template};
use crate::step::{Action, Step, fingerprint};
use crate::tags::{self, Tags};
use time::Duration;

/// So many at each sweep.
const AT_A_SWEEP: usize = 12;

/// Seconds between them: the last one begins before the next sweep.
const APART: u16 = 20;

/// What was refused is asked for again after so long.
const AGAIN: Duration = Duration::hours(6);

/// So long after a warning its rescue has all that AWS grants: as its chain of wakes lasts.
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
        // Those never rehearsed in another order each time, lest one that cannot be keeps others from their turn.
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

/// The lineage, if it runs, nothing happens to it, and it has something to rehearse.
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
