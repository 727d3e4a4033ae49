//! While the record cannot be read, new targets are noted on the instance itself before they are deregistered.

use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::room;
use crate::record::{target_tags, targets_from};
use crate::situation::{Instance, Target};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};

pub fn note(lineage: &Lineage, plan: &mut Plan) {
    let Some(owner) = lineage.owner else {
        return;
    };
    let present = targets_from(&owner.tags);
    let new = |it: &Target| !present.contains(it);
    let leaves = |step: &Step| matches!(&step.action, Action::Deregister { targets, .. } if targets.iter().any(new));
    if !plan.steps.iter().any(leaves) {
        return;
    }
    let Some(note) = step(lineage, owner, &present) else {
        // Without room for the note, the targets are deregistered once the record can be read.
        plan.steps.retain(|it| !leaves(it));
        return;
    };
    let before = note.id.clone();
    for it in plan.steps.iter_mut().filter(|it| leaves(it)) {
        it.after.push(before.clone());
    }
    plan.steps.insert(0, note);
}

/// The note, if there is room for it.
fn step(lineage: &Lineage, owner: &Instance, present: &[Target]) -> Option<Step> {
    let record = lineage.record.targets.iter();
    let its = record.filter(|it| owner.answers_to(it));
    let mut all: Vec<Target> = its.chain(present).cloned().collect();
    all.sort();
    all.dedup();
    let differs = |(key, value): &(String, String)| owner.tags.get(key) != Some(value);
    let tags: Tags = target_tags(&all).into_iter().filter(differs).collect();
    // The tombstone needs a place, too.
    let mut wanted = tags.clone();
    wanted.insert(tags::INTERRUPTED_AT.to_owned(), String::new());
    room::takes_all(owner, &wanted).then(|| {
        let resources = vec![owner.id.to_string()];
        let id = format!("note targets of {}", owner.id);
        Step::new(id, Action::Tag { resources, tags })
    })
}
