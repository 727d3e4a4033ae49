//! THREATS.md, shown: what a user who may tag, snapshot or send messages cannot make the function do.

use crate::support::{assert_whole, count, journal, prepared, settle};
use spot_rescue::clock::{self, Clock};
use spot_rescue::event::{InstanceAction, InstanceState};
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{GroupType, Protected, World};
use spot_rescue::situation::{Market, VolumeState};
use spot_rescue::step::{Action, RootSource};

/// An instance of another user, claiming to be a member of the lineage.
fn stranger(world: &World, protected: &Protected) -> InstanceId {
    let victim = protected.instance.as_str();
    let claims = [
        ("spot-rescue", "on"),
        ("spot-rescue:rescue", victim),
        ("spot-rescue:replaces", victim),
    ];
    let builder = world.spot_instance("m5.large", "eu-west-1a");
    let id = builder.tags(&claims).run();
    world.advance(60);
    id
}

fn data_volumes_of(world: &World, id: &InstanceId) -> usize {
    let devices = world.volumes_of(id);
    devices.keys().filter(|it| *it != "/dev/xvda").count()
}

/// Tag-based confused deputy: the instance tagged as the replacement would be given the disks.
#[tokio::test]
async fn an_instance_tagged_as_the_replacement_by_an_attacker_is_given_nothing() {
    let (world, function, protected) = prepared(31, &[]).await;
    let thief = stranger(&world, &protected);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet);
    assert_eq!(data_volumes_of(&world, &thief), 0, "{}", journal(&world));
    let untouched = world.look(|it| it.instances[&thief].facts.state);
    assert_eq!(untouched, InstanceState::Running);
    let launched = count(&world, |it| matches!(it, Action::Launch(_)));
    assert_eq!(launched, 1, "the rescue goes on beside it");
    for id in &protected.data {
        let state = world.look(|it| it.volumes[id].facts.state);
        assert_eq!(state, VolumeState::InUse);
    }
}

/// A warning about the claimant must not begin a rescue of the victim.
#[tokio::test]
async fn an_interruption_of_a_claimant_is_not_one_of_the_lineage() {
    let (world, function, protected) = prepared(32, &[]).await;
    let claimant = stranger(&world, &protected);
    world.interrupt(&claimant, InstanceAction::Terminate);
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet);
    let victim = protected.instance.as_str();
    let of_victim = |it: &Action| matches!(it, Action::Launch(it) if it.tags["spot-rescue:launched"].contains(victim));
    assert_eq!(count(&world, of_victim), 0, "{}", journal(&world));
    assert_whole(&world, &protected);
}

/// A newer snapshot with our tags, of another volume: its content would become the victim's disk.
#[tokio::test]
async fn a_planted_snapshot_is_not_restored_from() {
    let (world, function, protected) = prepared(33, &[]).await;
    let foreign = world.volume("eu-west-1a");
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 90).await;
    let planted = world.snapshot(&foreign).expect("taken");
    let claims = [
        ("spot-rescue:rescue", protected.instance.as_str()),
        ("spot-rescue:set", "hourly"),
        ("spot-rescue:device", "/dev/sdf"),
        ("spot-rescue:volume", "type=gp3 size=100"),
        ("spot-rescue:copy-of", protected.data[0].as_str()),
    ];
    world.retag(planted.as_str(), &claims);
    let _ = world.run_for(&function, 60).await;
    world.delete_volume(&protected.data[0]);
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet);
    let from_it =
        |it: &Action| matches!(it, Action::CreateVolume(create) if create.snapshot == planted);
    assert_eq!(count(&world, from_it), 0, "{}", journal(&world));
}

/// A volume tagged as a copy of the victim's: EC2 does not confirm it.
#[tokio::test]
async fn a_volume_that_only_says_it_is_a_copy_is_not_attached() {
    let (world, function, protected) = prepared(34, &[]).await;
    let planted = world.volume("eu-west-1a");
    let claims = [
        ("spot-rescue:rescue", protected.instance.as_str()),
        ("spot-rescue:copy-of", protected.data[0].as_str()),
        ("spot-rescue:device", "/dev/sdf"),
    ];
    world.retag(planted.as_str(), &claims);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet);
    let attached = |it: &Action| matches!(it, Action::Attach { volume, .. } if *volume == planted);
    assert_eq!(count(&world, attached), 0, "{}", journal(&world));
    assert_whole(&world, &protected);
}

/// Own tags on one's own instance that name what belongs to others: a target group to take traffic
/// from, a volume to get hold of.
#[tokio::test]
async fn tags_that_name_foreign_resources_lead_to_nothing() {
    let world = World::new(35);
    let function = crate::support::function(&world);
    let group = world.target_group(GroupType::Instance);
    let bait = world.volume("eu-west-1a");
    let attacker = world
        .spot_instance("m5.large", "eu-west-1a")
        .volume("/dev/sdf", 10, false)
        .protected()
        .run();
    let target = format!("{group}={attacker}=80");
    let volume = format!("{bait}=/dev/sdz");
    let claims = [
        ("spot-rescue:target-1", target.as_str()),
        ("spot-rescue:volume-1", volume.as_str()),
    ];
    world.retag(attacker.as_str(), &claims);
    world.interrupt(&attacker, InstanceAction::Terminate);
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet);
    let registered = count(&world, |it| matches!(it, Action::Register { .. }));
    assert_eq!(registered, 0, "{}", journal(&world));
    let taken = |it: &Action| matches!(it, Action::Attach { volume, .. } if *volume == bait);
    assert_eq!(count(&world, taken), 0, "{}", journal(&world));
}

/// A sender to the queue can name any instance: what is then done is decided by what EC2 shows.
#[tokio::test]
async fn a_forged_event_can_only_make_the_function_look() {
    let (world, function, protected) = prepared(36, &[]).await;
    let before = count(&world, |it| !matches!(it, Action::Wake { .. }));
    let detail = format!(
        r#"{{"instance-id":"{}","state":"terminated"}}"#,
        protected.instance
    );
    world.message(&format!(
        r#"{{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","time":"2026-11-23T10:00:00Z","detail":{detail}}}"#
    ));
    settle(&world, &function).await;
    assert_eq!(
        count(&world, |it| !matches!(it, Action::Wake { .. })),
        before
    );
    assert_whole(&world, &protected);
}

/// The dearest forgery: a warning about a healthy instance. It costs a replacement and a move; nothing
/// is lost, because nothing is taken from an instance that lives.
#[tokio::test]
async fn a_forged_warning_takes_no_disk_from_a_living_instance() {
    let (world, function, protected) = prepared(37, &[]).await;
    world.warn(&protected.instance, InstanceAction::Terminate, world.now());
    let _ = world.run_for(&function, 3600).await;
    for id in &protected.data {
        let holder = world.look(|it| it.volumes[id].facts.attachments.clone());
        let holder = holder.into_iter().map(|it| it.instance).next();
        assert_eq!(
            holder.as_ref(),
            Some(&protected.instance),
            "{}",
            journal(&world)
        );
    }
}

/// Its name is taken, so ours cannot be registered: the rescue stands still, and no instance boots from it.
#[tokio::test]
async fn an_image_that_is_only_named_like_ours_becomes_no_root() {
    let keep = [("spot-rescue:root", "keep")];
    let (world, function, protected) = prepared(38, &keep).await;
    world.change(|it| it.no_root_swaps = Some("UnsupportedOperation"));
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 150).await;
    let planted = world.change(|it| {
        let closing = it.snapshots.values().map(|it| &it.facts);
        let closing = closing.max_by_key(|it| it.started).expect("it is taken");
        let mut image = it.images.values().next().cloned().expect("the user's");
        image.id = "ami-0badbadbadbadbad0".parse().expect("an id");
        image.name = format!("spot-rescue-{}-{}", protected.instance, closing.id);
        let lineage = protected.instance.to_string();
        image.tags.insert("spot-rescue:rescue".to_owned(), lineage);
        it.images.insert(image.id.clone(), image.clone());
        image.id
    });
    let _ = world.run_for(&function, 1200).await;
    let registered = count(&world, |it| matches!(it, Action::RegisterImage(_)));
    assert!(registered > 0, "{}", journal(&world));
    let from_it = count(
        &world,
        |it| matches!(it, Action::ReplaceRoot(it) if it.by == RootSource::Image(planted.clone())),
    );
    assert_eq!(from_it, 0, "{}", journal(&world));
}

/// All marks of a stand-in that gives way, on an instance of the user's: none is believed.
#[tokio::test]
async fn a_forged_return_ends_nothing_of_the_users() {
    let (world, function, protected) = prepared(39, &[]).await;
    let id = protected.instance.as_str();
    let tombstone = format!("{id} {} return", clock::format(world.now()));
    let tags = [
        ("spot-rescue:return-to-spot", "1m"),
        ("spot-rescue:replaces", id),
        ("spot-rescue:launched", "yes"),
        ("spot-rescue:expires-at", "2026-11-23T10:00:00Z"),
        ("spot-rescue:interrupted-at", tombstone.as_str()),
    ];
    for market in [Market::Spot, Market::OnDemand] {
        world.change(|it| {
            let forged = it.instances.get_mut(&protected.instance);
            forged.expect("it lives").facts.market = market;
        });
        world.retag(id, &tags);
        for _ in 0..3 {
            world.sweep();
            settle(&world, &function).await;
            world.advance(900);
        }
        assert_whole(&world, &protected);
    }
    let ended = count(&world, |it| matches!(it, Action::Terminate { .. }));
    assert_eq!(ended, 0, "{}", journal(&world));
}
