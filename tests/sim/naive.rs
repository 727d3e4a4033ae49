//! What a naive function would do, and this one does not: traps that no other test of whole rescues
//! is about.

use crate::support::{
    assert_whole, count, function, journal, lineage, lost_writes, prepared, settle,
};
use spot_rescue::clock::Clock;
use spot_rescue::event::{InstanceAction, InstanceState};
use spot_rescue::sim::{Drain, GroupType, Supply, World};
use spot_rescue::situation::{Market, VolumeSettings};
use spot_rescue::step::Action;

fn is_set(action: &Action) -> bool {
    matches!(action, Action::SnapshotInstance { .. })
}

fn is_attach(action: &Action) -> bool {
    matches!(action, Action::Attach { .. })
}

fn is_launch(action: &Action) -> bool {
    matches!(action, Action::Launch(_))
}

/// TRAP 5: a snapshot was taken seconds before the warning, and EC2 refuses another one.
#[tokio::test]
async fn a_snapshot_that_is_refused_because_of_a_fresh_one_stops_nothing() {
    let (world, function, protected) = prepared(51, &[]).await;
    assert!(world.snapshot(&protected.data[0]).is_some());
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
}

/// TRAP 6: `CreateSnapshots` has no token; a warning that comes again must find the set.
#[tokio::test]
async fn a_warning_that_comes_three_times_leads_to_one_set() {
    let (world, function, protected) = prepared(52, &[]).await;
    let at = world.now();
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    for _ in 0..2 {
        let _ = world.run_for(&function, 30).await;
        world.warn(&protected.instance, InstanceAction::Terminate, at);
    }
    settle(&world, &function).await;
    assert_eq!(count(&world, is_set), 1, "{}", journal(&world));
}

/// TRAP 21: connections drain for five minutes; the instance has two.
#[tokio::test]
async fn no_step_waits_for_the_targets_to_drain() {
    let (world, function, protected) = prepared(53, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 1).await;
    let draining = world.look(|it| it.groups.values().any(|it| !it.targets.is_empty()));
    assert!(draining, "they still drain");
    assert_eq!(count(&world, is_set), 1);
    assert_eq!(count(&world, is_launch), 1, "{}", journal(&world));
}

/// TRAP 26: for two minutes the instance runs on and writes; nothing is taken from it meanwhile.
#[tokio::test]
async fn a_running_instance_is_not_taken_for_dead() {
    let (world, function, protected) = prepared(54, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 115).await;
    let state = world.look(|it| it.instances[&protected.instance].facts.state);
    assert_eq!(state, InstanceState::Running);
    assert_eq!(count(&world, is_attach), 0, "{}", journal(&world));
    settle(&world, &function).await;
    assert_whole(&world, &protected);
}

/// TRAP 25: EC2 starts what it has stopped by itself, from the request it keeps. Nothing is launched
/// meanwhile, however long it takes and however often the schedule comes round.
#[tokio::test]
async fn a_request_that_ec2_keeps_is_left_to_ec2() {
    let (world, function, protected) = prepared(55, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Stop);
    for _ in 0..10 {
        world.advance(3600);
        world.sweep();
        let run = world.run_until_quiet(&function).await;
        assert!(run.quiet);
    }
    assert_eq!(count(&world, is_launch), 0, "{}", journal(&world));
    world.resume(&protected.instance);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
}

/// TRAP 29: retention by age would delete the newest good copy. Users' snapshots are never touched.
#[tokio::test]
async fn snapshots_of_others_are_kept_however_old() {
    let (world, function, protected) = prepared(56, &[]).await;
    let kept = world.snapshot(&protected.data[0]).expect("taken");
    world.advance(600);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    for _ in 0..60 {
        world.advance(24 * 3600);
        world.sweep();
        settle(&world, &function).await;
    }
    let left: Vec<_> = world.look(|it| it.snapshots.keys().cloned().collect());
    assert_eq!(left, [kept], "{}", journal(&world));
}

/// TRAP 30: EC2 takes no snapshot of an instance that may hibernate; its volumes move all the same.
#[tokio::test]
async fn an_instance_that_may_hibernate_is_rescued_without_a_set() {
    let world = World::new(57);
    let function = function(&world);
    let builder = world.spot_instance("m5.large", "eu-west-1a").protected();
    let id = builder.volume("/dev/sdf", 10, true).hibernation().run();
    settle(&world, &function).await;
    world.interrupt(&id, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_eq!(count(&world, is_set), 0);
    let found = world.summary().lineages.remove(&id).expect("known");
    assert!(found.is_replacement && found.volumes.contains_key("/dev/sdf"));
    assert_eq!(found.volumes["/dev/sdf"].lost_writes, 0);
}

/// TRAP 33: a snapshot remembers neither type nor speed, and the default is gp2.
#[tokio::test]
async fn a_restored_volume_is_as_fast_as_the_old_one() {
    let world = World::new(58);
    let function = function(&world);
    let elsewhere = world.subnet("eu-west-1b");
    let settings = VolumeSettings {
        volume_type: "gp3".to_owned(),
        size: 200,
        iops: Some(9000),
        throughput: Some(600),
        encrypted: true,
        kms_key: None,
        multi_attach: false,
    };
    let builder = world.spot_instance("m5.large", "eu-west-1a").protected();
    let builder = builder.tags(&[("spot-rescue:subnets", elsewhere.as_str())]);
    let id = builder
        .volume_like("/dev/sdf", settings.clone(), false)
        .run();
    settle(&world, &function).await;
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
    world.interrupt(&id, InstanceAction::Terminate);
    settle(&world, &function).await;
    let restored = world.look(|it| {
        let mut all = it.volumes.values();
        let copy = all.find(|it| it.facts.snapshot.is_some());
        copy.map(|it| it.facts.settings.clone())
    });
    assert_eq!(restored, Some(settings), "{}", journal(&world));
}

/// TRAP 34: there is no event for a successful attachment, and no event is needed but the warning.
#[tokio::test]
async fn a_rescue_needs_no_event_but_its_warning() {
    let (world, function, protected) = prepared(59, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 1).await;
    world.change(|it| it.config.events.lost_percent = 100);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
}

/// TRAP 35: one instance that EC2 no longer knows must not fail the others of its batch.
#[tokio::test]
async fn a_stale_id_in_a_batch_does_not_harm_its_neighbours() {
    let (world, function, protected) = prepared(60, &[]).await;
    let gone = "i-0123456789abcdef0".parse().expect("an id");
    world.warn(&gone, InstanceAction::Terminate, world.now());
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 1).await;
    assert_eq!(count(&world, is_launch), 1, "{}", journal(&world));
    settle(&world, &function).await;
    assert_whole(&world, &protected);
}

/// TRAP 38: a restored volume is slow at first. Where the volume itself can come, it comes.
#[tokio::test]
async fn nothing_is_restored_that_can_be_moved() {
    let (world, function, protected) = prepared(61, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    let found = lineage(&world, &protected);
    assert!(found.volumes.values().all(|it| !it.is_copy), "{found:#?}");
    let made = count(&world, |it| matches!(it, Action::CreateVolume(_)));
    assert_eq!(made, 0);
}

/// TRAP 11: members of groups and stacks carry `aws:` tags, which no launch takes.
#[tokio::test]
async fn reserved_tags_of_the_instance_do_not_stop_its_replacement() {
    let group = [
        ("aws:autoscaling:groupName", "web"),
        ("aws:cloudformation:stack-name", "web"),
        ("spot-rescue:replace", "launch"),
    ];
    let (world, function, protected) = prepared(62, &group).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
}

/// TRAP 19: an address is a target only as long as it is the instance's. EC2 has given this one to a
/// neighbour while the replacement still boots, and the record of the rescue still names it.
#[tokio::test]
async fn an_address_that_goes_to_a_neighbour_during_the_rescue_stays_with_it() {
    let world = World::new(62);
    let function = function(&world);
    let protected = world.protected_instance();
    let group = world.target_group(GroupType::Ip);
    let old = world.look(|it| it.instances[&protected.instance].facts.private_addresses[0].clone());
    let _ = world.register(&group, &old, 7000);
    settle(&world, &function).await;
    world.change(|it| (it.config.boot_seconds, it.config.drain_seconds) = (200, 10));
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 150).await;
    let neighbour = world.spot_instance("m5.large", "eu-west-1a").run();
    world.change(|it| {
        let neighbour = it.instances.get_mut(&neighbour).expect("it runs");
        neighbour.facts.private_addresses = vec![old.clone()];
    });
    let target = world.register(&group, &old, 7000);
    settle(&world, &function).await;
    let serves = world.look(|it| it.groups[&group].targets.get(&target) == Some(&Drain::No));
    assert!(serves, "{}", journal(&world));
}

/// What EC2 is taking must not be given what it will take along. The warning of the second was heard
/// by another chain of wakes than that of the first: only the tombstone tells.
#[tokio::test]
async fn a_replacement_that_is_being_taken_is_given_nothing() {
    let (world, function, protected) = prepared(63, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 60).await;
    let second = world.look(|it| {
        let mut alive = it.instances.values().filter(|it| it.facts.is_alive());
        let other = alive.find(|it| it.facts.id != protected.instance);
        other.map(|it| it.facts.id.clone())
    });
    let second = second.expect("it was launched");
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
    world.interrupt(&second, InstanceAction::Terminate);
    let _ = world.run_for(&function, 118).await;
    let given = count(&world, is_attach);
    assert_eq!(given, 0, "{}", journal(&world));
    world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(1));
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
}
