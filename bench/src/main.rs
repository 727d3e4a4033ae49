//! `make bench`: how fast the function is, beside a straightforward one in Python that does the same
//! work at the same endpoint, and beside what AWS's published request rates allow at best.
//!
//! The endpoint is the simulator of `src/sim` behind EC2's own wire format; functions are run through
//! a Runtime API of a few lines. Nothing leaves this machine.
//!
//! `make bench` prints one table and writes `bench/results.json`, `bench/time.svg` and
//! `bench/calls.svg`. With arguments only the named parts run (`start`, `warm`, `storm`, `planning`, `large`,
//! or `storm=100` for one size) and nothing is written.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "measurements, none of them near the limits of a number"
)]

mod endpoint;
mod function;
mod http;
mod large;
mod limits;
mod pace;
mod plot;
mod queue;
mod report;
mod scene;
mod single;
mod storm;
mod wire;

use report::Results;
use spot_rescue_bench::planning;
use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

/// How many at once, and how much faster than AWS's the clock and the buckets run. A storm's ideal is
/// minutes long; the function's own waits are not compressed, so compression is never in its favour.
const STORMS: [(usize, f64); 5] = [(1, 1.0), (10, 1.0), (100, 1.0), (1000, 2.0), (5000, 20.0)];
const LATENCIES: [u64; 3] = [0, 20, 50];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let parts: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|it| it == part);
    let (ours, baseline) = (scene::ours(), scene::baseline());
    let mut results = Results::default();
    if wanted("large") {
        results.large = Some(large::large().await);
    }
    if wanted("planning") {
        results.planning = Some(planning::planning().await?);
    }
    if wanted("start") {
        results.start = Some(single::start(&ours, 20).await?);
        results.baseline_start = Some(single::start(&baseline, 5).await?);
        results.zip_mb = report::zipped(&ours.command[0])?;
    }
    if wanted("warm") {
        for latency in LATENCIES {
            let each = Duration::from_millis(latency);
            results
                .warm
                .insert(latency, single::warm(&ours, each, 20).await?);
            results
                .baseline_warm
                .insert(latency, single::warm(&baseline, each, 10).await?);
        }
    }
    let mapping = scene::mapping()?;
    let mut storms = BTreeMap::new();
    for (count, speed) in STORMS {
        if wanted("storm") || wanted(&format!("storm={count}")) {
            eprintln!("storm of {count} …");
            let storm = storm::storm(&ours, mapping, count, speed, false).await?;
            storms.insert(count, storm);
        }
    }
    results.storm = storms;
    for (count, speed) in STORMS.into_iter().filter(|(count, _)| *count >= 1000) {
        if wanted("storm") || wanted(&format!("storm={count}")) {
            eprintln!("storm of {count}, protected always …");
            let storm = storm::storm(&ours, mapping, count, speed, true).await?;
            results.storm_protected_always.insert(count, storm);
        }
    }
    results.print();
    if parts.is_empty() {
        results.write()?;
    }
    Ok(())
}
