//! Reads what is needed to plan for a batch of lineages, each kind once for the whole batch.
//!
//! Two round trips: what is found by the lineage's id, then what is found by the ids in that (`plan::reads`). A read that fails, or
//! does not end within its time (`reads`), becomes [`Fact::Unavailable`]; only the instances are indispensable.

mod crowded;
mod fleets;
mod groups;
mod keys;
mod merge;
mod names;
mod prepared;
mod readings;
mod sets;
mod shared;
mod targets;
mod unmarked;
mod unread;

use merge::merge;
pub use prepared::{of as prepared_of, read as prepared};
pub use readings::Readings;
pub use sets::Known;
pub use unread::{of_instance, unread};

use crate::cloud::{Cloud, CloudError, Query};
use crate::id::InstanceId;
use crate::plan::reads::first::First;
use crate::plan::reads::skipped::Deregistered;
use crate::plan::reads::{Scope, reads};
use crate::situation::{Fact, Facts};
use crate::tags::{self, Tags};
use crowded::Crowd;
use std::collections::BTreeSet;

/// Everything about these lineages. `named` are instances known to belong to them, `known` what is known of their
/// snapshots.
pub async fn lineages(
    cloud: &dyn Cloud,
    lineages: &BTreeSet<InstanceId>,
    named: &BTreeSet<InstanceId>,
    out: &Deregistered,
    known: Known,
    scope: Scope,
    defaults: &Tags,
) -> Result<Readings, CloudError> {
    let ids: Vec<String> = lineages.iter().map(ToString::to_string).collect();
    let of_lineage = Query::Tag {
        key: tags::RESCUE,
        values: ids,
    };
    let by_id = Query::Instances(named.union(lineages).cloned().collect());
    let (named, members, templates, tagged, snapshots, addresses) = tokio::join!(
        cloud.instances(&by_id),
        cloud.instances(&of_lineage),
        prepared::read(cloud, lineages),
        cloud.volumes(&of_lineage),
        sets::list(cloud, lineages, &known, &of_lineage),
        cloud.addresses(),
    );
    let templates = fact(templates);
    let on_record = templates.known().map(Vec::as_slice).unwrap_or_default();
    let crowd = Crowd {
        cloud,
        lineages,
        templates: on_record,
    };
    let (members, tagged, snapshots) = tokio::join!(
        crowd.instances(members),
        crowd.volumes(tagged),
        crowd.snapshots(snapshots),
    );
    let instances = merge(members?, named?, |it| it.id.clone());
    let heads = prepared::unseen_heads(&templates, &instances);
    let instances = prepared::also(cloud, instances, heads).await?;
    let instances = unmarked::add(cloud, instances, &templates).await;
    let warned = out.warned.keys().cloned().collect();
    let first = First::of(&instances, &templates, warned, defaults);
    let reads = reads(&first, lineages.len(), out, scope);
    let (attached, mut registrations, shared, groups, lookups) = tokio::join!(
        cloud.volumes(&reads.volumes),
        targets::read(cloud, &instances, &reads),
        shared::read(cloud, &reads),
        groups::read(cloud, &reads.groups),
        names::look_up(cloud, &reads.names),
    );
    if let (true, Ok(groups)) = (reads.every_target_group, &groups) {
        targets::add_sources(cloud, groups, &mut registrations).await;
    }
    let volumes = tagged.and_then(|tagged| Ok(merge(tagged, attached?, |it| it.id.clone())));
    let (volumes, snapshots) = prepared::by_record(cloud, &templates, volumes, snapshots).await;
    let snapshots = sets::find(cloud, snapshots, known).await;
    let holders = prepared::unseen_holders(&volumes, &instances);
    let instances = prepared::also(cloud, instances, holders).await?;
    Ok(Readings {
        instances,
        out: reads.deregistered,
        templates,
        volumes: fact(volumes),
        snapshots,
        addresses: fact(addresses),
        groups: fact(groups),
        lookups,
        shared: Facts {
            registrations: Fact::Known(registrations),
            ..shared
        },
    })
}

fn fact<T>(read: Result<T, CloudError>) -> Fact<T> {
    match read {
        Ok(value) => Fact::Known(value),
        Err(error) => {
            tracing::warn!(%error, "failed to read; planning without it");
            Fact::Unavailable {
                operation: error.operation,
                why: error.to_string(),
            }
        }
    }
}
