//! Restore of a backup by a person: nothing is overwritten, nothing is made twice, and what was in the way is kept.

use crate::support::{Function, journal, prepared};
use spot_rescue::backup::SetState;
use spot_rescue::clock::Clock;
use spot_rescue::cloud::Class;
use spot_rescue::event::{InstanceAction, InstanceState};
use spot_rescue::id::{InstanceId, VolumeId};
use spot_rescue::keeper::Keeper;
use spot_rescue::restore::{
    Found, Hands, KEPT_UNTIL, Kind, Next, Offer, Order, Progress, RUN, Run, To, find, kept,
};
use spot_rescue::seal::Seal;
use spot_rescue::sim::{FailingCloud, Fault, Kind as How, On, Protected, ROLE, World};
use spot_rescue::tags::{self, Tags};
use std::collections::BTreeSet;
use std::time::Duration;
use time::Duration as Span;
use tokio::time::Instant;

const HOURLY: [(&str, &str); 1] = [("spot-rescue:backup", "hourly")];

/// A protected instance with a backup that is some hours old, and writes since.
async fn backed_up(seed: u64) -> (World, Function, Protected) {
    let (world, function, protected) = prepared(seed, &HOURLY).await;
    for _ in 0..3 {
        keep(&world).await;
        let _ = world.run_for(&function, 3600).await;
    }
    (world, function, protected)
}

async fn keep(world: &World) {
    let keeper = Keeper {
        cloud: world.clone(),
        clock: world.clone(),
        defaults: Tags::new(),
        seal: Seal::of(Some(ROLE)),
        print: |_| {},
    };
    let soon = Instant::now() + Duration::from_mins(1);
    keeper.run(0, soon).await.expect("all is read");
}

async fn found(world: &World, id: &InstanceId) -> Found {
    find(world, id, false).await.expect("all is read")
}

/// The newest backup that is complete.
async fn newest(world: &World, id: &InstanceId) -> Offer {
    let offers = found(world, id).await.offers;
    let usable = |it: &Offer| it.kind == Kind::Backup && it.set.state == SetState::Completed;
    offers.into_iter().find(usable).expect("a backup")
}

fn order(offer: Offer, to: To) -> Order {
    Order {
        run: "restore-1".to_owned(),
        attempt: "1".to_owned(),
        offer,
        to,
        in_place: None,
        rate: None,
    }
}

fn data(offer: Offer) -> Offer {
    let parts = offer.parts.iter().filter(|it| !it.root);
    let devices = parts.filter_map(|it| it.device.clone()).collect();
    offer.only(&devices).expect("they are its own")
}

/// Looks until it has come to an end. An error that may pass is followed by another look.
async fn play(world: &World, cloud: &dyn Hands, order: &Order) -> Progress {
    let mut run = Run::new(cloud, order.clone());
    for _ in 0..200 {
        match run.look().await {
            Ok(Progress::Called(_) | Progress::Waits(_)) => {}
            Ok(end) => return end,
            Err(error) if error.class == Class::Transient => {}
            Err(error) => return Progress::Refused(error.to_string()),
        }
        world.advance(2);
    }
    panic!("it never ends: {}", journal(world));
}

async fn restore(world: &World, order: &Order) -> Vec<(String, VolumeId)> {
    match play(world, world, order).await {
        Progress::Done(volumes) => volumes,
        other => panic!("{other:?}: {}", journal(world)),
    }
}

/// Each volume holds what its snapshot held, is like the original, and has its user's tags.
fn assert_restored(world: &World, offer: &Offer, volumes: &[(String, VolumeId)]) {
    assert_eq!(volumes.len(), offer.parts.len());
    world.look(|it| {
        for (part, (device, volume)) in offer.parts.iter().zip(volumes) {
            let (made, snapshot) = (&it.volumes[volume], &it.snapshots[&part.snapshot]);
            assert_eq!(made.content.origin, snapshot.content.origin);
            let like = part.like.as_ref().expect("its settings");
            assert_eq!(made.facts.settings, like.settings);
            assert_eq!(Some(device), part.device.as_ref());
            let tags = made.tags.current();
            assert!(
                part.users
                    .iter()
                    .all(|(key, value)| tags.get(key) == Some(value))
            );
            assert!(
                !tags.keys().any(|it| it.starts_with(tags::PREFIX)),
                "{tags:?}"
            );
        }
    });
}

fn made(world: &World) -> usize {
    world.look(|it| {
        { it.volumes.values() }
            .filter(|it| it.tags.current().contains_key(RUN))
            .count()
    })
}

fn stop(world: &World, id: &InstanceId) {
    world.stop(id);
    world.advance(120);
    assert_eq!(
        world.look(|it| it.instances[id].facts.state),
        InstanceState::Stopped
    );
}

#[tokio::test]
async fn volumes_are_made_free_and_like_the_originals_once() {
    let (world, _, protected) = backed_up(1001).await;
    let offer = newest(&world, &protected.instance).await;
    assert_eq!(offer.parts.len(), protected.data.len() + 1);
    assert!(offer.parts.iter().all(|it| it.device.is_some()));
    assert_eq!(offer.parts.iter().filter(|it| it.root).count(), 1);
    let order = order(offer.clone(), To::Zone("eu-west-1b".to_owned()));
    let volumes = restore(&world, &order).await;
    assert_restored(&world, &offer, &volumes);
    world.look(|it| {
        let pairs = offer.parts.iter().zip(&volumes);
        for (part, (_, volume)) in pairs {
            assert_eq!(
                it.volumes[volume].content,
                it.snapshots[&part.snapshot].content
            );
        }
    });
    // The same order again is done already.
    assert_eq!(restore(&world, &order).await, volumes);
    assert_eq!(made(&world), volumes.len());
}

#[tokio::test]
async fn volumes_are_attached_to_another_instance_with_their_flags() {
    for seed in [1012, 1013] {
        attached_with_their_flags(seed).await;
    }
}

/// Running or stopped.
async fn attached_with_their_flags(seed: u64) {
    let (world, _, protected) = backed_up(seed).await;
    let zone = world.look(|it| {
        it.instances[&protected.instance]
            .facts
            .availability_zone
            .clone()
    });
    let other = world.spot_instance("m5.large", &zone).run();
    world.advance(120);
    if seed.is_multiple_of(2) {
        stop(&world, &other);
    }
    let offer = data(newest(&world, &protected.instance).await);
    let order = order(offer.clone(), To::Instance(other.clone()));
    let volumes = restore(&world, &order).await;
    assert_restored(&world, &offer, &volumes);
    world.look(|it| {
        for (part, (name, volume)) in offer.parts.iter().zip(&volumes) {
            let devices = &it.instances[&other].facts.devices;
            let device = devices
                .iter()
                .find(|it| it.name == *name)
                .expect("it is attached");
            let like = part.like.as_ref().expect("its settings");
            assert_eq!(device.volume, *volume);
            assert_eq!(device.delete_on_termination, like.delete_on_termination);
        }
    });
}

/// Nothing is called at all.
#[tokio::test]
async fn what_would_overwrite_or_cannot_be_done_is_refused_with_what_to_do() {
    let (world, function, protected) = backed_up(1003).await;
    let offer = newest(&world, &protected.instance).await;
    let to = |id: &InstanceId| To::Instance(id.clone());
    let absent: InstanceId = "i-00000000000000bad".parse().expect("an id");
    let in_place = |offer: &Offer| Order {
        in_place: Some(world.now() + Span::days(7)),
        ..order(offer.clone(), to(&protected.instance))
    };
    let pending = Offer {
        set: spot_rescue::backup::Set {
            state: SetState::Pending,
            ..offer.set.clone()
        },
        ..offer.clone()
    };
    let unlike = {
        let mut it = offer.clone();
        it.parts[0].like = None;
        it
    };
    let table = [
        (
            order(offer.clone(), to(&protected.instance)),
            "nothing is overwritten; --in-place",
        ),
        (in_place(&offer), "stop it first"),
        (order(offer.clone(), to(&absent)), "does not exist"),
        (
            order(pending, To::Zone("eu-west-1a".to_owned())),
            "not complete yet",
        ),
        (
            order(unlike, To::Zone("eu-west-1a".to_owned())),
            "does not say what",
        ),
    ];
    let before = world.look(|it| it.journal.len());
    for (order, why) in table {
        let end = play(&world, &world, &order).await;
        assert!(
            matches!(&end, Progress::Refused(it) if it.contains(why)),
            "{why}: {end:?}"
        );
    }
    assert_eq!(world.look(|it| it.journal.len()), before);
    // Nor while a rescue moves the volumes.
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 10).await;
    let end = play(&world, &world, &in_place(&offer)).await;
    assert!(
        matches!(&end, Progress::Refused(it) if it.contains("rescue")),
        "{end:?}"
    );
    assert_eq!(made(&world), 0);
}

/// The root included; whatever call fails, and however.
#[tokio::test]
async fn in_place_the_displaced_volumes_are_kept_whatever_fails() {
    let hows = [
        How::Code("RequestLimitExceeded"),
        How::LoseReply,
        How::Twice,
    ];
    let calls = [
        "CreateVolume",
        "CreateTags",
        "DetachVolume",
        "AttachVolume",
        "ModifyInstanceAttribute",
    ];
    let faults = calls.iter().flat_map(|it| {
        // All flags are one call.
        let times = if *it == "ModifyInstanceAttribute" {
            1
        } else {
            3
        };
        (0..times).flat_map(|n| {
            hows.map(|kind| Fault {
                on: On::Call(it, n),
                kind,
            })
        })
    });
    for fault in [None].into_iter().chain(faults.map(Some)) {
        let (world, _, protected) = backed_up(1004).await;
        let offer = newest(&world, &protected.instance).await;
        stop(&world, &protected.instance);
        let order = Order {
            in_place: Some(world.now() + Span::days(7)),
            ..order(offer.clone(), To::Instance(protected.instance.clone()))
        };
        let cloud = FailingCloud::new(world.clone(), fault.into_iter().collect());
        let end = play(&world, &cloud, &order).await;
        assert_eq!(
            cloud.struck().len(),
            usize::from(fault.is_some()),
            "{fault:?}"
        );
        let Progress::Done(volumes) = end else {
            // A call repeated below us is refused the second time; the order, given again, goes on.
            let volumes = restore(&world, &order).await;
            assert_restored(&world, &offer, &volumes);
            continue;
        };
        assert_restored(&world, &offer, &volumes);
        assert_eq!(made(&world), volumes.len(), "{fault:?}");
        // The sets of the volumes before are those of the instance still.
        let again = newest(&world, &protected.instance).await;
        assert_eq!(
            (&again.set, again.parts.len()),
            (&offer.set, offer.parts.len())
        );
        let displaced = protected.data.iter().chain([&protected.root]);
        world.look(|it| {
            for volume in displaced {
                let kept = &it.volumes[volume];
                assert!(kept.facts.is_free(), "{volume} {fault:?}");
                assert!(
                    kept.tags.current().contains_key(KEPT_UNTIL),
                    "{volume} {fault:?}"
                );
            }
        });
    }
}

/// With the right to take snapshots of volumes of one's own, and to tag them: they are named, and not used.
#[tokio::test]
async fn a_snapshot_of_another_volume_is_no_part_of_a_set_whatever_it_says() {
    let (world, _, protected) = backed_up(1005).await;
    let offer = newest(&world, &protected.instance).await;
    let attacker = world.attacker();
    let own = world.volume("eu-west-1a");
    let like = &offer.parts[0].snapshot;
    let planted = attacker.snapshot_like(&own, like).expect("taken");
    world.advance(3600);
    let now = newest(&world, &protected.instance).await;
    assert_eq!(now.parts, offer.parts);
    assert_eq!(now.strangers, std::slice::from_ref(&planted));
    let trusting = find(&world, &protected.instance, true)
        .await
        .expect("read")
        .offers;
    let parts = trusting.iter().flat_map(|it| &it.parts);
    assert!(parts.map(|it| &it.snapshot).any(|it| *it == planted));
}

#[tokio::test]
async fn the_list_says_why_each_set_is_kept() {
    let (world, function, protected) = backed_up(1007).await;
    for _ in 0..3 {
        keep(&world).await;
        let _ = world.run_for(&function, 3600).await;
    }
    let table = [
        (None, "the newest, the first of hour 2026-11-23T16"),
        (Some("2h"), "not: it goes with the next run"),
        (Some("all"), "all are"),
    ];
    for (retain, wanted) in table {
        if let Some(value) = retain {
            let tag = ("spot-rescue:retain", value);
            world.retag(protected.instance.as_str(), &[tag]);
        }
        let found = found(&world, &protected.instance).await;
        let told = kept(&found);
        assert_eq!(told.len(), found.offers.len());
        assert!(
            told.iter().any(|it| it.starts_with(wanted)),
            "{wanted}: {told:?}"
        );
    }
}

/// It is found by the id of the instance that was first, too.
#[tokio::test]
async fn after_a_rescue_the_sets_are_those_of_the_lineage() {
    let (world, function, protected) = backed_up(1006).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_until_quiet(&function).await;
    let first = found(&world, &protected.instance).await;
    let owner = first.owner.expect("the replacement").id;
    assert_ne!(owner, protected.instance);
    let second = found(&world, &owner).await;
    assert_eq!(first.offers, second.offers);
    assert!(first.offers.iter().any(|it| it.kind == Kind::Backup));
    assert!(first.offers.iter().any(|it| it.kind == Kind::Rescue));
    let foreseen = Run::new(
        &world,
        order(
            data(newest(&world, &owner).await),
            To::Zone("eu-west-1a".to_owned()),
        ),
    );
    let foreseen = foreseen.foreseen().await.expect("read");
    assert!(matches!(foreseen, Next::Calls(it) if it.len() == protected.data.len()));
    let unknown = BTreeSet::from(["/dev/nope".to_owned()]);
    assert!(newest(&world, &owner).await.only(&unknown).is_err());
}
