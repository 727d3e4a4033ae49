//! What the first round trip has shown of a batch, for the decisions about the second: each record parsed once, each
//! policy with all its layers, and which instances have not taken over yet.

use crate::id::InstanceId;
use crate::policy::Policy;
use crate::record::Record;
use crate::situation::{Fact, Instance, Template};
use crate::tags::{self, Tags};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub struct First<'a> {
    pub instances: &'a [Instance],
    pub rescues: Vec<Prepared<'a>>,
    /// Instances with a warning at hand.
    pub warned: BTreeSet<InstanceId>,
    /// Members that have not taken over.
    pub replacements: BTreeSet<InstanceId>,
    pub defaults: &'a Tags,
    policies: BTreeMap<&'a InstanceId, Policy>,
}

/// A prepared rescue.
#[derive(Debug)]
pub struct Prepared<'a> {
    pub template: &'a Template,
    pub lineage: Option<InstanceId>,
    pub record: Record,
    pub policy: Policy,
}

impl<'a> First<'a> {
    #[must_use]
    pub fn of(
        instances: &'a [Instance],
        templates: &'a Fact<Vec<Template>>,
        warned: BTreeSet<InstanceId>,
        defaults: &'a Tags,
    ) -> Self {
        let templates = templates.known().map(Vec::as_slice).unwrap_or_default();
        let rescues: Vec<Prepared> = { templates.iter() }
            .map(|it| Prepared::of(it, defaults))
            .collect();
        let policy = |it: &'a Instance| {
            let lineage = it.lineage();
            let repeated = prepared(&rescues, &lineage).map(|it| &it.template.tags);
            let empty = Tags::new();
            let repeated = repeated.unwrap_or(&empty);
            (&it.id, Policy::layered(defaults, repeated, &it.tags).0)
        };
        Self {
            policies: instances.iter().map(policy).collect(),
            replacements: replacements(instances, &rescues),
            instances,
            rescues,
            warned,
            defaults,
        }
    }

    /// The policy that the plan will use, once the rescue is prepared. An Auto Scaling group's own tags are read a round
    /// trip later: the prepared rescue repeats them.
    #[must_use]
    pub fn policy(&self, instance: &Instance) -> Policy {
        { self.policies.get(&instance.id) }
            .cloned()
            .unwrap_or_default()
    }

    #[must_use]
    pub fn record(&self, lineage: &InstanceId) -> Option<&Record> {
        prepared(&self.rescues, lineage).map(|it| &it.record)
    }

    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.rescues.iter().map(|it| &it.record)
    }

    /// It owns what its lineage has.
    #[must_use]
    pub fn is_head(&self, instance: &InstanceId) -> bool {
        { self.records() }.any(|it| it.head.as_ref() == Some(instance))
    }

    pub fn living(&self) -> impl Iterator<Item = &'a Instance> {
        { self.instances.iter() }.filter(|it| it.is_alive())
    }

    #[must_use]
    pub fn is_replacement(&self, instance: &Instance) -> bool {
        self.replacements.contains(&instance.id)
    }
}

impl<'a> Prepared<'a> {
    fn of(template: &'a Template, defaults: &Tags) -> Self {
        let lineage = template.tags.get(tags::RESCUE);
        Self {
            template,
            lineage: lineage.and_then(|it| it.parse().ok()),
            record: Record::from_tags(&template.tags),
            policy: Policy::of(defaults, &template.tags).0,
        }
    }
}

fn prepared<'a>(rescues: &'a [Prepared<'a>], lineage: &InstanceId) -> Option<&'a Prepared<'a>> {
    let mut rescues = rescues.iter();
    rescues.find(|it| it.lineage.as_ref() == Some(lineage))
}

fn replacements(instances: &[Instance], rescues: &[Prepared]) -> BTreeSet<InstanceId> {
    let ours = rescues.iter().filter(|it| it.template.ours);
    let heads: BTreeSet<&InstanceId> = ours.filter_map(|it| it.record.head.as_ref()).collect();
    let marked = |it: &Instance| {
        let marks = [tags::REPLACES, tags::LAUNCHED];
        marks.iter().any(|key| it.tags.contains_key(*key))
    };
    let waits = |it: &&Instance| marked(it) && it.is_alive() && !heads.contains(&it.id);
    // Without a record it is unknown which have taken over.
    let all = instances.iter().filter(|_| !heads.is_empty());
    all.filter(waits).map(|it| it.id.clone()).collect()
}
