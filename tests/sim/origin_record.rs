//! Proof of origin: the record written over, while all is well and in the middle of a rescue, and resources that
//! have no room for a tag.

use crate::origin::{launched, sweep_for_an_hour};
use crate::support::{assert_whole, journal, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::handler::Handler;
use spot_rescue::sim::{World, invariants};
use spot_rescue::tags::{self, proof_of};

thread_local! {
    static LINES: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

const KINDS: [&str; 4] = ["lt-", "i-", "vol-", "snap-"];

const KEYS: [&str; 20] = [
    tags::HEAD,
    tags::VERSION,
    tags::PLACE,
    tags::ATTEMPTS,
    tags::FINGERPRINT,
    tags::REQUEST,
    tags::SHAPE,
    tags::INTERRUPTED_AT,
    tags::PROGRESS,
    tags::PREPARED,
    tags::REPLACES,
    tags::LAUNCHED,
    tags::DEVICE,
    tags::VOLUME,
    tags::COPY_OF,
    tags::EXPIRES_AT,
    tags::RESTORE,
    tags::SET,
    tags::GROUP,
    "spot-rescue:private-address-1",
];

/// The parts of the record that a rescue cannot find again by itself.
const RECORD: [&str; 4] = [
    tags::RESCUE,
    "spot-rescue:volume-1",
    "spot-rescue:target-1",
    "spot-rescue:address-1",
];

fn resources(world: &World, kind: &str) -> Vec<String> {
    let all = world.look(|it| {
        let instances = it.instances.keys().map(ToString::to_string);
        let volumes = it.volumes.keys().map(ToString::to_string);
        let snapshots = it.snapshots.keys().map(ToString::to_string);
        let templates = it.templates.keys().map(ToString::to_string);
        let all = instances.chain(volumes).chain(snapshots).chain(templates);
        all.collect::<Vec<_>>()
    });
    let of_kind = all.into_iter().filter(|it| it.starts_with(kind));
    of_kind.collect()
}

fn junk(world: &World, kind: &str, keys: &[&str], beside: bool) {
    let attacker = world.attacker();
    for id in resources(world, kind) {
        for key in keys {
            let proof = proof_of(key);
            let key = if beside { proof.as_str() } else { key };
            attacker.tag(&id, &[(key, "junk")]);
        }
    }
}

/// After so many seconds of a rescue. With `beside`, not the tags themselves but what would be their seals.
async fn written_over(keys: &[&str], kind: &str, seconds: i64, beside: bool) {
    let (world, function, protected) = prepared(331, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, seconds).await;
    junk(&world, kind, keys, beside);
    sweep_for_an_hour(&world, &function).await;
    assert_whole(&world, &protected);
}

#[tokio::test]
async fn most_of_a_record_written_over_in_a_rescue_is_found_again() {
    for seconds in [0, 1, 60, 122] {
        for kind in KINDS {
            written_over(&KEYS, kind, seconds, false).await;
        }
    }
}

/// What only the record knew of an instance that ends is lost then: that is reported, and nothing is deleted or given
/// away for it (THREATS.md, "What remains").
#[tokio::test]
async fn the_record_written_over_in_a_rescue_is_told_and_costs_no_volume() {
    for key in RECORD {
        for seconds in [0, 1, 60, 122] {
            let (world, function, protected) = prepared(333, &[]).await;
            LINES.with_borrow_mut(Vec::clear);
            let function = Handler {
                print: |line| LINES.with_borrow_mut(|it| it.push(line.to_owned())),
                ..function
            };
            world.interrupt(&protected.instance, InstanceAction::Terminate);
            let _ = world.run_for(&function, seconds).await;
            junk(&world, "lt-", &[key], false);
            let _ = world.run_for(&function, 600).await;
            let told = LINES.with_borrow(|it| it.join("\n"));
            assert!(told.contains(key), "{key} after {seconds} s\n{told}");
            for id in &protected.data {
                assert!(world.look(|it| it.volumes.contains_key(id)), "{key}");
            }
            let robbed = world.look(invariants::always);
            assert!(robbed.is_empty(), "{key} {robbed:?}");
        }
    }
}

#[tokio::test]
async fn a_seal_of_junk_beside_a_tag_takes_nothing_from_it() {
    let on_instances = KEYS.iter().map(|it| ("i-", *it));
    let on_record = KEYS.iter().chain(&RECORD).map(|it| ("lt-", *it));
    for (kind, key) in on_instances.chain(on_record) {
        for seconds in [1, 122] {
            written_over(&[key], kind, seconds, true).await;
        }
    }
}

/// While all is well the next look heals it, if nothing happens before.
async fn written_over_ahead(keys: &[&str], kind: &str, beside: bool) {
    let (world, function, protected) = prepared(332, &[]).await;
    junk(&world, kind, keys, beside);
    world.sweep();
    settle(&world, &function).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    sweep_for_an_hour(&world, &function).await;
    assert_whole(&world, &protected);
}

#[tokio::test]
async fn a_record_written_over_ahead_is_healed_by_the_sweep() {
    for kind in KINDS {
        written_over_ahead(&KEYS, kind, false).await;
        for key in RECORD {
            written_over_ahead(&[key], kind, false).await;
        }
    }
}

#[tokio::test]
async fn a_seal_of_junk_beside_a_tag_is_healed_by_the_sweep() {
    for kind in KINDS {
        for key in RECORD {
            written_over_ahead(&[key], kind, true).await;
        }
    }
}

/// Fifty tags are all that a resource takes; what stands there already can be changed all the same.
#[tokio::test]
async fn no_room_for_another_tag_costs_nothing_that_was_there() {
    for kind in KINDS {
        let (world, function, protected) = prepared(333, &[]).await;
        for _ in 0..2 {
            let owner = launched(&world).pop().unwrap_or(protected.instance.clone());
            fill(&world, kind);
            world.interrupt(&owner, InstanceAction::Terminate);
            for seconds in [1, 60, 65, 10] {
                let _ = world.run_for(&function, seconds).await;
                fill(&world, kind);
            }
            for _ in 0..4 {
                let _ = world.run_until_quiet(&function).await;
                world.advance(900);
                world.sweep();
            }
            let _ = world.run_until_quiet(&function).await;
            assert_whole(&world, &protected);
        }
    }
}

fn fill(world: &World, kind: &str) {
    let attacker = world.attacker();
    for id in resources(world, kind) {
        let taken = (0..50).filter(|n| attacker.tag(&id, &[(&format!("filler-{n}"), "x")]));
        assert!(taken.count() > 0, "{}", journal(world));
    }
}

/// A replacement that is interrupted in its turn holds the volumes, and its mark is changed to another lineage: it
/// does not pass for a stranger that the volumes were given to.
#[tokio::test]
async fn the_holder_of_the_volumes_is_no_stranger_whatever_its_mark_says() {
    let (world, function, protected) = prepared(334, &[]).await;
    let attacker = world.attacker();
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 138).await;
    let replacement = launched(&world).pop().expect("launched");
    let holds = world.volumes_of(&replacement).len();
    assert_eq!(
        holds, 3,
        "it holds its root and both volumes, and owns nothing yet"
    );
    world.interrupt(&replacement, InstanceAction::Terminate);
    let _ = world.run_for(&function, 30).await;
    let another = ("spot-rescue:rescue", "i-0badbadbadbadbad0");
    attacker.tag(replacement.as_str(), &[another]);
    sweep_for_an_hour(&world, &function).await;
    assert_whole(&world, &protected);
}
