//! What a lineage has: its owner, its policy and its scheduled sets.

use crate::backup::Set;
use crate::clock::Timestamp;
use crate::event::InstanceState;
use crate::id::InstanceId;
use crate::policy::Policy;
use crate::record::Record;
use crate::situation::{Instance, Template};
use crate::tags::{self, Tags, template_names};
use std::collections::BTreeMap;
use time::Duration;

/// A rescue that began so shortly ago needs the calls that backups would take.
const RESCUE: Duration = Duration::minutes(10);

#[derive(Debug)]
pub struct Holding<'a> {
    pub lineage: InstanceId,
    pub owner: &'a Instance,
    pub policy: Policy,
    pub rescue: Rescue,
    /// The oldest first.
    pub sets: &'a [Set],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rescue {
    None,
    /// Begun minutes ago.
    Begun,
    /// It goes on, or could not end.
    Lasting,
}

/// Lineages with a prepared rescue and a living owner on record. The policy of any other lineage is not known, so its
/// sets stay.
#[must_use]
pub fn holdings<'a>(
    now: Timestamp,
    defaults: &Tags,
    protected: &'a [Instance],
    templates: &'a [Template],
    sets: &'a BTreeMap<InstanceId, Vec<Set>>,
) -> Vec<Holding<'a>> {
    let by_id: BTreeMap<_, _> = protected.iter().map(|it| (&it.id, it)).collect();
    let holding = |template: &'a Template| {
        let lineage: InstanceId = template.tags.get(tags::RESCUE)?.parse().ok()?;
        let record = Record::from_tags(&template.tags);
        let owner = by_id.get(record.head.as_ref()?)?;
        let is_prepared = template_names(&lineage).contains(&template.name);
        let lives = matches!(
            owner.state,
            InstanceState::Running | InstanceState::Stopping | InstanceState::Stopped
        );
        if !is_prepared || !lives || owner.lineage() != lineage {
            return None;
        }
        // The prepared rescue repeats the policy tags of the instance's Auto Scaling group.
        let (policy, _) = Policy::layered(defaults, &template.tags, &owner.tags);
        Some(Holding {
            policy,
            rescue: rescue(&record, now),
            sets: sets.get(&lineage).map(Vec::as_slice).unwrap_or_default(),
            owner,
            lineage,
        })
    };
    templates.iter().filter_map(holding).collect()
}

fn rescue(record: &Record, now: Timestamp) -> Rescue {
    match &record.interruption {
        None => Rescue::None,
        Some(it) if now - it.at < RESCUE => Rescue::Begun,
        Some(_) => Rescue::Lasting,
    }
}
