//! What has been read for a whole batch, and the part of it that concerns one lineage.

use super::merge::merge;
use super::sets::Found;
use super::{groups, prepared};
use crate::clock::Timestamp;
use crate::event::{Memory, Risk};
use crate::id::{InstanceId, VolumeId};
use crate::record::{RecordedAddress, addresses_from};
use crate::situation::{
    Address, Fact, Fleet, Group, Image, Instance, Lookup, NetworkInterface, Registrations,
    Rehearsing, RootTask, Shape, Situation, SpotRequest, Template, Volume,
};
use crate::tags::{self, Tags};
use std::collections::{BTreeMap, BTreeSet};

/// Facts about all lineages of a batch.
#[derive(Debug)]
pub struct Facts {
    pub(super) instances: Vec<Instance>,
    /// Instances that are deregistered from all their target groups.
    pub(super) out: BTreeSet<InstanceId>,
    pub(super) templates: Fact<Vec<Template>>,
    pub(super) volumes: Fact<Vec<Volume>>,
    pub(super) snapshots: Found,
    pub(super) registrations: Fact<Registrations>,
    pub(super) addresses: Fact<Vec<Address>>,
    pub(super) interfaces: Fact<Vec<NetworkInterface>>,
    pub(super) images: Fact<Vec<Image>>,
    pub(super) groups: Fact<Vec<Group>>,
    pub(super) fleets: Fact<Vec<Fleet>>,
    pub(super) shapes: Fact<Vec<Shape>>,
    pub(super) requests: Fact<Vec<SpotRequest>>,
    pub(super) root_tasks: Fact<Vec<RootTask>>,
    pub(super) lookups: BTreeMap<InstanceId, Fact<Lookup>>,
    pub(super) locked: Fact<BTreeSet<InstanceId>>,
    pub(super) default_key: Fact<Option<String>>,
}

/// What an invocation knows by itself about one lineage.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    pub now: Timestamp,
    pub memory: &'a Memory,
    pub risks: &'a [Risk],
    pub defaults: &'a Tags,
    pub pass: u32,
    /// Three looks have passed: what they could not read is not waited for.
    pub late: bool,
    pub refused: &'a BTreeSet<String>,
    pub remembered: &'a Tags,
    pub rehearsing: &'a Rehearsing,
}

impl Facts {
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
        let found = self.registrations.known();
        found.is_some_and(Registrations::lists_all)
    }

    /// Listing the snapshots did not end.
    #[must_use]
    pub fn lists_no_snapshots(&self) -> bool {
        self.snapshots.endless
    }

    /// The part that concerns one lineage.
    #[must_use]
    pub fn situation(&self, lineage: &InstanceId, look: &Look) -> Situation {
        let Look {
            now,
            memory,
            risks,
            defaults,
            pass,
            late,
            refused,
            remembered,
            rehearsing,
        } = *look;
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
        Situation {
            now,
            lineage: lineage.clone(),
            notices: memory.interruptions.clone(),
            risks: risks.to_vec(),
            defaults: defaults.clone(),
            pass,
            suspected: memory.suspected.clone(),
            refused: refused.clone(),
            remembered: remembered.clone(),
            launched: memory.launched.keys().cloned().collect(),
            unseen: memory.unseen_tokens(),
            flagged: memory.flagged.clone(),
            listed: memory.listed.clone(),
            late,
            unwritten: memory.unwritten.clone(),
            deregistered: self.out.iter().filter(member).cloned().collect(),
            template,
            volumes,
            snapshots: self.snapshots.of(lineage),
            template_name: prepared::name(lineage, &self.templates),
            registrations: self.registrations.clone(),
            addresses: select(&self.addresses, its),
            interfaces: self.interfaces.clone(),
            images: self.images.clone(),
            group,
            fleets: self.fleets.clone(),
            shapes: self.shapes.clone(),
            requests: self.requests.clone(),
            root_tasks: self.root_tasks.clone(),
            lookup: self.lookups.get(lineage).cloned().unwrap_or(Fact::NotRead),
            locked: self.locked.clone(),
            default_key: self.default_key.clone(),
            rehearsing: rehearsing.clone(),
            part_of: self.part_of(lineage),
            instances,
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
