//! Timing, which the end of a rescue does not show: nothing is tried too early or done too late.

use crate::support::{assert_whole, count, failing, function, journal, prepared, settle};
use spot_rescue::event::{InstanceAction, InstanceState};
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{
    Drain, Fault, GroupType, Kind, Limit, Message, On, Protected, Supply, World,
};
use spot_rescue::situation::{Instance, Market, Target};
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

/// Every later look, for whatever reason, must see that this instance is being interrupted.
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

/// Its two minutes count, too: the look does not wait until it has ended.
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
async fn an_instance_with_unprotected_volumes_is_looked_at_as_often_in_the_end_as_before() {
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

/// AWS sometimes throttles without cause; the other calls do not wait for a wake.
#[tokio::test]
async fn one_refusal_among_many_delays_no_lineage_for_long() {
    let world = World::new(90);
    world.change(|it| it.config.batch = 20);
    let all: Vec<_> = (0..20).map(|_| world.protected_instance()).collect();
    settle(&world, &function(&world)).await;
    world.advance(3600);
    let refusal = |call| Fault {
        on: On::Call(call, 0),
        kind: Kind::Code("RequestLimitExceeded"),
    };
    let calls = ["ModifyInstanceAttribute", "CreateSnapshots"];
    let function = failing(&world, calls.map(refusal).into());
    for protected in &all {
        world.interrupt(&protected.instance, InstanceAction::Terminate);
    }
    let _ = world.run_for(&function, 1).await;
    assert_eq!(function.cloud.struck().len(), 2);
    let kept = |it: &&Protected| {
        let flags = |it: &Instance| it.devices.iter().all(|it| !it.delete_on_termination);
        world.look(|state| flags(&state.instances[&it.instance].facts))
    };
    assert_eq!(all.iter().filter(kept).count(), all.len());
    settle(&world, &self::function(&world)).await;
    for protected in &all {
        assert_whole(&world, protected);
    }
}

/// The targets through which an instance gets traffic.
fn serving(world: &World, instance: &InstanceId) -> Vec<Target> {
    world.look(|it| {
        let all = it.groups.values().flat_map(|it| &it.targets);
        let open = all.filter(|(it, drain)| it.id == instance.as_str() && **drain == Drain::No);
        open.map(|(it, _)| it.clone()).collect()
    })
}

/// Elastic Load Balancing grants ten reads a second to a whole account: what is known is not read again.
#[tokio::test]
async fn no_target_group_is_read_for_a_deregistered_instance_until_a_successor_could_serve() {
    let (world, function, protected) = prepared(86, &[]).await;
    // The completed snapshot's event would call a look of its own.
    world.change(|it| it.config.snapshot_seconds = 300);
    let reads = |call| world.look(|it| it.calls[call]);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 10).await;
    assert!(serving(&world, &protected.instance).is_empty());
    let (looks, asked) = (reads("DescribeInstances"), reads("DescribeTargetHealth"));
    let _ = world.run_for(&function, 100).await;
    assert!(reads("DescribeInstances") > looks);
    assert_eq!(reads("DescribeTargetHealth"), asked);
    settle(&world, &function).await;
    assert!(reads("DescribeTargetHealth") > asked);
    assert_whole(&world, &protected);
}

/// An account may have hundreds of target groups, and each batch of a mass reclaim would ask them all.
#[tokio::test]
async fn groups_that_are_not_on_record_are_left_once_aws_has_too_much_to_answer() {
    let (world, function, protected) = prepared(92, &[]).await;
    for _ in 0..60 {
        let _ = world.target_group(GroupType::Instance);
    }
    let grant = |capacity, per_second| {
        let limit = Limit {
            capacity,
            per_second,
        };
        world.change(|it| it.throttle("DescribeTargetHealth", limit));
    };
    let reads = || world.look(|it| it.calls["DescribeTargetHealth"]);
    let before = reads();
    grant(10.0, 0.1);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 2).await;
    assert!(serving(&world, &protected.instance).is_empty());
    let asked = reads() - before;
    assert!((10..40).contains(&asked), "{asked}");
    grant(1000.0, 1000.0);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
}

/// Tombstones are late, replacements announce themselves, chains of wakes begin twice.
#[tokio::test]
async fn while_a_whole_mass_reclaim_waits_the_target_groups_are_listed_once_more_at_most() {
    let world = World::new(91);
    world.change(|it| it.config.batch = 20);
    let function = function(&world);
    let all: Vec<_> = (0..60).map(|_| world.protected_instance()).collect();
    settle(&world, &function).await;
    world.advance(3600);
    let few = |capacity, per_second| Limit {
        capacity,
        per_second,
    };
    world.change(|it| {
        it.throttle("ModifyInstanceAttribute", few(5.0, 0.5));
        it.throttle("CreateSnapshots", few(5.0, 0.5));
        it.throttle("CreateTags", few(5.0, 0.5));
        it.throttle("CreateFleet", few(10.0, 0.5));
    });
    for protected in &all {
        world.interrupt(&protected.instance, InstanceAction::Terminate);
    }
    let _ = world.run_for(&function, 10).await;
    let reads = || world.look(|it| it.calls["DescribeTargetHealth"]);
    let before = reads();
    let _ = world.run_for(&function, 50).await;
    let running = world.look(|it| {
        let states = it.instances.values().map(|it| it.facts.state);
        states.filter(|it| *it == InstanceState::Running).count()
    });
    assert!(running > all.len() + 10, "replacements run: {running}");
    // The event of one whose replacement runs already may list them all; sixty looks do not.
    let each = all.len() as u64;
    assert!(reads() <= before + each, "{before}, then {}", reads());
}

/// It has no volumes to wait for.
#[tokio::test]
async fn an_instance_that_could_serve_at_once_is_looked_for_within_the_two_minutes() {
    let world = World::new(89);
    let function = function(&world);
    let instance = world
        .spot_instance("m5.large", "eu-west-1a")
        .protected()
        .run();
    let group = world.target_group(GroupType::Instance);
    let _ = world.register(&group, instance.as_str(), 80);
    settle(&world, &function).await;
    world.advance(3600);
    world.interrupt(&instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 100).await;
    assert_eq!(serving(&world, &newest(&world)).len(), 1);
    let over = format!("spot-rescue:head={}", newest(&world));
    assert!(journal(&world).contains(&over), "{}", journal(&world));
}

#[tokio::test]
async fn a_deregistration_that_fails_is_done_within_seconds() {
    let (world, _, protected) = prepared(87, &[]).await;
    let fail = |n| Fault {
        on: On::Call("DeregisterTargets", n),
        kind: Kind::Code("Throttling"),
    };
    let function = failing(&world, (0..3).map(fail).collect());
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 20).await;
    assert_eq!(function.cloud.struck().len(), 3);
    assert!(serving(&world, &protected.instance).is_empty());
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet);
    assert_whole(&world, &protected);
}

/// A rescue that is under way may register it after its own deregistration.
#[tokio::test]
async fn a_replacement_amid_its_rescue_is_looked_for_although_it_was_deregistered() {
    let (world, function, protected) = prepared(88, &[]).await;
    let targets = serving(&world, &protected.instance);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    // The first one is ending; its volumes have not moved yet.
    let _ = world.run_for(&function, 124).await;
    let replacement = newest(&world);
    world.interrupt(&replacement, InstanceAction::Terminate);
    // The first rescue has come to grief: only the second is looked at.
    let second = |it: &Message| it.body.contains(replacement.as_str());
    world.change(|it| it.queue.messages.retain(second));
    let _ = world.run_for(&function, 5).await;
    for it in &targets {
        let _ = world.register(&it.group, replacement.as_str(), it.port.unwrap_or(80));
    }
    let _ = world.run_for(&function, 10).await;
    assert!(
        serving(&world, &replacement).is_empty(),
        "{}",
        journal(&world)
    );
    settle(&world, &function).await;
    assert_whole(&world, &protected);
}

/// A volume that its user detaches from an interrupted instance is not given up: the replacement has it at once.
#[tokio::test]
async fn a_volume_detached_during_a_rescue_does_not_wait_for_the_old_instance() {
    let (world, function, protected) = prepared(85, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 40).await;
    let replacement = newest(&world);
    world.detach(&protected.data[0]);
    let _ = world.run_for(&function, 79).await;
    let holder = world.look(|it| it.volumes[&protected.data[0]].facts.attachments.clone());
    let holder: Vec<_> = holder.into_iter().map(|it| it.instance).collect();
    assert_eq!(holder, [replacement], "{}", journal(&world));
    settle(&world, &function).await;
    assert_whole(&world, &protected);
}
