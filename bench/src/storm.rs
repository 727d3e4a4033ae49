//! Many interruptions at the same moment, the published token buckets enforced, the function run as
//! Lambda would run it: until all are out of service, kept, snapshotted and launched again.

use crate::endpoint::{Call, Outcome};
use crate::function::{Function, Program};
use crate::limits;
use crate::queue::{self, Mapping};
use crate::scene::{Scene, Shape, TARGETS};
use serde::Serialize;
use spot_rescue::id::InstanceId;
use spot_rescue::situation::SnapshotState;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What every API call takes.
pub const LATENCY: Duration = Duration::from_millis(20);

/// Once all are safe, what is left is mostly waiting for instances to end.
const AFTERWARDS: f64 = 8.0;
/// Of our time: what is not reached by then is told as not reached.
const AT_MOST: Duration = Duration::from_mins(4);

/// A warning's.
const TWO_MINUTES: f64 = 120.0;

/// Everything in AWS's seconds, compressed or not.
#[derive(Debug, Clone, Serialize)]
pub struct Storm {
    pub instances: usize,
    /// `DeleteOnTermination` was off before (`spot-rescue:protect=always`).
    pub protected_always: bool,
    /// AWS's seconds in one of ours, from when all were deregistered and safe, or the two minutes over,
    /// until all were launched; the buckets refill as much faster.
    pub time_compression: f64,
    pub seconds_to_deregistered: f64,
    pub seconds_to_preserved: f64,
    /// Flags off or volumes in a snapshot: nothing goes with any instance.
    pub seconds_to_safe: f64,
    pub seconds_to_snapshotted: f64,
    pub seconds_to_launched: f64,
    /// The whole rescue: the replacements serve, with their volumes.
    pub seconds_to_back_in_service: f64,
    /// What the buckets allow at best, the queue, Lambda and two round trips included.
    pub ideal: BTreeMap<&'static str, f64>,
    /// The later of deregistered and preserved, to its ideal. Where AWS's rates do not allow the flags of
    /// all within two minutes, safe counts instead of preserved.
    pub ratio_to_ideal: f64,
    pub calls: usize,
    pub calls_per_interruption: f64,
    pub by_action: BTreeMap<String, usize>,
    pub throttled: usize,
    pub throttled_by_action: BTreeMap<String, usize>,
    /// Data gone, or no replacement, in the end.
    pub lost: usize,
    /// Volumes that went with their instance before the flag could be set, and are in a snapshot.
    pub saved_by_snapshot: usize,
    /// Within the two minutes: flags off, a snapshot set made, either.
    pub within_two_minutes: [usize; 3],
    /// Instances and target groups: registrations that were gone by then.
    pub deregistered_within_two_minutes: usize,
    pub functions: usize,
    pub peak_mb: f64,
}

/// When each instance reached what.
#[derive(Debug, Default)]
struct Reached {
    deregistered: BTreeMap<String, f64>,
    kept: BTreeMap<String, f64>,
    snapshotted: BTreeMap<String, f64>,
    launched: BTreeMap<String, f64>,
    /// Of replacements; the rest is about the originals.
    registered: BTreeMap<String, f64>,
    originals: BTreeSet<String>,
    seen: usize,
}

pub async fn storm(
    program: &Program,
    mapping: Mapping,
    count: usize,
    speed: f64,
    always: bool,
) -> io::Result<Storm> {
    let shape = Shape {
        instances: count,
        latency: LATENCY,
        enforced: true,
        speed: 1.0,
        always,
    };
    let scene = Scene::prepare(shape).await?;
    let ideal = ideal(count, always, &mapping);
    let patience = ideal.values().copied().fold(0.0, f64::max) * 2.5 + 240.0;
    let pace = &scene.endpoint.pace;
    let began = pace.seconds();
    let afterwards = AFTERWARDS.max(speed);
    let started = Instant::now();
    scene.interrupt(&scene.instances);
    let mut reached = Reached::of(&scene.instances);
    if always {
        // Their flags were off before it began.
        let kept = reached.originals.iter().map(|it| (it.clone(), began));
        reached.kept = kept.collect();
    }
    let reached = std::cell::RefCell::new(reached);
    let over = || {
        let mut reached = reached.borrow_mut();
        reached.read(&scene.endpoint.calls());
        let wanted = if reached.under_way(count, pace.seconds() - began) {
            afterwards
        } else if reached.protected(count, pace.seconds() - began) {
            speed
        } else {
            1.0
        };
        if pace.speed() < wanted {
            pace.change(wanted);
        }
        let passed = pace.seconds() - began;
        reached.complete(count, passed) || passed > patience || started.elapsed() > AT_MOST
    };
    let inbox = scene.endpoint.inbox.clone();
    let url = &scene.endpoint.url;
    let start = || Function::start(program, url);
    let functions = queue::map(inbox, mapping, start, over).await?;
    let mut reached = reached.into_inner();
    reached.read(&scene.endpoint.calls());
    let mut storm = sum(&scene, &reached, &functions, (began, speed), ideal);
    storm.protected_always = always;
    Ok(storm)
}

fn sum(
    scene: &Scene,
    reached: &Reached,
    functions: &[Arc<Function>],
    (began, time_compression): (f64, f64),
    ideal: BTreeMap<&'static str, f64>,
) -> Storm {
    let count = scene.instances.len();
    let all = |times: &BTreeMap<String, f64>, wanted: usize| {
        let last = times.values().copied().fold(began, f64::max);
        if times.len() < wanted {
            f64::INFINITY
        } else {
            round(last - began)
        }
    };
    let deregistered = all(&reached.deregistered, count * TARGETS);
    let kept = all(&reached.kept, count);
    let safe = all(&reached.either(), count);
    let in_time = |times: &BTreeMap<String, f64>| {
        let in_time = times.values().filter(|it| **it - began <= TWO_MINUTES);
        in_time.count()
    };
    let (lost, saved) = losses(scene, reached);
    let calls = scene.endpoint.calls();
    let counted = |wanted: &dyn Fn(&&Call) -> bool| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for call in calls.iter().filter(wanted) {
            *counts.entry(call.action.clone()).or_default() += 1;
        }
        counts
    };
    let throttled_by_action = counted(&|it| it.outcome == Outcome::Throttled);
    Storm {
        instances: count,
        protected_always: false,
        time_compression,
        seconds_to_deregistered: deregistered,
        seconds_to_preserved: kept,
        seconds_to_safe: safe,
        seconds_to_snapshotted: all(&reached.snapshotted, count),
        seconds_to_launched: all(&reached.launched, count),
        seconds_to_back_in_service: all(&reached.registered, count * TARGETS),
        ratio_to_ideal: round(if ideal["preserved"] > TWO_MINUTES {
            deregistered.max(safe) / ideal["deregistered"].max(ideal["safe"])
        } else {
            deregistered.max(kept) / ideal["deregistered"].max(ideal["preserved"])
        }),
        ideal,
        calls: calls.len(),
        calls_per_interruption: round(calls.len() as f64 / count as f64),
        by_action: counted(&|_| true),
        throttled: throttled_by_action.values().sum(),
        throttled_by_action,
        lost,
        saved_by_snapshot: saved,
        within_two_minutes: [&reached.kept, &reached.snapshotted, &reached.either()].map(in_time),
        deregistered_within_two_minutes: in_time(&reached.deregistered),
        functions: functions.len(),
        peak_mb: round(
            functions
                .iter()
                .map(|it| it.peak_memory())
                .max()
                .unwrap_or(0) as f64
                * 1024.0
                / 1e6,
        ),
    }
}

/// Instances that lost a volume for good, or have no replacement; volumes only a snapshot has saved.
fn losses(scene: &Scene, reached: &Reached) -> (usize, usize) {
    let launched = |id: &InstanceId| reached.launched.contains_key(id.as_str());
    let unlaunched = scene.instances.iter().filter(|it| !launched(it));
    let mut lost: BTreeSet<&InstanceId> = unlaunched.collect();
    let saved = scene.endpoint.world.look(|it| {
        let usable = it.snapshots.values().map(|it| &it.facts);
        let usable = usable.filter(|it| it.state != SnapshotState::Unusable);
        let copied: BTreeSet<_> = usable.map(|it| &it.volume).collect();
        let (saved, gone): (Vec<_>, Vec<_>) = it
            .deleted_with_instance
            .iter()
            .partition(|it| copied.contains(it));
        lost.extend(gone.iter().filter_map(|it| scene.volumes.get(it)));
        saved.len()
    });
    (lost.len(), saved)
}

/// The first invocations begin at once (when a window is over), then Lambda takes its time; two round
/// trips; and as many calls as there must be: one per instance, and per target group one for all its
/// targets.
fn ideal(count: usize, always: bool, mapping: &Mapping) -> BTreeMap<&'static str, f64> {
    let calls = count as f64;
    let begun = mapping.window.as_secs_f64() + queue::begun_after(count.div_ceil(queue::TOGETHER));
    let trips = 2.0 * LATENCY.as_secs_f64();
    let changing = |action| limits::ec2_changing(action).seconds_for(calls);
    let groups = (count as f64 / 100.0).ceil();
    let launches = changing("CreateFleet").max(limits::LAUNCHES.seconds_for(calls));
    // Two data volumes each, once the instance has ended.
    let attaching = limits::CHANGING.seconds_for(2.0 * calls);
    let flags = limits::ec2_changing("ModifyInstanceAttribute");
    let either = flags.and(limits::ec2_changing("CreateSnapshots"));
    let (preserving, safe) = if always {
        (0.0, 0.0)
    } else {
        (flags.seconds_for(calls), either.seconds_for(calls))
    };
    let rates = [
        ("deregistered", limits::REGISTRATION.seconds_for(groups)),
        ("preserved", preserving),
        ("safe", safe),
        ("snapshotted", changing("CreateSnapshots")),
        ("launched", launches),
    ];
    let rates = rates.map(|(name, seconds)| (name, trips + begun.max(seconds)));
    let mut ideal: BTreeMap<_, _> = rates.into();
    ideal.insert("back in service", TWO_MINUTES + attaching);
    ideal
}

impl Reached {
    fn of(instances: &[InstanceId]) -> Self {
        Self {
            originals: instances.iter().map(ToString::to_string).collect(),
            ..Self::default()
        }
    }

    fn read(&mut self, calls: &[Call]) {
        // A call under way is looked at again when it is answered.
        while let Some(call) = calls.get(self.seen) {
            if call.answered.is_none() {
                break;
            }
            self.seen += 1;
            if call.outcome != Outcome::Done {
                continue;
            }
            let times = match call.action.as_str() {
                "DeregisterTargets" => &mut self.deregistered,
                "ModifyInstanceAttribute" => &mut self.kept,
                "CreateSnapshots" => &mut self.snapshotted,
                "CreateFleet" => &mut self.launched,
                "RegisterTargets" => &mut self.registered,
                _ => continue,
            };
            let wanted = |about: &&String| {
                let id = about.split(' ').next().unwrap_or_default();
                self.originals.contains(id) != (call.action == "RegisterTargets")
            };
            for about in call.about.iter().filter(wanted) {
                times.entry(about.clone()).or_insert(call.second);
            }
        }
    }

    /// When each had its flags off or its snapshots.
    fn either(&self) -> BTreeMap<String, f64> {
        let mut either = self.kept.clone();
        for (id, second) in &self.snapshotted {
            let earlier = either.entry(id.clone()).or_insert(*second);
            *earlier = earlier.min(*second);
        }
        either
    }

    /// All are out, and nothing can be lost any more.
    fn protected(&self, count: usize, passed: f64) -> bool {
        let safe = passed > TWO_MINUTES || self.either().len() >= count;
        safe && self.deregistered.len() >= count * TARGETS
    }

    /// And all replacements are on their way.
    fn under_way(&self, count: usize, passed: f64) -> bool {
        self.protected(count, passed) && self.launched.len() >= count
    }

    /// All are back in service.
    fn complete(&self, count: usize, passed: f64) -> bool {
        self.under_way(count, passed) && self.registered.len() >= count * TARGETS
    }
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
