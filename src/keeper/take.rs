//! The sets that are due, as calls.

use super::Holding;
use super::holding::Rescue;
use crate::backup::{Due, due, set};
use crate::clock::Timestamp;
use crate::plan::snapshot::has_room_for_copies;
use crate::policy::BackupRoot;
use crate::situation::Device;
use crate::step::{Action, Except, Step, description};
use crate::tags::{self, Tags};

/// One point in time for all volumes, without what the instance has in memory.
const CRASH: &str = "crash";

#[derive(Debug, Default)]
pub struct Taken {
    pub steps: Vec<Step>,
    /// More are due than one run takes.
    pub more: bool,
}

/// The longest overdue first. While a rescue of any lineage has just begun no set is taken: it needs the same calls, and
/// a set under way would keep the warning's own from being taken at once.
#[must_use]
pub fn take(now: Timestamp, holdings: &[Holding<'_>], most: usize) -> Taken {
    if holdings.iter().any(|it| it.rescue == Rescue::Begun) {
        return Taken::default();
    }
    let due = holdings
        .iter()
        .filter_map(|it| Some((run_due(it, now)?, it)));
    let mut due: Vec<_> = due.collect();
    due.sort_by_key(|(run, it)| (*run, it.lineage.clone()));
    let more = due.len() > most;
    let steps = due.into_iter().take(most);
    Taken {
        steps: steps.map(|(run, it)| step(it, run)).collect(),
        more,
    }
}

/// The moment of its schedule for which a set is to be taken now.
fn run_due(holding: &Holding<'_>, now: Timestamp) -> Option<Timestamp> {
    let schedule = holding.policy.backup.value.as_ref()?;
    let owner = holding.owner;
    // TRAP 30. Without the mark the rescue is being prepared: its volumes have no marks yet that a set could repeat.
    let skips_root = holding.policy.backup_root.value == BackupRoot::Skip;
    let wanted = |it: &Device| !(skips_root && owner.is_root(&it.name));
    let possible = !owner.hibernation
        && owner.devices.iter().any(wanted)
        && owner.tags.contains_key(tags::PREPARED)
        && holding.rescue == Rescue::None;
    match due(schedule, &holding.lineage, holding.sets, now) {
        Due::Now(run) if possible => Some(run),
        Due::Now(_) | Due::At(_) | Due::UnderWay | Due::Never => None,
    }
}

fn step(holding: &Holding<'_>, run: Timestamp) -> Step {
    let instance = &holding.owner.id;
    let marks = [
        (tags::RESCUE, holding.lineage.to_string()),
        (tags::SET, set::name(instance, run)),
        (tags::CONSISTENCY, CRASH.to_owned()),
    ];
    let marks: Tags = marks.map(|(key, value)| (key.to_owned(), value)).into();
    let mut except = Except::managed(holding.owner);
    except.root |= holding.policy.backup_root.value == BackupRoot::Skip;
    let action = Action::SnapshotInstance {
        instance: instance.clone(),
        description: description(&marks),
        copy_tags: has_room_for_copies(holding.owner) == Some(true),
        tags: marks,
        except,
    };
    Step::new(format!("back up {instance}"), action)
}
