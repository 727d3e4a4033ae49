//! Rescues in large numbers, beside other instances, and with policies.

use crate::support::{
    assert_whole, count, failing, function, journal, lineage, lost_writes, prepared, settle,
};
use spot_rescue::clock::Clock;
use spot_rescue::event::InstanceAction;
use spot_rescue::id::{InstanceId, VolumeId};
use spot_rescue::sim::{Drain, Fault, GroupType, Kind, Limit, On, Supply, World};
use spot_rescue::situation::{Market, VolumeState};
use spot_rescue::step::Action;

fn is_launch(action: &Action) -> bool {
    matches!(action, Action::Launch(_))
}

/// TRAP 19: `ip` target groups name addresses; the replacement's is another one.
#[tokio::test]
async fn a_target_that_is_an_address_becomes_the_replacements_address() {
    let world = World::new(1);
    let function = function(&world);
    let protected = world.protected_instance();
    let group = world.target_group(GroupType::Ip);
    let address_of = |id| {
        world.look(|it| {
            let instance = it.instances.get(id);
            instance.and_then(|it| it.facts.private_addresses.first().cloned())
        })
    };
    let address = address_of(&protected.instance).expect("it has one");
    let target = world.register(&group, &address, 7000);
    settle(&world, &function).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    let serving = lineage(&world, &protected).targets;
    assert!(
        serving.contains(&(group.to_string(), 7000)),
        "{}",
        journal(&world)
    );
    let old = world.look(|it| it.groups[&group].targets.contains_key(&target));
    assert!(!old || world.look(|it| it.groups[&group].targets.len()) == 2);
}

/// TRAP 22: its group replaces it, a second one would be one too many.
#[tokio::test]
async fn a_group_member_is_protected_but_left_to_its_group() {
    let group = [("aws:autoscaling:groupName", "web")];
    let (world, function, protected) = prepared(2, &group).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet);
    assert_eq!(count(&world, is_launch), 0);
    let kept = world.look(|it| it.volumes.contains_key(&protected.data[0]));
    assert!(kept, "{}", journal(&world));
}

#[tokio::test]
async fn without_replacement_everything_is_kept() {
    let (world, function, protected) = prepared(3, &[("spot-rescue:replace", "none")]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_eq!(count(&world, is_launch), 0);
    for volume in protected.data.iter().chain([&protected.root]) {
        let state = world.look(|it| it.volumes.get(volume).map(|it| it.facts.state));
        assert_eq!(state, Some(VolumeState::Available), "{}", journal(&world));
    }
}

#[tokio::test]
async fn a_volume_its_user_gave_to_another_instance_stays_there() {
    let (world, function, protected) = prepared(4, &[]).await;
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 200).await;
    let other = world.spot_instance("m5.large", "eu-west-1a").run();
    world.give_away(&protected.data[1], &other, "/dev/sdx");
    world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(1));
    settle(&world, &function).await;
    let found = lineage(&world, &protected);
    assert_eq!(found.volumes.len(), 1, "{}", journal(&world));
    let there = world
        .volumes_of(&other)
        .values()
        .cloned()
        .collect::<Vec<_>>();
    assert!(there.contains(&protected.data[1]));
}

/// A zone is reclaimed: many at once, with the buckets EC2 documents.
#[tokio::test]
async fn a_hundred_interruptions_at_once_are_all_survived() {
    let world = World::new(5);
    let function = function(&world);
    let all: Vec<_> = (0..100).map(|_| world.protected_instance()).collect();
    settle(&world, &function).await;
    world.advance(3600);
    let limits = [
        ("CreateTags", 100.0, 10.0),
        ("CreateSnapshots", 100.0, 5.0),
        ("CreateFleet", 50.0, 5.0),
        ("ModifyInstanceAttribute", 50.0, 5.0),
        ("AttachVolume", 100.0, 5.0),
        ("DescribeInstances", 100.0, 20.0),
        ("DescribeVolumes", 100.0, 20.0),
        ("DescribeSnapshots", 100.0, 20.0),
    ];
    world.change(|it| {
        it.config.interleave = true;
        it.config.concurrency = 5;
        it.config.call_millis = 10;
        for (call, capacity, per_second) in limits {
            let limit = Limit {
                capacity,
                per_second,
            };
            it.throttle(call, limit);
        }
    });
    for protected in &all {
        world.interrupt(&protected.instance, InstanceAction::Terminate);
    }
    settle(&world, &function).await;
    for protected in &all {
        assert_whole(&world, protected);
        assert_eq!(lost_writes(&world, protected), [0, 0]);
    }
}

/// AWS grants flags to half of them and snapshots to half of them: each gets one of both, and nothing goes
/// with any instance.
#[tokio::test]
async fn an_instance_that_gets_no_flag_gets_a_snapshot() {
    let world = World::new(5);
    let function = function(&world);
    let all: Vec<_> = (0..40).map(|_| world.protected_instance()).collect();
    settle(&world, &function).await;
    world.advance(3600);
    let half = Limit {
        capacity: 20.0,
        per_second: 0.0,
    };
    world.change(|it| {
        it.throttle("ModifyInstanceAttribute", half);
        it.throttle("CreateSnapshots", half);
    });
    for protected in &all {
        world.interrupt(&protected.instance, InstanceAction::Terminate);
    }
    let _ = world.run_for(&function, 180).await;
    let gone = world.look(|it| it.deleted_with_instance.clone());
    assert!(!gone.is_empty(), "the flags were not scarce");
    let copied = |volume: &VolumeId| {
        world.look(|it| it.snapshots.values().any(|it| it.facts.volume == *volume))
    };
    let lost: Vec<_> = gone.iter().filter(|it| !copied(it)).collect();
    assert!(lost.is_empty(), "{} of {}", lost.len(), gone.len());
}

/// The process dies right behind the tombstone; the warning comes again.
#[tokio::test]
async fn a_warning_that_comes_again_goes_on_where_the_first_died() {
    let world = World::new(6);
    let builder = world.spot_instance("m5.large", "eu-west-1a");
    let id = builder.volume("/dev/sdf", 10, false).protected().run();
    settle(&world, &function(&world)).await;
    let faults = vec![Fault {
        on: On::Call("CreateTags", 0),
        kind: Kind::CrashAfter,
    }];
    let dying = failing(&world, faults);
    world.interrupt(&id, InstanceAction::Terminate);
    let run = world.run_for(&dying, 60).await;
    assert_eq!(run.crashes, 1);
    assert_eq!(count(&world, is_launch), 1, "{}", journal(&world));
}

/// Warnings about something that never happens, or that happened to an earlier life.
#[tokio::test]
async fn an_old_warning_about_a_running_instance_does_nothing() {
    let (world, function, protected) = prepared(7, &[]).await;
    let old = world.now() - time::Duration::minutes(30);
    let before = count(&world, |_| true);
    world.warn(&protected.instance, InstanceAction::Terminate, old);
    settle(&world, &function).await;
    let touched = count(&world, is_launch);
    assert_eq!(touched, 0, "{}", journal(&world));
    assert_whole(&world, &protected);
    assert_eq!(count(&world, |_| true), before, "{}", journal(&world));
}

/// EC2 gives a stopped instance up: it is replaced after all.
#[tokio::test]
async fn a_stopped_instance_that_ec2_gives_up_is_replaced() {
    let (world, function, protected) = prepared(8, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Stop);
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet);
    world.advance(86_400);
    world.give_up(&protected.instance);
    settle(&world, &function).await;
    let found = lineage(&world, &protected);
    assert!(found.is_replacement, "{}", journal(&world));
    assert_eq!(found.live, 1);
}

/// A replacement that dies while it boots (TRAP 36: keys, limits) is not waited for.
#[tokio::test]
async fn a_replacement_that_dies_booting_is_replaced() {
    let (world, function, protected) = prepared(9, &[]).await;
    world.change(|it| it.boot_failures.push("Client.InternalError"));
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
}

/// EC2 gives a freed address to another instance, which may serve in the same target group: a rescue that goes by
/// what it once wrote down would deregister it.
#[tokio::test]
async fn an_address_that_has_gone_to_another_instance_stays_with_it() {
    let world = World::new(9);
    let function = function(&world);
    let protected = world.protected_instance();
    let group = world.target_group(GroupType::Ip);
    let old = world.look(|it| it.instances[&protected.instance].facts.private_addresses[0].clone());
    let _ = world.register(&group, &old, 7000);
    settle(&world, &function).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    world.advance(3600);
    let neighbour = world.spot_instance("m5.large", "eu-west-1a").run();
    world.advance(60);
    world.change(|it| {
        let facts = &mut it.instances.get_mut(&neighbour).expect("it runs").facts;
        facts.private_addresses = vec![old.clone()];
    });
    let target = world.register(&group, &old, 7000);
    let head = replacement(&world, &neighbour);
    world.interrupt(&head, InstanceAction::Terminate);
    settle(&world, &function).await;
    let serves = world.look(|it| it.groups[&group].targets.get(&target) == Some(&Drain::No));
    assert!(serves, "{}", journal(&world));
    let ours = lineage(&world, &protected).targets;
    assert!(ours.contains(&(group.to_string(), 7000)), "{ours:?}");
}

/// The one that lives and is not the neighbour.
fn replacement(world: &World, neighbour: &InstanceId) -> InstanceId {
    world.look(|it| {
        let mut living = it.instances.values().filter(|it| it.facts.is_alive());
        let ours = living.find(|it| it.facts.id != *neighbour);
        ours.map(|it| it.facts.id.clone()).expect("one lives")
    })
}
