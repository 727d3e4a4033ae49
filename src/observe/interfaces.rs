//! Network interfaces that matter to a rescue, and what holds them.

use super::merge::merge;
use super::policies;
use crate::cloud::{Cloud, CloudError, Query};
use crate::id::{InstanceId, InterfaceId};
use crate::policy::PrivateIp;
use crate::record::{FailedPool, Record};
use crate::situation::{Fact, Instance, Interface, NetworkInterface, Template};
use crate::tags::{self, Tags};
use std::collections::BTreeSet;

/// Reads the interfaces that are to follow, the holders of private addresses that are to follow and, while all is
/// well, the primary interfaces: their tags go to the next primary interfaces.
pub async fn read(
    cloud: &dyn Cloud,
    instances: &[Instance],
    busy: &BTreeSet<InstanceId>,
    templates: &Fact<Vec<Template>>,
    defaults: &Tags,
) -> Result<Vec<NetworkInterface>, CloudError> {
    let held = instances
        .iter()
        .flat_map(|it| following(it, busy, templates, defaults));
    let mut ids: BTreeSet<InterfaceId> = held.map(|it| it.id.clone()).collect();
    let mut private: BTreeSet<String> = BTreeSet::new();
    for template in templates.known().into_iter().flatten() {
        let record = Record::from_tags(&template.tags);
        ids.extend(record.interfaces.into_iter().map(|it| it.interface));
        private.extend(record.secondary);
    }
    let (by_id, by_address) = (
        Query::Interfaces(ids.into_iter().collect()),
        Query::PrivateAddresses(private.into_iter().collect()),
    );
    let (by_id, by_address) = tokio::join!(ask(cloud, &by_id), ask(cloud, &by_address));
    Ok(merge(by_id?, by_address?, |it| it.id.clone()))
}

/// Instances that are no model for the next replacement: those that have not taken over yet, and those being
/// interrupted, as their rescue uses what was prepared.
pub fn busy(
    instances: &[Instance],
    replacements: &BTreeSet<InstanceId>,
    warned: &BTreeSet<InstanceId>,
) -> BTreeSet<InstanceId> {
    let buried = |it: &&Instance| it.tags.contains_key(tags::INTERRUPTED_AT) || !it.is_alive();
    let buried = instances.iter().filter(buried).map(|it| it.id.clone());
    let others = replacements.union(warned).cloned();
    buried.chain(others).collect()
}

/// The interfaces to read of one instance; the primary one of a busy instance only where its address is to be kept, or
/// a version of the prepared rescue is written from it in the rescue, which says the tags of its primary interface.
fn following<'a>(
    instance: &'a Instance,
    busy: &BTreeSet<InstanceId>,
    templates: &Fact<Vec<Template>>,
    defaults: &Tags,
) -> impl Iterator<Item = &'a Interface> + use<'a> {
    let policy = policies::of(instance, templates, defaults);
    let keeps = policy.private_ip.value == PrivateIp::Keep;
    let counts = keeps || !busy.contains(&instance.id) || is_written_from(&instance.id, templates);
    let all = instance.interfaces.iter();
    all.filter(move |it| counts || !it.slot.is_primary())
}

/// A launch was refused for what may be launch options.
fn is_written_from(instance: &InstanceId, templates: &Fact<Vec<Template>>) -> bool {
    let records = templates.known().into_iter().flatten();
    let mut records = records.map(|it| Record::from_tags(&it.tags));
    records.any(|it| {
        let refused = it.failed_pools.iter().any(FailedPool::may_mean_options);
        refused && it.head.as_ref() == Some(instance)
    })
}

async fn ask(cloud: &dyn Cloud, query: &Query) -> Result<Vec<NetworkInterface>, CloudError> {
    if query.names_nothing() {
        return Ok(Vec::new());
    }
    cloud.interfaces(query).await
}
