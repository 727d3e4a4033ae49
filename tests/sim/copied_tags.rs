//! "Launch more like this" copies all tags, ours as well. The copied marks do not count, and the instance gets
//! nothing of the lineage's; it is opted in itself, and protected like any other.

use crate::support::{Function, assert_whole, journal, lineage, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{Protected, World};

/// Which instance of a lineage is copied, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Copied {
    First,
    Interrupted,
    Replacement,
    NewOwner,
    OfTheSecond,
}

use Copied::*;

const ALL: [Copied; 5] = [First, Interrupted, Replacement, NewOwner, OfTheSecond];

async fn rescue(world: &World, function: &Function, instance: &InstanceId) -> InstanceId {
    world.interrupt(instance, InstanceAction::Terminate);
    settle(world, function).await;
    newest(world)
}

fn newest(world: &World) -> InstanceId {
    let newest = world.look(|it| {
        let all = it.instances.values().filter(|it| it.facts.is_alive());
        all.max_by_key(|it| it.facts.launch_time)
            .map(|it| it.facts.id.clone())
    });
    newest.expect("one lives")
}

async fn original(
    copied: Copied,
    world: &World,
    function: &Function,
    protected: &Protected,
) -> InstanceId {
    let first = &protected.instance;
    match copied {
        First => first.clone(),
        Interrupted => {
            world.interrupt(first, InstanceAction::Terminate);
            let _ = world.run_for(function, 20).await;
            first.clone()
        }
        Replacement => {
            world.interrupt(first, InstanceAction::Terminate);
            let _ = world.run_for(function, 60).await;
            newest(world)
        }
        NewOwner => rescue(world, function, first).await,
        OfTheSecond => {
            let second = rescue(world, function, first).await;
            rescue(world, function, &second).await
        }
    }
}

async fn sweeps(world: &World, function: &Function, count: usize) {
    for _ in 0..count {
        let _ = world.run_until_quiet(function).await;
        world.advance(900);
        world.sweep();
    }
    settle(world, function).await;
}

#[tokio::test]
async fn an_instance_with_copied_tags_is_a_lineage_of_its_own() {
    for copied in ALL {
        let (world, function, protected) = prepared(220, &[]).await;
        let original = original(copied, &world, &function, &protected).await;
        let copy = world.launch_like(&original);
        sweeps(&world, &function, 3).await;
        assert_whole(&world, &protected);
        let disk = world.volumes_of(&copy)["/dev/sdf"].clone();
        world.interrupt(&copy, InstanceAction::Terminate);
        sweeps(&world, &function, 3).await;
        assert_whole(&world, &protected);
        let all = world.summary().lineages;
        let of_copy = all
            .get(&copy)
            .unwrap_or_else(|| panic!("{copied:?}\n{}", journal(&world)));
        assert_eq!(of_copy.live, 1, "{copied:?}\n{}", journal(&world));
        let held: Vec<_> = of_copy
            .volumes
            .values()
            .map(|it| (&it.origin, it.lost_writes))
            .collect();
        assert_eq!(held, [(&disk, 0)], "{copied:?}");
        let _ = lineage(&world, &protected);
    }
}

/// A user launches an instance from a prepared rescue by hand: it bears all of the user's tags, the opt-in too.
#[tokio::test]
async fn an_instance_launched_by_hand_from_a_prepared_rescue_is_a_lineage_of_its_own() {
    for copied in [First, NewOwner] {
        let (world, function, protected) = prepared(221, &[]).await;
        let _ = original(copied, &world, &function, &protected).await;
        let template = world.look(|it| it.templates.keys().next().cloned());
        let template = template.expect("one is prepared");
        let launched = world.launch_by_hand(&template, 1, "eu-west-1a", &[]);
        let launched = launched.expect("there is capacity");
        let disk = world.attach_new(&launched, "/dev/sdf", true);
        sweeps(&world, &function, 3).await;
        assert_whole(&world, &protected);
        world.interrupt(&launched, InstanceAction::Terminate);
        sweeps(&world, &function, 3).await;
        assert_whole(&world, &protected);
        assert!(
            world.look(|it| it.volumes.contains_key(&disk)),
            "{}",
            journal(&world)
        );
        let holder = world.look(|it| {
            let held = it.volumes[&disk].facts.attachments.first();
            held.map(|it| it.instance.clone())
        });
        let holder =
            holder.unwrap_or_else(|| panic!("{copied:?}: no instance has it\n{}", journal(&world)));
        assert_ne!(holder, launched, "{copied:?}");
    }
}
