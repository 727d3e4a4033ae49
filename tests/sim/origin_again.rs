//! Proof of origin: tags that the function itself has written once, put back later on the very same resource.

use crate::origin::{ZONE, launched, sweep_for_an_hour, template_of};
use crate::support::{assert_whole, count, journal, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::{Attacker, invariants};
use spot_rescue::step::Action;
use spot_rescue::tags;

fn put_back(attacker: &Attacker, id: &str, key: &str) -> usize {
    let seen = attacker.seen().into_iter();
    let again: Vec<_> = seen.filter(|it| it.0 == id && it.1 == key).collect();
    for (id, key, value) in &again {
        attacker.put_back(id, key, value);
    }
    again.len()
}

/// A spare that was given back, and needed after all before it was ended: it owns everything by now.
#[tokio::test]
async fn the_expiry_of_a_spare_put_back_ends_no_owner() {
    let (world, function, protected) = prepared(351, &[("spot-rescue:rebalance", "replace")]).await;
    let mut attacker = world.attacker();
    let template = template_of(&world, &protected);
    world.recommend_rebalance(&protected.instance);
    settle(&world, &function).await;
    let spare = launched(&world).pop().expect("a spare waits");
    world.advance(6 * 3600 + 60);
    world.sweep();
    settle(&world, &function).await;
    attacker.look();
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    sweep_for_an_hour(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(put_back(&attacker, spare.as_str(), tags::EXPIRES_AT), 1);
    attacker.tag(spare.as_str(), &[(tags::PREPARED, "junk")]);
    attacker.tag(template.as_str(), &[(tags::HEAD, "junk")]);
    world.sweep();
    sweep_for_an_hour(&world, &function).await;
    let ended = count(&world, |it| matches!(it, Action::Terminate { .. }));
    assert_eq!(ended, 0, "{}", journal(&world));
    assert_whole(&world, &protected);
}

/// A safety copy that its user has found a use for, and that was marked as in use.
#[tokio::test]
async fn the_expiry_of_a_safety_copy_put_back_deletes_nothing_of_its_users() {
    let (world, function, protected) = prepared(352, &[("spot-rescue:data", "restore")]).await;
    let mut attacker = world.attacker();
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    attacker.look();
    let copy = &protected.data[0];
    let user = world.spot_instance("m5.large", ZONE).run();
    world.give_away(copy, &user, "/dev/sdz");
    world.advance(25 * 3600);
    world.sweep();
    settle(&world, &function).await;
    world.terminate(&user);
    let _ = world.run_until_quiet(&function).await;
    assert_eq!(put_back(&attacker, copy.as_str(), tags::EXPIRES_AT), 1);
    world.sweep();
    settle(&world, &function).await;
    assert!(
        world.look(|it| it.volumes.contains_key(copy)),
        "{}",
        journal(&world)
    );
}

/// The record of the rescue before, in this one: a seal does not tell when it was made. The rescue may go astray,
/// and its volumes lie free; nothing is deleted or given away (THREATS.md, "What remains").
#[tokio::test]
async fn an_older_record_put_back_costs_no_volume() {
    for seconds in [1, 60, 130] {
        let (world, function, protected) = prepared(353, &[]).await;
        let mut attacker = world.attacker();
        let template = template_of(&world, &protected);
        attacker.look();
        let before: Vec<_> = attacker.seen().into_iter().cloned().collect();
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        sweep_for_an_hour(&world, &function).await;
        let owner = launched(&world).pop().expect("launched");
        world.interrupt(&owner, InstanceAction::Terminate);
        let _ = world.run_for(&function, seconds).await;
        for (id, key, value) in before.iter().filter(|it| it.0 == template.as_str()) {
            attacker.put_back(id, key, value);
        }
        for _ in 0..100 {
            world.advance(900);
            world.sweep();
            let _ = world.run_until_quiet(&function).await;
        }
        for id in &protected.data {
            assert!(
                world.look(|it| it.volumes.contains_key(id)),
                "{}",
                journal(&world)
            );
        }
        let robbed = world.look(invariants::always);
        assert!(robbed.is_empty(), "{robbed:?}");
    }
}

/// The number of a version that is gone by now.
#[tokio::test]
async fn an_older_version_put_back_stops_no_launch() {
    for with_instance in [false, true] {
        let (world, function, protected) = prepared(354, &[]).await;
        let mut attacker = world.attacker();
        let template = template_of(&world, &protected);
        for n in 0..4 {
            attacker.look();
            world.retag(protected.instance.as_str(), &[("Release", &n.to_string())]);
            world.advance(900);
            world.sweep();
            settle(&world, &function).await;
        }
        let seen: Vec<_> = attacker.seen().into_iter().cloned().collect();
        let first = |it: &&(String, String, String), id: &str, key: &str| {
            it.0 == id && it.1 == key && !it.2.contains("4 3")
        };
        let old = seen
            .iter()
            .find(|it| first(it, template.as_str(), tags::VERSION));
        let old = old.expect("seen");
        attacker.put_back(&old.0, &old.1, &old.2);
        if with_instance {
            let id = protected.instance.as_str();
            let old = seen
                .iter()
                .find(|it| first(it, id, tags::PREPARED))
                .expect("seen");
            attacker.put_back(&old.0, &old.1, &old.2);
        }
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        sweep_for_an_hour(&world, &function).await;
        assert_whole(&world, &protected);
    }
}
