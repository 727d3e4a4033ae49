//! What a restore reads.

use super::RUN;
use super::offers::Part;
use super::order::{Order, To};
use crate::cloud::{Cloud, CloudError, Query};
use crate::id::{InstanceId, VolumeId};
use crate::record::Record;
use crate::seal;
use crate::situation::{Instance, Volume, VolumeState};
use crate::tags::{self, Tags, template_names};
use async_trait::async_trait;

/// A caller with hands: beyond what the function may do, which never detaches a volume.
#[async_trait]
pub trait Hands: Cloud {
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachVolume.html>
    async fn detach(&self, volume: &VolumeId, from: &InstanceId) -> Result<String, CloudError>;
}

/// What one look has seen.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// The instance that volumes are attached to.
    pub target: Option<Instance>,
    /// Those attached to it, and those that the restore has made.
    pub volumes: Vec<Volume>,
    /// A rescue of the target has begun and is not over.
    pub rescue: bool,
}

impl View {
    /// Volumes that this order has made, and EC2 has not given up.
    pub fn made<'a>(&'a self, order: &'a Order) -> impl Iterator<Item = &'a Volume> {
        // EC2 shows a deleted volume for a while.
        let gone = |it: &Volume| matches!(it.state, VolumeState::Deleting | VolumeState::Deleted);
        let ours = move |it: &&Volume| it.tags.get(RUN) == Some(&order.run) && !gone(it);
        self.volumes.iter().filter(ours)
    }

    /// The one that it has made for this part.
    #[must_use]
    pub fn made_for<'a>(&'a self, order: &'a Order, part: &Part) -> Option<&'a Volume> {
        let of_it = |it: &&Volume| it.snapshot.as_ref() == Some(&part.snapshot);
        self.made(order).filter(of_it).min_by_key(|it| &it.id)
    }
}

/// Reads what the next decision needs.
pub async fn view(cloud: &dyn Hands, order: &Order) -> Result<View, CloudError> {
    let made = Query::Tag {
        key: RUN,
        values: vec![order.run.clone()],
    };
    let mut view = View {
        volumes: cloud.volumes(&made).await?,
        ..View::default()
    };
    if let To::Instance(id) = &order.to {
        let wanted = Query::Instances(vec![id.clone()]);
        view.target = cloud.instances(&wanted).await?.into_iter().next();
        let held = cloud.volumes(&wanted).await?;
        let known: Vec<VolumeId> = view.volumes.iter().map(|it| it.id.clone()).collect();
        let others = held.into_iter().filter(|it| !known.contains(&it.id));
        view.volumes.extend(others);
        view.rescue = is_rescued(cloud, id, view.target.as_ref()).await?;
    }
    Ok(view)
}

/// By the record of its lineage. A record of another caller's making can only make the restore wait.
async fn is_rescued(
    cloud: &dyn Hands,
    id: &InstanceId,
    target: Option<&Instance>,
) -> Result<bool, CloudError> {
    let mark = target.and_then(|it| it.tags.get(tags::RESCUE));
    let lineage = mark.and_then(|it| seal::plain(it).parse().ok());
    let tags = record_tags(cloud, lineage.as_ref().unwrap_or(id)).await?;
    Ok(tags.is_some_and(|it| Record::from_tags(&it).interruption.is_some()))
}

/// The tags of the prepared rescue of a lineage: its record, and its policy.
pub async fn record_tags(
    cloud: &dyn Hands,
    lineage: &InstanceId,
) -> Result<Option<Tags>, CloudError> {
    let names = Query::Names(template_names(lineage).to_vec());
    let templates = cloud.templates(&names).await?;
    let of_it = templates.into_iter().find(|it| {
        let mark = it.tags.get(tags::RESCUE).map(|it| seal::plain(it));
        mark == Some(lineage.as_str())
    });
    Ok(of_it.map(|it| plain(&it.tags)))
}

/// Without seals.
#[must_use]
pub fn plain(tags: &Tags) -> Tags {
    let all = tags.iter();
    all.map(|(key, value)| (key.clone(), seal::plain(value).to_owned()))
        .collect()
}
