//! Network interfaces that matter to a rescue, and what holds them.

use crate::cloud::Query;
use crate::id::InterfaceId;
use crate::plan::reads::first::First;
use crate::policy::PrivateIp;
use crate::record::FailedPool;
use crate::situation::{Instance, Interface};
use crate::tags;
use std::collections::BTreeSet;

/// The interfaces that are to follow and, while all is well, the primary ones: their tags go to the next primary
/// interfaces.
pub fn by_id(first: &First) -> Query {
    let held = first.instances.iter().flat_map(|it| following(first, it));
    let recorded = first.records().flat_map(|it| &it.interfaces);
    let recorded = recorded.map(|it| it.interface.clone());
    let all: BTreeSet<InterfaceId> = held.map(|it| it.id.clone()).chain(recorded).collect();
    Query::Interfaces(all.into_iter().collect())
}

/// What holds the private addresses that are to follow.
pub fn by_address(first: &First) -> Query {
    let secondary = first.records().flat_map(|it| it.secondary.clone());
    let all: BTreeSet<String> = secondary.collect();
    Query::PrivateAddresses(all.into_iter().collect())
}

/// The interfaces to read of one instance; the primary one of a busy instance only where its address is to be kept, or
/// a version of the prepared rescue is written from it in the rescue, which says the tags of its primary interface.
fn following<'a>(first: &First, instance: &'a Instance) -> impl Iterator<Item = &'a Interface> {
    let keeps = first.policy(instance).private_ip.value == PrivateIp::Keep;
    let counts = keeps || !is_busy(first, instance) || is_written_from(first, instance);
    let all = instance.interfaces.iter();
    all.filter(move |it| counts || !it.slot.is_primary())
}

/// It is no model for the next replacement: it has not taken over yet, or is being interrupted, and its rescue uses
/// what was prepared.
fn is_busy(first: &First, instance: &Instance) -> bool {
    first.is_replacement(instance)
        || first.warned.contains(&instance.id)
        || instance.tags.contains_key(tags::INTERRUPTED_AT)
        || !instance.is_alive()
}

/// A launch was refused for what may be launch options.
fn is_written_from(first: &First, instance: &Instance) -> bool {
    first.records().any(|it| {
        let refused = it.failed_pools.iter().any(FailedPool::may_mean_options);
        refused && it.head.as_ref() == Some(&instance.id)
    })
}
