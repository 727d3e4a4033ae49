//! When the first looks at an interrupted instance are over, and what waits for that.

use crate::event::{Interruption, is_recent};
use crate::plan::draft::Plan;
use crate::plan::lineage::{Lineage, touched};
use crate::plan::marks::{missed, seen, tombstone};
use crate::record::{FirstLook, interruption_from};
use crate::situation::Template;
use crate::step::{Action, Step};
use crate::tags::{self, Tags};

const OVER: &str = "note that it was seen";

/// Writes into the record's tombstone how far the first look has come, after what it has noted. After a crash in
/// between, the next look is a first one again.
pub fn end(lineage: &Lineage, template: &Template, interruption: &Interruption, plan: &mut Plan) {
    let standing = template.tags.get(tags::INTERRUPTED_AT);
    let told = standing.and_then(|it| interruption_from(it));
    let told = told.filter(|it| it.instance == interruption.instance);
    let before = standing.filter(|_| told.is_some());
    let before = before.map_or(FirstLook::Open, |it| FirstLook::of(it));
    let reached = word(lineage, interruption);
    if reached > before {
        let text = reached.text(told.as_ref().unwrap_or(interruption));
        let tags = Tags::from([(tags::INTERRUPTED_AT.to_owned(), text)]);
        write(template, tags, plan);
    }
}

fn write(template: &Template, tags: Tags, plan: &mut Plan) {
    let noted = plan.steps.iter().any(|it| it.id == seen::STEP);
    let remembered = plan
        .steps
        .iter_mut()
        .find(|it| it.id == tombstone::REMEMBER);
    if let (false, Some(step)) = (noted, remembered)
        && let Action::Tag { tags: all, .. } = &mut step.action
    {
        all.extend(tags);
        return;
    }
    let before = [tombstone::REMEMBER, seen::STEP, seen::FORGET];
    let before = { before.iter() }.filter(|id| plan.steps.iter().any(|it| it.id == **id));
    let resources = vec![template.id.to_string()];
    let step = Step::new(OVER, Action::Tag { resources, tags });
    plan.step({ before }.fold(step, |step, id| step.after(id)));
}

/// How far the first look has come, as the record's tombstone should say.
pub fn word(lineage: &Lineage, interruption: &Interruption) -> FirstLook {
    let reached = reached(lineage);
    if reached == FirstLook::Open && missed::is(lineage, interruption) {
        FirstLook::Missed
    } else {
        reached
    }
}

/// How far the first look has come, by what has been read. Only a look with the warning is in time. What cannot be read
/// in three looks is not waited for.
pub fn reached(lineage: &Lineage) -> FirstLook {
    let (inputs, facts) = (lineage.inputs, lineage.facts);
    let head = lineage.record.head.as_ref();
    let warned = { inputs.notices.iter() }.any(|it| Some(&it.instance) == head);
    let read = facts.addresses.known().is_some() && facts.volumes.known().is_some();
    let read = read || inputs.late;
    let listed = head.is_some_and(|it| inputs.listed.contains(it));
    match (warned && read, listed || inputs.late) {
        (false, _) => FirstLook::Open,
        (true, false) => FirstLook::Seen,
        (true, true) => FirstLook::Listed,
    }
}

/// The first look has not come so far, and still may: without it, changes of the user since the last sweep would be
/// lost.
pub fn is_expected(look: FirstLook, lineage: &Lineage) -> bool {
    let Some(owner) = lineage.owner.filter(|it| touched::shows_everything(it)) else {
        return false;
    };
    let (inputs, record) = (lineage.inputs, &lineage.record);
    let recorded = record.interruption.as_ref();
    // First aid marks the instance and the record at once: of two calls one may have come to nothing.
    let marked = owner.tags.get(tags::INTERRUPTED_AT);
    let marked = marked.and_then(|it| interruption_from(it));
    let mut warnings = inputs.notices.iter().chain(recorded).chain(&marked);
    let warned = warnings
        .any(|it| it.instance == owner.id && !it.is_ours() && is_recent(it.at, lineage.now));
    let of_owner = recorded.is_some_and(|it| it.instance == owner.id);
    let written = if of_owner {
        record.first_look
    } else {
        FirstLook::Open
    };
    // Tags that AWS refuses are carried by the chain of wakes and written at the hand-over.
    let remembered = !inputs.unwritten.is_empty();
    let come = if remembered {
        written.max(reached(lineage))
    } else {
        written
    };
    warned && come < look
}
