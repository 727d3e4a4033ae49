//! The prepared rescues, and what only they know: any caller with `CreateTags` can overwrite the tags by which the
//! rest is found, but not the ids on record.

use super::merge::merge;
use crate::cloud::{Cloud, CloudError, Query};
use crate::id::{InstanceId, VolumeId};
use crate::record::{expiring_from, members_from, volumes_from};
use crate::situation::{Fact, Instance, Snapshot, Template, Volume};
use crate::tags::{self, template_name, template_names};
use std::collections::BTreeSet;

/// By their first names; where a foreign template has taken that name, by the further names as well.
pub async fn read(
    cloud: &dyn Cloud,
    lineages: &BTreeSet<InstanceId>,
) -> Result<Vec<Template>, CloudError> {
    let first = lineages.iter().map(template_name);
    let found = cloud.templates(&Query::Names(first.collect())).await?;
    let foreign = |it: &&InstanceId| {
        let name = template_name(it);
        found.iter().any(|it| it.name == name && !it.ours)
    };
    let others = lineages.iter().filter(foreign);
    let others = others.flat_map(|it| template_names(it).into_iter().skip(1));
    let others: Vec<String> = others.collect();
    if others.is_empty() {
        return Ok(found);
    }
    let more = cloud.templates(&Query::Names(others)).await?;
    Ok(merge(found, more, |it| it.id.clone()))
}

/// The prepared rescue of a lineage.
#[must_use]
pub fn of<'a>(lineage: &InstanceId, templates: &'a [Template]) -> Option<&'a Template> {
    let ours = |name: &String| templates.iter().find(|it| it.name == *name && it.ours);
    template_names(lineage).iter().find_map(ours)
}

/// Its record names this instance, as its head or as a member.
#[must_use]
pub fn names(template: &Template, instance: &InstanceId) -> bool {
    let head = template.tags.get(tags::HEAD);
    head.is_some_and(|it| it == instance.as_str())
        || members_from(&template.tags).contains(instance)
}

/// The first of its names that is free or its own.
pub fn name(lineage: &InstanceId, templates: &Fact<Vec<Template>>) -> Option<String> {
    let templates = templates.known()?;
    let foreign = |name: &String| templates.iter().any(|it| it.name == *name && !it.ours);
    let own = of(lineage, templates).map(|it| it.name.clone());
    own.or_else(|| template_names(lineage).into_iter().find(|it| !foreign(it)))
}

/// Reads these as well, if there are any.
pub async fn also(
    cloud: &dyn Cloud,
    instances: Vec<Instance>,
    ids: Vec<InstanceId>,
) -> Result<Vec<Instance>, CloudError> {
    if ids.is_empty() {
        return Ok(instances);
    }
    let more = cloud.instances(&Query::Instances(ids)).await?;
    Ok(merge(instances, more, |it| it.id.clone()))
}

/// Owners that were found by no tag.
pub fn unseen_heads(templates: &Fact<Vec<Template>>, instances: &[Instance]) -> Vec<InstanceId> {
    let templates = templates.known().map(Vec::as_slice).unwrap_or_default();
    let heads = templates.iter().filter_map(|it| it.tags.get(tags::HEAD));
    let heads = heads.filter_map(|it| it.parse().ok());
    let unseen = |id: &InstanceId| instances.iter().all(|it| it.id != *id);
    heads.filter(unseen).collect()
}

/// Instances that hold volumes of these lineages but were found by no tag. A member with an overwritten mark would
/// otherwise pass for a stranger, and its volumes for given away.
pub fn unseen_holders(
    volumes: &Result<Vec<Volume>, CloudError>,
    instances: &[Instance],
) -> Vec<InstanceId> {
    let volumes = volumes.as_ref().map(Vec::as_slice).unwrap_or_default();
    let holders = volumes.iter().flat_map(|it| &it.attachments);
    let unseen = |id: &&InstanceId| instances.iter().all(|it| it.id != **id);
    let holders: BTreeSet<&InstanceId> = holders.map(|it| &it.instance).filter(unseen).collect();
    holders.into_iter().cloned().collect()
}

/// Volumes on record that were found by no tag are read by their ids, and snapshots of such volumes by theirs.
pub async fn by_record(
    cloud: &dyn Cloud,
    templates: &Fact<Vec<Template>>,
    volumes: Result<Vec<Volume>, CloudError>,
    snapshots: Result<Vec<Snapshot>, CloudError>,
) -> (
    Result<Vec<Volume>, CloudError>,
    Result<Vec<Snapshot>, CloudError>,
) {
    let Ok(volumes) = volumes else {
        return (volumes, snapshots);
    };
    let missing = Query::Volumes(unseen_volumes(templates, &volumes));
    if missing.names_nothing() {
        return (Ok(volumes), snapshots);
    }
    let of_them = async {
        let found = snapshots?;
        let more = cloud.snapshots(&missing).await?;
        Ok(merge(found, more, |it| it.id.clone()))
    };
    let (more, snapshots) = tokio::join!(cloud.volumes(&missing), of_them);
    let volumes = more.map(|it| merge(volumes, it, |it| it.id.clone()));
    (volumes, snapshots)
}

/// The volumes on record.
pub fn volumes(template: &Template) -> Vec<VolumeId> {
    let recorded = volumes_from(&template.tags).into_iter().map(|it| it.volume);
    let expiring = expiring_from(&template.tags)
        .into_iter()
        .map(|it| it.volume);
    recorded.chain(expiring).collect()
}

fn unseen_volumes(templates: &Fact<Vec<Template>>, volumes: &[Volume]) -> Vec<VolumeId> {
    let templates = templates.known().map(Vec::as_slice).unwrap_or_default();
    let recorded = templates.iter().flat_map(self::volumes);
    let unseen = recorded.filter(|it| volumes.iter().all(|seen| seen.id != *it));
    unseen.collect()
}
