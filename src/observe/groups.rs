//! Auto Scaling groups that protected instances are members of.

use crate::cloud::{Cloud, CloudError, Query};
use crate::situation::{Fact, Group, Instance, Template};
use crate::tags;
use std::collections::BTreeSet;

/// The groups the lineages are members of: by the instances' own tags, and by the record once those
/// have gone. For all others no call is made.
pub fn names(instances: &[Instance], templates: &Fact<Vec<Template>>) -> Vec<String> {
    let shown = instances.iter().filter_map(Instance::group);
    let templates = templates.known().map(Vec::as_slice).unwrap_or_default();
    let recorded = templates.iter().filter_map(|it| it.tags.get(tags::GROUP));
    let names: BTreeSet<&str> = shown.chain(recorded.map(String::as_str)).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// The group of one lineage: by the record, or by the owner's own tag, which only Auto Scaling sets. A detached
/// instance has lost that, a terminated one loses all. What another instance shows that says it belongs to the
/// lineage is no group of the lineage's.
pub fn name_of(owner: Option<&Instance>, record: Option<&Template>) -> Option<String> {
    let recorded = record.and_then(|it| it.tags.get(tags::GROUP)).cloned();
    recorded.or_else(|| owner.and_then(Instance::group).map(str::to_owned))
}

/// The groups, their members as EC2 shows them, and the rescues of all of them.
pub async fn read(cloud: &dyn Cloud, names: &[String]) -> Result<Vec<Group>, CloudError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let tagged = |key| Query::Tag {
        key,
        values: names.to_vec(),
    };
    let (of_members, of_rescues) = (tagged(tags::GROUP_MEMBER), tagged(tags::GROUP));
    let (scaling, instances, templates) = tokio::try_join!(
        cloud.groups(names),
        cloud.instances(&of_members),
        cloud.templates(&of_rescues),
    )?;
    let group = |scaling: crate::situation::AutoScalingGroup| {
        let member = |it: &&Instance| it.group() == Some(scaling.name.as_str());
        let rescue = |it: &&Template| it.tags.get(tags::GROUP) == Some(&scaling.name);
        Group {
            instances: instances.iter().filter(member).cloned().collect(),
            templates: templates.iter().filter(rescue).cloned().collect(),
            scaling,
        }
    };
    Ok(scaling.into_iter().map(group).collect())
}
