//! What a measurement begins with: an account full of protected instances, their rescues prepared,
//! and the programs that are to rescue them.

use crate::endpoint::Endpoint;
use crate::function::Program;
use crate::limits::Buckets;
use crate::pace::Pace;
use crate::queue::Mapping;
use spot_rescue::clock::{Clock, WallClock};
use spot_rescue::event::InstanceAction;
use spot_rescue::handler::Handler;
use spot_rescue::id::{InstanceId, VolumeId};
use spot_rescue::sim::{GroupType, World};
use spot_rescue::tags::Tags;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Instances to a target group.
const PER_GROUP: usize = 100;
/// Registrations of an instance: two ports of one group.
pub const TARGETS: usize = 2;

pub struct Scene {
    pub endpoint: Arc<Endpoint>,
    pub instances: Vec<InstanceId>,
    /// The instance that each volume was attached to.
    pub volumes: BTreeMap<VolumeId, InstanceId>,
}

/// The kind of account.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub instances: usize,
    pub latency: Duration,
    pub enforced: bool,
    pub speed: f64,
    /// `spot-rescue:protect=always`: the flags are off before anything happens.
    pub always: bool,
}

impl Scene {
    /// Everything as it was before the interruption; simulated time runs from now on.
    pub async fn prepare(shape: Shape) -> io::Result<Self> {
        let Shape {
            instances: count,
            latency,
            enforced,
            speed,
            always,
        } = shape;
        let world = World::new(1);
        let mut group = world.target_group(GroupType::Instance);
        let mut instances = Vec::with_capacity(count);
        for n in 0..count {
            if n > 0 && n % PER_GROUP == 0 {
                group = world.target_group(GroupType::Instance);
            }
            let builder = world.spot_instance("m5.large", "eu-west-1a").protected();
            let protect = if always { "always" } else { "at-warning" };
            let builder = builder.tags(&[("spot-rescue:protect", protect)]);
            let builder = builder.volume("/dev/sdf", 100, true);
            let id = builder.volume("/dev/sdg", 50, false).run();
            for port in [8080, 9090] {
                let _ = world.register(&group, id.as_str(), port);
            }
            instances.push(id);
        }
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
        let now = WallClock.now();
        world.change(|it| it.advance_to(now));
        if world.now() > now + time::Duration::seconds(1) {
            return Err(io::Error::other(
                "this machine's clock is behind the simulator's",
            ));
        }
        let volumes = instances.iter().flat_map(|id: &InstanceId| {
            let of_instance = world.volumes_of(id).into_values();
            of_instance.map(|it| (it, id.clone()))
        });
        let volumes = volumes.collect();
        let buckets = Buckets::new(enforced);
        let visibility = mapping()?.visibility;
        let endpoint =
            Endpoint::open(world, Pace::new(speed), latency, buckets, visibility).await?;
        let scene = Self {
            endpoint,
            instances,
            volumes,
        };
        scene.live();
        Ok(scene)
    }

    /// Time passes, and what happens in the account is announced.
    fn live(&self) {
        let endpoint = Arc::downgrade(&self.endpoint);
        // Larger accounts have more to do at each tick.
        let tick = Duration::from_millis(20 + self.instances.len() as u64 / 50);
        let (began, start) = (self.endpoint.pace.seconds(), WallClock.now());
        tokio::spawn(async move {
            while let Some(endpoint) = endpoint.upgrade() {
                let passed = time::Duration::seconds_f64(endpoint.pace.seconds() - began);
                let announced = endpoint.world.change(|it| {
                    it.advance_to(start + passed);
                    std::mem::take(&mut it.queue.messages)
                });
                for message in announced {
                    endpoint.inbox.send(message.body, 0);
                }
                drop(endpoint);
                tokio::time::sleep(tick).await;
            }
        });
    }

    /// EC2 takes these instances, all at this moment.
    pub fn interrupt(&self, which: &[InstanceId]) {
        for id in which {
            self.endpoint.world.interrupt(id, InstanceAction::Terminate);
        }
    }

    /// The same for one, and its warning is handed over instead of sent.
    pub fn warning(&self, id: &InstanceId) -> String {
        self.endpoint.world.change(|it| it.queue.messages.clear());
        self.interrupt(std::slice::from_ref(id));
        let sent = self
            .endpoint
            .world
            .change(|it| std::mem::take(&mut it.queue.messages));
        sent.first().map(|it| it.body.clone()).unwrap_or_default()
    }
}

/// Ours: the release binary.
pub fn ours() -> Program {
    Program {
        command: vec![absolute("target/release/bootstrap")],
        environment: environment(),
    }
}

/// Python and boto3, with AWS's own runtime client.
pub fn baseline() -> Program {
    let mut environment = environment();
    for (name, value) in [
        ("LAMBDA_TASK_ROOT", absolute("bench/baseline")),
        ("_HANDLER", "app.handler".to_owned()),
        ("PYTHONPATH", absolute("bench/baseline")),
    ] {
        environment.insert(name.to_owned(), value);
    }
    let python = absolute(".venv-bench/bin/python");
    Program {
        command: [&python, "-m", "awslambdaric", "app.handler"]
            .map(str::to_owned)
            .into(),
        environment,
    }
}

fn environment() -> BTreeMap<String, String> {
    let fixed = [
        ("PATH", "/usr/bin:/bin"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "bench"),
        ("AWS_SECRET_ACCESS_KEY", "bench"),
        ("AWS_LAMBDA_FUNCTION_NAME", "spot-rescue"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "spot-rescue"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
        (
            "SPOT_RESCUE_SECRET_ARN",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:seal-abcdef",
        ),
        (
            "SPOT_RESCUE_QUEUE_URL",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/bench",
        ),
    ];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    fixed.map(owned).into()
}

fn absolute(path: &str) -> String {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    root.join(path).to_string_lossy().into_owned()
}

/// What `template.yaml` says about queue and function.
pub fn mapping() -> io::Result<Mapping> {
    let template = std::fs::read_to_string(absolute("template.yaml"))?;
    let number = |after: &str, key: &str| -> Option<u64> {
        let (_, rest) = template.split_once(after)?;
        let (_, rest) = rest.split_once(key)?;
        rest.split_whitespace().next()?.parse().ok()
    };
    let missing = || io::Error::other("template.yaml has no such setting");
    let window = number("Type: SQS", "MaximumBatchingWindowInSeconds: ").unwrap_or(0);
    Ok(Mapping {
        batch_size: number("Type: SQS", "BatchSize: ").ok_or_else(missing)? as usize,
        window: Duration::from_secs(window),
        concurrency: number("MaximumConcurrency:\n", "Default: ").ok_or_else(missing)? as usize,
        visibility: Duration::from_secs(
            number("Queue:", "VisibilityTimeout: ").ok_or_else(missing)?,
        ),
        timeout: Duration::from_secs(number("MemorySize:", "Timeout: ").ok_or_else(missing)?),
    })
}
