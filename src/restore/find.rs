//! What there is to restore of an instance.

use super::look::{Hands, record_tags};
use super::offers::{Offer, offers};
use crate::cloud::{CloudError, Query};
use crate::id::InstanceId;
use crate::policy::Policy;
use crate::record::{Record, RecordedVolume, volumes_of};
use crate::seal;
use crate::situation::{Instance, Snapshot, Volume};
use crate::tags::{self, Tags};
use std::slice;

/// An instance and the sets of its volumes.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The instance that was asked for, or the one that has taken over from it. None if neither is there any more.
    pub owner: Option<Instance>,
    /// The newest first.
    pub offers: Vec<Offer>,
    /// By its tags, and by those that its rescue was last prepared with. The stack's defaults are not known.
    pub policy: Policy,
}

/// Sets by the instance, or by any that it has taken over from. A snapshot of a volume that the instance does not have
/// is only trusted where `any_volume` says so: whoever may take snapshots can describe one as a backup.
pub async fn find(
    cloud: &dyn Hands,
    id: &InstanceId,
    any_volume: bool,
) -> Result<Found, CloudError> {
    let asked = instance(cloud, id).await?;
    let mark = asked.as_ref().and_then(|it| it.tags.get(tags::RESCUE));
    let lineage = mark.and_then(|it| seal::plain(it).parse().ok());
    let lineage = lineage.unwrap_or_else(|| id.clone());
    let tags = record_tags(cloud, &lineage).await?.unwrap_or_default();
    let record = Record::from_tags(&tags);
    let owner = match (asked.filter(Instance::is_alive), &record.head) {
        (None, Some(head)) => instance(cloud, head).await?.filter(Instance::is_alive),
        (alive, _) => alive,
    };
    let query = Query::Tag {
        key: tags::RESCUE,
        values: vec![lineage.to_string()],
    };
    let snapshots = cloud.snapshots(&query).await?;
    let known = match &owner {
        Some(owner) => {
            let held = cloud
                .volumes(&Query::Instances(vec![owner.id.clone()]))
                .await?;
            with_sources(volumes_of(owner), &held, &snapshots)
        }
        None => record.volumes,
    };
    let offers = offers(&snapshots, &lineage, &known, any_volume);
    let own = owner.as_ref().map(|it| it.tags.clone()).unwrap_or_default();
    let (policy, _) = Policy::layered(&Tags::new(), &tags, &own);
    Ok(Found {
        owner,
        offers,
        policy,
    })
}

async fn instance(cloud: &dyn Hands, id: &InstanceId) -> Result<Option<Instance>, CloudError> {
    let query = Query::Instances(slice::from_ref(id).to_vec());
    Ok(cloud.instances(&query).await?.into_iter().next())
}

/// A volume that was restored or cloned stands for the one before it: that is what EC2 itself says of its source.
fn with_sources(
    known: Vec<RecordedVolume>,
    held: &[Volume],
    snapshots: &[Snapshot],
) -> Vec<RecordedVolume> {
    let before = |recorded: &RecordedVolume| {
        let volume = held.iter().find(|it| it.id == recorded.volume)?;
        let taken = { snapshots.iter() }.find(|it| Some(&it.id) == volume.snapshot.as_ref());
        let source = taken.map(|it| &it.volume).or(volume.source.as_ref())?;
        Some(RecordedVolume {
            volume: source.clone(),
            ..recorded.clone()
        })
    };
    let sources: Vec<RecordedVolume> = known.iter().filter_map(before).collect();
    known.into_iter().chain(sources).collect()
}
