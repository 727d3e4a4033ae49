//! Connections are opened before they are needed: the second round trip of the first warning sends
//! several calls at once, and each would begin with a TLS handshake of its own.
//!
//! The cheapest reads the role allows, about nothing, while the runtime asks for its first event.
//! Each has a token bucket of its own (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>),
//! and none is `DescribeInstances`: a mass reclaim starts many environments, and needs that one.

use crate::cloud::{Cloud, Query};
use crate::seal::Seal;
use crate::situation::Balancing;

/// Nobody's name.
const NOBODY: &str = "spot-rescue-nobody";

/// What comes of it does not matter: a connection that fails here fails later, and is reported then.
pub async fn up(cloud: &dyn Cloud, seal: &Seal) {
    let tagged = Query::Tag {
        key: crate::tags::RESCUE,
        values: vec![NOBODY.to_owned()],
    };
    let named = Query::Names(vec![NOBODY.to_owned()]);
    let (key, volumes, snapshots, templates, addresses, groups) = tokio::join!(
        seal.key(cloud),
        cloud.volumes(&tagged),
        cloud.snapshots(&tagged),
        cloud.templates(&named),
        cloud.addresses(),
        cloud.target_groups(Balancing::Elb),
    );
    let open = [
        key.is_ok(),
        volumes.is_ok(),
        snapshots.is_ok(),
        templates.is_ok(),
        addresses.is_ok(),
        groups.is_ok(),
    ];
    tracing::debug!(open = open.iter().filter(|it| **it).count(), "connected");
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
            assert_eq!(it.calls.values().sum::<u64>(), 5);
        });
    }
}
