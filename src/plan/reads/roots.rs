//! What is read only where a root volume is to be kept, or its image is gone: images made for a rescue, the image the
//! user chose, replacements of a root that are under way.

use crate::cloud::Query;
use crate::id::{ImageId, InstanceId};
use crate::plan::reads::first::{First, Prepared};
use crate::policy::Root;
use crate::tags;
use std::collections::BTreeSet;

/// The images of living instances, and those on record.
pub fn images(first: &First) -> Query {
    // A rescue uses the image that was prepared, and a replacement is no model for the next.
    let is_busy = |warned: bool, id: &InstanceId| warned && first.is_head(id);
    let living = first.living().filter(|it| {
        let warned = it.tags.contains_key(tags::INTERRUPTED_AT);
        !first.is_replacement(it) && !is_busy(warned, &it.id)
    });
    let living = living.filter_map(|it| it.image.clone());
    let recorded =
        concerned(first).filter_map(|it| Some(it.record.original.as_ref()?.image.clone()));
    let all: BTreeSet<ImageId> = living.chain(recorded).collect();
    Query::Images(all.into_iter().collect())
}

/// Images may have been made for the lineages that are being rescued.
pub fn images_made(first: &First) -> Query {
    Query::Tag {
        key: tags::RESCUE,
        values: rescued(first).iter().map(ToString::to_string).collect(),
    }
}

/// Replacements that have not taken over yet: their root may be under way.
pub fn tasks(first: &First) -> Vec<InstanceId> {
    let rescued = rescued(first);
    let successors = first.living().filter(|it| {
        let replaces = it.tags.contains_key(tags::REPLACES);
        let keeps = first.policy(it).root.value == Root::Keep;
        replaces && !first.is_head(&it.id) && (keeps || rescued.contains(&it.lineage()))
    });
    let all: BTreeSet<InstanceId> = successors.map(|it| it.id.clone()).collect();
    all.into_iter().collect()
}

fn rescued(first: &First) -> BTreeSet<InstanceId> {
    let rescued = concerned(first).filter(|it| it.record.interruption.is_some());
    rescued.filter_map(|it| it.lineage.clone()).collect()
}

/// A lineage that gets a new root has its image on record once that image is gone.
fn concerned<'a>(first: &'a First<'a>) -> impl Iterator<Item = &'a Prepared<'a>> {
    let keeps = |it: &&Prepared| it.policy.root.value == Root::Keep;
    let rescues = first.rescues.iter();
    rescues.filter(move |it| keeps(it) || it.template.tags.contains_key(tags::ORIGINAL))
}
