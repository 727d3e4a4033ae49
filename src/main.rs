//! The Lambda entry point: clients are built once, then every invocation goes to the handler.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use spot_rescue::aws::Aws;
use spot_rescue::clock::WallClock;
use spot_rescue::handler::{Handler, HandlerError};
use spot_rescue::policy;
use std::env;
use std::time::{Duration, SystemTime};
use tracing_subscriber::EnvFilter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log();
    let handler = Handler {
        cloud: Aws::connect(env::var("SPOT_RESCUE_QUEUE_URL").ok()).await,
        clock: WallClock,
        defaults: policy::parse_defaults(&env::var("SPOT_RESCUE_DEFAULTS").unwrap_or_default()),
        print: spot_rescue::report::print,
    };
    run(service_fn(|event: LambdaEvent<Value>| {
        invoke(&handler, event)
    }))
    .await
}

async fn invoke(
    handler: &Handler<Aws, WallClock>,
    event: LambdaEvent<Value>,
) -> Result<Value, HandlerError> {
    let remaining = event.context.deadline().duration_since(SystemTime::now());
    handler
        .handle(event.payload, remaining.unwrap_or(Duration::ZERO))
        .await
}

/// JSON lines, as `CloudWatch` Logs wants them.
fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .init();
}
