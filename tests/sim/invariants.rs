//! The checkers work: each is shown a world that breaks its promise.

use crate::support::prepared;
use spot_rescue::cloud::Cloud;
use spot_rescue::event::InstanceAction;
use spot_rescue::id::{InstanceId, SnapshotId};
use spot_rescue::sim::{Protected, World, invariants};
use spot_rescue::situation::{Market, Slot};
use spot_rescue::step::{Action, InstanceTypes, Launch, LaunchTemplate, Network};
use spot_rescue::tags::{self, Tags};

fn launch(world: &World, protected: &Protected, token: &str) -> Action {
    let lineage = protected.instance.as_str().to_owned();
    Action::Launch(Launch {
        template: LaunchTemplate::Name(format!("spot-rescue-{lineage}")),
        market: Market::Spot,
        instance_types: InstanceTypes::Named(vec!["m5.large".to_owned()]),
        subnet: world.subnet("eu-west-1a"),
        interface: None,
        image: None,
        tags: Tags::from([
            (tags::RESCUE.to_owned(), lineage.clone()),
            (tags::REPLACES.to_owned(), lineage),
        ]),
        attempt: 0,
        token: token.to_owned(),
    })
}

fn broken(world: &World) -> String {
    world.look(invariants::at_quiescence).join("\n")
}

#[tokio::test]
async fn two_replacements_are_seen() {
    let (world, _, protected) = prepared(1, &[]).await;
    let first = world.act(&launch(&world, &protected, "a")).await;
    assert_eq!(broken(&world), "");
    assert!(world.act(&launch(&world, &protected, "b")).await.is_ok());
    assert!(broken(&world).contains("more than one replacement"));
    let (calm, _, protected) = prepared(1, &[]).await;
    assert_eq!(calm.act(&launch(&calm, &protected, "a")).await, first);
    let first: InstanceId = first.expect("launched").parse().expect("an id");
    calm.advance(60);
    calm.interrupt_silently(&first, InstanceAction::Terminate);
    assert!(calm.act(&launch(&calm, &protected, "b")).await.is_ok());
    assert_eq!(broken(&calm), "", "one that is being taken does not count");
}

#[tokio::test]
async fn touching_foreign_resources_is_seen() {
    let (world, _, protected) = prepared(2, &[]).await;
    let foreign = world.spot_instance("m5.large", "eu-west-1a").run();
    let volume = world.volume("eu-west-1a");
    let planted = world.planted_snapshot(&protected.data[0], Tags::new());
    let tags = Tags::from([("x".to_owned(), "y".to_owned())]);
    let resources = |id: &str| vec![id.to_owned()];
    for action in [
        Action::Tag {
            resources: resources(foreign.as_str()),
            tags,
        },
        Action::DeleteVolume {
            volume: volume.clone(),
        },
        Action::DeleteSnapshot {
            snapshot: planted.clone(),
        },
        Action::Network(Network::Associate {
            allocation: world.elastic_ip(Some(&foreign)),
            interface: world.interface(&protected.instance, 1, true),
            private_address: "10.0.0.9".to_owned(),
            take: true,
        }),
        Action::Network(Network::Attach {
            interface: world.interface(&foreign, 1, true),
            instance: protected.instance.clone(),
            slot: Slot { card: 0, device: 2 },
        }),
    ] {
        world.change(|it| it.violations.clear());
        world.change(|it| it.journal.clear());
        world.act(&action).await.ok();
        assert!(broken(&world).contains("not ours"), "{action}");
    }
}

#[tokio::test]
async fn deleting_the_only_copy_is_seen() {
    let (world, _, protected) = prepared(3, &[]).await;
    world.terminate(&protected.instance);
    world.advance(60);
    let delete = Action::DeleteVolume {
        volume: protected.data[1].clone(),
    };
    assert!(world.act(&delete).await.is_ok());
    assert!(broken(&world).contains("the only copy"));
    let gone = world.look(|it| it.deleted_with_instance.clone());
    assert_eq!(gone, [protected.data[0].clone()]);
}

#[tokio::test]
async fn a_dead_target_and_a_forgotten_snapshot_are_seen() {
    let (world, _, protected) = prepared(4, &[]).await;
    let ours = (tags::RESCUE.to_owned(), protected.instance.to_string());
    let made = world
        .act(&Action::SnapshotVolume {
            description: String::new(),
            volume: protected.data[0].clone(),
            tags: Tags::from([ours]),
        })
        .await;
    let id: SnapshotId = made.expect("taken").parse().expect("an id");
    assert!(broken(&world).contains(&format!("{id} is left over")));
    let day = [(tags::EXPIRES_AT, "2026-11-24T00:00:00Z")];
    world.retag(id.as_str(), &day);
    assert_eq!(broken(&world), "");
    world.terminate(&protected.instance);
    world.advance(60);
    assert!(broken(&world).contains("a dead target is registered"));
}
