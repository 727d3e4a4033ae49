//! Auto Scaling groups that protected instances are members of.

use crate::cloud::{Cloud, CloudError, Query};
use crate::situation::{Group, Instance, Template};
use crate::tags::{self, template_names};
use std::collections::BTreeSet;

/// The group of one lineage: by the record, or by the owner's own tag, which only Auto Scaling sets. A detached
/// instance has lost that tag, a terminated one loses all. The tags of other instances that claim to belong to the
/// lineage do not count.
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
    let taken = taken(cloud, &instances, &templates).await?;
    let group = |scaling: crate::situation::AutoScalingGroup| {
        let member = |it: &&Instance| it.group() == Some(scaling.name.as_str());
        let rescue = |it: &&Template| it.tags.get(tags::GROUP) == Some(&scaling.name);
        Group {
            instances: instances.iter().filter(member).cloned().collect(),
            templates: templates.iter().filter(rescue).cloned().collect(),
            taken: taken.clone(),
            scaling,
        }
    };
    Ok(scaling.into_iter().map(group).collect())
}

/// Of members without a template of ours, the names that foreign templates bear.
async fn taken(
    cloud: &dyn Cloud,
    members: &[Instance],
    templates: &[Template],
) -> Result<BTreeSet<String>, CloudError> {
    let has = |it: &Instance| {
        let names = template_names(&it.id);
        templates.iter().any(|it| names.contains(&it.name))
    };
    let unnamed = members.iter().filter(|it| it.is_alive() && !has(it));
    let names: Vec<String> = unnamed.flat_map(|it| template_names(&it.id)).collect();
    if names.is_empty() {
        return Ok(BTreeSet::new());
    }
    let found = cloud.templates(&Query::Names(names)).await?;
    let foreign = found.into_iter().filter(|it| !it.ours);
    Ok(foreign.map(|it| it.name).collect())
}
