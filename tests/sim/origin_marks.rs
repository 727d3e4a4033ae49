//! Proof of origin: tags alone end nothing, delete nothing and begin nothing.

use crate::origin::{ZONE, launched, pairs, sweep_for_an_hour, template_of};
use crate::support::{assert_whole, count, journal, prepared, settle};
use spot_rescue::clock::{self, Clock};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{World, deleted_others};
use spot_rescue::step::{Action, Network};
use spot_rescue::tags::{self, Tags};

const PAST: &str = "2020-01-01T00:00:00Z";

fn deletions(world: &World) -> usize {
    count(world, |it| {
        matches!(
            it,
            Action::Terminate { .. }
                | Action::DeleteVolume { .. }
                | Action::DeleteSnapshot { .. }
                | Action::DeleteTemplate { .. }
                | Action::DeregisterImage { .. }
                | Action::Network(Network::Delete { .. })
        )
    })
}

/// H1: on instances, volumes, snapshots, images, interfaces and launch templates of others.
#[tokio::test]
async fn two_tags_end_no_instance_and_delete_nothing() {
    let (world, function, protected) = prepared(311, &[]).await;
    let attacker = world.attacker();
    let template = template_of(&world, &protected);
    let production = attacker.launch(&template, 1, ZONE, &[("Name", "production")]);
    let production = production.expect("launched by its user");
    let disk = world.volume(ZONE);
    let backup = world.snapshot(&disk).expect("taken");
    let interface = world.interface(&production, 1, false);
    world.advance(600);
    let image = attacker
        .image("golden", &backup, &Tags::new())
        .expect("registered");
    let other = attacker
        .create_template("web", None, &Tags::new())
        .expect("created");
    let ids = [
        production.to_string(),
        disk.to_string(),
        backup.to_string(),
        interface.to_string(),
        image.to_string(),
        other.to_string(),
    ];
    for id in &ids {
        attacker.tag(
            id,
            &[
                (tags::OPT_IN, "on"),
                (tags::RESCUE, protected.instance.as_str()),
                (tags::LAUNCHED, "yes"),
                (tags::EXPIRES_AT, PAST),
                (tags::GROUP, "web"),
            ],
        );
    }
    sweep_for_an_hour(&world, &function).await;
    assert_eq!(deletions(&world), 0, "{}", journal(&world));
    assert_whole(&world, &protected);
}

/// The same with tags that the function has sealed, for others: safety copies a day old.
#[tokio::test]
async fn sealed_tags_delete_nothing_but_what_they_were_sealed_for() {
    let (world, function, protected) = prepared(312, &[("spot-rescue:data", "restore")]).await;
    let mut attacker = world.attacker();
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    attacker.look();
    let disk = world.volume(ZONE);
    let backup = world.snapshot(&disk).expect("taken");
    let copied: Vec<_> = attacker.seen().into_iter().cloned().collect();
    let expiring = |id: &str| {
        copied
            .iter()
            .any(|it| it.0 == id && it.1 == tags::EXPIRES_AT)
    };
    let sources: Vec<String> = copied.iter().map(|it| it.0.clone()).collect();
    let sources: Vec<String> = sources.into_iter().filter(|it| expiring(it)).collect();
    assert!(!sources.is_empty(), "safety copies expire");
    for source in sources {
        attacker.copy_tags(&source, disk.as_str());
        attacker.copy_tags(&source, backup.as_str());
        for id in protected.data.iter().chain([&protected.root]) {
            attacker.copy_tags(&source, id.as_str());
        }
    }
    world.advance(25 * 3600);
    world.sweep();
    sweep_for_an_hour(&world, &function).await;
    assert!(world.look(|it| it.volumes.contains_key(&disk) && it.snapshots.contains_key(&backup)));
    assert_eq!(world.look(deleted_others), Vec::<String>::new());
    assert_whole(&world, &protected);
}

/// H2: a tombstone that an attacker has planted is none.
#[tokio::test]
async fn a_planted_tombstone_deregisters_no_instance() {
    let (world, function, protected) = prepared(313, &[]).await;
    let attacker = world.attacker();
    let template = template_of(&world, &protected);
    let id = protected.instance.as_str();
    for action in ["terminate", "stop", "hibernate", "return"] {
        let text = format!("{id} {} {action}", clock::format(world.now()));
        for on in [id, template.as_str()] {
            attacker.tag(on, &[(tags::INTERRUPTED_AT, &text)]);
        }
        sweep_for_an_hour(&world, &function).await;
    }
    assert_eq!(launched(&world), Vec::<InstanceId>::new());
    let out = count(&world, |it| matches!(it, Action::Deregister { .. }));
    assert_eq!(out, 0, "{}", journal(&world));
    assert_whole(&world, &protected);
}

/// A tombstone that was ours once, put back on the same instance after it has returned.
#[tokio::test]
async fn a_tombstone_put_back_is_cleared_away_again() {
    for keeps_launch_time in [false, true] {
        let (world, function, protected) = paused(314, keeps_launch_time).await;
        let mut attacker = world.attacker();
        attacker.look();
        world.resume(&protected.instance);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        world.advance(3600);
        for (id, key, value) in attacker.seen() {
            if key == tags::INTERRUPTED_AT {
                attacker.put_back(id, key, value);
            }
        }
        sweep_for_an_hour(&world, &function).await;
        assert_eq!(launched(&world), Vec::<InstanceId>::new());
        assert_whole(&world, &protected);
    }
}

/// Stopped by EC2, as its tombstone says.
async fn paused(
    seed: u64,
    keeps_launch_time: bool,
) -> (World, crate::support::Function, spot_rescue::sim::Protected) {
    let world = World::new(seed);
    world.change(|it| it.config.resume_keeps_launch_time = keeps_launch_time);
    let function = crate::support::function(&world);
    let builder = world.spot_instance("m5.large", ZONE);
    let builder = builder.persistent(InstanceAction::Stop);
    let protected = world.protected_like(builder, ZONE, &[]);
    settle(&world, &function).await;
    world.advance(3600);
    world.interrupt(&protected.instance, InstanceAction::Stop);
    let _ = world.run_for(&function, 600).await;
    (world, function, protected)
}

/// A warning that nothing has followed, EC2's or a forged one: once that is certain, all is as it was.
#[tokio::test]
async fn a_warning_that_nothing_followed_is_forgotten() {
    let (world, function, protected) = prepared(315, &[]).await;
    let attacker = world.attacker();
    attacker.forge_warning(&protected.instance, InstanceAction::Terminate, world.now());
    for _ in 0..30 {
        let _ = world.run_until_quiet(&function).await;
        world.advance(900);
        world.sweep();
    }
    settle(&world, &function).await;
    assert_whole(&world, &protected);
}

/// M1: the tags of an attacker's own instance lead to no other's rescue, type or subnet.
#[tokio::test]
async fn tags_of_an_attackers_own_instance_are_not_the_record() {
    let (world, function, protected) = prepared(316, &[]).await;
    let attacker = world.attacker();
    let template = template_of(&world, &protected);
    let own = attacker.run(ZONE, &[("spot-rescue", "on")]);
    settle(&world, &function).await;
    world.advance(3600);
    let elsewhere = world.subnet("eu-west-1c");
    let place = format!("eu-west-1c {elsewhere} p5.48xlarge");
    let version = format!("{template} 1");
    let attempts = format!("{own} 7");
    let claims = [
        (tags::PREPARED, version.as_str()),
        (tags::PLACE, &place),
        (tags::ATTEMPTS, &attempts),
        ("spot-rescue:failed-pool-1", "junk"),
        ("spot-rescue:history-1", "junk"),
        (
            tags::SHAPE,
            "p5.48xlarge vcpus=192 memory=2097152 architectures=x86_64 current",
        ),
        (tags::HEAD, protected.instance.as_str()),
    ];
    attacker.copy_tags(protected.instance.as_str(), own.as_str());
    attacker.tag(own.as_str(), &claims);
    attacker.tag(own.as_str(), &[(tags::RESCUE, own.as_str())]);
    world.interrupt(&own, InstanceAction::Terminate);
    settle(&world, &function).await;
    let elsewhere = |it: &Action| matches!(it, Action::Launch(it) if it.subnet == elsewhere);
    assert_eq!(count(&world, elsewhere), 0, "{}", journal(&world));
    let from_victims = |it: &Action| matches!(it, Action::Launch(it) if it.template.to_string().contains(template.as_str()));
    assert_eq!(count(&world, from_victims), 0, "{}", journal(&world));
    assert_whole(&world, &protected);
}

/// Tags that the function has written on another instance are worth nothing here either.
#[tokio::test]
async fn tags_of_the_victims_instance_say_nothing_elsewhere() {
    let (world, function, protected) = prepared(317, &[]).await;
    let attacker = world.attacker();
    let own = attacker.run(ZONE, &[("spot-rescue", "on")]);
    let copied = world.look(|it| it.instances[&protected.instance].tags.current().clone());
    attacker.tag(own.as_str(), &pairs(&copied));
    sweep_for_an_hour(&world, &function).await;
    world.interrupt(&own, InstanceAction::Terminate);
    sweep_for_an_hour(&world, &function).await;
    assert_whole(&world, &protected);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    sweep_for_an_hour(&world, &function).await;
    assert_whole(&world, &protected);
}

/// Looks find a replacement by its mark. One that another caller has overwritten is written again by the next look that
/// meets the replacement; until then a refused launch would lead to another one.
#[tokio::test]
async fn a_replacements_overwritten_mark_is_written_again() {
    for (key, value) in [
        (tags::RESCUE, "i-0aaaaaaaaaaaaaaaa"),
        (tags::REPLACES, "i-0aaaaaaaaaaaaaaaa"),
    ] {
        let (world, function, protected) = prepared(312, &[]).await;
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let _ = world.run_for(&function, 4).await;
        let replacement = launched(&world).pop().expect("launched");
        world.attacker().tag(replacement.as_str(), &[(key, value)]);
        let _ = world.run_for(&function, 80).await;
        let mark = world.look(|it| {
            let tags = it.instances[&replacement].tags.current();
            tags.get(key).cloned().unwrap_or_default()
        });
        let lineage = protected.instance.as_str();
        assert!(
            mark.starts_with(lineage),
            "{key}: {mark}\n{}",
            journal(&world)
        );
        settle(&world, &function).await;
        assert_whole(&world, &protected);
    }
}
