//! The Lambda entry point: clients are built once, then every invocation goes to the handler.

mod environment;
mod trust;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use spot_rescue::clock::WallClock;
use spot_rescue::handler::{Handler, HandlerError};
use spot_rescue::keeper::Keeper;
use spot_rescue::policy;
use spot_rescue::seal::Seal;
use spot_rescue::tags::{self, Tags};
use spot_rescue::warm;
use spot_rescue_aws::{Aws, Stack};
use std::env;
use std::time::{Duration, SystemTime};
use tracing_subscriber::filter::LevelFilter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log();
    let stack = Stack {
        queue_url: env::var("SPOT_RESCUE_QUEUE_URL").ok(),
        secret_arn: env::var("SPOT_RESCUE_SECRET_ARN").ok(),
    };
    let cloud = Aws::connect(&environment::config(), stack);
    let seal = Seal::of(env::var("SPOT_RESCUE_ROLE_ARN").ok().as_deref());
    if env::var("SPOT_RESCUE_DUTY").is_ok_and(|it| it == "backups") {
        keep(cloud, seal).await
    } else {
        rescue(cloud, seal).await
    }
}

/// The function that rescues.
async fn rescue(cloud: Aws, seal: Seal) -> Result<(), Error> {
    let handler = Handler {
        cloud,
        clock: WallClock,
        defaults: defaults(),
        seal,
        print: spot_rescue::report::print,
    };
    let runtime = run(service_fn(|event: LambdaEvent<Value>| {
        invoke(&handler, event)
    }));
    let ((), ended) = tokio::join!(warm::up(&handler.cloud, &handler.seal), runtime);
    ended
}

/// The function that takes backups, and alone may delete them: the same program in another role.
async fn keep(cloud: Aws, seal: Seal) -> Result<(), Error> {
    let keeper = &Keeper {
        cloud,
        clock: WallClock,
        defaults: defaults(),
        seal,
        print: spot_rescue::report::print,
    };
    run(service_fn(async |event: LambdaEvent<Value>| {
        let remaining = remaining(&event);
        let answer = keeper.handle(event.payload, remaining).await;
        answer.map_err(|error| Diagnostic {
            error_type: "BackupsUnread".to_owned(),
            error_message: error.to_string(),
        })
    }))
    .await
}

/// What Lambda leaves of the invocation.
fn remaining(event: &LambdaEvent<Value>) -> Duration {
    let remaining = event.context.deadline().duration_since(SystemTime::now());
    remaining.unwrap_or(Duration::ZERO)
}

/// The stack's limits and switches, and the names under which the core knows them.
const LIMITS: [(&str, &str); 7] = [
    ("SPOT_RESCUE_KMS_KEYS", tags::KMS_KEYS),
    ("SPOT_RESCUE_INSTANCE_ROLES", tags::INSTANCE_ROLES),
    ("SPOT_RESCUE_ALLOWED_TYPES", tags::ALLOWED_TYPES),
    ("SPOT_RESCUE_ALLOWED_SUBNETS", tags::ALLOWED_SUBNETS),
    ("SPOT_RESCUE_TARGET_GROUPS", tags::ALLOWED_TARGET_GROUPS),
    ("SPOT_RESCUE_REHEARSAL", tags::REHEARSAL),
    ("SPOT_RESCUE_RECYCLE_BIN", tags::RECYCLE_BIN),
];

/// The values of the stack's parameters.
fn defaults() -> Tags {
    let parameter = |name| env::var(name).unwrap_or_default();
    let mut defaults = policy::parse_defaults(&parameter("SPOT_RESCUE_DEFAULTS"));
    let limits = LIMITS.map(|(name, key)| (key.to_owned(), parameter(name)));
    defaults.extend(limits);
    defaults
}

async fn invoke(
    handler: &Handler<Aws, WallClock>,
    event: LambdaEvent<Value>,
) -> Result<Value, Diagnostic> {
    let remaining = remaining(&event);
    handler
        .handle(event.payload, remaining)
        .await
        .map_err(|error| told(&error))
}

fn told(error: &HandlerError) -> Diagnostic {
    Diagnostic {
        error_type: error.name().to_owned(),
        error_message: error.to_string(),
    }
}

/// JSON lines, as `CloudWatch` Logs wants them, from the level that the function's logging
/// configuration names (`ApplicationLogLevel`): a filter by module would double the code for it.
fn log() {
    // Without the configuration the variable is not set; an empty level would mean errors only.
    let level = env::var("AWS_LAMBDA_LOG_LEVEL").ok();
    let level = level.and_then(|it| it.parse().ok());
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(level.unwrap_or(LevelFilter::INFO))
        .init();
}
