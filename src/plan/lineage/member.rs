//! What belongs to a lineage: not whatever says so.
//!
//! Anybody who may tag instances could tag one as the replacement of another's, and would be given its disks;
//! and anybody who may launch from a launch template could launch from the lineage's own. So a replacement is
//! an instance whose id our own launch call has returned: then its marks were sealed. A member of the lineage's
//! Auto Scaling group is one by the tag only Auto Scaling can set, and by the claim to it.

use crate::plan::lineage::claimed;
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

/// The first of a lineage gave it its name, the head is on record; all others bear a mark that we have sealed
/// for this very instance, or our launch has returned them and that is still to be done, or are claimed. Who has no
/// room for a mark is on record by its id.
pub fn belongs(instance: &Instance, situation: &Situation, record: &Record) -> bool {
    let launched = instance.tags.contains_key(tags::REPLACES)
        && (instance.sealed || situation.launched.contains(&instance.id));
    instance.id == situation.lineage
        || record.head.as_ref() == Some(&instance.id)
        || (launched && instance.lineage() == situation.lineage)
        || record.members.contains(&instance.id)
        || claimed::is_claimed(situation, instance)
}
