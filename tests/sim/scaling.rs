//! The simulator's Auto Scaling groups behave as AWS documents them.

use crate::support::code;
use spot_rescue::cloud::{Class, Cloud};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::World;
use spot_rescue::situation::{Lifecycle, Market};
use spot_rescue::step::{Action, GroupChange, GroupVerb};

fn group_with_member(sizes: (i32, i32)) -> (World, InstanceId) {
    let world = World::new(1);
    world.scaling_group("web", &["eu-west-1a"]);
    let member = world.spot_instance("m5.large", "eu-west-1a").protected();
    let member = member.run();
    world.member("web", &member);
    world.change_group("web", |it| (it.facts.min_size, it.facts.max_size) = sizes);
    (world, member)
}

fn of_group(instance: &InstanceId, verb: GroupVerb) -> Action {
    Action::Group(GroupChange {
        group: "web".to_owned(),
        instance: instance.clone(),
        verb,
    })
}

fn leave(member: &InstanceId, decrement: bool) -> Action {
    of_group(member, GroupVerb::Detach { decrement })
}

fn launches(world: &World) -> usize {
    world.look(|it| it.scaling_groups["web"].launches)
}

/// "If you do not enable Capacity Rebalancing, Amazon EC2 Auto Scaling doesn't replace Spot Instances
/// until after the Amazon EC2 Spot service interrupts the instances and their health check fails."
#[test]
fn a_group_replaces_an_interrupted_member_after_its_health_check_fails() {
    let (world, member) = group_with_member((1, 1));
    world.interrupt(&member, InstanceAction::Terminate);
    world.advance(150);
    assert_eq!(launches(&world), 0);
    world.advance(60);
    assert_eq!(launches(&world), 1);
}

/// "…attempts to launch a replacement as soon as it receives the notice" (TRAP 22).
#[test]
fn with_capacity_rebalancing_it_replaces_at_the_notice_and_ends_the_old_one() {
    let (world, member) = group_with_member((1, 1));
    world.change_group("web", |it| it.facts.capacity_rebalance = true);
    world.interrupt(&member, InstanceAction::Terminate);
    world.advance(10);
    assert_eq!(launches(&world), 1);
    world.advance(60);
    assert!(world.look(|it| !it.instances[&member].facts.is_alive()));
    world.advance(600);
    assert_eq!(launches(&world), 1);
}

/// "If you don't decrement the desired capacity, Amazon EC2 Auto Scaling launches new instances to
/// replace the ones that you detached"; with it, below the minimum size it fails.
#[tokio::test]
async fn a_detached_member_is_replaced_unless_the_desired_capacity_goes_down_with_it() {
    let (world, member) = group_with_member((1, 1));
    let refused = world.act(&leave(&member, true)).await;
    assert_eq!(code(refused), "ValidationError");
    world
        .act(&leave(&member, false))
        .await
        .expect("it is a member");
    world.advance(10);
    assert_eq!(launches(&world), 1);
    let again = world.act(&leave(&member, false)).await;
    assert_eq!(again.expect_err("it is none").class, Class::AlreadyDone);

    let (world, member) = group_with_member((0, 1));
    world
        .act(&leave(&member, true))
        .await
        .expect("zero is allowed");
    world.advance(600);
    assert_eq!(launches(&world), 0);
}

/// "When you attach instances, the desired capacity of the group increases by the number of instances
/// being attached"; running, with their image, within the maximum size.
#[tokio::test]
async fn only_a_running_instance_is_attached_and_only_within_the_maximum_size() {
    let (world, member) = group_with_member((0, 2));
    let other = world.spot_instance("m5.large", "eu-west-1a").protected();
    let other = other.run();
    let join = of_group(&other, GroupVerb::Attach);
    world.act(&join).await.expect("there is room");
    let size = world.look(|it| it.scaling_groups["web"].facts.desired_capacity);
    assert_eq!(size, 2);
    let third = world.spot_instance("m5.large", "eu-west-1a").protected();
    let third = of_group(&third.market(Market::OnDemand).run(), GroupVerb::Attach);
    assert_eq!(code(world.act(&third).await), "ValidationError");
    let again = world.act(&join).await.expect_err("it is in");
    assert_eq!(again.class, Class::AlreadyDone);
    let _ = member;
}

/// TRAP 24: a hook waits, is completed once, and ABANDONs when it is not completed.
#[tokio::test]
async fn a_launch_hook_holds_a_member_until_it_is_completed_or_abandoned() {
    let (world, member) = group_with_member((1, 1));
    world.change_group("web", |it| {
        it.facts.launch_hooks = vec!["spot-rescue".to_owned()];
    });
    world
        .act(&leave(&member, false))
        .await
        .expect("it is a member");
    world.advance(60);
    let waiting = world.look(|it| it.scaling_groups["web"].facts.members[0].clone());
    assert_eq!(waiting.lifecycle, Lifecycle::PendingWait);
    let complete = of_group(
        &waiting.instance,
        GroupVerb::CompleteLaunch {
            hook: "spot-rescue".to_owned(),
        },
    );
    world.act(&complete).await.expect("it waits");
    world.advance(5);
    let of = |world: &World| world.look(|it| it.scaling_groups["web"].facts.members[0].clone());
    assert_eq!(of(&world).lifecycle, Lifecycle::InService);
    let late = world.act(&complete).await.expect_err("it is over");
    assert_eq!(
        (late.code.as_str(), late.class),
        ("ValidationError", Class::AlreadyDone)
    );

    world.terminate(&waiting.instance);
    world.advance(7200);
    assert!(launches(&world) > 2, "abandoned ones are replaced again");
}
