//! Fleets that have launched protected instances: whether they replace what they lose.

use crate::cloud::{Cloud, CloudError};
use crate::situation::{Fact, Fleet, Instance, Template};
use crate::tags;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long the other reads wait for this one.
const READ_WITHIN: Duration = Duration::from_secs(3);

/// By the instances' own tags, and by the record once those have gone. No call is needed for members of an Auto
/// Scaling group, which launches by fleets of its own, for what we have launched ourselves, or for instances without
/// a fleet.
pub fn wanted(instances: &[Instance], templates: &Fact<Vec<Template>>) -> Vec<String> {
    let alone = instances.iter().filter(|it| it.group().is_none());
    let shown = alone.filter_map(Instance::fleet);
    let templates = templates.known().map(Vec::as_slice).unwrap_or_default();
    let recorded = templates.iter().filter_map(|it| it.tags.get(tags::FLEET));
    let ids: BTreeSet<&str> = shown.chain(recorded.map(String::as_str)).collect();
    ids.into_iter().map(str::to_owned).collect()
}

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
