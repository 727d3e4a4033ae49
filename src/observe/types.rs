//! What instance types are like, where a policy depends on it.

use super::{Scope, fact, policies};
use crate::cloud::Cloud;
use crate::policy::Types;
use crate::situation::{Fact, Instance, Shape, Template};
use crate::tags::Tags;
use std::collections::BTreeSet;

/// The instances' own types and those they may be replaced by, where the policy names any.
pub fn of(instances: &[Instance], templates: &Fact<Vec<Template>>, defaults: &Tags) -> Vec<String> {
    let living = instances.iter().filter(|it| it.is_alive());
    let types = living.flat_map(|instance| {
        let policy = policies::of(instance, templates, defaults);
        let others = match policy.instance_types.value {
            Types::Named(names) if names.is_empty() => return Vec::new(),
            Types::Named(names) => names,
            Types::Like => Vec::new(),
        };
        [instance.instance_type.clone()]
            .into_iter()
            .chain(others)
            .collect()
    });
    let types: BTreeSet<String> = types.collect();
    types.into_iter().collect()
}

/// Types do not change: they are read with everything else, not while waiting.
pub async fn shapes(cloud: &dyn Cloud, scope: Scope, types: &[String]) -> Fact<Vec<Shape>> {
    if scope == Scope::Recorded || types.is_empty() {
        return Fact::NotRead;
    }
    fact(cloud.shapes(types).await)
}
