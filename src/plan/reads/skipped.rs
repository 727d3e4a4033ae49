//! Instances that need not be looked for in any target group.
//!
//! While hundreds of instances wait for their volumes, each look would ask every target group. Elastic Load Balancing
//! grants an account ten reads a second, and the instances that need an answer would not get one.
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>

use crate::clock::Timestamp;
use crate::event::{InstanceAction, InstanceState, Interruption, is_recent};
use crate::id::InstanceId;
use crate::plan::reads::first::{First, Prepared};
use crate::record::{FirstLook, interruption_from, targets_from};
use crate::situation::{Instance, Market, TargetGroup};
use crate::tags::{self, lineage_of, template_names};
use std::collections::{BTreeMap, BTreeSet};

/// Instances that were interrupted and are registered nowhere any more.
#[derive(Debug)]
pub struct Deregistered {
    pub now: Timestamp,
    /// AWS has accepted all their deregistrations.
    pub instances: BTreeSet<InstanceId>,
    /// The instances that the warnings at hand are about, and when they came.
    pub warned: BTreeMap<InstanceId, Timestamp>,
    /// Lineages for which every target group has been asked since their warning, or not for now.
    pub listed: BTreeSet<InstanceId>,
    /// Lineages looked at without a warning: the invocation that received the warning deregisters their instance.
    pub unwarned: BTreeSet<InstanceId>,
}

impl Deregistered {
    #[must_use]
    pub fn of(&self, instances: &[Instance]) -> BTreeSet<InstanceId> {
        let unwarned = |it: &&Instance| self.unwarned.contains(&it.lineage());
        let unwarned = instances.iter().filter(unwarned);
        let others = unwarned.filter(|it| self.is_being_rescued(it, instances));
        let others = others.map(|it| it.id.clone());
        self.instances.iter().cloned().chain(others).collect()
    }

    /// A first look is not over: its instance may be registered with groups that are on no record yet.
    pub(super) fn is_unlisted(&self, first: &First) -> bool {
        let is_open = |it: &&Prepared| {
            let lineage = lineage_of(&it.template.name);
            it.template.ours && lineage.is_none_or(|it| !self.listed.contains(&it))
        };
        let mut open = first.rescues.iter().filter(is_open);
        open.any(|it| {
            let Some(head) = &it.record.head else {
                return false;
            };
            let tombstone = it.record.interruption.as_ref();
            let tombstone = tombstone.filter(|it| it.instance == *head && !it.is_ours());
            let at = { tombstone.map(|it| it.at) }
                .or_else(|| self.warned.get(head).copied())
                .or_else(|| marked(first.instances, head));
            let listed = tombstone.is_some() && it.record.first_look == FirstLook::Listed;
            !listed && at.is_some_and(|it| is_recent(it, self.now))
        })
    }

    /// EC2 is interrupting it: by its tombstone, which may come late when many are written, or by its replacement. A
    /// stand-in is ended by the function, not by EC2.
    fn is_being_rescued(&self, instance: &Instance, all: &[Instance]) -> bool {
        let tombstone = instance.tags.get(tags::INTERRUPTED_AT);
        let tombstone = tombstone.and_then(|it| interruption_from(it));
        let ends = |it: &Interruption| it.action == InstanceAction::Terminate;
        let warned = tombstone.is_some_and(|it| ends(&it) && is_recent(it.at, self.now));
        let replaces = |it: &Instance| {
            let replaced = it.tags.get(tags::REPLACES).map(String::as_str);
            replaced == Some(instance.id.as_str())
                && !it.tags.contains_key(tags::EXPIRES_AT)
                && is_recent(it.launch_time, self.now)
        };
        instance.state == InstanceState::Running
            && instance.market == Market::Spot
            && (warned || all.iter().any(replaces))
    }
}

/// When an instance was warned, by its own tombstone: that of the record may not have been written.
fn marked(instances: &[Instance], id: &InstanceId) -> Option<Timestamp> {
    let tombstone = { instances.iter() }.find(|it| it.id == *id)?;
    let tombstone = interruption_from(tombstone.tags.get(tags::INTERRUPTED_AT)?)?;
    Some(tombstone.at).filter(|_| !tombstone.is_ours())
}

/// The target groups on record of a batch of lineages: to read, and not to read.
#[derive(Debug, Clone, Default)]
pub struct RecordedGroups {
    pub read: BTreeSet<TargetGroup>,
    /// Target groups of lineages without an instance to deregister or to register for now.
    pub skip: BTreeSet<TargetGroup>,
}

/// `out` are deregistered instances.
pub fn recorded(first: &First, out: &BTreeSet<InstanceId>) -> RecordedGroups {
    let skipped = skipped(first.instances, out, &first.warned);
    let names: BTreeSet<String> = skipped.iter().flat_map(template_names).collect();
    let of_instances =
        { first.instances.iter() }.map(|it| (skipped.contains(&it.lineage()), &it.tags));
    let of_rescues =
        { first.rescues.iter() }.map(|it| (names.contains(&it.template.name), &it.template.tags));
    let mut recorded = RecordedGroups::default();
    for (skipped, tags) in of_instances.chain(of_rescues) {
        let groups = targets_from(tags).into_iter().map(|it| it.group);
        if skipped {
            recorded.skip.extend(groups);
        } else {
            recorded.read.extend(groups);
        }
    }
    recorded.skip.retain(|it| !recorded.read.contains(it));
    recorded
}

/// Lineages with a deregistered instance and no running instance that could serve.
fn skipped(
    instances: &[Instance],
    out: &BTreeSet<InstanceId>,
    warned: &BTreeSet<InstanceId>,
) -> BTreeSet<InstanceId> {
    let (gone, others): (Vec<_>, Vec<_>) = instances.iter().partition(|it| out.contains(&it.id));
    let waits = |it: &Instance| {
        let stays = !warned.contains(&it.id) && !it.tags.contains_key(tags::INTERRUPTED_AT);
        let mut gone = gone.iter().filter(|_| stays);
        gone.any(|old| old.lineage() == it.lineage() && holds_volumes_for(old, it))
    };
    let running = others
        .iter()
        .filter(|it| it.state == InstanceState::Running);
    let serving: BTreeSet<_> = running
        .filter(|it| !waits(it))
        .map(|it| it.lineage())
        .collect();
    let lineages = gone.iter().map(|it| it.lineage());
    lineages.filter(|it| !serving.contains(it)).collect()
}

/// Volumes move within one zone, once their instance has ended. A successor that has volumes of its own in their
/// place (copies) waits for none.
fn holds_volumes_for(instance: &Instance, successor: &Instance) -> bool {
    let root = instance.root_device.as_ref();
    let mut data = instance.devices.iter().filter(|it| Some(&it.name) != root);
    let has = |name: &String| successor.devices.iter().any(|it| it.name == *name);
    let near = instance.availability_zone == successor.availability_zone;
    data.any(|it| !has(&it.name)) && near && instance.is_alive()
}
