//! Facts that every lineage of a batch is given whole. A new one is a field of [`Facts`], and a read here.

use super::{
    Scope, default_key, fact, fleets, interfaces, keys, prepared, requests, roots,
    termination_protected, types,
};
use crate::cloud::Cloud;
use crate::id::InstanceId;
use crate::situation::{Fact, Facts, Instance, Template};
use crate::tags::Tags;
use std::collections::BTreeSet;

pub async fn read(
    cloud: &dyn Cloud,
    scope: Scope,
    instances: &[Instance],
    templates: &Fact<Vec<Template>>,
    warned: &BTreeSet<InstanceId>,
    defaults: &Tags,
) -> Facts {
    let roots = roots::wanted(instances, templates, defaults);
    let fleets = fleets::wanted(instances, templates);
    let types = types::of(instances, templates, defaults);
    let replacements = prepared::replacements(instances, templates);
    let busy = interfaces::busy(instances, &replacements, warned);
    let requests = requests::wanted(instances, &replacements, templates);
    let (
        interfaces,
        images,
        root_tasks,
        fleets,
        shapes,
        requests,
        termination_protected,
        default_key,
        keys,
    ) = tokio::join!(
        interfaces::read(cloud, instances, &busy, templates, defaults),
        roots::images(cloud, instances, &replacements, &roots),
        roots::tasks(cloud, &roots),
        fleets::read(cloud, &fleets),
        types::shapes(cloud, scope, &types),
        cloud.requests(&requests),
        termination_protected::read(cloud, instances, templates, defaults),
        default_key::read(cloud, scope, warned),
        keys::read(cloud, scope, warned, defaults),
    );
    Facts {
        interfaces: fact(interfaces),
        images: fact(images),
        root_tasks,
        fleets: fact(fleets),
        shapes,
        requests: fact(requests),
        termination_protected,
        default_key,
        keys,
        ..Facts::default()
    }
}
