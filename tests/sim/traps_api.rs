//! Targets, addresses, tags, reads and messages behave as AWS documents them.

use crate::support::{code, prepared};
use crate::traps::{launch, seen};
use spot_rescue::clock::{self, Clock};
use spot_rescue::cloud::Cloud;
use spot_rescue::event::InstanceAction;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{GroupType, Limit, Run, World};
use spot_rescue::situation::{Balancing, Interface, Target, TargetGroup};
use spot_rescue::step::{Action, Network};
use spot_rescue::tags::Tags;

/// "Tag keys starting with 'aws:' are reserved" (TRAP 11); one bad resource fails the call.
#[tokio::test]
async fn tags_are_refused_as_a_whole() {
    let (world, _, protected) = prepared(8, &[]).await;
    let tag = |resources: &[&str], key: &str| Action::Tag {
        resources: resources.iter().map(|it| (*it).to_owned()).collect(),
        tags: Tags::from([(key.to_owned(), "x".to_owned())]),
    };
    let good = protected.instance.as_str();
    let bad = "vol-0123456789abcdef0";
    let reserved = world.act(&tag(&[good], "aws:x")).await;
    assert_eq!(code(reserved), "InvalidParameterValue");
    let unknown = world.act(&tag(&[good, bad], "x")).await;
    assert_eq!(code(unknown), "InvalidVolume.NotFound");
    let instance = seen(&world, &protected.instance).await.expect("visible");
    assert!(!instance.tags.contains_key("x"));
    world.change(|it| {
        let at = it.now;
        let of = it.instances.get_mut(&protected.instance).expect("known");
        let many = (0..60).map(|n| (format!("k{n}"), String::new()));
        of.tags.change(at, at, |it| it.extend(many.take(45)));
    });
    let full = world.act(&tag(&[good], "one-more")).await;
    assert_eq!(code(full), "TagLimitExceeded");
}

/// Keys are (id, port): the id alone takes nothing out, an absent target is a success (TRAP 19); what
/// leaves drains for minutes (TRAP 21); what is stopped or ended stays registered (TRAP 20).
#[tokio::test]
async fn targets_leave_by_id_and_port_and_slowly() {
    let (world, _, protected) = prepared(9, &[]).await;
    let target = protected.targets[0].clone();
    let group = target.group.clone();
    let take = |targets: Vec<Target>| Action::Deregister {
        group: group.clone(),
        targets,
    };
    let wrong_port = Target {
        port: Some(1),
        ..target.clone()
    };
    assert!(world.act(&take(vec![wrong_port])).await.is_ok());
    let registered = world.targets(&group).await.expect("readable");
    assert!(registered.len() == 2 && registered.iter().all(|it| !it.draining));
    assert!(world.act(&take(vec![target.clone()])).await.is_ok());
    let registered = world.targets(&group).await.expect("readable");
    assert_eq!(registered.iter().filter(|it| it.draining).count(), 1);
    world.advance(300);
    assert_eq!(world.targets(&group).await.expect("readable").len(), 1);
    world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
    world.advance(200);
    assert_eq!(world.targets(&group).await.expect("readable").len(), 1);
}

/// "The instance must be in the running state when you register it"; a draining target comes back.
#[tokio::test]
async fn only_running_instances_are_registered() {
    let (world, _, protected) = prepared(10, &[]).await;
    let target = protected.targets[0].clone();
    let group = target.group.clone();
    let put = Action::Register {
        group: group.clone(),
        targets: vec![target.clone()],
    };
    world.deregister(&target);
    assert!(world.act(&put).await.is_ok());
    world.advance(400);
    let registered = world.targets(&group).await.expect("readable");
    assert!(registered.iter().all(|it| !it.draining) && registered.len() == 2);
    world.stop(&protected.instance);
    assert_eq!(code(world.act(&put).await), "InvalidTarget");
    let other = world.target_group(GroupType::Other);
    let listing = world.target_groups(Balancing::Elb).await.expect("readable");
    let groups: Vec<&TargetGroup> = listing.groups.iter().map(|it| &it.group).collect();
    assert!(groups.contains(&&group) && !groups.contains(&&other));
    let absent = TargetGroup::Elb("arn:absent".into());
    let absent = world.targets(&absent).await.expect_err("absent");
    assert_eq!(absent.code, "TargetGroupNotFound");
}

/// Reassociation is silent; an address of an instance that ends is free again.
#[tokio::test]
async fn an_address_goes_to_the_last_caller_and_is_free_in_the_end() {
    let (world, _, protected) = prepared(11, &[]).await;
    let other = world.spot_instance("m5.large", "eu-west-1a").run();
    let seat =
        |it: &InstanceId| world.look(|state| state.instances[it].facts.interfaces[0].clone());
    let (first, seat) = (seat(&protected.instance), seat(&other));
    let into = |interface: &Interface, take: bool| {
        Action::Network(Network::Associate {
            allocation: protected.address.clone(),
            interface: interface.id.clone(),
            private_address: interface.addresses[0].clone(),
            take,
        })
    };
    let stay = world.act(&into(&seat, false)).await;
    assert_eq!(code(stay), "Resource.AlreadyAssociated");
    assert!(world.act(&into(&first, false)).await.is_ok(), "where it is");
    assert!(world.act(&into(&seat, true)).await.is_ok());
    world.terminate(&other);
    world.advance(60);
    let addresses = world.addresses().await.expect("readable");
    assert!(addresses.iter().all(|it| it.instance.is_none()));
    let ended = world.act(&into(&seat, true)).await;
    assert_eq!(code(ended), "InvalidNetworkInterfaceID.NotFound");
}

/// Eventual consistency: what was just made or tagged is not seen for a while.
#[tokio::test]
async fn reads_lag_behind_writes() {
    let (world, _, protected) = prepared(12, &[]).await;
    world.change(|it| it.config.lag_seconds = 3);
    let made = world
        .act(&Action::Launch(launch(&world, &protected, "t")))
        .await;
    let made: InstanceId = made.expect("launched").parse().expect("an id");
    let tag = Action::Tag {
        resources: vec![protected.instance.to_string()],
        tags: Tags::from([("late".to_owned(), "1".to_owned())]),
    };
    assert!(world.act(&tag).await.is_ok());
    assert_eq!(seen(&world, &made).await, None);
    let old = seen(&world, &protected.instance).await.expect("visible");
    assert!(!old.tags.contains_key("late"));
    world.advance(3);
    assert!(seen(&world, &made).await.is_some());
    let new = seen(&world, &protected.instance).await.expect("visible");
    assert!(new.tags.contains_key("late"));
}

/// "the number of requests … token bucket": per API name, refilled with time.
#[tokio::test]
async fn a_bucket_empties_and_fills_again() {
    let world = World::new(13);
    let limit = Limit {
        capacity: 2.0,
        per_second: 1.0,
    };
    world.change(|it| it.throttle("DescribeAddresses", limit));
    assert!(world.addresses().await.is_ok() && world.addresses().await.is_ok());
    let refused = world.addresses().await.expect_err("the bucket is empty");
    assert_eq!(refused.code, "RequestLimitExceeded");
    world.advance(1);
    assert!(world.addresses().await.is_ok());
}

/// A warning that cannot be looked into: once, and by wakes three seconds apart for its two minutes; then the message
/// is tried five times, 30 s apart, and put aside.
#[tokio::test]
async fn a_message_that_always_fails_ends_in_the_dead_letter_queue() {
    let (world, function, protected) = prepared(14, &[]).await;
    let nothing = Limit {
        capacity: 0.0,
        per_second: 0.0,
    };
    world.change(|it| it.throttle("DescribeInstances", nothing));
    let start = world.now();
    world.warn(&protected.instance, InstanceAction::Terminate, start);
    let run = world.run_until_quiet(&function).await;
    assert_eq!((run.invocations, run.quiet), (1 + 39 + 5, true));
    assert_eq!(world.look(|it| it.queue.dead.len()), 1);
    let took = clock::seconds_between(start, world.now());
    assert!((267.0..=271.0).contains(&took), "{took}");
}

/// The same seed gives the same world.
#[tokio::test]
async fn a_world_can_be_seen_again() {
    let story = || async {
        let (world, function, protected) = prepared(15, &[]).await;
        world.change(|it| it.config.interleave = true);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let run: Run = world.run_until_quiet(&function).await;
        (run, crate::support::journal(&world), world.summary())
    };
    assert_eq!(story().await, story().await);
}
