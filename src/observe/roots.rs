//! What is read only where a root volume is to be kept, or its image is gone: images made for a rescue, the image the
//! user chose, replacements of a root that are under way.

use super::fact;
use super::merge::merge;
use crate::cloud::{Cloud, CloudError, Query};
use crate::id::{ImageId, InstanceId};
use crate::policy::{Policy, Root};
use crate::record::Record;
use crate::situation::{Fact, Image, Instance, RootTask, Template};
use crate::tags::{self, Tags};
use std::collections::BTreeSet;

/// What to read for lineages that keep their root, or get a new root made of the old one.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Images on record.
    originals: BTreeSet<ImageId>,
    /// Lineages that are being rescued: an image may have been made for them.
    rescues: BTreeSet<InstanceId>,
    /// Replacements that have not taken over yet.
    successors: BTreeSet<InstanceId>,
    /// Owners that are being replaced.
    known: BTreeSet<InstanceId>,
}

pub fn wanted(instances: &[Instance], templates: &Fact<Vec<Template>>, defaults: &Tags) -> Wanted {
    let templates = templates.known().map(Vec::as_slice).unwrap_or_default();
    let keeps = |tags: &Tags| Policy::of(defaults, tags).0.root.value == Root::Keep;
    // A lineage that gets a new root has its image on record once that image is gone.
    let concerned = |it: &&Template| keeps(&it.tags) || it.tags.contains_key(tags::ORIGINAL);
    let mut wanted = Wanted::default();
    for template in templates.iter().filter(concerned) {
        let record = Record::from_tags(&template.tags);
        let lineage = template.tags.get(tags::RESCUE);
        let lineage = lineage.and_then(|it| it.parse().ok());
        wanted.originals.extend(record.original.map(|it| it.image));
        wanted
            .rescues
            .extend(lineage.filter(|_| record.interruption.is_some()));
    }
    let heads: BTreeSet<InstanceId> = templates
        .iter()
        .filter_map(|it| Record::from_tags(&it.tags).head)
        .collect();
    let warned = instances
        .iter()
        .filter(|it| it.tags.contains_key(tags::INTERRUPTED_AT));
    let known = warned.filter(|it| heads.contains(&it.id));
    wanted.known = known.map(|it| it.id.clone()).collect();
    let successors = instances.iter().filter(|it| {
        let replaces = it.tags.contains_key(tags::REPLACES);
        replaces && it.is_alive() && !heads.contains(&it.id)
    });
    // By the replacement's tags, which are the user's, or by those of the prepared rescue.
    let kept = successors.filter(|it| keeps(&it.tags) || wanted.rescues.contains(&it.lineage()));
    wanted.successors = kept.map(|it| it.id.clone()).collect();
    wanted
}

/// The images of living instances, those on record, and those made for a rescue.
pub async fn images(
    cloud: &dyn Cloud,
    instances: &[Instance],
    replacements: &BTreeSet<InstanceId>,
    wanted: &Wanted,
) -> Result<Vec<Image>, CloudError> {
    let living = { instances.iter() }.filter(|it| it.is_alive() && !replacements.contains(&it.id));
    // A rescue uses the image that was prepared.
    let living = living.filter(|it| !wanted.known.contains(&it.id));
    let mut ids: BTreeSet<ImageId> = living.filter_map(|it| it.image.clone()).collect();
    ids.extend(wanted.originals.iter().cloned());
    let by_id = Query::Images(ids.into_iter().collect());
    let of_rescues = Query::Tag {
        key: tags::RESCUE,
        values: wanted.rescues.iter().map(ToString::to_string).collect(),
    };
    let (by_id, made) = tokio::try_join!(cloud.images(&by_id), async {
        if wanted.rescues.is_empty() {
            return Ok(Vec::new());
        }
        cloud.images(&of_rescues).await
    })?;
    Ok(merge(made, by_id, |it| it.id.clone()))
}

/// Without successors no call is made: there may still be tasks under way.
pub async fn tasks(cloud: &dyn Cloud, wanted: &Wanted) -> Fact<Vec<RootTask>> {
    if wanted.successors.is_empty() {
        return Fact::NotRead;
    }
    let ids: Vec<InstanceId> = wanted.successors.iter().cloned().collect();
    fact(cloud.root_tasks(&ids).await)
}
