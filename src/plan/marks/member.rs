//! How a replacement is proved to be ours: by sealed tags, or by the record if it has no room for them.

use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::{own, room};
use crate::record::member_tags;
use crate::situation::Instance;
use crate::step::{Action, Step};
use crate::tags;

/// Seals the tags of a replacement for its own id: those it was launched with could be copied. A replacement without
/// room for the seals goes on record by its id.
pub fn seal(lineage: &Lineage, replacement: &Instance, plan: &mut Plan) {
    if room::is_tight(lineage, replacement) {
        loosen(lineage, replacement, plan);
        return;
    }
    // Without the lineage's mark it is not found by it: another caller has overwritten that.
    let is_marked = replacement.sealed && !replacement.placed;
    let replaces = replacement.tags.get_key_value(tags::REPLACES);
    let (Some((key, value)), false) = (replaces, is_marked) else {
        return;
    };
    let mut tags = own::own(lineage);
    tags.insert(key.clone(), value.clone());
    let resources = vec![replacement.id.to_string()];
    let id = format!("seal {}", replacement.id);
    plan.step(Step::new(id, Action::Tag { resources, tags }));
}

/// A replacement without room goes on record by its id, and its seals are removed: they are written right after the
/// launch, before its tags have been counted. Returns the step after which there is room.
pub fn loosen(lineage: &Lineage, replacement: &Instance, plan: &mut Plan) -> Option<String> {
    let id = format!("unseal {}", replacement.id);
    if plan.steps.iter().any(|it| it.id == id) {
        return Some(id);
    }
    let listed = enlist(lineage, replacement, plan);
    if !replacement.sealed || (listed.is_none() && !is_listed(lineage, replacement)) {
        return None;
    }
    let action = Action::Untag {
        resources: vec![replacement.id.to_string()],
        keys: room::seals(),
    };
    let step = Step::new(&id, action);
    plan.step(listed.iter().fold(step, |step, listed| step.after(listed)));
    Some(id)
}

fn is_listed(lineage: &Lineage, replacement: &Instance) -> bool {
    lineage.record.members.contains(&replacement.id)
}

fn enlist(lineage: &Lineage, replacement: &Instance, plan: &mut Plan) -> Option<String> {
    if is_listed(lineage, replacement) {
        return None;
    }
    let template = lineage.template()?;
    let mut members = lineage.record.members.clone();
    members.push(replacement.id.clone());
    let id = format!("enlist {}", replacement.id);
    if plan.steps.iter().any(|it| it.id == id) {
        return Some(id);
    }
    let action = Action::Tag {
        resources: vec![template.id.to_string()],
        tags: member_tags(&members),
    };
    plan.step(Step::new(&id, action));
    Some(id)
}
