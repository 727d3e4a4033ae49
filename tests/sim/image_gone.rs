//! TRAP 52: the image is gone when it is needed.

use crate::support::{assert_whole, count, function, journal, lineage, missing, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::{InstanceId, VolumeId};
use spot_rescue::sim::{Protected, ROOT_DEVICE, Supply, World};
use spot_rescue::situation::{ImageState, Market};
use spot_rescue::step::Action;
use spot_rescue::tags;
use std::cell::RefCell;

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Lines since the last time that report a missing image.
fn told() -> usize {
    let lines = TOLD.take();
    lines
        .iter()
        .filter(|it| it.contains("ami-") && it.contains("is gone"))
        .count()
}

fn live(world: &World) -> InstanceId {
    world.look(|it| {
        let mut live = it.instances.values().filter(|it| it.facts.is_alive());
        let live = live.next().map(|it| it.facts.id.clone());
        live.expect("one lives")
    })
}

/// The volume that the living instance's root was made of.
fn root_of(world: &World) -> VolumeId {
    let root = world.volumes_of(&live(world))[ROOT_DEVICE].clone();
    world.look(|it| it.volumes[&root].content.origin.clone())
}

fn registered(world: &World) -> usize {
    count(world, |it| matches!(it, Action::RegisterImage(_)))
}

fn without_zone(world: &World) {
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
}

/// When it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// A sweep has seen it.
    Before,
    SinceTheSweep,
    /// When the launch had been sent, and had found no capacity.
    Disabled,
}

async fn withdrawn(world: &World, protected: &Protected, when: When) {
    match when {
        When::Before | When::SinceTheSweep => world.withdraw_image(&protected.instance),
        When::Disabled => world.change(|it| {
            let images = it.images.values_mut();
            images.for_each(|it| it.state = ImageState::Unusable);
        }),
    }
    if when != When::SinceTheSweep {
        world.sweep();
        settle(world, &function(world)).await;
    }
}

/// TRAP 52
#[tokio::test]
async fn a_rescue_without_its_image_ends_whole_with_the_old_root() {
    for when in [When::Before, When::SinceTheSweep, When::Disabled] {
        for elsewhere in [false, true] {
            let (world, function, protected) = prepared(1, &[]).await;
            if elsewhere {
                let subnet = world.subnet("eu-west-1b");
                let subnets = [("spot-rescue:subnets", subnet.as_str())];
                world.retag(protected.instance.as_str(), &subnets);
                without_zone(&world);
            }
            withdrawn(&world, &protected, when).await;
            world.interrupt(&protected.instance, InstanceAction::Terminate);
            settle(&world, &function).await;
            let missing = missing(&world, &protected);
            let said = format!("{when:?} {elsewhere}\n{}", journal(&world));
            assert!(missing.is_empty(), "{missing:#?} {said}");
            assert_eq!(root_of(&world), protected.root, "{said}");
            assert_eq!(registered(&world), 1, "{said}");
        }
    }
}

/// The image that was made for the first rescue has expired by then.
#[tokio::test]
async fn the_next_rescue_is_whole_as_well_and_the_users_image_is_used_once_it_is_back() {
    for back in [false, true] {
        let (world, function, protected) = prepared(2, &[]).await;
        let image = world.look(|it| it.images.values().next().cloned());
        let image = image.expect("the user's");
        withdrawn(&world, &protected, When::Before).await;
        for rescues in 1..=2 {
            world.interrupt(&live(&world), InstanceAction::Terminate);
            settle(&world, &function).await;
            assert_whole(&world, &protected);
            assert_eq!(root_of(&world), protected.root);
            assert_eq!(registered(&world), rescues, "{}", journal(&world));
            for _ in 0..3 {
                world.advance(2 * 86_400);
                world.sweep();
                settle(&world, &function).await;
            }
        }
        if back {
            world.change(|it| it.images.insert(image.id.clone(), image.clone()));
        }
        world.sweep();
        settle(&world, &function).await;
        world.interrupt(&live(&world), InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        assert_eq!(root_of(&world) == protected.root, !back, "{back}");
        assert_eq!(registered(&world), if back { 2 } else { 3 });
    }
}

/// The image is read at each sweep; the same line is not written at each.
#[tokio::test]
async fn a_missing_image_is_reported_at_the_next_sweep_and_once() {
    for root in ["fresh", "keep"] {
        let (world, mut function, protected) = prepared(3, &[("spot-rescue:root", root)]).await;
        function.print = |line| TOLD.with_borrow_mut(|it| it.push(line.to_owned()));
        let sweep = async |times: u32| {
            for _ in 0..times {
                world.advance(900);
                world.sweep();
                settle(&world, &function).await;
            }
            told()
        };
        assert_eq!(sweep(2).await, 0, "{root}");
        let image = world.look(|it| it.images.values().next().cloned());
        let image = image.expect("the user's");
        world.withdraw_image(&protected.instance);
        assert_eq!(sweep(4).await, 1, "{root}");
        world.change(|it| it.images.insert(image.id.clone(), image));
        assert_eq!(sweep(2).await, 0, "{root}");
        world.withdraw_image(&protected.instance);
        assert_eq!(sweep(4).await, 1, "{root}: it has gone again");
    }
}

/// No image may be made of such a root: nothing is left to launch from, and that is reported ahead.
#[tokio::test]
async fn of_a_marketplace_root_no_image_is_made_and_it_is_whole_once_the_image_is_back() {
    let world = World::new(4);
    let mut function = function(&world);
    let protected = world.protected_in("eu-west-1a", &[]);
    world.boots(&protected.instance, |it| {
        it.product_codes = vec!["abc123".to_owned()];
    });
    settle(&world, &function).await;
    function.print = |line| TOLD.with_borrow_mut(|it| it.push(line.to_owned()));
    let image = world.look(|it| it.images.values().next().cloned());
    let image = image.expect("the user's");
    world.withdraw_image(&protected.instance);
    world.sweep();
    settle(&world, &function).await;
    let lines = TOLD.take();
    assert!(
        lines
            .iter()
            .any(|it| it.contains("no replacement can be launched"))
    );
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 1200).await;
    assert_eq!(registered(&world), 0);
    assert_eq!(lineage(&world, &protected).live, 0);
    world.change(|it| it.images.insert(image.id.clone(), image));
    for _ in 0..2 {
        world.sweep();
        settle(&world, &function).await;
    }
    assert_whole(&world, &protected);
}

/// While its image is there nothing of this is read or written.
#[tokio::test]
async fn while_the_image_is_there_nothing_is_on_record_of_it() {
    let (world, function, protected) = prepared(5, &[]).await;
    world.sweep();
    settle(&world, &function).await;
    let noted = |it: &spot_rescue::sim::State| {
        let mut all = it.templates.values();
        all.any(|it| it.tags.current().contains_key(tags::ORIGINAL))
    };
    assert!(!world.look(noted));
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert!(!world.look(noted));
    assert_eq!(registered(&world), 0);
}
