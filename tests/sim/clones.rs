//! `spot-rescue:data=clone`: the replacement serves while the old instance still lives.

use crate::support::{assert_whole, count, journal, lineage, lost_writes, prepared, settle};
use spot_rescue::clock::Clock;
use spot_rescue::cloud::Cloud;
use spot_rescue::event::InstanceAction;
use spot_rescue::id::{InstanceId, VolumeId};
use spot_rescue::sim::{Protected, Supply, World};
use spot_rescue::situation::{Market, VolumeState};
use spot_rescue::step::{Action, CopyVolume};
use spot_rescue::tags::{self, Tags};
use std::collections::BTreeSet;

const CLONE: (&str, &str) = ("spot-rescue:data", "clone");

fn is_copy(action: &Action) -> bool {
    matches!(action, Action::CopyVolume(_))
}

/// The volumes EC2 copied from these.
fn clones(world: &World, protected: &Protected) -> Vec<VolumeId> {
    world.look(|it| {
        let of_it = |source: &Option<VolumeId>| {
            source
                .as_ref()
                .is_some_and(|it| protected.data.contains(it))
        };
        let all = it.volumes.values().filter(|it| of_it(&it.facts.source));
        all.map(|it| it.facts.id.clone()).collect()
    })
}

fn has_expiry(world: &World, id: &VolumeId) -> bool {
    world.look(|it| it.volumes[id].tags.current().contains_key(tags::EXPIRES_AT))
}

#[tokio::test]
async fn it_serves_with_clones_before_the_two_minutes_are_over() {
    let (world, function, protected) = prepared(61, &[CLONE]).await;
    let warned = world.now();
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 60).await;
    assert!((world.now() - warned).whole_seconds() < 119);
    assert_whole_but_alive(&world, &protected);
    // It was seen to serve, and that was noted: it is not registered again until the old instance has ended.
    let serves = format!("spot-rescue:head={}", replacement(&world));
    assert!(journal(&world).contains(&serves), "{}", journal(&world));
    let lost = lost_writes(&world, &protected);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert!(
        lineage(&world, &protected)
            .volumes
            .values()
            .all(|it| it.is_copy)
    );
    assert_eq!(count(&world, is_copy), 2, "{}", journal(&world));
    // Writes before the clone are there; later ones are the price.
    let old = lost_writes(&world, &protected);
    assert!(
        old.iter().zip(&lost).all(|(old, then)| old >= then),
        "{old:?}"
    );
    for id in &protected.data {
        assert!(
            has_expiry(&world, id),
            "{id} is kept for a while, and not for ever"
        );
    }
}

/// The old instance is still there, and no longer in service.
fn assert_whole_but_alive(world: &World, protected: &Protected) {
    let found = lineage(world, protected);
    assert!(found.is_replacement, "{}", journal(world));
    assert_eq!(found.volumes.len(), 2, "{}", journal(world));
    let ports: BTreeSet<u16> = found.targets.iter().map(|it| it.1).collect();
    assert_eq!(ports, BTreeSet::from([8080, 9090]), "{}", journal(world));
    let lives = world.look(|it| it.instances[&protected.instance].facts.is_alive());
    assert!(lives, "the old instance has not ended yet");
}

#[tokio::test]
async fn the_source_of_a_clone_outlives_its_copying() {
    let (world, function, protected) = prepared(62, &[CLONE]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    for _ in 0..4 {
        world.advance(12 * 3600);
        world.sweep();
        settle(&world, &function).await;
    }
    let left = world.look(|it| {
        protected
            .data
            .iter()
            .filter(|id| it.volumes.contains_key(*id))
            .count()
    });
    assert_eq!(left, 0, "in the end it goes");
    assert_whole(&world, &protected);
}

#[tokio::test]
async fn where_cloning_is_refused_the_volumes_move_and_nothing_is_lost() {
    for code in [
        "UnsupportedOperation",
        "VolumeLimitExceeded",
        "ConcurrentCopyVolumeLimitExceeded",
    ] {
        let (world, function, protected) = prepared(63, &[CLONE]).await;
        world.change(|it| it.clone_refusal = Some(code));
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        assert!(
            lineage(&world, &protected)
                .volumes
                .values()
                .all(|it| !it.is_copy)
        );
        assert_eq!(lost_writes(&world, &protected), [0, 0], "{code}");
    }
}

#[tokio::test]
async fn a_clone_that_never_comes_to_be_is_not_waited_for() {
    let (world, function, protected) = prepared(64, &[CLONE]).await;
    world.change(|it| it.fail_clones = true);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
}

/// Nothing is gained by a clone, so nothing is given up for one: neither when the volume is free
/// before the replacement runs, nor when its instance is about to end by then.
#[tokio::test]
async fn a_clone_is_not_used_when_the_volume_is_free_first_or_soon() {
    for (boot_seconds, shutdown_seconds) in [(200, 10), (130, 60)] {
        let (world, function, protected) = prepared(65, &[CLONE]).await;
        world.change(|it| {
            it.config.boot_seconds = boot_seconds;
            it.config.shutdown_seconds = shutdown_seconds;
        });
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        let found = lineage(&world, &protected);
        let moved = found.volumes.values().all(|it| !it.is_copy);
        assert!(moved, "{boot_seconds} {}", journal(&world));
        assert_eq!(lost_writes(&world, &protected), [0, 0], "{boot_seconds}");
        for id in clones(&world, &protected) {
            assert!(has_expiry(&world, &id), "{id} is of no use any more");
        }
    }
}

#[tokio::test]
async fn in_another_zone_a_clone_is_of_no_use_and_no_write_is_lost() {
    let (world, function, protected) = prepared(66, &[CLONE]).await;
    let elsewhere = world.subnet("eu-west-1b");
    world.retag(
        protected.instance.as_str(),
        &[("spot-rescue:subnets", elsewhere.as_str())],
    );
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
}

/// The replacement is interrupted with its clones: they are newer than their sources.
#[tokio::test]
async fn a_clone_that_was_in_use_moves_on_and_its_source_does_not_come_back() {
    let (world, function, protected) = prepared(67, &[CLONE]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 25).await;
    let replacement = replacement(&world);
    world.change(|it| it.clone_refusal = Some("VolumeLimitExceeded"));
    world.interrupt(&replacement, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    let found = lineage(&world, &protected);
    let taken: Vec<bool> = found.volumes.values().map(|it| it.is_copy).collect();
    assert_eq!(taken, [true, true], "{}", journal(&world));
}

fn replacement(world: &World) -> InstanceId {
    let replaces = |tags: &Tags| tags.contains_key(tags::REPLACES);
    world.look(|it| {
        let mut all = it.instances.values();
        let found = all.find(|it| replaces(it.tags.current()));
        found.expect("launched").facts.id.clone()
    })
}

/// A caller that may tag volumes could make a copy of another's its own; EC2 says what a clone is made of.
#[tokio::test]
async fn a_volume_that_only_says_it_is_a_clone_is_not_attached() {
    let (world, function, protected) = prepared(68, &[CLONE]).await;
    world.change(|it| it.clone_refusal = Some("VolumeLimitExceeded"));
    let planted = world.volume("eu-west-1a");
    world.retag(
        planted.as_str(),
        &[
            (tags::RESCUE, protected.instance.as_str()),
            (tags::COPY_OF, protected.data[0].as_str()),
            (tags::TAKEN_BY, protected.instance.as_str()),
        ],
    );
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 3600).await;
    assert_whole(&world, &protected);
    let untouched = world.look(|it| it.volumes[&planted].facts.attachments.is_empty());
    assert!(untouched, "{}", journal(&world));
}

/// TRAP 33: the default is gp2.
#[tokio::test]
async fn a_clone_is_made_like_its_source_and_once_per_token() {
    let (world, _, protected) = prepared(69, &[]).await;
    let source = protected.data[0].clone();
    let settings = world.look(|it| it.volumes[&source].facts.settings.clone());
    let copy = Action::CopyVolume(CopyVolume {
        source: source.clone(),
        settings: settings.clone(),
        tags: Tags::from([(tags::RESCUE.to_owned(), protected.instance.to_string())]),
        token: "t".to_owned(),
    });
    let first = world.act(&copy).await.expect("made");
    assert_eq!(world.act(&copy).await.as_ref(), Ok(&first));
    let id: VolumeId = first.parse().expect("an id");
    let state = || world.look(|it| it.volumes[&id].facts.state);
    assert_eq!(state(), VolumeState::Creating);
    world.advance(10);
    assert_eq!(
        state(),
        VolumeState::Available,
        "long before it is initialized"
    );
    let facts = world.look(|it| it.volumes[&id].facts.clone());
    assert_eq!((facts.source, facts.settings), (Some(source), settings));
}
