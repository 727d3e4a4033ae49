//! Connections are opened before they are needed: the second round trip of the first warning sends
//! several calls at once, and each would begin with a TLS handshake of its own.
//!
//! The cheapest reads the role allows, of resources that do not exist, while the runtime asks for its first event.
//! Each has a token bucket of its own (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>),
//! and none is `DescribeInstances`: a mass reclaim starts many environments, and needs that one.

//!
//! Each is one call, however much there is in the account: an id is looked up, without paging through other resources
//! (TRAP 47).

use crate::cloud::{Cloud, Query};
use crate::seal::Seal;
use crate::situation::TargetGroup;
use std::str::FromStr;

/// Ids of no resource.
const NO_TEMPLATE: &str = "lt-00000000000000000";
const NO_VOLUME: &str = "vol-00000000000000000";
const NO_SNAPSHOT: &str = "snap-00000000000000000";
const NO_GROUP: &str = "targetgroup/spot-rescue-none/0000000000000000";

/// The answers do not matter: a connection that fails here fails later, and is reported then.
pub async fn up(cloud: &dyn Cloud, seal: &Seal) {
    let template = NO_TEMPLATE.parse().map(Query::Template);
    let template = template.unwrap_or(Query::Names(Vec::new()));
    let (volume, snapshot) = (
        Query::Volumes(ids(NO_VOLUME)),
        Query::Snapshots(ids(NO_SNAPSHOT)),
    );
    let group = TargetGroup::Elb(NO_GROUP.into());
    let (key, volumes, snapshots, templates, addresses, targets) = tokio::join!(
        seal.key(cloud),
        cloud.volumes(&volume),
        cloud.snapshots(&snapshot),
        cloud.templates(&template),
        cloud.addresses(),
        cloud.targets(&group),
    );
    let open = [
        key.is_ok(),
        volumes.is_ok(),
        snapshots.is_ok(),
        templates.is_ok(),
        addresses.is_ok(),
        // That there is no such group is an answer.
        targets.is_ok() || targets.is_err_and(|it| it.request_id.is_some()),
    ];
    tracing::debug!(open = open.iter().filter(|it| **it).count(), "connected");
}

fn ids<T: FromStr>(id: &str) -> Vec<T> {
    id.parse().into_iter().collect()
}

#[cfg(all(test, feature = "sim"))]
mod tests {
    use crate::sim::World;

    /// No mutation, and no token of the call that a storm needs most.
    #[tokio::test]
    async fn warming_up_changes_nothing() {
        let world = World::new(1);
        super::up(&world, &crate::seal::Seal::default()).await;
        world.look(|it| {
            assert!(it.journal.is_empty());
            assert!(!it.calls.contains_key("DescribeInstances"));
        });
    }

    /// TRAP 47: a filter would turn fifty pages, while the first event waits.
    #[tokio::test]
    async fn a_connection_is_opened_by_one_page() {
        let world = World::new(1);
        world.change(|it| {
            it.config.others_snapshots = 50_000;
            it.config.others_volumes = 5_000;
        });
        super::up(&world, &crate::seal::Seal::default()).await;
        let calls = world.look(|it| it.calls.clone());
        assert_eq!(calls.len(), 5, "{calls:?}");
        assert!(calls.values().all(|times| *times == 1), "{calls:?}");
    }
}
