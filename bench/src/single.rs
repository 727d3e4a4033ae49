//! One function, one interruption at a time: how it starts, and what a warning costs when it is warm.

use crate::endpoint::{Call, Outcome};
use crate::function::{Function, Program};
use crate::queue::single;
use crate::scene::{Scene, Shape};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

/// The calls after which nothing is lost any more and a replacement is on its way; a tombstone is
/// one of ours.
const PROTECTIVE: [&str; 6] = [
    "DeregisterTargets",
    "ModifyInstanceAttribute",
    "CreateSnapshots",
    "CreateSnapshot",
    "CreateFleet",
    "RunInstances",
];
const TIMEOUT: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Serialize)]
pub struct Start {
    /// Process start to the first request for work: the median, and all runs.
    pub cold_start_ms: f64,
    pub runs_ms: Vec<f64>,
    /// Process start to the last protective acknowledgement of a first warning, every call 20 ms.
    pub first_warning_ms: f64,
    pub peak_mb: f64,
}

#[derive(Debug, Clone, Serialize)]
pub struct Warm {
    /// From the moment the event was handed over; medians.
    pub protective_sent_ms: f64,
    pub protective_acked_ms: f64,
    /// Per call: sent, acknowledged.
    pub each_ms: BTreeMap<String, (f64, f64)>,
    /// How many calls one after another until the last protective one.
    pub depth: usize,
    /// Of the whole invocation.
    pub calls: usize,
    pub invocation_ms: f64,
}

pub async fn start(program: &Program, runs: usize) -> io::Result<Start> {
    let shape = Shape {
        instances: runs,
        latency: Duration::from_millis(20),
        enforced: false,
        speed: 1.0,
        always: false,
    };
    let scene = Scene::prepare(shape).await?;
    let (mut starts, mut firsts, mut peak) = (Vec::new(), Vec::new(), 0);
    for id in &scene.instances {
        let function = Function::start(program, &scene.endpoint.url)?;
        starts.push(millis(function.ready().await? - function.started));
        let warning = scene.warning(id);
        scene.endpoint.calls().clear();
        function.invoke(single(&warning), TIMEOUT).await?;
        let last = protective(&scene.endpoint.calls())
            .filter_map(|it| it.answered)
            .max();
        firsts.extend(last.map(|it| millis(it - function.started)));
        peak = peak.max(function.peak_memory());
    }
    Ok(Start {
        cold_start_ms: median(&starts),
        first_warning_ms: median(&firsts),
        peak_mb: peak as f64 * 1024.0 / 1e6,
        runs_ms: starts,
    })
}

pub async fn warm(program: &Program, latency: Duration, runs: usize) -> io::Result<Warm> {
    // The first ones warm it up: connections, allocator, caches.
    const BEFORE: usize = 3;
    let shape = Shape {
        instances: runs + BEFORE,
        latency,
        enforced: false,
        speed: 1.0,
        always: false,
    };
    let scene = Scene::prepare(shape).await?;
    let function = Function::start(program, &scene.endpoint.url)?;
    function.ready().await?;
    let mut all = Vec::new();
    for id in &scene.instances {
        let warning = scene.warning(id);
        scene.endpoint.calls().clear();
        let (taken, _) = function.invoke(single(&warning), TIMEOUT).timed().await?;
        let ended = Instant::now();
        let calls = scene.endpoint.calls().clone();
        all.push((one(&calls, taken)?, millis(ended - taken), calls.len()));
    }
    let all = &all[BEFORE..];
    let medians =
        |of: &dyn Fn(&One) -> f64| median(&all.iter().map(|it| of(&it.0)).collect::<Vec<_>>());
    let names: Vec<String> = all
        .first()
        .map(|it| it.0.each.keys().cloned().collect())
        .unwrap_or_default();
    let each = names.into_iter().map(|name| {
        let at = |it: &One| it.each.get(&name).copied().unwrap_or_default();
        let times = (medians(&|it| at(it).0), medians(&|it| at(it).1));
        (name.clone(), times)
    });
    Ok(Warm {
        each_ms: each.collect(),
        protective_sent_ms: medians(&|it| it.sent),
        protective_acked_ms: medians(&|it| it.acked),
        depth: all.iter().map(|it| it.0.depth).max().unwrap_or(0),
        calls: median(&all.iter().map(|it| it.2 as f64).collect::<Vec<_>>()) as usize,
        invocation_ms: median(&all.iter().map(|it| it.1).collect::<Vec<_>>()),
    })
}

#[derive(Debug)]
struct One {
    sent: f64,
    acked: f64,
    each: BTreeMap<String, (f64, f64)>,
    depth: usize,
}

fn protective(calls: &[Call]) -> impl Iterator<Item = &Call> {
    let done = calls.iter().filter(|it| it.outcome == Outcome::Done);
    done.filter(|it| PROTECTIVE.contains(&it.action.as_str()))
}

fn one(calls: &[Call], from: Instant) -> io::Result<One> {
    let mut each: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    let mut depth = 0;
    for call in protective(calls) {
        let sent = millis(call.received.saturating_duration_since(from));
        let acked = call.answered.map_or(f64::INFINITY, |it| millis(it - from));
        let (first, last) = each.entry(call.action.clone()).or_default();
        (*first, *last) = (first.max(sent), last.max(acked));
        depth = depth.max(rank(call, calls));
    }
    if each.is_empty() {
        return Err(io::Error::other("the function sent no protective call"));
    }
    Ok(One {
        sent: each.values().map(|it| it.0).fold(0.0, f64::max),
        acked: each.values().map(|it| it.1).fold(0.0, f64::max),
        each,
        depth,
    })
}

/// One more than the longest chain of calls that were each answered before the next was sent.
fn rank(call: &Call, all: &[Call]) -> usize {
    let before = all
        .iter()
        .filter(|it| it.answered.is_some_and(|at| at <= call.received));
    // The latest to be sent among those answered before has all earlier ones before it.
    let last = before.max_by_key(|it| it.received);
    last.map_or(1, |it| rank(it, all) + 1)
}

pub fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
