//! Fleets that have launched protected instances: whether they replace what they lose.

use crate::cloud::{Class, Cloud, CloudError};
use crate::situation::{Fact, Fleet, Instance, Template};
use crate::tags;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long the other reads are kept waiting for it.
const PATIENCE: Duration = Duration::from_secs(3);

/// By the instances' own tags, and by the record once those have gone. Members of an Auto Scaling group, which launches
/// by fleets of its own, and what we have launched ourselves need no answer. For all others no call is made.
pub fn wanted(instances: &[Instance], templates: &Fact<Vec<Template>>) -> Vec<String> {
    let alone = instances.iter().filter(|it| it.group().is_none());
    let shown = alone.filter_map(Instance::fleet);
    let templates = templates.known().map(Vec::as_slice).unwrap_or_default();
    let recorded = templates.iter().filter_map(|it| it.tags.get(tags::FLEET));
    let ids: BTreeSet<&str> = shown.chain(recorded.map(String::as_str)).collect();
    ids.into_iter().map(str::to_owned).collect()
}

/// One that does not exist any more launches nothing: what is not in the answer was not asked for.
pub async fn read(cloud: &dyn Cloud, ids: &[String]) -> Result<Vec<Fleet>, CloudError> {
    let late = || CloudError {
        class: Class::Transient,
        ..CloudError::new("DescribeFleets", "Timeout", "no answer in time", None)
    };
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let answer = tokio::time::timeout(PATIENCE, cloud.fleets(ids)).await;
    let found = answer.unwrap_or_else(|_| Err(late()))?;
    let gone = ids.iter().filter(|id| found.iter().all(|it| it.id != **id));
    let gone = gone.map(|id| Fleet {
        id: id.clone(),
        maintains: false,
    });
    let gone: Vec<Fleet> = gone.collect();
    Ok(found.into_iter().chain(gone).collect())
}
