//! Fleets that have launched protected instances: whether they replace what they lose.

use crate::cloud::{Cloud, CloudError};
use crate::situation::Fleet;
use std::time::Duration;

/// How long the other reads wait for this one.
const READ_WITHIN: Duration = Duration::from_secs(3);

/// A fleet that is not in the answer does not exist any more, and launches nothing.
pub async fn read(cloud: &dyn Cloud, ids: &[String]) -> Result<Vec<Fleet>, CloudError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let answer = tokio::time::timeout(READ_WITHIN, cloud.fleets(ids)).await;
    let found = answer.unwrap_or_else(|_| Err(CloudError::no_answer("DescribeFleets")))?;
    let gone = ids.iter().filter(|id| found.iter().all(|it| it.id != **id));
    let gone = gone.map(|id| Fleet {
        id: id.clone(),
        maintains: false,
    });
    let gone: Vec<Fleet> = gone.collect();
    Ok(found.into_iter().chain(gone).collect())
}
