//! What has been read for a whole batch, and the part of it that concerns one lineage.

use super::merge::merge;
use super::sets::Found;
use super::{groups, prepared};
use crate::clock::Timestamp;
use crate::id::{InstanceId, VolumeId};
use crate::record::{RecordedAddress, addresses_from};
use crate::situation::{
    Address, Fact, Facts, Group, Inputs, Instance, Lookup, Registrations, Situation, Template,
    Volume,
};
use crate::tags::{self, Tags};
use std::collections::{BTreeMap, BTreeSet};

/// What has been read of all lineages of a batch.
#[derive(Debug)]
pub struct Readings {
    pub(super) instances: Vec<Instance>,
    /// Instances that are deregistered from all their target groups.
    pub(super) out: BTreeSet<InstanceId>,
    pub(super) templates: Fact<Vec<Template>>,
    pub(super) volumes: Fact<Vec<Volume>>,
    pub(super) snapshots: Found,
    pub(super) addresses: Fact<Vec<Address>>,
    pub(super) groups: Fact<Vec<Group>>,
    pub(super) lookups: BTreeMap<InstanceId, Fact<Lookup>>,
    /// Facts that every lineage of the batch is given whole.
    pub(super) shared: Facts,
}

impl Readings {
    #[must_use]
    pub fn shows(&self, instance: &InstanceId) -> bool {
        self.instances.iter().any(|it| it.id == *instance)
    }

    /// What the prepared rescue of a lineage says.
    #[must_use]
    pub fn record(&self, lineage: &InstanceId) -> Option<&Tags> {
        let all = self.templates.known()?;
        prepared::of(lineage, all).map(|it| &it.tags)
    }

    #[must_use]
    pub fn lists_all(&self) -> bool {
        let found = self.shared.registrations.known();
        found.is_some_and(Registrations::lists_all)
    }

    /// Listing the snapshots did not end.
    #[must_use]
    pub fn lists_no_snapshots(&self) -> bool {
        self.snapshots.endless
    }

    /// The part that concerns one lineage.
    #[must_use]
    pub fn situation(&self, lineage: &InstanceId, now: Timestamp, inputs: Inputs) -> Situation {
        let template = self.templates.of(|all| prepared::of(lineage, all).cloned());
        let recorded = template.known().and_then(Option::as_ref);
        let owner = recorded.and_then(|it| it.tags.get(tags::HEAD));
        let owner = owner.map_or(lineage.as_str(), String::as_str).to_owned();
        let its = |it: &&Instance| {
            it.lineage() == *lineage || it.id.as_str() == owner || it.id == *lineage
        };
        let members: Vec<Instance> = self.instances.iter().filter(its).cloned().collect();
        let owner = members.iter().find(|it| it.id.as_str() == owner);
        let group = groups::name_of(owner, recorded);
        let group = self.groups.of(|all| {
            let named = |it: &&Group| Some(&it.scaling.name) == group.as_ref();
            all.iter().find(named).cloned()
        });
        let claimed = group.known().and_then(Option::as_ref);
        let claimed = claimed.map(|it| it.claimed(lineage)).unwrap_or_default();
        let instances = merge(members, claimed, |it| it.id.clone());
        let ours =
            |tags: &Tags| tags.get(tags::RESCUE).map(String::as_str) == Some(lineage.as_str());
        let member = |id: &&InstanceId| instances.iter().any(|it| it.id == **id);
        let held = |it: &Volume| instances.iter().any(|i| it.attachment(&i.id).is_some());
        let noted = recorded.map(prepared::volumes).unwrap_or_default();
        let is_noted = |id: &VolumeId| noted.contains(id);
        let volumes = select(&self.volumes, |it| {
            ours(&it.tags) || held(it) || is_noted(&it.id)
        });
        // All addresses of the account have been read.
        let recorded = recorded.map(|it| addresses_from(&it.tags));
        let recorded = recorded.unwrap_or_default();
        let its = |it: &Address| {
            let holds = |member: &Instance| it.instance.as_ref() == Some(&member.id);
            let noted = |of: &RecordedAddress| of.allocation == it.allocation;
            instances.iter().any(holds) || recorded.iter().any(noted)
        };
        let facts = Facts {
            deregistered: self.out.iter().filter(member).cloned().collect(),
            template,
            volumes,
            snapshots: self.snapshots.of(lineage),
            template_name: prepared::name(lineage, &self.templates),
            addresses: select(&self.addresses, its),
            group,
            lookup: self.lookups.get(lineage).cloned().unwrap_or_default(),
            part_of: self.part_of(lineage),
            instances,
            ..self.shared.clone()
        };
        Situation {
            lineage: lineage.clone(),
            now,
            inputs,
            facts,
        }
    }

    /// By that lineage's record, or by its marks on what the instance holds.
    fn part_of(&self, lineage: &InstanceId) -> Option<InstanceId> {
        let first = self.instances.iter().find(|it| it.id == *lineage)?;
        let claimed = first.lineage();
        let template = self.templates.known()?;
        let template = prepared::of(&claimed, template);
        let is_named = template.is_some_and(|it| prepared::names(it, lineage));
        let holds = |volumes: &Vec<Volume>| {
            let mut held = volumes.iter().filter(|it| it.attachment(lineage).is_some());
            held.any(|it| {
                it.tags
                    .get(tags::RESCUE)
                    .is_some_and(|it| *it == claimed.to_string())
            })
        };
        let held = self.volumes.known().is_some_and(holds);
        (claimed != *lineage && (is_named || held)).then_some(claimed)
    }
}

fn select<T: Clone>(fact: &Fact<Vec<T>>, wanted: impl Fn(&T) -> bool) -> Fact<Vec<T>> {
    fact.of(|all| all.iter().filter(|it| wanted(it)).cloned().collect())
}
