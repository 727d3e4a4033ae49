//! Proof of origin: the record written over, while all is well and in the middle of a rescue.

use crate::origin::{sweep_for_an_hour, template_of};
use crate::support::{assert_whole, missing, prepared};
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::{Protected, World};
use spot_rescue::tags;

const KEYS: [&str; 24] = [
    tags::RESCUE,
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
    "spot-rescue:volume-1",
    "spot-rescue:target-1",
    "spot-rescue:address-1",
    "spot-rescue:private-address-1",
    tags::GROUP,
];

#[tokio::test]
async fn sound_out() {
    let mut bad = Vec::new();
    for seal in [false, true] {
        for policy in ["auto", "restore"] {
            for key in KEYS {
                for at in [-900, 0, 1, 30, 110, 122, 150, 300] {
                    for kind in ["lt-", "i-", "vol-", "snap-", ""] {
                        let (world, function, protected) =
                            prepared(331, &[("spot-rescue:data", policy)]).await;
                        let key = if seal {
                            tags::proof_of(key)
                        } else {
                            key.to_owned()
                        };
                        if at <= 0 {
                            junk(&world, &protected, kind, &key);
                            let _ = world.run_for(&function, -at).await;
                        }
                        world.interrupt(&protected.instance, InstanceAction::Terminate);
                        if at > 0 {
                            let _ = world.run_for(&function, at).await;
                            junk(&world, &protected, kind, &key);
                        }
                        let _ = world.run_until_quiet(&function).await;
                        for _ in 0..4 {
                            world.advance(900);
                            world.sweep();
                            let _ = world.run_until_quiet(&function).await;
                        }
                        let mut m = missing_or(&world, &protected);
                        m.extend(
                            world
                                .look(spot_rescue::sim::invariants::at_quiescence)
                                .into_iter()
                                .map(|it| it.chars().take(100).collect()),
                        );
                        if !m.is_empty() {
                            bad.push(format!("{policy} {key} on {kind:5} at {at}: {m:?}"));
                        }
                    }
                }
            }
        }
    }
    println!("{}", bad.join("\n"));
    assert!(bad.is_empty(), "{}", bad.len());
}

fn missing_or(world: &World, protected: &Protected) -> Vec<String> {
    if world.summary().lineages.contains_key(&protected.instance) {
        missing(world, protected)
    } else {
        vec!["forgotten".to_owned()]
    }
}

fn junk(world: &World, _protected: &Protected, kind: &str, key: &str) {
    let attacker = world.attacker();
    let all = world.look(|it| {
        let i = it.instances.keys().map(ToString::to_string);
        let v = it.volumes.keys().map(ToString::to_string);
        let s = it.snapshots.keys().map(ToString::to_string);
        let t = it.templates.keys().map(ToString::to_string);
        i.chain(v).chain(s).chain(t).collect::<Vec<_>>()
    });
    for id in all.iter().filter(|it| it.starts_with(kind)) {
        attacker.tag(id, &[(key, "junk")]);
    }
}

#[tokio::test]
async fn keep() {
    let (world, function, protected) = prepared(332, &[]).await;
    let _ = template_of(&world, &protected);
    sweep_for_an_hour(&world, &function).await;
    assert_whole(&world, &protected);
}
