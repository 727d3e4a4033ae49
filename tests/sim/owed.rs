//! Targets and Elastic IPs that AWS refuses in a rescue: they are asked for still when it is over.

use crate::support::{assert_whole, prepared};
use crate::told::{Told, told, watched};
use serde_json::Value;
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::{FailingCloud, Fault, Kind, On, Protected, World};

const CALLS: [&str; 2] = ["RegisterTargets", "AssociateAddress"];

async fn refused(call: &'static str, code: &'static str) -> (World, Told, Protected) {
    let (world, _, protected) = prepared(92, &[]).await;
    let fault = Fault {
        on: On::Every(call),
        kind: Kind::Code(code),
    };
    let function = watched(FailingCloud::new(world.clone(), vec![fault]));
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    (world, function, protected)
}

async fn sweeps(world: &World, function: &Told, count: usize) {
    let _ = world.run_until_quiet(function).await;
    for _ in 0..count {
        world.advance(900);
        world.sweep();
        let _ = world.run_until_quiet(function).await;
    }
}

fn kinds() -> Vec<String> {
    let kind = |it: &Value| it["outcome"].as_str().unwrap_or_default().to_owned();
    told().iter().map(kind).collect()
}

/// For whatever reason, as soon as it is no longer refused.
#[tokio::test]
async fn a_part_refused_in_a_rescue_follows_soon_after_it_is_mended() {
    for call in CALLS {
        for code in ["Throttling", "UnauthorizedOperation", "SomethingNew"] {
            let (world, function, protected) = refused(call, code).await;
            sweeps(&world, &function, 3).await;
            assert_eq!(kinds(), ["incomplete"], "{call} {code}");
            function.cloud.disarm();
            sweeps(&world, &function, 2).await;
            assert_whole(&world, &protected);
            assert_eq!(kinds(), ["incomplete", "back-in-service"], "{call} {code}");
        }
    }
}

/// What is missing is named.
#[tokio::test]
async fn the_outcome_names_what_is_missing() {
    let (_, world, function) = {
        let (world, function, protected) = refused("AssociateAddress", "Throttling").await;
        (protected, world, function)
    };
    sweeps(&world, &function, 1).await;
    let all = told();
    assert_eq!(
        all[0]["addresses_missing"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(all[0]["level"], "WARN");
}

/// Interrupted again before all is there, it hands on what it still lacks.
#[tokio::test]
async fn the_next_rescue_brings_what_the_last_one_owed() {
    for call in CALLS {
        let (world, function, protected) = refused(call, "UnauthorizedOperation").await;
        sweeps(&world, &function, 2).await;
        let owner = world.look(|it| {
            let mut alive = it.instances.values().filter(|it| it.facts.is_alive());
            alive.next().map(|it| it.facts.id.clone())
        });
        world.interrupt(&owner.expect("one lives"), InstanceAction::Terminate);
        function.cloud.disarm();
        sweeps(&world, &function, 3).await;
        assert_whole(&world, &protected);
    }
}

/// After a day the missing part is given up: nothing is asked for for ever.
#[tokio::test]
async fn a_missing_part_is_asked_for_during_a_day() {
    for call in CALLS {
        let (world, function, _) = refused(call, "UnauthorizedOperation").await;
        sweeps(&world, &function, 97).await;
        let before = function.cloud.struck().len();
        sweeps(&world, &function, 8).await;
        assert_eq!(function.cloud.struck().len(), before, "{call}");
        assert_eq!(kinds(), ["incomplete"], "{call}");
    }
}
