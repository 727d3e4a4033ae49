//! `CreateTags` has one bucket for the whole account (100 at once, 10 a second): what a rescue asks of it, and what comes of
//! a mass reclaim in which there is far too little.

use crate::support::{Function, function, journal, settle};
use spot_rescue::clock::{Clock, Timestamp};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{GroupType, Limit, World};
use spot_rescue::step::Action;
use spot_rescue::tags;
use std::collections::BTreeSet;

/// With two data volumes, in two target groups; their rescues are prepared.
async fn prepared(count: usize) -> (World, Function, Vec<InstanceId>) {
    let world = World::new(5);
    let function = function(&world);
    let groups = [(); 2].map(|()| world.target_group(GroupType::Instance));
    let all = (0..count).map(|_| {
        let builder = world.spot_instance("m5.large", "eu-west-1a").protected();
        let builder = builder.tags(&[("spot-rescue:protect", "always")]);
        let builder = builder.volume("/dev/sdf", 100, true);
        let id = builder.volume("/dev/sdg", 50, false).run();
        for group in &groups {
            let _ = world.register(group, id.as_str(), 8080);
        }
        id
    });
    let all: Vec<InstanceId> = all.collect();
    settle(&world, &function).await;
    world.advance(3600);
    (world, function, all)
}

fn interrupt(world: &World, all: &[InstanceId]) -> Timestamp {
    let warned = world.now();
    for it in all {
        world.interrupt(it, InstanceAction::Terminate);
    }
    warned
}

/// Keys of tags that AWS took, and when.
fn tagged(world: &World, since: Timestamp) -> Vec<(Timestamp, Vec<String>)> {
    world.look(|it| {
        let all = it.journal.iter().filter(|it| it.at >= since);
        let taken = all.filter_map(|it| match &it.action {
            Action::Tag { tags, .. } if it.outcome.is_ok() => {
                Some((it.at, tags.keys().cloned().collect()))
            }
            _ => None,
        });
        taken.collect()
    })
}

/// When each replacement was registered.
fn back_in_service(world: &World, since: Timestamp) -> Vec<Timestamp> {
    world.look(|it| {
        let mut seen = BTreeSet::new();
        let all = it.journal.iter().filter(|it| it.at >= since);
        let registered = all.filter(|it| it.outcome.is_ok()).flat_map(|it| {
            let Action::Register { targets, .. } = &it.action else {
                return Vec::new();
            };
            targets
                .iter()
                .map(|target| (target.id.clone(), it.at))
                .collect()
        });
        let first = registered.filter(|(id, _)| seen.insert(id.clone()));
        first.map(|(_, at)| at).collect()
    })
}

/// One more is a thousand more in a mass reclaim.
#[tokio::test]
async fn a_plain_rescue_writes_few_tags() {
    let (world, function, all) = prepared(1).await;
    let since = interrupt(&world, &all);
    settle(&world, &function).await;
    let back = back_in_service(&world, since);
    assert_eq!(back.len(), 1, "{}", journal(&world));
    let tags = tagged(&world, since);
    let over = |keys: &[String]| keys.iter().any(|it| it == tags::HEAD);
    let before = tags.iter().position(|(_, keys)| over(keys));
    // A seal, two tombstones, a replacement that runs, its data.
    assert!(before <= Some(5), "{before:?}: {}", journal(&world));
    assert!(tags.len() <= 13, "{}: {}", tags.len(), journal(&world));
}

/// AWS takes a tag every five seconds: all serve as soon as they would otherwise, and in the end nothing is missing.
#[tokio::test]
async fn in_a_mass_reclaim_no_service_waits_for_a_tag() {
    let (world, function, all) = prepared(40).await;
    let limit = Limit {
        capacity: 6.0,
        per_second: 0.2,
    };
    world.change(|it| it.throttle("CreateTags", limit));
    let since = interrupt(&world, &all);
    let _ = world.run_for(&function, 180).await;
    let back = back_in_service(&world, since);
    assert_eq!(back.len(), all.len(), "{}", journal(&world));
}

/// What is back in service leaves AWS's tags to what is not.
#[tokio::test]
async fn tags_that_nothing_waits_for_are_written_last() {
    let (world, function, all) = prepared(30).await;
    world.change(|it| {
        let few = |capacity, per_second| Limit {
            capacity,
            per_second,
        };
        it.throttle("CreateTags", few(3.0, 0.3));
        it.throttle("AttachVolume", few(2.0, 0.2));
    });
    let since = interrupt(&world, &all);
    while back_in_service(&world, since).len() < all.len() {
        let _ = world.run_for(&function, 10).await;
        assert!(
            (world.now() - since).as_seconds_f64() < 900.0,
            "{}",
            journal(&world)
        );
    }
    let last = back_in_service(&world, since).into_iter().max();
    let can_wait = [tags::EXPIRES_AT, tags::PREPARED];
    let waits = |keys: &[String]| keys.iter().any(|it| can_wait.contains(&it.as_str()));
    let early = tagged(&world, since)
        .into_iter()
        .filter(|(at, keys)| waits(keys) && Some(*at) < last);
    let early = early.count();
    assert!(early < all.len(), "{early}");
    // None is forgotten.
    world.change(|it| {
        it.throttle(
            "CreateTags",
            Limit {
                capacity: 1000.0,
                per_second: 1000.0,
            },
        );
    });
    world.advance(900);
    world.sweep();
    settle(&world, &function).await;
    let prepared = tagged(&world, since).into_iter();
    let prepared = prepared.filter(|(_, keys)| keys.iter().any(|it| it == tags::PREPARED));
    assert!(prepared.count() >= all.len(), "{}", journal(&world));
}
