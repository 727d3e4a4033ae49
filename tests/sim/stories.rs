//! Whole rescues, from the event to the day after.

use crate::support::{
    assert_whole, count, function, journal, lineage, lost_writes, prepared, settle,
};
use spot_rescue::event::{InstanceAction, InstanceState};
use spot_rescue::sim::{Supply, World};
use spot_rescue::situation::Market;
use spot_rescue::step::Action;

fn is_launch(action: &Action) -> bool {
    matches!(action, Action::Launch(_))
}

#[tokio::test]
async fn an_instance_that_appears_is_prepared_and_nothing_else_happens() {
    let (world, _, protected) = prepared(1, &[]).await;
    assert_whole(&world, &protected);
    assert_eq!(world.look(|it| it.templates.len()), 1);
    assert_eq!(count(&world, is_launch), 0);
}

/// TRAP 16: the volume itself is the newest copy.
#[tokio::test]
async fn in_the_same_zone_the_volumes_themselves_move_and_no_write_is_lost() {
    let (world, function, protected) = prepared(2, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    let found = lineage(&world, &protected);
    assert!(found.is_replacement && found.market == Some(Market::Spot));
    assert!(found.volumes.values().all(|it| !it.is_copy), "{found:#?}");
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
}

#[tokio::test]
async fn in_another_zone_the_volumes_are_copied_after_the_last_write() {
    let (world, function, protected) = prepared(3, &[]).await;
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
    let found = lineage(&world, &protected);
    assert_eq!(found.zone.as_deref(), Some("eu-west-1b"));
    assert!(found.volumes.values().all(|it| it.is_copy), "{found:#?}");
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
}

/// TRAP 8: no capacity is an error inside a success.
#[tokio::test]
async fn without_spot_capacity_an_on_demand_instance_stands_in() {
    let (world, function, protected) = prepared(4, &[]).await;
    world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(0));
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    let found = lineage(&world, &protected);
    assert_eq!(found.market, Some(Market::OnDemand));
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
}

#[tokio::test]
async fn without_any_capacity_the_rescue_waits_until_there_is_some() {
    let (world, function, protected) = prepared(5, &[]).await;
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let run = world.run_for(&function, 300).await;
    assert!(!run.quiet, "it goes on trying\n{}", journal(&world));
    assert_eq!(lineage(&world, &protected).live, 0);
    world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(1));
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
}

#[tokio::test]
async fn a_replacement_that_is_interrupted_in_its_turn_is_replaced() {
    let (world, function, protected) = prepared(9, &[]).await;
    for _ in 0..3 {
        let head = world.look(|it| {
            let mut live = it.instances.values().filter(|it| it.facts.is_alive());
            live.next().map(|it| it.facts.id.clone())
        });
        world.interrupt(&head.expect("one lives"), InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        assert_eq!(lost_writes(&world, &protected), [0, 0]);
        world.advance(3600);
    }
}

#[tokio::test]
async fn a_replacement_that_is_interrupted_while_it_takes_over_is_replaced() {
    let (world, function, protected) = prepared(10, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let run = world.run_for(&function, 60).await;
    assert!(!run.quiet);
    let second = world.look(|it| {
        let mut all = it.instances.values();
        all.find(|it| it.facts.id != protected.instance)
            .map(|it| it.facts.id.clone())
    });
    world.interrupt(
        &second.expect("one was launched"),
        InstanceAction::Terminate,
    );
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
}

/// TRAP 2: EC2 brings it back by itself.
#[tokio::test]
async fn a_stopped_instance_is_not_replaced_and_serves_again_when_it_returns() {
    for action in [InstanceAction::Stop, InstanceAction::Hibernate] {
        for keeps in [false, true] {
            let (world, function, protected) = prepared(11, &[]).await;
            world.change(|it| it.config.resume_keeps_launch_time = keeps);
            world.interrupt(&protected.instance, action);
            let run = world.run_until_quiet(&function).await;
            assert!(run.quiet, "{}", journal(&world));
            let paused = lineage(&world, &protected);
            assert_eq!(paused.state, Some(InstanceState::Stopped));
            assert!(paused.targets.is_empty(), "{action} {}", journal(&world));
            world.advance(7200);
            world.resume(&protected.instance);
            settle(&world, &function).await;
            assert_whole(&world, &protected);
            assert_eq!(count(&world, is_launch), 0);
            assert!(!lineage(&world, &protected).is_replacement);
        }
    }
}

/// TRAP 28: one snapshot that fails spoils its set; the volumes themselves are still there.
#[tokio::test]
async fn a_lost_final_set_does_not_matter_while_the_volumes_live() {
    let (world, function, protected) = prepared(12, &[]).await;
    world.change(|it| it.snapshot_failures = 1);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
}

/// TRAP 4: the set is waited for, however long it uploads.
#[tokio::test]
async fn a_volume_deleted_by_its_user_comes_back_from_the_set_of_the_warning() {
    let (world, function, protected) = prepared(13, &[]).await;
    world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(0));
    world.supply("m5.large", "eu-west-1a", Market::OnDemand, Supply::Left(0));
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 200).await;
    world.delete_volume(&protected.data[0]);
    world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(1));
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    let lost = lost_writes(&world, &protected);
    assert!(lost[0] > 0 && lost[1] == 0, "{lost:?}");
}

#[tokio::test]
async fn what_a_rescue_leaves_behind_is_gone_two_days_later() {
    let (world, function, protected) = prepared(14, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    for _ in 0..4 {
        world.advance(12 * 3600);
        world.sweep();
        settle(&world, &function).await;
    }
    assert_whole(&world, &protected);
    let left = world.look(|it| (it.volumes.len(), it.snapshots.len(), it.instances.len()));
    assert_eq!(left, (3, 0, 1), "{}", journal(&world));
}

/// The copies of the last rescue have expired, and may be the only ones.
#[tokio::test]
async fn copies_are_kept_as_long_as_a_rescue_is_open() {
    let (world, function, protected) = prepared(14, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    let copies: Vec<_> = world.look(|it| it.snapshots.keys().cloned().collect());
    let left = || {
        world.look(|it| {
            { copies.iter() }
                .filter(|id| it.snapshots.contains_key(*id))
                .count()
        })
    };
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
    let owner = world.look(|it| {
        let mut all = it.instances.values();
        let alive = all.find(|it| it.facts.is_alive());
        alive.expect("it was replaced").facts.id.clone()
    });
    world.interrupt(&owner, InstanceAction::Terminate);
    let _ = world.run_for(&function, 600).await;
    world.advance(25 * 3600);
    world.sweep();
    let _ = world.run_for(&function, 60).await;
    assert_eq!(left(), copies.len(), "{}", journal(&world));
    world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(1));
    for _ in 0..2 {
        world.sweep();
        let _ = world.run_for(&function, 900).await;
    }
    assert_whole(&world, &protected);
    world.sweep();
    settle(&world, &function).await;
    assert_eq!(left(), 0, "{}", journal(&world));
}

#[tokio::test]
async fn an_instance_its_user_ends_is_forgotten_and_not_replaced() {
    let (world, function, protected) = prepared(15, &[]).await;
    world.terminate(&protected.instance);
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet);
    assert_eq!(count(&world, is_launch), 0);
    assert_eq!(
        world.look(|it| it.templates.len()),
        0,
        "{}",
        journal(&world)
    );
}

#[tokio::test]
async fn an_instance_that_is_not_opted_in_costs_one_read() {
    let (world, function, _) = prepared(16, &[]).await;
    let foreign = world.spot_instance("m5.large", "eu-west-1a").run();
    let before = world.look(|it| (it.journal.len(), it.calls.clone()));
    world.interrupt(&foreign, InstanceAction::Terminate);
    world.advance(300);
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet);
    let after = world.look(|it| (it.journal.len(), it.calls.clone()));
    assert_eq!(before.0, after.0);
    let reads = |calls: &std::collections::BTreeMap<&str, u64>| calls.values().sum::<u64>();
    assert!(reads(&after.1) - reads(&before.1) <= 4);
}

/// Launch times are whole seconds, and ids say nothing: asked for again as the original's, a second
/// replacement would be the first one, which is being taken.
#[tokio::test]
async fn a_replacement_launched_in_the_second_of_its_original_is_replaced_in_its_turn() {
    for seed in 0..8 {
        let world = World::new(seed);
        let function = function(&world);
        let protected = world.protected_instance();
        settle(&world, &function).await;
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        let newest = world.look(|it| {
            let mut alive = it.instances.values().filter(|it| it.facts.is_alive());
            alive.next().map(|it| it.facts.id.clone())
        });
        world.interrupt(&newest.expect("it lives"), InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
    }
}
