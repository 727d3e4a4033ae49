//! Network interfaces that matter, and whoever holds them.

use super::{merge, policies};
use crate::cloud::{Cloud, CloudError, Query};
use crate::id::InterfaceId;
use crate::policy::PrivateIp;
use crate::record::Record;
use crate::situation::{Fact, Instance, Interface, NetworkInterface, Template};
use crate::tags::Tags;
use std::collections::BTreeSet;

/// Those that are to follow, and whoever holds the private addresses that are. Most instances have
/// one interface with one address: then nobody is asked.
pub async fn read(
    cloud: &dyn Cloud,
    instances: &[Instance],
    templates: &Fact<Vec<Template>>,
    defaults: &Tags,
) -> Result<Vec<NetworkInterface>, CloudError> {
    let held = instances
        .iter()
        .flat_map(|it| following(it, templates, defaults));
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

/// The primary one only where its address is to be kept.
fn following<'a>(
    instance: &'a Instance,
    templates: &Fact<Vec<Template>>,
    defaults: &Tags,
) -> impl Iterator<Item = &'a Interface> + use<'a> {
    let policy = policies::of(instance, templates, defaults);
    let keep = policy.private_ip.value == PrivateIp::Keep;
    let all = instance.interfaces.iter();
    all.filter(move |it| keep || !it.slot.is_primary())
}

async fn ask(cloud: &dyn Cloud, query: &Query) -> Result<Vec<NetworkInterface>, CloudError> {
    if query.names_nothing() {
        return Ok(Vec::new());
    }
    cloud.interfaces(query).await
}
