//! The tags of an Auto Scaling group are the policy of members that have no such tags of their own.

use crate::support::{Function, assert_whole, function, journal, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{Protected, Supply, World};
use spot_rescue::situation::Market;
use spot_rescue::tags::Tags;

const ZONE: &str = "eu-west-1a";

async fn member_of_group_with(seed: u64, tag: (&str, &str)) -> (World, Function, Protected) {
    let world = World::new(seed);
    let function = function(&world);
    world.scaling_group("web", &[ZONE]);
    let protected = world.protected_in(ZONE, &[("spot-rescue:replace", "launch")]);
    world.member("web", &protected.instance);
    world.change_group("web", |it| {
        (it.facts.min_size, it.facts.max_size) = (0, 1);
        it.facts
            .tags
            .extend(Tags::from([(tag.0.to_owned(), tag.1.to_owned())]));
    });
    settle(&world, &function).await;
    // The prepared rescue tells what else has to be read.
    world.sweep();
    settle(&world, &function).await;
    world.advance(3600);
    (world, function, protected)
}

/// The one instance that lives.
fn living(world: &World) -> InstanceId {
    world.look(|it| {
        let mut alive = it.instances.values().filter(|it| it.facts.is_alive());
        alive.next().expect("one lives").facts.id.clone()
    })
}

#[tokio::test]
async fn a_root_that_the_group_wants_kept_is_kept() {
    for chain in 1..=2 {
        let (world, function, protected) =
            member_of_group_with(3, ("spot-rescue:root", "keep")).await;
        let mut last = protected.instance.clone();
        for _ in 0..chain {
            world.interrupt(&last, InstanceAction::Terminate);
            settle(&world, &function).await;
            assert_whole(&world, &protected);
            let holds = |world: &World| {
                world.look(|it| {
                    let held = it.volumes[&protected.root].facts.attachments.first();
                    held.map(|it| it.instance.clone())
                })
            };
            let head = living(&world);
            assert_eq!(holds(&world), Some(head.clone()), "{}", journal(&world));
            last = head;
            world.advance(3600);
        }
    }
}

#[tokio::test]
async fn types_that_the_group_allows_are_asked_for() {
    for (value, wanted) in [("like", "m6i.large r5.large"), ("c5.large", "c5.large")] {
        let (world, function, protected) =
            member_of_group_with(5, ("spot-rescue:instance-types", value)).await;
        for market in [Market::Spot, Market::OnDemand] {
            world.supply("m5.large", ZONE, market, Supply::Left(0));
        }
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        let head = living(&world);
        let found = world.look(|it| it.instances[&head].facts.instance_type.clone());
        assert!(wanted.split(' ').any(|it| it == found), "{value}: {found}");
    }
}

/// The group's tag is removed: the prepared rescue does not go on repeating it.
#[tokio::test]
async fn a_policy_removed_from_the_group_is_forgotten() {
    let (world, function, protected) = member_of_group_with(7, ("spot-rescue:root", "keep")).await;
    world.change_group("web", |it| {
        it.facts.tags.remove("spot-rescue:root");
    });
    world.sweep();
    settle(&world, &function).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    let root = world.look(|it| it.volumes[&protected.root].facts.attachments.clone());
    assert!(root.is_empty(), "{}", journal(&world));
}
