//! Proof of origin: messages, floods, and what launch templates keep.

use crate::origin::{ZONE, launched, sweep_for_an_hour, template_of};
use crate::support::{assert_whole, count, journal, prepared, settle};
use spot_rescue::clock::Clock;
use spot_rescue::event::InstanceAction;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::World;
use spot_rescue::step::Action;
use spot_rescue::tags;
use std::collections::BTreeSet;

/// M2: a forged wake leads to a look, whatever memory it claims.
#[tokio::test]
async fn a_forged_wake_forgets_nothing_and_hides_nothing() {
    for seal in [None, Some("AAAAAAAAAAAAAAAA")] {
        let (world, function, protected) = prepared(341, &[]).await;
        let attacker = world.attacker();
        let id = &protected.instance;
        let forge = || {
            for confirm in [format!("{id} has ended"), "targets".to_owned()] {
                attacker.forge_wake(id, &confirm, world.now(), seal);
            }
        };
        forge();
        settle(&world, &function).await;
        world.interrupt(id, InstanceAction::Terminate);
        forge();
        for _ in 0..20 {
            let _ = world.run_for(&function, 7).await;
            forge();
        }
        sweep_for_an_hour(&world, &function).await;
        assert_whole(&world, &protected);
    }
}

/// A wake of an instance that has ended unseen by EC2 yet: one look is not two.
#[tokio::test]
async fn a_forged_wake_is_not_the_second_look() {
    let (world, function, protected) = prepared(342, &[]).await;
    world.terminate(&protected.instance);
    let _ = world.deliver_due(&function).await;
    let attacker = world.attacker();
    let ended = format!("{} has ended", protected.instance);
    attacker.forge_wake(&protected.instance, &ended, world.now(), None);
    let _ = world.deliver_due(&function).await;
    let forgotten = |it: &Action| matches!(it, Action::DeleteTemplate { .. });
    assert_eq!(count(&world, forgotten), 0, "{}", journal(&world));
}

/// Sealed ones, sent again at every moment of this rescue and after it, and in the next.
#[tokio::test]
async fn a_wake_sent_again_changes_nothing() {
    let (world, function, protected) = prepared(343, &[]).await;
    let mut attacker = world.attacker();
    let mut sent = BTreeSet::new();
    for _ in 0..2 {
        let owner = launched(&world).pop().unwrap_or(protected.instance.clone());
        world.interrupt(&owner, InstanceAction::Terminate);
        for _ in 0..25 {
            let _ = world.run_for(&function, 8).await;
            attacker.look();
            let wakes = attacker.heard().into_iter();
            let mut wakes = wakes.filter(|it| it.contains("\"Wake\"") && !sent.contains(*it));
            if let Some(again) = wakes.next().cloned() {
                attacker.send_again(&again);
                sent.insert(again);
            }
        }
        sweep_for_an_hour(&world, &function).await;
        assert_whole(&world, &protected);
    }
    assert_eq!(launched(&world).len(), 2, "{}", journal(&world));
}

/// A warning from long ago, about an instance that is well.
#[tokio::test]
async fn a_stale_warning_is_none() {
    let (world, function, protected) = prepared(344, &[]).await;
    let attacker = world.attacker();
    let long_ago = world.now() - time::Duration::minutes(11);
    for action in [
        InstanceAction::Terminate,
        InstanceAction::Stop,
        InstanceAction::Hibernate,
    ] {
        attacker.forge_warning(&protected.instance, action, long_ago);
        settle(&world, &function).await;
    }
    assert_eq!(launched(&world), Vec::<InstanceId>::new());
    assert_whole(&world, &protected);
}

/// M3: ten thousand snapshots that say they expire, or are the lineage's.
#[tokio::test]
async fn a_flood_of_snapshots_hides_no_lineage() {
    for of_victim in [false, true] {
        let (world, function, protected) = prepared(345, &[]).await;
        let second = world.protected_in(ZONE, &[]);
        settle(&world, &function).await;
        flood(&world, of_victim.then_some(&protected.instance));
        world.sweep();
        world.interrupt(&second.instance, InstanceAction::Terminate);
        let started = std::time::Instant::now();
        settle(&world, &function).await;
        assert!(
            started.elapsed().as_secs() < 120,
            "an invocation must end in time"
        );
        assert_whole(&world, &second);
        let woken = |of: &InstanceId| {
            count(
                &world,
                |it| matches!(it, Action::Wake { wake, .. } if wake.instance == *of),
            )
        };
        assert!(woken(&protected.instance) > 0, "{}", journal(&world));
    }
}

fn flood(world: &World, of: Option<&InstanceId>) {
    let attacker = world.attacker();
    let volume = world.volume(ZONE);
    let lineage = of.map_or("i-0123456789abcdef0", InstanceId::as_str);
    let marks = [
        (tags::RESCUE, lineage),
        (tags::EXPIRES_AT, "2020-01-01T00:00:00Z"),
        (tags::SET, "hourly"),
    ];
    attacker.flood(&volume, 10_000, "spot-rescue: set hourly", &marks);
}

/// M4: two of ours are kept, and no snapshot of others.
#[tokio::test]
async fn two_versions_are_kept_and_no_foreign_one() {
    let (world, function, protected) = prepared(346, &[]).await;
    let attacker = world.attacker();
    let template = template_of(&world, &protected);
    for n in 0..6 {
        attacker.add_version(&template, "administrator");
        world.retag(protected.instance.as_str(), &[("Release", &n.to_string())]);
        world.advance(900);
        world.sweep();
        settle(&world, &function).await;
    }
    let versions = world.look(|it| it.templates[&template].versions.clone());
    let foreign = |it: &Option<String>| it.as_deref() == Some("administrator");
    let foreign = versions.values().filter(|it| foreign(&it.instance_profile));
    assert_eq!(foreign.count(), 0, "{:?}", versions.keys());
    assert_eq!(versions.len(), 2, "{:?}", versions.keys());
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
}
