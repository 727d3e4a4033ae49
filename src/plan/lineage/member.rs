//! Which instances belong to a lineage: a tag alone proves nothing.
//!
//! A user who may tag instances could tag one as the replacement of another, and it would get the other's volumes; a
//! user who may launch from launch templates could use the lineage's. So an instance is a replacement only if our own
//! launch call has returned its id: its tags were then sealed. A member of the lineage's Auto Scaling group is told by
//! the tag that only Auto Scaling can set, and by the claim.

use crate::plan::lineage::claimed;
use crate::record::Record;
use crate::situation::{Instance, Situation};
use crate::tags;

/// The members, oldest first. Launch times have whole seconds: of two, the one that replaces the other is younger.
pub fn members<'a>(situation: &'a Situation, record: &Record) -> Vec<&'a Instance> {
    let belongs = |it: &&Instance| belongs(it, situation, record);
    let mut members: Vec<&Instance> = situation.facts.instances.iter().filter(belongs).collect();
    let all = members.clone();
    members.sort_by_cached_key(|it| (it.launch_time, generation(it, &all), it.id.clone()));
    members
}

/// How many instances came before, each replaced by the next. The count is bounded, because tags may name each other in
/// a circle.
fn generation(instance: &Instance, all: &[&Instance]) -> usize {
    let named = |id: &String| all.iter().find(|it| it.id.as_str() == id);
    let replaced = |it: &Instance| it.tags.get(tags::REPLACES).cloned();
    let chain = std::iter::successors(replaced(instance), |it| replaced(named(it)?));
    chain.take(all.len()).count()
}

/// A member is the first instance, which gives the lineage its name, or the recorded owner, or a replacement with a tag
/// sealed for this very instance, or one that a launch has just returned, or a claimed one. A member without room for a
/// tag is on record by its id.
pub fn belongs(instance: &Instance, situation: &Situation, record: &Record) -> bool {
    let launched = instance.tags.contains_key(tags::REPLACES)
        && (instance.sealed || situation.inputs.launched.contains(&instance.id));
    instance.id == situation.lineage
        || record.head.as_ref() == Some(&instance.id)
        || (launched && instance.lineage() == situation.lineage)
        || record.members.contains(&instance.id)
        || claimed::is_claimed(&situation.lineage, &situation.facts, instance)
}
