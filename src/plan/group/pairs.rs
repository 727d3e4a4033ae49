//! Which new member of the group takes over from which interrupted one.
//!
//! Several members may be interrupted at once, and AWS does not say which member a launch of the group replaces. So the
//! open rescues and the new members are each put in order, the same for every lineage; members of the same Availability
//! Zone are matched first (volumes can move), then the rest. This is only a proposal, since two rescues may see
//! different members; the claim decides.

use crate::clock::{SWEEP, Timestamp};
use crate::id::InstanceId;
use crate::plan::facts::ending;
use crate::plan::facts::launcher::{Launcher, group};
use crate::plan::lineage::Lineage;
use crate::policy::Policy;
use crate::record::{Place, Record};
use crate::situation::{Group, Instance, Lifecycle};
use crate::tags::{self, Tags, template_names};
use std::collections::BTreeMap;
use time::Duration;

/// The rescue of an interrupted member that has no successor yet.
struct Open {
    lineage: InstanceId,
    /// Rescues without data volumes come after those with data.
    dataless: bool,
    at: Timestamp,
    place: Option<Place>,
}

/// The new member for each lineage.
pub fn pairs(group: &Group, defaults: &Tags) -> BTreeMap<InstanceId, InstanceId> {
    let mut open = open(group, defaults);
    open.sort_by_key(|it| (it.dataless, it.at, it.lineage.clone()));
    let mut free = candidates(group);
    let mut pairs = BTreeMap::new();
    for same_zone in [true, false] {
        open.retain(|rescue| {
            let fits = |it: &&Instance| {
                let zone = rescue.place.as_ref().map(|it| &it.availability_zone);
                // Events are timed to the second.
                it.launch_time >= rescue.at - Duration::SECOND
                    && (!same_zone || zone == Some(&it.availability_zone))
            };
            let Some(position) = free.iter().position(fits) else {
                return true;
            };
            let taken = free.remove(position);
            pairs.insert(rescue.lineage.clone(), taken.id.clone());
            false
        });
    }
    pairs
}

fn open(group: &Group, defaults: &Tags) -> Vec<Open> {
    let open = group.templates.iter().filter_map(|it| {
        let lineage: InstanceId = it.tags.get(tags::RESCUE)?.parse().ok()?;
        let record = Record::from_tags(&it.tags);
        let interruption = record.interruption.as_ref()?;
        let is_open = template_names(&lineage).contains(&it.name)
            && record.head.as_ref() == Some(&interruption.instance)
            && !has_successor(group, &lineage);
        let (policy, _) = Policy::layered(defaults, &group.scaling.tags, &it.tags);
        let head = record.head.as_ref();
        let left = record.left_group.as_ref();
        let launcher = group::choose(policy.replace.value, group, head, left);
        let wants = launcher == Launcher::Group && !hands_over_nothing(&record);
        (is_open && wants).then(|| Open {
            dataless: record.data_volumes().next().is_none(),
            at: interruption.at,
            place: record.place.clone(),
            lineage,
        })
    });
    open.collect()
}

/// The member has nothing to hand over: a new member claimed for it would be missing for a member with volumes. New
/// members have nothing until they take over.
pub fn hands_over_nothing(record: &Record) -> bool {
    let Record {
        targets,
        addresses,
        interfaces,
        secondary,
        original,
        ..
    } = record;
    let network =
        targets.is_empty() && addresses.is_empty() && interfaces.is_empty() && secondary.is_empty();
    network && original.is_none() && record.data_volumes().next().is_none()
}

/// A member that was claimed for the lineage runs and is not interrupted itself.
fn has_successor(group: &Group, lineage: &InstanceId) -> bool {
    let mut claimed = group.claimed(lineage).into_iter();
    claimed.any(|it| it.is_alive() && !is_interrupted(&it))
}

/// New members that no rescue has claimed, oldest first, and those that have prepared their own rescue last. They must
/// be opted in, and members according to Auto Scaling.
fn candidates(group: &Group) -> Vec<&Instance> {
    let own = |it: &Instance| it.tags.contains_key(tags::PREPARED);
    let mut free: Vec<&Instance> = group.instances.iter().collect();
    free.retain(|it| is_free(group, it));
    free.sort_by_key(|it| (own(it), it.launch_time, it.id.clone()));
    free
}

pub fn is_free(group: &Group, instance: &Instance) -> bool {
    let opted_in = tags::opts_in(&instance.tags);
    let member = matches!(
        group.scaling.lifecycle(&instance.id),
        Some(Lifecycle::Pending | Lifecycle::PendingWait | Lifecycle::InService)
    );
    let prepared = group.template_of(instance);
    let own = prepared.is_none_or(|it| {
        let record = Record::from_tags(&it.tags);
        it.tags.get(tags::RESCUE).map(String::as_str) == Some(instance.id.as_str())
            && record.interruption.is_none()
            && record.head.is_none_or(|it| it == instance.id)
    });
    opted_in
        && member
        && instance.is_alive()
        && instance.lineage() == instance.id
        && !is_interrupted(instance)
        && own
}

fn is_interrupted(instance: &Instance) -> bool {
    let tombstone = instance.tags.get(tags::INTERRUPTED_AT);
    tombstone.is_some_and(|it| it.starts_with(instance.id.as_str()))
}

/// The new member for this lineage. An owner that is found terminated without a warning may also get a member that was
/// launched recently and has no volumes of its own yet.
pub fn matched_member<'a>(lineage: &Lineage<'a>, found_dead: bool) -> Option<&'a Instance> {
    let group = lineage.facts.group.known()?.as_ref()?;
    let pairs = pairs(group, &lineage.inputs.defaults);
    let by_id = |id: &InstanceId| group.instances.iter().find(|it| it.id == *id);
    if let Some(paired) = pairs.get(lineage.id) {
        return by_id(paired);
    }
    let recent = |it: &&Instance| {
        lineage.now - it.launch_time < LATE
            && ending::is_empty(it)
            && pairs.values().all(|taken| *taken != it.id)
    };
    let open = open(group, &lineage.inputs.defaults);
    let is_open = open.iter().any(|it| it.lineage == *lineage.id);
    let late = candidates(group).into_iter().find(recent);
    late.filter(|_| found_dead && is_open)
}

/// The time between two sweeps, and the few minutes in which a group notices and launches.
const LATE: Duration = SWEEP.saturating_add(Duration::minutes(10));
