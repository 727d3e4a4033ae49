//! Each read has a time limit of its own, so that one listing without end (TRAP 47) does not block the other reads.

use crate::cloud::CloudError;
use std::time::Duration;

/// Time for an attempt without an answer and a second one; two rounds of reads, one after the other, fit into an
/// invocation.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

pub async fn within<T>(
    operation: &'static str,
    reading: impl Future<Output = Result<T, CloudError>>,
) -> Result<T, CloudError> {
    let answer = tokio::time::timeout(ANSWERED_WITHIN, reading).await;
    answer.unwrap_or_else(|_| Err(late(operation)))
}

fn late(operation: &'static str) -> CloudError {
    let message = format!(
        "not finished within {} s; planning without it",
        ANSWERED_WITHIN.as_secs()
    );
    CloudError::too_long(operation, &message)
}
