//! No guarantees of AWS: a warning comes, in time and once; reads show the last write.

use crate::support::{assert_whole, journal, lineage, lost_writes, prepared, settle};
use spot_rescue::clock::Clock;
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::EventQuality;

/// TRAP 7: every invocation sends the same token.
#[tokio::test]
async fn a_warning_delivered_twice_at_once_leads_to_one_replacement() {
    let (world, function, protected) = prepared(6, &[]).await;
    world.change(|it| {
        it.config.interleave = true;
        it.config.concurrency = 4;
        it.config.batch = 1;
    });
    for _ in 0..3 {
        world.warn(&protected.instance, InstanceAction::Terminate, world.now());
    }
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    let replacements = world.look(|it| it.instances.len());
    assert_eq!(replacements, 2, "{}", journal(&world));
}

#[tokio::test]
async fn a_warning_that_comes_after_the_end_still_leads_to_a_rescue() {
    let (world, function, protected) = prepared(7, &[]).await;
    let at = world.now();
    world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
    world.advance(600);
    world.change(|it| it.queue.messages.clear());
    world.warn(&protected.instance, InstanceAction::Terminate, at);
    settle(&world, &function).await;
    let found = lineage(&world, &protected);
    // No look came in time to save the volume that goes with its instance.
    assert_eq!(found.live, 1, "{}", journal(&world));
    assert!(
        found.volumes.contains_key("/dev/sdg"),
        "{}",
        journal(&world)
    );
}

/// TRAP 3: a warning is best effort.
#[tokio::test]
async fn no_warning_at_all_is_found_out_by_the_reason_of_the_end() {
    let (world, function, protected) = prepared(8, &[]).await;
    world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    let found = lineage(&world, &protected);
    assert_eq!(found.live, 1, "{}", journal(&world));
    assert!(
        found.volumes.contains_key("/dev/sdg"),
        "{}",
        journal(&world)
    );
}

#[tokio::test]
async fn unreliable_events_change_nothing_in_the_end() {
    for seed in 100..130 {
        let (world, function, protected) = prepared(seed, &[]).await;
        world.change(|it| {
            it.config.events = EventQuality {
                lost_percent: 0,
                doubled_percent: 40,
                late_seconds: 40,
            };
            it.config.interleave = true;
            it.config.concurrency = 3;
            it.config.batch = 2;
        });
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        assert_eq!(lost_writes(&world, &protected), [0, 0], "seed {seed}");
    }
}

#[tokio::test]
async fn reads_that_lag_change_nothing_in_the_end() {
    for lag in 1..5 {
        let (world, function, protected) = prepared(200, &[]).await;
        world.change(|it| it.config.lag_seconds = lag);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        assert_eq!(lost_writes(&world, &protected), [0, 0], "lag {lag}");
    }
}

/// The first wake comes while neither tombstone is visible yet.
#[tokio::test]
async fn tags_seen_late_do_not_lose_the_users_flags() {
    for lag in [6, 8, 15, 30] {
        let (world, function, protected) = prepared(201, &[]).await;
        world.change(|it| it.config.lag_seconds = lag);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        assert_eq!(lost_writes(&world, &protected), [0, 0], "lag {lag}");
    }
}
