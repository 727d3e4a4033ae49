//! The world as its users see it, in as few words as comparisons need.

use super::{Drain, SimInstance, State, World};
use crate::event::InstanceState;
use crate::id::{AllocationId, InstanceId, InterfaceId, VolumeId};
use crate::situation::Market;
use crate::tags;
use std::collections::{BTreeMap, BTreeSet};

/// Per lineage. No id of anything a rescue makes: two rescues of the same instance compare equal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    pub lineages: BTreeMap<InstanceId, LineageSummary>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineageSummary {
    /// Live instances: one, if all is well.
    pub live: usize,
    /// Of the newest live one, as is the rest.
    pub is_replacement: bool,
    pub state: Option<InstanceState>,
    pub market: Option<Market>,
    pub zone: Option<String>,
    /// Data volumes by device.
    pub volumes: BTreeMap<String, Attached>,
    /// Group and port (0 where there is none).
    pub targets: BTreeSet<(String, u16)>,
    pub addresses: BTreeSet<AllocationId>,
    /// Beyond the primary one, by device.
    pub interfaces: BTreeMap<u8, InterfaceId>,
    /// Record sets that say one of its addresses.
    pub names: BTreeSet<String>,
}

/// What is behind a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The volume it was at first.
    pub origin: VolumeId,
    /// Not the volume itself.
    pub is_copy: bool,
    pub delete_on_termination: bool,
    /// 0 is what we promise.
    pub lost_writes: u64,
}

impl World {
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.look(Summary::of)
    }
}

impl Summary {
    #[must_use]
    pub fn of(state: &State) -> Self {
        let mut lineages: BTreeMap<InstanceId, Vec<&SimInstance>> = BTreeMap::new();
        let templates = state.templates.values();
        let marks = templates.map(|it| state.honest(it.facts.id.as_str(), it.tags.current()));
        for id in marks.filter_map(|it| it.get(tags::RESCUE)?.parse().ok()) {
            lineages.entry(id).or_default();
        }
        let protected = state.instances.values();
        for instance in protected.filter(|it| is_protected(state, it)) {
            let members = lineages.entry(lineage(state, instance)).or_default();
            members.extend(instance.facts.is_alive().then_some(instance));
        }
        let summarised = lineages
            .into_iter()
            .map(|(id, members)| (id, LineageSummary::of(state, &members)));
        Self {
            lineages: summarised.collect(),
        }
    }
}

fn is_protected(state: &State, instance: &SimInstance) -> bool {
    let tags = state.honest(instance.facts.id.as_str(), instance.tags.current());
    tags.get(tags::OPT_IN).is_some_and(|it| it == "on") || tags.contains_key(tags::RESCUE)
}

/// The lineage that an instance's tags name, without an attacker's changes.
#[must_use]
pub fn lineage(state: &State, instance: &SimInstance) -> InstanceId {
    let tags = state.honest(instance.facts.id.as_str(), instance.tags.current());
    let tagged = tags.get(tags::RESCUE).and_then(|it| it.parse().ok());
    tagged.unwrap_or_else(|| instance.facts.id.clone())
}

impl LineageSummary {
    fn of(state: &State, members: &[&SimInstance]) -> Self {
        let newest = members
            .iter()
            .max_by_key(|it| (it.facts.launch_time, &it.facts.id));
        let Some(SimInstance { facts, tags, .. }) = newest else {
            return Self::default();
        };
        let data = facts.devices.iter().filter(|it| !facts.is_root(&it.name));
        let volumes = data.filter_map(|it| {
            let volume = state.volumes.get(&it.volume)?;
            let attached = Attached {
                origin: volume.content.origin.clone(),
                is_copy: volume.content.origin != it.volume,
                delete_on_termination: it.delete_on_termination,
                lost_writes: state.lost_writes(&volume.content),
            };
            Some((it.name.clone(), attached))
        });
        let held = state.addresses.keys();
        let held = held.filter(|it| state.address_holder(it).as_ref() == Some(&facts.id));
        let others = facts.interfaces.iter().filter(|it| !it.slot.is_primary());
        let targets = state.groups.values().flat_map(|it| it.targets.iter());
        let serving = targets.filter(|(it, drain)| **drain == Drain::No && facts.answers_to(it));
        Self {
            live: members.len(),
            is_replacement: {
                let tags = state.honest(facts.id.as_str(), tags.current());
                tags.contains_key(tags::REPLACES) || tags.contains_key(tags::LAUNCHED)
            },
            state: Some(facts.state),
            market: Some(facts.market),
            zone: Some(facts.availability_zone.clone()),
            volumes: volumes.collect(),
            targets: serving
                .map(|(it, _)| (it.group.to_string(), it.port.unwrap_or_default()))
                .collect(),
            addresses: held.cloned().collect(),
            interfaces: others.map(|it| (it.slot.device, it.id.clone())).collect(),
            names: state.names_of(facts),
        }
    }
}
