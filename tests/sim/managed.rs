//! What an AWS service manages: EC2 lets no other caller change it.

use crate::support::{assert_whole, function, journal, missing, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::{State, World};
use std::collections::BTreeSet;

/// A volume of an ECS task among those of its container instance: the call that would keep all of them is not refused
/// because of it.
#[tokio::test]
async fn a_managed_volume_or_interface_hinders_no_step() {
    for (what, delete) in [("volume", true), ("volume", false), ("interface", true)] {
        let world = World::new(1);
        let function = function(&world);
        let protected = world.protected_in("eu-west-1a", &[]);
        let id = if what == "volume" {
            world
                .attach_new(&protected.instance, "/dev/sdh", delete)
                .to_string()
        } else {
            world.interface(&protected.instance, 1, delete).to_string()
        };
        world.manage(&id, "ecs.amazonaws.com");
        settle(&world, &function).await;
        world.advance(3600);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let _ = world.run_for(&function, 30).await;
        let shown = journal(&world);
        let flagged: Vec<String> = world.look(|it| {
            let devices = it.instances[&protected.instance].facts.devices.iter();
            let flagged = devices.filter(|it| it.delete_on_termination);
            flagged.map(|it| it.volume.to_string()).collect()
        });
        assert!(
            flagged.iter().all(|it| *it == id),
            "{what}: {flagged:?}\n{shown}"
        );
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        assert_eq!(missing(&world, &protected), Vec::<String>::new());
        let refused = world.look(|it| {
            let refused = it.journal.iter().filter(|it| it.outcome.is_err());
            refused.map(ToString::to_string).collect::<Vec<_>>()
        });
        assert_eq!(refused, Vec::<String>::new(), "{what}");
    }
}

/// A set fails as a whole, so one that EC2 may refuse for one volume costs all of them. The table: which are managed.
#[tokio::test]
async fn a_set_leaves_out_the_volumes_that_a_service_manages() {
    for (root, data) in [(false, true), (true, false), (true, true)] {
        let world = World::new(4);
        let function = function(&world);
        let protected = world.protected_in("eu-west-1a", &[]);
        let mut managed = Vec::new();
        if data {
            let volume = world.attach_new(&protected.instance, "/dev/sdh", true);
            managed.push(volume.to_string());
        }
        if root {
            let of = |it: &State| it.instances[&protected.instance].facts.root().cloned();
            let root = world.look(of).expect("a root");
            managed.push(root.volume.to_string());
        }
        for it in &managed {
            world.manage(it, "ecs.amazonaws.com");
        }
        settle(&world, &function).await;
        world.advance(3600);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let _ = world.run_for(&function, 10).await;
        world.look(|it| {
            let held = it.instances[&protected.instance].facts.devices.iter();
            let held = held.map(|it| it.volume.to_string());
            let own: BTreeSet<String> = held.filter(|it| !managed.contains(it)).collect();
            let set = it.snapshots.values().map(|it| it.facts.volume.to_string());
            assert_eq!(set.collect::<BTreeSet<_>>(), own, "root {root} data {data}");
        });
    }
}

/// The service replaces it: nothing is tried.
#[tokio::test]
async fn a_managed_instance_is_left_to_its_service() {
    let world = World::new(2);
    let function = function(&world);
    let instance = world.spot_instance("m5.large", "eu-west-1a");
    let instance = instance.protected().volume("/dev/sdf", 100, true).run();
    world.manage(instance.as_str(), "eks.amazonaws.com");
    settle(&world, &function).await;
    world.advance(3600);
    world.interrupt(&instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_eq!(world.look(|it| it.journal.len()), 0, "{}", journal(&world));
}
