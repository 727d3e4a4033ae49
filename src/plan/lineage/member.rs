//! Who belongs to a lineage: not whoever says so.
//!
//! Anyone who may tag instances could tag his own as the replacement of another's, and would be given
//! its disks. What cannot be tagged is `aws:ec2launchtemplate:id`: EC2 sets it on what is launched from
//! a launch template, and a replacement is launched from the lineage's own. A member of the lineage's Auto
//! Scaling group is one by the tag only Auto Scaling can set, and by the claim to it.

use crate::plan::group;
use crate::record::Record;
use crate::situation::{Instance, Situation};
use crate::tags;

/// Oldest first. Launch times are whole seconds: of two, the one that replaces the other is the younger.
pub fn members<'a>(situation: &'a Situation, record: &Record) -> Vec<&'a Instance> {
    let belongs = |it: &&Instance| belongs(it, situation, record);
    let mut members: Vec<&Instance> = situation.instances.iter().filter(belongs).collect();
    let all = members.clone();
    members.sort_by_cached_key(|it| (it.launch_time, generation(it, &all), it.id.clone()));
    members
}

/// How many came before it, one replacing the other. Tags may be anybody's: a circle has an end, too.
fn generation(instance: &Instance, all: &[&Instance]) -> usize {
    let named = |id: &String| all.iter().find(|it| it.id.as_str() == id);
    let replaced = |it: &Instance| it.tags.get(tags::REPLACES).cloned();
    let chain = std::iter::successors(replaced(instance), |it| replaced(named(it)?));
    chain.take(all.len()).count()
}

/// The first of a lineage gave it its name, the head is on record; all others were launched from the
/// prepared rescue. Before that has been read, the instance's own note of it must agree with EC2's.
pub fn belongs(instance: &Instance, situation: &Situation, record: &Record) -> bool {
    let launched_from = instance.tags.get(tags::LAUNCHED_FROM);
    let prepared = match situation.template.known() {
        Some(Some(template)) => Some(template.id.as_str()),
        Some(None) | None => instance.tags.get(tags::PREPARED).map(String::as_str),
    };
    let ours = launched_from.is_some() && launched_from.map(String::as_str) == prepared;
    instance.id == situation.lineage
        || record.head.as_ref() == Some(&instance.id)
        || ours
        || group::is_claimed(situation, instance)
}
