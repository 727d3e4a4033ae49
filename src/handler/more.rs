//! Further messages of the queue, received by the function itself beside a full batch.
//!
//! A mapping without a batching window delivers a message at once, and ten together at most. With a window it
//! may wait twenty seconds on a quiet queue, which ours is when a single instance is interrupted (TRAP 41). But
//! in a mass reclaim larger batches mean fewer calls: a batch is described in one call and leaves each target
//! group in one call. So an invocation that is handed ten messages looks for more of them.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>

use crate::cloud::{Cloud, Message};
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::timeout;

/// The most that a mapping without a batching window delivers, and that SQS hands out or deletes in one call.
const FULL: usize = 10;
/// Beside a full batch: with it, a hundred.
const MORE: usize = 9;
/// A queue that does not answer must not delay a rescue. What it has handed out is delivered again later.
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);

/// None unless the batch was full.
pub async fn receive(cloud: &impl Cloud, delivered: usize) -> Vec<Message> {
    if delivered < FULL {
        return Vec::new();
    }
    let calls = (0..MORE).map(|_| timeout(ANSWERED_WITHIN, cloud.receive()));
    let mut all = Vec::new();
    for answer in join_all(calls).await {
        match answer {
            Ok(Ok(messages)) => all.extend(messages),
            Ok(Err(error)) => {
                tracing::warn!(%error, "received no more messages; Lambda delivers them");
            }
            Err(_) => tracing::warn!("the queue did not answer; Lambda delivers its messages"),
        }
    }
    all
}

/// Deletes those handled, that is all but the failed. A message that cannot be deleted is delivered, and looked at,
/// once more.
pub async fn delete(cloud: &impl Cloud, received: &[Message], failed: &BTreeSet<String>) {
    let handled = received.iter().filter(|it| !failed.contains(&it.id));
    let receipts: Vec<String> = handled.map(|it| it.receipt.clone()).collect();
    let calls = receipts.chunks(FULL);
    let calls = calls.map(|it| timeout(ANSWERED_WITHIN, cloud.delete(it)));
    for answer in join_all(calls).await {
        match answer {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "deleted no messages; they are delivered once more, which does no harm");
            }
            Err(_) => {
                tracing::warn!("the queue did not answer; its messages are delivered once more");
            }
        }
    }
}
