//! Termination protection of stand-ins.

use super::{fact, policies};
use crate::cloud::{Cloud, CloudError};
use crate::id::InstanceId;
use crate::situation::{Fact, Instance, Market, Template};
use crate::tags::{self, Tags};
use futures_util::future::join_all;
use std::collections::BTreeSet;

/// One call for each stand-in that is to return to Spot. For other instances no call is made.
pub async fn read(
    cloud: &dyn Cloud,
    instances: &[Instance],
    templates: &Fact<Vec<Template>>,
    defaults: &Tags,
) -> Fact<BTreeSet<InstanceId>> {
    let gives_way = |it: &&Instance| {
        let policy = policies::of(it, templates, defaults);
        let ours = it.is_alive() && it.tags.contains_key(tags::LAUNCHED);
        ours && it.market == Market::OnDemand && policy.return_to_spot.value.is_some()
    };
    let asked = instances.iter().filter(gives_way).map(|it| async move {
        let termination_protected = cloud.is_termination_protected(&it.id).await?;
        Ok(termination_protected.then(|| it.id.clone()))
    });
    let answers: Result<Vec<_>, CloudError> = join_all(asked).await.into_iter().collect();
    fact(answers.map(|it| it.into_iter().flatten().collect()))
}
