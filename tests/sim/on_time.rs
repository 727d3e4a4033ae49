//! What the end of a rescue does not show: that nothing was tried too early or done too late.

use crate::support::{assert_whole, count, failing, function, journal, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{Fault, Kind, Limit, On, Supply, World};
use spot_rescue::situation::Market;
use spot_rescue::step::Action;
use spot_rescue::tags;
use std::time::Duration;

fn is_launch(action: &Action) -> bool {
    matches!(action, Action::Launch(_))
}

fn newest(world: &World) -> InstanceId {
    world.look(|it| {
        let newest = it.instances.values().max_by_key(|it| it.facts.launch_time);
        newest.expect("there is one").facts.id.clone()
    })
}

/// Whoever looks next, for whatever reason, must see that this instance is being taken.
#[tokio::test]
async fn the_tombstone_stands_within_a_second() {
    let (world, function, protected) = prepared(80, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 1).await;
    let tags = world.look(|it| it.instances[&protected.instance].tags.current().clone());
    let tombstone = tags.get(tags::INTERRUPTED_AT).expect("a tombstone");
    assert!(tombstone.starts_with(protected.instance.as_str()));
}

/// TRAP 31: the queue would deliver the warning again after half a minute.
#[tokio::test]
async fn a_warning_nothing_can_be_found_out_about_is_looked_into_again_within_seconds() {
    let (world, _, protected) = prepared(84, &[]).await;
    let faults = vec![Fault {
        on: On::Read(0),
        kind: Kind::Code("InternalError"),
    }];
    let function = failing(&world, faults);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 5).await;
    let tags = world.look(|it| it.instances[&protected.instance].tags.current().clone());
    assert!(tags.contains_key(tags::INTERRUPTED_AT));
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet);
    assert_whole(&world, &protected);
}

/// TRAP 31: Lambda would end the invocation, and its messages would wait for the queue.
#[tokio::test]
async fn a_read_that_is_never_answered_leaves_time_to_go_on_by_a_wake() {
    for read in 0..2 {
        let (world, _, protected) = prepared(85, &[]).await;
        let faults = vec![Fault {
            on: On::Read(read),
            kind: Kind::Silence,
        }];
        let function = failing(&world, faults);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let warnings = world.change(|it| std::mem::take(&mut it.queue.messages));
        let warning = serde_json::from_str(&warnings[0].body).expect("an event");
        let remaining = Duration::from_millis(4600);
        let handled = function.handle(warning, remaining).await;
        assert!(handled.is_ok(), "read {read}: {handled:?}");
        assert_eq!(function.cloud.struck().len(), 1);
        let woken = world.look(|it| it.queue.messages.iter().any(|it| it.body.contains("Wake")));
        assert!(woken, "after read {read}");
        let run = world.run_until_quiet(&function).await;
        assert!(run.quiet);
        assert_whole(&world, &protected);
    }
}

/// TRAP 4: a snapshot that is pending is waited for, not tried.
#[tokio::test]
async fn no_volume_is_asked_for_before_its_snapshot_is_complete() {
    let (world, function, protected) = prepared(81, &[]).await;
    let elsewhere = world.subnet("eu-west-1b");
    let tag = ("spot-rescue:subnets", elsewhere.as_str());
    world.retag(protected.instance.as_str(), &[tag]);
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    let asked = world.look(|it| {
        let asked = it
            .journal
            .iter()
            .filter(|it| matches!(it.action, Action::CreateVolume(_)));
        asked.map(|it| it.outcome.is_ok()).collect::<Vec<_>>()
    });
    assert!(!asked.is_empty());
    assert!(asked.iter().all(|it| *it), "{}", journal(&world));
}

/// Its two minutes count, too: nobody waits until it has ended.
#[tokio::test]
async fn a_replacement_that_is_warned_is_replaced_within_seconds() {
    let (world, function, protected) = prepared(82, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 60).await;
    assert_eq!(count(&world, is_launch), 1, "{}", journal(&world));
    world.interrupt(&newest(&world), InstanceAction::Terminate);
    let _ = world.run_for(&function, 5).await;
    assert_eq!(count(&world, is_launch), 2, "{}", journal(&world));
    settle(&world, &function).await;
    assert_whole(&world, &protected);
}

/// AWS refuses flags and snapshots to all of them until six seconds before the end.
#[tokio::test]
async fn whose_volumes_nothing_keeps_asks_as_often_in_the_end_as_before() {
    let world = World::new(83);
    let function = function(&world);
    let all: Vec<_> = (0..20).map(|_| world.protected_instance()).collect();
    settle(&world, &function).await;
    world.advance(3600);
    let allow = |capacity| {
        world.change(|it| {
            for call in ["ModifyInstanceAttribute", "CreateSnapshots"] {
                let per_second = 0.0;
                it.throttle(
                    call,
                    Limit {
                        capacity,
                        per_second,
                    },
                );
            }
        });
    };
    allow(0.0);
    for protected in &all {
        world.interrupt(&protected.instance, InstanceAction::Terminate);
    }
    let _ = world.run_for(&function, 114).await;
    allow(100.0);
    settle(&world, &function).await;
    for protected in &all {
        assert_whole(&world, protected);
    }
}
