//! Which reads the second round trip makes, decided from what the first has shown. `observe` only asks.

pub mod first;
mod interfaces;
mod names;
mod recycled;
mod requests;
mod roots;
pub mod skipped;

use crate::cloud::Query;
use crate::dns::DnsName;
use crate::id::{InstanceId, RequestId, VolumeId};
use crate::plan::reads::first::First;
use crate::plan::reads::skipped::{Deregistered, RecordedGroups};
use crate::policy::Types;
use crate::situation::{Instance, Market};
use crate::tags;
use std::collections::BTreeSet;

/// Which target groups are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of them: at the beginning, to find what the record missed.
    AllTargetGroups,
    /// Those on record, if all have one: while waiting.
    Recorded,
}

/// The second round trip. What names nothing is not asked for.
#[derive(Debug)]
pub struct Reads {
    /// Instances that are deregistered from all their target groups.
    pub deregistered: BTreeSet<InstanceId>,
    pub volumes: Query,
    pub groups: Vec<String>,
    pub every_target_group: bool,
    pub targets: RecordedGroups,
    pub names: Vec<(InstanceId, DnsName)>,
    pub interfaces: Query,
    pub private_addresses: Query,
    pub images: Query,
    pub images_made: Query,
    pub root_tasks: Vec<InstanceId>,
    pub fleets: Vec<String>,
    pub types: Vec<String>,
    pub requests: Vec<RequestId>,
    /// Their termination protection is read.
    pub stand_ins: Vec<InstanceId>,
    pub recycled: bool,
    pub default_key: bool,
    pub keys: Vec<String>,
}

/// `lineages` is how many there are: one without a record may be registered anywhere.
#[must_use]
pub fn reads(first: &First, lineages: usize, out: &Deregistered, scope: Scope) -> Reads {
    let deregistered = out.of(first.instances);
    let is_calm = scope == Scope::AllTargetGroups && first.warned.is_empty();
    let recorded = { first.rescues.iter() }.filter(|it| it.template.ours);
    let every_target_group =
        scope == Scope::AllTargetGroups || recorded.count() < lineages || out.is_unlisted(first);
    let keys = tags::kms_keys(first.defaults).filter(|_| is_calm);
    let keys: BTreeSet<&str> = keys.collect();
    Reads {
        volumes: attached(first.instances),
        groups: groups(first),
        every_target_group,
        targets: skipped::recorded(first, &deregistered),
        names: names::wanted(first),
        interfaces: interfaces::by_id(first),
        private_addresses: interfaces::by_address(first),
        images: roots::images(first),
        images_made: roots::images_made(first),
        root_tasks: roots::tasks(first),
        fleets: fleets(first),
        // Types do not change: they are read with everything else, not while waiting.
        types: if scope == Scope::AllTargetGroups {
            types(first)
        } else {
            Vec::new()
        },
        requests: requests::wanted(first),
        stand_ins: stand_ins(first),
        recycled: recycled::may_have_any(first),
        default_key: is_calm,
        keys: keys.into_iter().map(str::to_owned).collect(),
        deregistered,
    }
}

/// The volumes that these instances show, by their ids: a filter, the attachment's as well, is applied to page after page
/// of all there are (TRAP 47). A volume still held by an instance that shows no devices any more is found by its mark, or
/// by the record.
/// <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-pagination.html>
fn attached(instances: &[Instance]) -> Query {
    let devices = instances.iter().flat_map(|it| &it.devices);
    let ids: BTreeSet<VolumeId> = devices.map(|it| it.volume.clone()).collect();
    Query::Volumes(ids.into_iter().collect())
}

/// The Auto Scaling groups the lineages are members of: by the instances' own tags, and by the record once those have
/// gone. For all others no call is made.
fn groups(first: &First) -> Vec<String> {
    let shown = { first.instances.iter() }.filter_map(Instance::group);
    listed(shown, first, tags::GROUP)
}

/// By the instances' own tags, and by the record once those have gone. No call is needed for members of an Auto Scaling
/// group, which launches by fleets of its own, for what we have launched ourselves, or for instances without a fleet.
fn fleets(first: &First) -> Vec<String> {
    let alone = { first.instances.iter() }.filter(|it| it.group().is_none());
    listed(alone.filter_map(Instance::fleet), first, tags::FLEET)
}

fn listed<'a>(shown: impl Iterator<Item = &'a str>, first: &'a First, key: &str) -> Vec<String> {
    let recorded = { first.rescues.iter() }.filter_map(|it| it.template.tags.get(key));
    let all: BTreeSet<&str> = shown.chain(recorded.map(String::as_str)).collect();
    all.into_iter().map(str::to_owned).collect()
}

/// The instances' own types and those they may be replaced by, where the policy names any.
fn types(first: &First) -> Vec<String> {
    let types = first.living().flat_map(|instance| {
        let others = match first.policy(instance).instance_types.value {
            Types::Named(names) if names.is_empty() => return Vec::new(),
            Types::Named(names) => names,
            Types::Like => Vec::new(),
        };
        let own = std::iter::once(instance.instance_type.clone());
        own.chain(others).collect()
    });
    let all: BTreeSet<String> = types.collect();
    all.into_iter().collect()
}

/// Stand-ins that are to return to Spot.
fn stand_ins(first: &First) -> Vec<InstanceId> {
    let gives_way = |it: &&Instance| {
        it.tags.contains_key(tags::LAUNCHED)
            && it.market == Market::OnDemand
            && first.policy(it).return_to_spot.value.is_some()
    };
    let all = first.living().filter(gives_way);
    all.map(|it| it.id.clone()).collect()
}
