//! Attacks that succeed, the smallest reproductions, each for its kind. Copy to `tests/` beside `sim.rs` and run
//! `cargo test --no-default-features --features sim --test security_found`.
#![cfg(feature = "sim")]
#![allow(clippy::all, clippy::pedantic, clippy::restriction, dead_code)]

#[path = "sim/support.rs"]
mod support;

use spot_rescue::clock::{self, Clock};
use spot_rescue::event::{InstanceAction, InstanceState};
use spot_rescue::id::InstanceId;
use spot_rescue::sim::World;
use spot_rescue::step::Action;
use support::{count, lineage, prepared, settle};

fn data_volumes_of(world: &World, id: &InstanceId) -> usize {
    world
        .volumes_of(id)
        .keys()
        .filter(|it| *it != "/dev/xvda")
        .count()
}

/// C2. Anybody who may launch can launch from the victim's prepared rescue: EC2 then sets the very tag that is taken
/// as proof, and the newest is preferred.
#[tokio::test]
async fn c2_an_instance_launched_by_somebody_else_from_the_prepared_rescue_is_given_nothing() {
    for ahead in [false, true] {
        let (world, function, protected) = prepared(51, &[]).await;
        let template = world
            .look(|it| {
                it.templates
                    .values()
                    .next()
                    .map(|it| it.facts.id.to_string())
            })
            .expect("prepared");
        let victim = protected.instance.as_str();
        let claims = [
            ("spot-rescue", "on"),
            ("spot-rescue:rescue", victim),
            ("spot-rescue:replaces", victim),
            ("aws:ec2launchtemplate:id", template.as_str()),
        ];
        if !ahead {
            world.interrupt(&protected.instance, InstanceAction::Terminate);
            let _ = world.run_for(&function, 40).await;
        }
        let thief = world
            .spot_instance("m5.large", "eu-west-1a")
            .tags(&claims)
            .run();
        if ahead {
            world.advance(60);
            world.interrupt(&protected.instance, InstanceAction::Terminate);
        }
        let _ = world.run_until_quiet(&function).await;
        for _ in 0..3 {
            world.advance(900);
            world.sweep();
            let _ = world.run_until_quiet(&function).await;
        }
        assert_eq!(
            data_volumes_of(&world, &thief),
            0,
            "launched ahead: {ahead}: the thief has the victim's disks"
        );
    }
}

/// H1. Two or four tags on what is not ours, and the next sweep ends or deletes it.
#[tokio::test]
async fn h1_tags_alone_end_no_instance_and_delete_no_snapshot_or_volume() {
    let (world, function, _) = prepared(52, &[]).await;
    let past = "2020-01-01T00:00:00Z";
    let production = world
        .spot_instance("m5.large", "eu-west-1a")
        .tags(&[
            ("aws:ec2launchtemplate:id", "lt-0abcdef0123456789"),
            ("Name", "production"),
        ])
        .run();
    let disk = world.volume("eu-west-1a");
    let backup = world.snapshot(&disk).expect("taken");
    world.advance(600);
    let marks = [
        ("spot-rescue:rescue", "i-0123456789abcdef0"),
        ("spot-rescue:expires-at", past),
    ];
    world.retag(
        production.as_str(),
        &[
            ("spot-rescue", "on"),
            ("spot-rescue:rescue", "i-0123456789abcdef0"),
            ("spot-rescue:launched", "yes"),
            ("spot-rescue:expires-at", past),
        ],
    );
    world.retag(disk.as_str(), &marks);
    world.retag(backup.as_str(), &marks);
    for _ in 0..4 {
        world.sweep();
        settle(&world, &function).await;
        world.advance(900);
    }
    let ended = count(&world, |it| matches!(it, Action::Terminate { .. }));
    let deleted = count(&world, |it| {
        matches!(
            it,
            Action::DeleteSnapshot { .. } | Action::DeleteVolume { .. }
        )
    });
    assert_eq!(
        (ended, deleted),
        (0, 0),
        "(instances ended, snapshots and volumes deleted)"
    );
}

/// H5. Somebody takes the name of the prepared rescue first: nothing is prepared, nothing launched.
#[tokio::test]
async fn h5_a_launch_template_that_only_has_our_name_stops_no_rescue() {
    let world = World::new(55);
    let function = support::function(&world);
    let protected = world.protected_instance();
    let name = format!("spot-rescue-{}", protected.instance);
    let (other, f2, _) = prepared(56, &[]).await;
    let mut foreign = other
        .look(|it| it.templates.values().next().cloned())
        .expect("one");
    drop((other, f2));
    foreign.facts.name = name;
    foreign.facts.tags.clear();
    world.change(|it| {
        it.templates
            .insert(foreign.facts.id.clone(), foreign.clone())
    });
    let _ = world.run_until_quiet(&function).await;
    world.advance(3600);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    for _ in 0..4 {
        let _ = world.run_until_quiet(&function).await;
        world.advance(900);
        world.sweep();
    }
    let lives = world.summary().lineages.contains_key(&protected.instance);
    assert!(
        lives && lineage(&world, &protected).volumes.len() == 2,
        "no replacement has the disks; one lives: {lives}"
    );
}
