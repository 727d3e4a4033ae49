//! Replacements that no mark leads to.
//!
//! Any caller with `CreateTags` can overwrite the mark of a replacement before its launch has been answered. EC2's own
//! tag, which names the launch template, still leads to it. It is asked for where it matters: a launch of this rescue
//! was refused, so the next request has another token, and EC2 would launch a second replacement.
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-instances-from-launch-template.html>

use super::merge::merge;
use crate::cloud::{Cloud, Query};
use crate::record::failed_pools_from;
use crate::situation::{Fact, Instance, Template};
use crate::tags;

/// Adds what was launched from the prepared rescues of these. A read that fails adds nothing: the marks lead to all but
/// a few.
pub async fn add(
    cloud: &dyn Cloud,
    instances: Vec<Instance>,
    templates: &Fact<Vec<Template>>,
) -> Vec<Instance> {
    let templates = templates.known().map(Vec::as_slice).unwrap_or_default();
    let searched = templates.iter().filter(|it| is_refused(it));
    let searched = searched.filter(|it| !is_shown(it, &instances));
    let query = Query::Tag {
        key: tags::LAUNCHED_FROM,
        values: searched.map(|it| it.id.to_string()).collect(),
    };
    if query.names_nothing() {
        return instances;
    }
    match cloud.instances(&query).await {
        Ok(launched) => merge(instances, launched, |it| it.id.clone()),
        Err(error) => {
            tracing::warn!(%error, "failed to read what was launched from the prepared rescues");
            instances
        }
    }
}

/// A launch of the rescue that is under way was refused. The count of launches outlives it.
fn is_refused(template: &Template) -> bool {
    let tags = &template.tags;
    let is_counted = tags.contains_key(tags::ATTEMPTS);
    let is_under_way =
        tags.contains_key(tags::INTERRUPTED_AT) || !failed_pools_from(tags).is_empty();
    template.ours && is_counted && is_under_way
}

/// The owner was launched from it too, if it is a replacement itself.
fn is_shown(template: &Template, instances: &[Instance]) -> bool {
    let head = template.tags.get(tags::HEAD).map(String::as_str);
    let launched = |it: &&Instance| {
        let from = it.tags.get(tags::LAUNCHED_FROM);
        from.is_some_and(|it| it == template.id.as_str()) && head != Some(it.id.as_str())
    };
    { instances.iter().filter(launched) }.any(Instance::is_alive)
}
