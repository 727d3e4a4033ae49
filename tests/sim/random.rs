//! Random worlds, random things happening in them; in the end everything is there again.
//!
//! `SIM_SEEDS=5000 cargo test --features sim --test sim random` looks at more; a failing seed is run
//! again with `SIM_FROM=<seed> SIM_SEEDS=1`.

use crate::support::{Function, function, journal, lost_writes, missing};
use spot_rescue::clock::Clock;
use spot_rescue::event::{InstanceAction, InstanceState};
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{EventQuality, Protected, Rng, Supply, World, invariants};
use spot_rescue::situation::Market;

const ZONES: [&str; 2] = ["eu-west-1a", "eu-west-1b"];

fn number(name: &str, default: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.and_then(|it| it.parse().ok()).unwrap_or(default)
}

fn seconds(rng: &mut Rng, below: u64) -> i64 {
    i64::try_from(rng.below(below)).unwrap_or(0)
}

fn configure(world: &World, rng: &mut Rng) {
    world.change(|it| {
        it.config.interleave = rng.percent(50);
        it.config.concurrency = 1 + rng.index(3);
        it.config.batch = 1 + rng.index(10);
        it.config.call_millis = seconds(rng, 60);
        it.config.lag_seconds = seconds(rng, 4);
        it.config.snapshot_seconds = 20 + seconds(rng, 400);
        it.config.boot_seconds = 5 + seconds(rng, 60);
        it.config.release_seconds = 1 + seconds(rng, 60);
        it.config.shutdown_seconds = 5 + seconds(rng, 60);
        it.config.events = EventQuality {
            lost_percent: 0,
            doubled_percent: rng.below(40),
            late_seconds: rng.below(20),
        };
    });
}

/// Living Spot members of the lineage that nobody takes yet.
fn takeable(world: &World) -> Vec<InstanceId> {
    world.look(|it| {
        let all = it.instances.values().filter(|it| {
            !it.doomed
                && it.facts.market == Market::Spot
                && matches!(
                    it.facts.state,
                    InstanceState::Running | InstanceState::Pending
                )
        });
        all.map(|it| it.facts.id.clone()).collect()
    })
}

async fn something(world: &World, function: &Function, protected: &Protected, rng: &mut Rng) {
    match rng.below(10) {
        0..=2 => {
            let all = takeable(world);
            if let Some(id) = all.get(rng.index(all.len())) {
                world.interrupt(id, InstanceAction::Terminate);
            }
        }
        3 => {
            let known = world.look(|it| it.instances.keys().cloned().collect::<Vec<_>>());
            if let Some(id) = known.get(rng.index(known.len())) {
                let at = world.now() - time::Duration::seconds(700 + seconds(rng, 4000));
                world.warn(id, InstanceAction::Terminate, at);
            }
        }
        4 => {
            let supply = [Supply::Left(0), Supply::Left(1000)][rng.index(2)];
            let market = [Market::Spot, Market::OnDemand][rng.index(2)];
            world.supply("m5.large", ZONES[rng.index(2)], market, supply);
        }
        5 => world.sweep(),
        6 => drop(world.snapshot(&protected.data[rng.index(2)])),
        _ => {
            let _ = world.run_for(function, seconds(rng, 150)).await;
        }
    }
    let _ = world.run_for(function, 1).await;
}

/// What is wrong in the end.
async fn story(seed: u64) -> Vec<String> {
    let mut rng = Rng::new(seed);
    let world = World::new(seed);
    let function = function(&world);
    let elsewhere = world.subnet(ZONES[1]);
    let subnets = [("spot-rescue:subnets", elsewhere.as_str())];
    let tags = if rng.percent(50) { &subnets[..] } else { &[] };
    let protected = world.protected_in(ZONES[0], tags);
    let _ = world.run_until_quiet(&function).await;
    world.advance(3600);
    configure(&world, &mut rng);
    for _ in 0..rng.below(25) {
        something(&world, &function, &protected, &mut rng).await;
    }
    for zone in ZONES {
        world.supply("m5.large", zone, Market::Spot, Supply::Left(1000));
        world.supply("m5.large", zone, Market::OnDemand, Supply::Left(1000));
    }
    let mut wrong = Vec::new();
    let run = world.run_until_quiet(&function).await;
    wrong.extend((!run.quiet).then(|| "never quiet".to_owned()));
    world.sweep();
    let run = world.run_until_quiet(&function).await;
    wrong.extend((!run.quiet).then(|| "never quiet after the sweep".to_owned()));
    wrong.extend(world.look(invariants::at_quiescence));
    wrong.extend(missing(&world, &protected));
    let lost = lost_writes(&world, &protected);
    wrong.extend(
        lost.iter()
            .any(|it| *it > 0)
            .then(|| format!("lost {lost:?}")),
    );
    if !wrong.is_empty() && number("SIM_SEEDS", 0) == 1 {
        wrong.push(journal(&world));
    }
    wrong
}

#[tokio::test]
async fn whatever_happens_everything_is_there_again() {
    let from = number("SIM_FROM", 0);
    let mut failed = Vec::new();
    for seed in from..from + number("SIM_SEEDS", 60) {
        let wrong = story(seed).await;
        if !wrong.is_empty() {
            failed.push(format!("seed {seed}: {}", wrong.join("\n  ")));
        }
    }
    assert!(
        failed.is_empty(),
        "{}:\n{}",
        failed.len(),
        failed.join("\n")
    );
}
