//! Tags of ours on things that are not: somebody may give so many the mark of a lineage that a read never ends.
//! Then each lineage of the batch is read by itself, and the one with too much of it by what is on record.

use super::prepared;
use crate::cloud::{Cloud, CloudError, Query};
use crate::id::InstanceId;
use crate::situation::{Snapshot, Template, Volume};
use crate::tags;
use std::collections::BTreeSet;

fn marked(lineage: &InstanceId) -> Query {
    Query::Tag {
        key: tags::RESCUE,
        values: vec![lineage.to_string()],
    }
}

fn on_record(lineage: &InstanceId, templates: &[Template]) -> Query {
    let template = prepared::of(lineage, templates);
    Query::Volumes(template.map(prepared::volumes).unwrap_or_default())
}

/// What was read of all, or what each has.
pub async fn volumes(
    cloud: &dyn Cloud,
    lineages: &BTreeSet<InstanceId>,
    templates: &[Template],
    read: Result<Vec<Volume>, CloudError>,
) -> Result<Vec<Volume>, CloudError> {
    if !read.as_ref().is_err_and(CloudError::is_too_much) {
        return read;
    }
    let mut all = Vec::new();
    for it in lineages {
        let own = cloud.volumes(&marked(it)).await;
        all.extend(match own {
            Err(error) if error.is_too_much() => {
                tell(it, "volumes");
                cloud.volumes(&on_record(it, templates)).await?
            }
            own => own?,
        });
    }
    Ok(all)
}

/// The same.
pub async fn snapshots(
    cloud: &dyn Cloud,
    lineages: &BTreeSet<InstanceId>,
    templates: &[Template],
    read: Result<Vec<Snapshot>, CloudError>,
) -> Result<Vec<Snapshot>, CloudError> {
    if !read.as_ref().is_err_and(CloudError::is_too_much) {
        return read;
    }
    let mut all = Vec::new();
    for it in lineages {
        let own = cloud.snapshots(&marked(it)).await;
        all.extend(match own {
            Err(error) if error.is_too_much() => {
                tell(it, "snapshots");
                cloud.snapshots(&on_record(it, templates)).await?
            }
            own => own?,
        });
    }
    Ok(all)
}

fn tell(lineage: &InstanceId, what: &str) {
    tracing::warn!(%lineage, "more {what} than can be read have its mark: only those on record are looked at");
}
