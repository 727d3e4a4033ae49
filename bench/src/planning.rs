//! No network, no process: messages in, plans out, on one core.

use serde::Serialize;
use serde_json::json;
use spot_rescue::clock::{self, Clock, Timestamp};
use spot_rescue::event::{self, Interruption, Memory, Trigger};
use spot_rescue::handler::Handler;
use spot_rescue::id::InstanceId;
use spot_rescue::observe;
use spot_rescue::plan;
use spot_rescue::plan::reads::Scope;
use spot_rescue::plan::reads::skipped::Deregistered;
use spot_rescue::sim::World;
use spot_rescue::situation::{Inputs, Situation};
use spot_rescue::tags::Tags;
use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::io;
use std::process::Command;
use std::time::Instant;

/// The sizes of Karpenter's interruption benchmark.
const SIZES: [usize; 4] = [100, 1_000, 5_000, 15_000];
const INSTANCES: usize = 200;
/// The fastest counts: what else the machine does comes and goes.
const RUNS: usize = 25;

#[derive(Debug, Clone, Serialize)]
pub struct Planning {
    /// Messages parsed and planned per second, by how many there were.
    pub per_second: BTreeMap<usize, f64>,
    pub nanoseconds_per_parse: f64,
    pub nanoseconds_per_plan: f64,
    pub allocations_per_message: f64,
    pub bytes_per_message: f64,
}

/// What is known of each instance.
pub struct Known {
    at: Timestamp,
    defaults: Tags,
    situations: BTreeMap<InstanceId, Situation>,
}

pub async fn planning() -> io::Result<Planning> {
    let known = Known::prepare().await?;
    let mut per_second = BTreeMap::new();
    for size in SIZES {
        let messages = messages(&known, size);
        let fastest = fastest(|| all(&known, &messages));
        per_second.insert(size, (size as f64 / fastest).round());
    }
    let messages = messages(&known, SIZES[1]);
    let whole = fastest(|| all(&known, &messages));
    let parsing = fastest(|| {
        for it in &messages {
            black_box(event::parse(it).ok());
        }
    });
    let count = messages.len() as f64;
    let [allocations_per_message, bytes_per_message] = counted()?;
    Ok(Planning {
        per_second,
        nanoseconds_per_parse: (parsing / count * 1e9).round(),
        nanoseconds_per_plan: ((whole - parsing) / count * 1e9).round(),
        allocations_per_message,
        bytes_per_message,
    })
}

/// Counting takes time: another program does it, which was built beside this one.
fn counted() -> io::Result<[f64; 2]> {
    let program = std::env::current_exe()?.with_file_name("allocations");
    let output = Command::new(program).output()?;
    let numbers = String::from_utf8_lossy(&output.stdout);
    let mut numbers = numbers.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(allocations)), Some(Ok(bytes))) => Ok([allocations, bytes]),
        _ => Err(io::Error::other("no allocations were counted")),
    }
}

/// In seconds.
fn fastest(work: impl Fn()) -> f64 {
    let run = |_| {
        let began = Instant::now();
        work();
        began.elapsed().as_secs_f64()
    };
    (0..RUNS).map(run).fold(f64::MAX, f64::min)
}

pub fn all(known: &Known, messages: &[String]) {
    for message in messages {
        black_box(known.plan(message));
    }
}

impl Known {
    pub async fn prepare() -> io::Result<Self> {
        let world = World::new(2);
        let instances: Vec<InstanceId> = (0..INSTANCES)
            .map(|_| world.protected_instance().instance)
            .collect();
        let handler = Handler {
            cloud: world.clone(),
            clock: world.clone(),
            defaults: Tags::new(),
            seal: spot_rescue::seal::Seal::of(Some(spot_rescue::sim::ROLE)),
            print: |_| {},
        };
        if !world.run_until_quiet(&handler).await.quiet {
            return Err(io::Error::other("preparing does not come to an end"));
        }
        let (at, defaults) = (world.now(), Tags::new());
        let mut situations = BTreeMap::new();
        let none_out = Deregistered {
            now: at,
            instances: BTreeSet::new(),
            warned: BTreeMap::new(),
            listed: BTreeSet::new(),
            unwarned: BTreeSet::new(),
        };
        for id in instances {
            let one = BTreeSet::from([id.clone()]);
            let read = observe::lineages(
                &world,
                &one,
                &one,
                &none_out,
                observe::Known::default(),
                Scope::Recorded,
                &defaults,
            )
            .await;
            let read = read.map_err(io::Error::other)?;
            let inputs = Inputs {
                pass: 1,
                ..Inputs::default()
            };
            situations.insert(id.clone(), read.situation(&id, at, inputs));
        }
        Ok(Self {
            at,
            defaults,
            situations,
        })
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the mix has these three")]
    /// A warning: first aid from the instance alone, then the whole plan. Anything else: the plan.
    fn plan(&self, message: &str) -> usize {
        let Ok(trigger) = event::parse(message) else {
            return 0;
        };
        match trigger {
            Trigger::Interruption(it) => self.warned(it),
            Trigger::Wake(it) => self.looked(&it.instance),
            Trigger::StateChange { instance, .. } => self.looked(&instance),
            _ => 0,
        }
    }

    fn warned(&self, interruption: Interruption) -> usize {
        let Some(situation) = self.situations.get(&interruption.instance) else {
            return 0;
        };
        let memory = Memory {
            interruptions: vec![interruption],
            ..Memory::default()
        };
        let instance = situation.facts.instances[0].clone();
        let first = observe::of_instance(instance, &memory, &self.defaults, self.at);
        plan::first_aid(&first).steps.len()
    }

    fn looked(&self, id: &InstanceId) -> usize {
        self.situations
            .get(id)
            .map_or(0, |it| plan::plan(it).steps.len())
    }
}

/// Like a bad hour: half warnings, state changes of unprotected instances, wakes, snapshots, noise.
#[must_use]
pub fn messages(known: &Known, count: usize) -> Vec<String> {
    let ids: Vec<&InstanceId> = known.situations.keys().collect();
    let at = clock::format(known.at);
    let message = |n: usize| {
        let id = ids[n % ids.len()].as_str();
        let (source, kind, detail) = match n % 20 {
            0..10 => {
                let action = ["terminate", "terminate", "stop", "hibernate"][n % 4];
                let detail = json!({ "instance-id": id, "instance-action": action });
                ("aws.ec2", "EC2 Spot Instance Interruption Warning", detail)
            }
            10..13 => {
                let detail = json!({ "instance-id": id, "state": "running" });
                ("aws.ec2", "EC2 Instance State-change Notification", detail)
            }
            13..16 => {
                let detail = json!({ "instance-id": "i-0fffffffffffffff0", "state": "terminated" });
                ("aws.ec2", "EC2 Instance State-change Notification", detail)
            }
            16..18 => (
                "spot-rescue",
                "Wake",
                json!({ "instance-id": id, "attempt": 3 }),
            ),
            18 => {
                let snapshot = "arn:aws:ec2::eu-west-1:snapshot/snap-0123456789abcdef0";
                let detail = json!({ "event": "createSnapshot", "result": "succeeded", "cause": "",
                    "snapshot_id": snapshot });
                ("aws.ec2", "EBS Snapshot Notification", detail)
            }
            _ => ("aws.ec2", "Something else", json!({})),
        };
        json!({
            "version": "0", "id": "12345678-1234-1234-1234-123456789012", "detail-type": kind,
            "source": source, "account": "123456789012", "time": at, "region": "eu-west-1",
            "resources": [format!("arn:aws:ec2:eu-west-1a:instance/{id}")], "detail": detail,
        })
        .to_string()
    };
    (0..count).map(message).collect()
}
