//! Members of Auto Scaling groups: exactly one replacement, launched by the group or by us, with the volumes of its
//! original.

use crate::support::{
    Function, assert_whole, count, function, journal, lineage, lost_writes, settle,
};
use spot_rescue::cloud::Cloud;
use spot_rescue::event::{InstanceAction, InstanceState};
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{GroupType, Protected, ScalingGroup, World};
use spot_rescue::situation::Lifecycle;
use spot_rescue::step::{Action, GroupVerb, WriteTemplate};
use spot_rescue::tags;

const ZONE: &str = "eu-west-1a";

/// A group with so many members, all of them protected and prepared.
async fn members(
    seed: u64,
    tags: &[(&str, &str)],
    n: usize,
    change: impl FnOnce(&mut ScalingGroup),
) -> (World, Function, Vec<Protected>) {
    let world = World::new(seed);
    let function = function(&world);
    world.scaling_group("web", &[ZONE]);
    let member = |_| {
        let protected = world.protected_in(ZONE, tags);
        world.member("web", &protected.instance);
        protected
    };
    let members: Vec<Protected> = (0..n).map(member).collect();
    let size = i32::try_from(n).expect("a few");
    world.change_group("web", |it| {
        (it.facts.min_size, it.facts.max_size) = (size, size);
    });
    world.change_group("web", change);
    settle(&world, &function).await;
    world.advance(3600);
    (world, function, members)
}

async fn one(
    seed: u64,
    tags: &[(&str, &str)],
    change: impl FnOnce(&mut ScalingGroup),
) -> (World, Function, Protected) {
    let (world, function, mut members) = members(seed, tags, 1, change).await;
    let member = members.remove(0);
    (world, function, member)
}

fn group<T>(world: &World, read: impl FnOnce(&ScalingGroup) -> T) -> T {
    world.look(|it| read(&it.scaling_groups["web"]))
}

/// Instances that live, whatever launched them.
fn living(world: &World) -> Vec<InstanceId> {
    world.look(|it| {
        let alive = it.instances.values().filter(|it| it.facts.is_alive());
        alive.map(|it| it.facts.id.clone()).collect()
    })
}

fn launches(world: &World) -> usize {
    count(world, |it| matches!(it, Action::Launch(_)))
}

fn verbs(world: &World, wanted: impl Fn(&GroupVerb) -> bool) -> usize {
    count(
        world,
        |it| matches!(it, Action::Group(it) if wanted(&it.verb)),
    )
}

fn detached(world: &World) -> usize {
    verbs(world, |it| matches!(it, GroupVerb::Detach { .. }))
}

fn assert_of_group(world: &World, member: &Protected) {
    assert_whole(world, member);
    assert_eq!(lost_writes(world, member), [0, 0]);
    assert_eq!(launches(world), 0, "{}", journal(world));
    let all = living(world);
    let (size, desired) = group(world, |it| {
        (it.facts.members.len(), it.facts.desired_capacity)
    });
    assert_eq!((all.len(), size), (1, 1), "{all:?}\n{}", journal(world));
    assert_eq!(desired, 1);
}

#[tokio::test]
async fn the_group_launches_at_once_and_its_new_member_gets_the_volumes() {
    let (world, function, member) = one(1, &[], |_| {}).await;
    world.interrupt(&member.instance, InstanceAction::Terminate);
    let run = world.run_for(&function, 60).await;
    assert!(!run.quiet);
    assert_eq!(group(&world, |it| it.launches), 1, "{}", journal(&world));
    settle(&world, &function).await;
    assert_of_group(&world, &member);
    assert_eq!((detached(&world), group(&world, |it| it.launches)), (1, 1));
}

/// TRAP 22: the group has launched already, a detachment would make it launch another.
#[tokio::test]
async fn with_capacity_rebalancing_the_member_is_not_detached_and_there_is_one_replacement() {
    let (world, function, member) = one(2, &[], |it| it.facts.capacity_rebalance = true).await;
    world.interrupt(&member.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_of_group(&world, &member);
    assert_eq!((detached(&world), group(&world, |it| it.launches)), (0, 1));
}

#[tokio::test]
async fn in_a_launch_hook_of_ours_the_volumes_arrive_before_it_serves() {
    let ours = |it: &mut ScalingGroup| it.facts.launch_hooks = vec!["spot-rescue".to_owned()];
    let (world, function, member) = one(3, &[], ours).await;
    let source = world.target_group(GroupType::Instance);
    world.traffic_source("web", &source);
    world.interrupt(&member.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 100).await;
    let waiting = group(&world, |it| it.facts.members[0].clone());
    assert_eq!(waiting.lifecycle, Lifecycle::PendingWait);
    settle(&world, &function).await;
    assert_eq!(
        group(&world, |it| it.facts.members[0].lifecycle),
        Lifecycle::InService
    );
    let hooks = verbs(&world, |it| matches!(it, GroupVerb::CompleteLaunch { .. }));
    assert_eq!(hooks, 1, "{}", journal(&world));
    let targets = lineage(&world, &member).targets;
    assert!(
        targets.iter().any(|(it, _)| it == source.as_str()),
        "{targets:?}"
    );
}

/// The hook is another system's, which waits for something else.
#[tokio::test]
async fn a_launch_hook_of_others_is_left_to_them() {
    let hooks = |it: &mut ScalingGroup| it.facts.launch_hooks = vec!["bootstrap".to_owned()];
    let (world, function, member) = one(4, &[], hooks).await;
    world.interrupt(&member.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 900).await;
    let hooks = verbs(&world, |it| matches!(it, GroupVerb::CompleteLaunch { .. }));
    assert_eq!(hooks, 0);
    let waiting = group(&world, |it| it.facts.members[0].clone());
    assert_eq!(waiting.lifecycle, Lifecycle::PendingWait);
    // The bootstrap is done: the launch event calls the rescue again.
    world.change(|it| it.goes_on("web", "bootstrap", &waiting.instance));
    settle(&world, &function).await;
    assert_of_group(&world, &member);
}

/// A scale-out, no rescue: the hook is not needed.
#[tokio::test]
async fn a_member_that_no_rescue_waits_for_leaves_our_hook_at_once() {
    let ours = |it: &mut ScalingGroup| it.facts.launch_hooks = vec!["spot-rescue".to_owned()];
    let (world, function, _) = one(5, &[], ours).await;
    world.change_group("web", |it| {
        it.facts.desired_capacity = 2;
        it.facts.max_size = 2;
    });
    world.change(|it| it.group_looks("web"));
    settle(&world, &function).await;
    let serving = group(&world, |it| {
        let all = it.facts.members.iter();
        all.filter(|it| it.lifecycle == Lifecycle::InService)
            .count()
    });
    assert_eq!(serving, 2, "{}", journal(&world));
    assert_eq!(world.look(|it| it.templates.len()), 2);
}

#[tokio::test]
async fn on_request_the_replacement_is_ours_and_joins_the_group() {
    let tags = [("spot-rescue:replace", "launch")];
    let (world, function, member) = one(6, &tags, |it| it.facts.min_size = 0).await;
    world.interrupt(&member.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &member);
    assert_eq!(lost_writes(&world, &member), [0, 0]);
    assert_eq!((launches(&world), group(&world, |it| it.launches)), (1, 0));
    let all = living(&world);
    let (joined, desired) = group(&world, |it| {
        let members = it.facts.members.iter().map(|it| it.instance.clone());
        (members.collect::<Vec<_>>(), it.facts.desired_capacity)
    });
    assert_eq!((joined, desired), (all, 1), "{}", journal(&world));
}

/// min = max = desired: the group can get neither smaller nor bigger, so it replaces by itself.
#[tokio::test]
async fn a_group_that_cannot_get_smaller_replaces_by_itself_whatever_was_asked_for() {
    let tags = [("spot-rescue:replace", "launch")];
    let (world, function, member) = one(7, &tags, |_| {}).await;
    world.interrupt(&member.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_of_group(&world, &member);
}

#[tokio::test]
async fn a_replacement_the_group_has_no_room_for_serves_outside() {
    let tags = [("spot-rescue:replace", "launch")];
    let (world, function, member) = one(8, &tags, |it| it.facts.min_size = 0).await;
    world.interrupt(&member.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 30).await;
    world.change_group("web", |it| it.facts.max_size = 0);
    settle(&world, &function).await;
    assert_whole(&world, &member);
    assert_eq!(group(&world, |it| it.facts.members.len()), 0);
}

/// Nothing in AWS says which launch replaces which member.
#[tokio::test]
async fn two_members_interrupted_at_once_get_their_own_volumes_each() {
    for seed in 0..8 {
        for rebalance in [false, true] {
            let change = |it: &mut ScalingGroup| it.facts.capacity_rebalance = rebalance;
            let (world, function, both) = members(seed, &[], 2, change).await;
            world.change(|it| {
                it.config.interleave = true;
                it.config.call_millis = 30;
                it.config.lag_seconds = i64::try_from(seed % 4).expect("small");
                it.config.concurrency = 3;
                it.config.batch = 1;
            });
            for member in &both {
                world.interrupt(&member.instance, InstanceAction::Terminate);
            }
            settle(&world, &function).await;
            for member in &both {
                assert_whole(&world, member);
                assert_eq!(lost_writes(&world, member), [0, 0]);
            }
            assert_eq!(living(&world).len(), 2, "{}", journal(&world));
            assert_eq!((launches(&world), group(&world, |it| it.launches)), (0, 2));
        }
    }
}

thread_local! {
    static TOLD: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
}

/// The group ends its member as soon as the new one serves: before the two minutes are over, or before
/// the warning.
#[tokio::test]
async fn with_capacity_rebalancing_volumes_that_go_with_their_member_are_told_of() {
    for (protect, expected) in [("at-warning", true), ("always", false)] {
        let tags = [("spot-rescue:protect", protect)];
        let rebalances = |it: &mut ScalingGroup| it.facts.capacity_rebalance = true;
        let (world, mut function, _) = one(15, &tags, rebalances).await;
        TOLD.with_borrow_mut(String::clear);
        function.print = |line| TOLD.with_borrow_mut(|it| it.push_str(line));
        world.sweep();
        settle(&world, &function).await;
        let said = TOLD.with_borrow(|it| it.contains("may end a member before its two minutes"));
        assert_eq!(
            said,
            expected,
            "{protect}: {}",
            TOLD.with_borrow(Clone::clone)
        );
    }
}

/// Two looks at the same time, each before the other's claim could be seen, have claimed one member each for the same
/// rescue: the other one is let go, and is protected as itself.
#[tokio::test]
async fn of_two_members_claimed_for_one_rescue_one_is_let_go() {
    let (world, function, member) = one(12, &[], |_| {}).await;
    world.interrupt(&member.instance, InstanceAction::Terminate);
    let claim = loop {
        let _ = world.run_for(&function, 1).await;
        if let Some(claim) = claim(&world) {
            break claim;
        }
    };
    world.change_group("web", |it| {
        (it.facts.desired_capacity, it.facts.max_size) = (2, 2);
    });
    world.change(|it| it.group_looks("web"));
    let other = group(&world, |it| it.facts.members[1].instance.clone());
    let second = WriteTemplate {
        source: other.clone(),
        name: format!("spot-rescue-{other}"),
        token: "another invocation's".to_owned(),
        ..claim
    };
    let second = world.act(&Action::WriteTemplate(second)).await;
    second.expect("it is not claimed yet");
    let lineage = member.instance.to_string();
    let mark = [(tags::RESCUE, &lineage), (tags::REPLACES, &lineage)];
    let mark = Action::Tag {
        resources: vec![other.to_string()],
        tags: mark.map(|(key, of)| (key.to_owned(), of.clone())).into(),
    };
    world.act(&mark).await.expect("it is there");
    settle(&world, &function).await;
    world.sweep();
    settle(&world, &function).await;
    assert_whole(&world, &member);
    let owners = world.look(|it| {
        let alive = it.instances.values().filter(|it| it.facts.is_alive());
        let tags = alive.map(|it| it.tags.current());
        let prepared = tags.filter(|it| it.contains_key(tags::PREPARED));
        let lineage = prepared.map(|it| it[tags::RESCUE].clone());
        lineage.collect::<std::collections::BTreeSet<_>>()
    });
    assert_eq!(owners.len(), 2, "{}", journal(&world));
}

/// A template in the name of another instance than the rescue's.
fn claim(world: &World) -> Option<WriteTemplate> {
    world.look(|it| {
        let mut written = it.journal.iter().filter_map(|it| match &it.action {
            Action::WriteTemplate(written) => Some(written),
            _ => None,
        });
        let rescue = |it: &WriteTemplate| it.tags[tags::RESCUE].clone();
        written.find(|it| it.source.as_str() != rescue(it)).cloned()
    })
}

/// There is nothing to hand over: the group's next launch is for members that had disks.
#[tokio::test]
async fn a_member_that_owned_nothing_claims_no_replacement() {
    let (world, function, member) = one(13, &[], |it| it.facts.max_size = 2).await;
    let bare = world.spot_instance("m5.large", ZONE).protected().run();
    world.member("web", &bare);
    settle(&world, &function).await;
    world.interrupt(&bare, InstanceAction::Terminate);
    let _ = world.run_for(&function, 30).await;
    assert_eq!(claim(&world), None, "{}", journal(&world));
    world.interrupt(&member.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &member);
    assert_eq!(lost_writes(&world, &member), [0, 0]);
    assert_eq!(living(&world).len(), 2, "{}", journal(&world));
}

#[tokio::test]
async fn a_new_member_that_is_interrupted_while_it_takes_over_is_replaced_by_the_group() {
    let (world, function, member) = one(9, &[], |_| {}).await;
    world.interrupt(&member.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 60).await;
    let second = group(&world, |it| it.facts.members[0].instance.clone());
    world.interrupt(&second, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_of_group(&world, &member);
}

/// Again and again: the new member is the head, with a rescue prepared.
#[tokio::test]
async fn the_groups_new_member_is_protected_in_its_turn() {
    let (world, function, member) = one(10, &[], |_| {}).await;
    for _ in 0..3 {
        let head = group(&world, |it| it.facts.members[0].instance.clone());
        world.interrupt(&head, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_of_group(&world, &member);
        world.advance(3600);
        world.sweep();
        settle(&world, &function).await;
    }
    assert_eq!(
        world.look(|it| it.templates.len()),
        1,
        "claims are cleared up"
    );
}

#[tokio::test]
async fn without_any_event_the_sweep_finds_the_dead_member_and_its_replacement() {
    let (world, function, member) = one(11, &[], |_| {}).await;
    world.change(|it| it.config.events.lost_percent = 100);
    world.change(|it| {
        for device in &mut it
            .instances
            .get_mut(&member.instance)
            .expect("it runs")
            .facts
            .devices
        {
            device.delete_on_termination = false;
        }
    });
    world.interrupt_silently(&member.instance, InstanceAction::Terminate);
    world.advance(600);
    world.change(|it| it.config.events.lost_percent = 0);
    world.sweep();
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet);
    let found = lineage(&world, &member);
    assert_eq!(found.volumes.len(), 2, "{}", journal(&world));
    assert_eq!((living(&world).len(), launches(&world)), (1, 0));
}

#[tokio::test]
async fn a_group_that_launches_nothing_is_waited_for() {
    let suspended = |it: &mut ScalingGroup| {
        it.facts.suspended_processes.insert("Launch".to_owned());
    };
    let (world, function, member) = one(12, &[], suspended).await;
    world.interrupt(&member.instance, InstanceAction::Terminate);
    let run = world.run_for(&function, 1800).await;
    let _ = run;
    assert_eq!((detached(&world), living(&world).len()), (0, 0));
    world.change_group("web", |it| it.facts.suspended_processes.clear());
    world.change(|it| it.group_looks("web"));
    settle(&world, &function).await;
    assert_of_group(&world, &member);
}

#[tokio::test]
async fn a_member_in_standby_is_kept_and_not_replaced() {
    let (world, function, member) = one(13, &[], |it| {
        it.facts.min_size = 0;
        it.facts.desired_capacity = 0;
        it.facts.members[0].lifecycle = Lifecycle::Standby;
    })
    .await;
    world.interrupt(&member.instance, InstanceAction::Terminate);
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet, "{}", journal(&world));
    assert_eq!((living(&world).len(), launches(&world)), (0, 0));
    let free = world.look(|it| {
        let kept = member.data.iter().filter_map(|id| it.volumes.get(id));
        kept.filter(|it| it.facts.attachments.is_empty()).count()
    });
    assert_eq!(free, 2);
}

/// No opt-in, no mutation: the group replaces in its own time, and its new member takes over.
#[tokio::test]
async fn a_group_that_is_not_opted_in_itself_is_never_changed() {
    let (world, function, member) = one(14, &[], |it| it.facts.tags.clear()).await;
    world.interrupt(&member.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_of_group(&world, &member);
    assert_eq!(verbs(&world, |_| true), 0);
}

/// The new member brings a volume of its own where ours was: both stay.
#[tokio::test]
async fn a_device_the_launch_template_fills_is_left_as_it_is() {
    let (world, function, member) = one(15, &[], |_| {}).await;
    let image = group(&world, |it| it.image.clone()).expect("it has one");
    world.change(|it| {
        let image = it.images.get_mut(&image).expect("it exists");
        image.devices.push("/dev/sdf".to_owned());
    });
    world.interrupt(&member.instance, InstanceAction::Terminate);
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet);
    let found = lineage(&world, &member);
    assert_eq!(found.state, Some(InstanceState::Running));
    assert_eq!(found.volumes["/dev/sdg"].origin, member.data[1]);
    assert_ne!(found.volumes["/dev/sdf"].origin, member.data[0]);
    assert!(world.look(|it| it.volumes.contains_key(&member.data[0])));
}

/// Only Auto Scaling's own tag counts: a tag of ours on another instance makes it no member.
#[tokio::test]
async fn a_mark_alone_makes_no_new_member() {
    let suspended = |it: &mut ScalingGroup| {
        it.facts.suspended_processes.insert("Launch".to_owned());
    };
    let (world, function, member) = one(16, &[], suspended).await;
    world.interrupt(&member.instance, InstanceAction::Terminate);
    let rescue = ("spot-rescue:rescue", member.instance.as_str());
    let replaces = ("spot-rescue:replaces", member.instance.as_str());
    let stranger = world.spot_instance("m5.large", ZONE).protected();
    let stranger = stranger.tags(&[rescue, replaces]).run();
    let _ = world.run_for(&function, 900).await;
    let given = world.volumes_of(&stranger);
    assert_eq!(given.len(), 1, "{given:?}\n{}", journal(&world));
}
