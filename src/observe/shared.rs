//! Facts that every lineage of a batch is given whole. A new one is a field of [`Facts`], a field of
//! [`Reads`](crate::plan::reads::Reads), and a read here.

use super::merge::merge;
use super::{fact, fleets, keys};
use crate::cloud::{Cloud, CloudError};
use crate::id::InstanceId;
use crate::plan::reads::Reads;
use crate::situation::{Fact, Facts, Image, NetworkInterface};
use futures_util::future::join_all;
use std::collections::BTreeSet;

pub async fn read(cloud: &dyn Cloud, reads: &Reads) -> Facts {
    let (
        interfaces,
        images,
        root_tasks,
        fleets,
        shapes,
        requests,
        termination_protected,
        recycled,
        default_key,
        keys,
    ) = tokio::join!(
        interfaces(cloud, reads),
        images(cloud, reads),
        unless(
            reads.root_tasks.is_empty(),
            cloud.root_tasks(&reads.root_tasks)
        ),
        fleets::read(cloud, &reads.fleets),
        unless(reads.types.is_empty(), cloud.shapes(&reads.types)),
        cloud.requests(&reads.requests),
        protected(cloud, &reads.stand_ins),
        unless(!reads.recycled, cloud.recycled()),
        unless(!reads.default_key, cloud.default_key()),
        keys::read(cloud, &reads.keys),
    );
    Facts {
        interfaces: fact(interfaces),
        images: fact(images),
        root_tasks,
        fleets: fact(fleets),
        shapes,
        requests: fact(requests),
        termination_protected: fact(termination_protected),
        recycled,
        default_key,
        keys,
        ..Facts::default()
    }
}

async fn unless<T>(not: bool, read: impl Future<Output = Result<T, CloudError>>) -> Fact<T> {
    if not { Fact::NotRead } else { fact(read.await) }
}

async fn interfaces(cloud: &dyn Cloud, reads: &Reads) -> Result<Vec<NetworkInterface>, CloudError> {
    let (by_id, by_address) = tokio::join!(
        cloud.interfaces(&reads.interfaces),
        cloud.interfaces(&reads.private_addresses),
    );
    Ok(merge(by_id?, by_address?, |it| it.id.clone()))
}

async fn images(cloud: &dyn Cloud, reads: &Reads) -> Result<Vec<Image>, CloudError> {
    let (by_id, made) = tokio::try_join!(
        cloud.images(&reads.images),
        cloud.images(&reads.images_made),
    )?;
    Ok(merge(made, by_id, |it| it.id.clone()))
}

/// Those of them that are protected from termination: a call for each.
async fn protected(
    cloud: &dyn Cloud,
    stand_ins: &[InstanceId],
) -> Result<BTreeSet<InstanceId>, CloudError> {
    let asked = stand_ins.iter().map(|id| async move {
        let protected = cloud.is_termination_protected(id).await?;
        Ok(protected.then(|| id.clone()))
    });
    let answers: Result<Vec<_>, CloudError> = join_all(asked).await.into_iter().collect();
    Ok(answers?.into_iter().flatten().collect())
}
