//! What a batch is reconciled with, and how much of the invocation is left.

use crate::clock::Clock;
use crate::cloud::{Cloud, CloudError};
use crate::tags::Tags;
use std::time::Duration;
use tokio::time::Instant;

/// So much of an invocation is left for the messages that go on with it.
const FOR_WAKES: Duration = Duration::from_secs(2);

/// What the reconciler works with.
pub struct Context<'a> {
    pub cloud: &'a dyn Cloud,
    pub clock: &'a dyn Clock,
    /// The stack's policy defaults.
    pub defaults: &'a Tags,
    /// The moment by which everything must have come to an end.
    pub deadline: Instant,
}

/// Why a trigger has to be delivered again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    pub why: String,
}

/// Reads come one after the other, each with a timeout of its own: together they may take longer than an
/// invocation has, and one that is cut short sends no wake.
pub async fn before_the_deadline<T>(
    context: &Context<'_>,
    reading: impl Future<Output = Result<T, CloudError>>,
) -> Result<T, CloudError> {
    let until = left(context).saturating_sub(FOR_WAKES);
    let answer = tokio::time::timeout(until, reading).await;
    answer.unwrap_or_else(|_| Err(CloudError::no_answer("DescribeInstances and others")))
}

pub fn left(context: &Context<'_>) -> Duration {
    context.deadline.saturating_duration_since(Instant::now())
}
