//! A rehearsal finds out what AWS would refuse at a warning, while there is time to change it.
//!
//! It sends the requests of a warning with `DryRun` and checks that what the launch needs exists: once for each launch
//! template version, and again every few hours while something is refused, so that the note goes away once the cause is
//! gone. The sweep decides which lineages rehearse ([`due`]): a few at a time, one call after the other, and none while
//! a rescue is young.

pub mod asked;
pub mod due;

use crate::error::launching::meaning;
use crate::plan::draft::Plan;
use crate::plan::facts::launcher::{self, Launcher};
use crate::plan::lineage::Lineage;
use crate::plan::volumes::root::gone;
use crate::plan::volumes::unusable;
use crate::record::{Caveat, Rehearsed};
use crate::situation::{Answer, Instance};
use crate::step::{Action, Step};
use crate::tags;
use std::collections::BTreeSet;

/// The ids of its steps begin so.
const STEP: &str = "rehearse ";

const IMAGE: &str = "image";

/// The stack's parameter switches rehearsals off.
#[must_use]
pub fn is_off(lineage: &Lineage) -> bool {
    let said = lineage.inputs.defaults.get(tags::REHEARSAL);
    said.is_some_and(|it| it == "off")
}

/// Rehearses if the sweep has chosen the lineage and the plan has no other step.
pub fn plan(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let turn = &lineage.inputs.rehearsing;
    let unknown = matches!(launcher::launcher(lineage), Launcher::Unknown(_));
    let busy = unknown || !plan.steps.is_empty() || lineage.risk(owner).is_some();
    if !turn.due || !turn.answers.is_empty() || busy || is_off(lineage) {
        return;
    }
    let mut last: Option<String> = None;
    for (what, rehearsal) in asked::all(lineage, owner) {
        let step = Step::new(format!("{STEP}{what}"), Action::Rehearse(rehearsal));
        let id = step.id.clone();
        plan.step(last.iter().fold(step, |step, last| step.after(last)));
        last = Some(id);
    }
}

/// The recorded result of the rehearsal, as it should be now.
#[must_use]
pub fn now(lineage: &Lineage) -> Rehearsed {
    let before = &lineage.record.rehearsed;
    let version = lineage.template().and_then(|it| it.versions());
    let answers = &lineage.inputs.rehearsing.answers;
    let answered = !answers.is_empty() && answers.values().all(|it| *it != Answer::Unanswered);
    let whole = version.map(|it| (it.0, lineage.now));
    let mut caveats: BTreeSet<Caveat> = kept(lineage, answered);
    caveats.extend(answers.iter().filter_map(|(step, answer)| {
        let Answer::Refused { code, .. } = answer else {
            return None;
        };
        Some(Caveat::new(step.strip_prefix(STEP)?, code))
    }));
    caveats.extend(gone::caveat(lineage).map(|_| Caveat::new(IMAGE, "gone")));
    caveats.extend(unusable::caveats(lineage));
    Rehearsed::new(whole.filter(|_| answered).or(before.whole), caveats)
}

/// The recorded refusals that were not requested now. Once everything has been answered, the others come from an
/// earlier policy and are dropped.
fn kept(lineage: &Lineage, answered: bool) -> BTreeSet<Caveat> {
    let answers = &lineage.inputs.rehearsing.answers;
    let asked_again = |it: &Caveat| {
        let mut answers = answers.iter().filter(|(_, it)| **it != Answer::Unanswered);
        answers.any(|(step, _)| Caveat::new(step.trim_start_matches(STEP), "").what == it.what)
    };
    let before = lineage.record.rehearsed.caveats.iter();
    let stays = |it: &&Caveat| {
        if let Some(stays) = unusable::stays(lineage, it) {
            return stays;
        }
        let unread = lineage.facts.images.known().is_none();
        let rehearsed = !is_off(lineage) && !answered && !asked_again(it);
        if it.what == IMAGE { unread } else { rehearsed }
    };
    before.filter(stays).cloned().collect()
}

/// Notes new refusals, and those that are over, in one line each.
pub fn tell(lineage: &Lineage, after: &Rehearsed, plan: &mut Plan) {
    let before = &lineage.record.rehearsed.caveats;
    let news = after.caveats.iter().filter(|it| !before.contains(it));
    let news: Vec<String> = news.map(|it| in_words(lineage, it)).collect();
    if !news.is_empty() {
        plan.note(format!(
            "a warning for {} would meet refusals: {}",
            lineage.id,
            news.join("; ")
        ));
    }
    let over = |it: &&Caveat| after.caveats.iter().all(|now| now.what != it.what);
    let over: Vec<&str> = { before.iter().filter(over) }
        .map(|it| it.what.as_str())
        .collect();
    if !over.is_empty() {
        plan.note(format!("no longer refused: {}", over.join(" ")));
    }
}

/// The part that is refused, AWS's code and message, and what to do.
fn in_words(lineage: &Lineage, caveat: &Caveat) -> String {
    let Caveat { what, code } = caveat;
    if what == IMAGE
        && let Some(text) = gone::caveat(lineage)
    {
        return text;
    }
    if let Some(text) = unusable::told(lineage, caveat) {
        return text;
    }
    let answers = lineage.inputs.rehearsing.answers.iter();
    let mut said = answers.filter_map(|(step, answer)| match answer {
        Answer::Refused {
            operation, message, ..
        } if Caveat::new(step.trim_start_matches(STEP), "").what == *what => {
            Some(format!("{operation} {code}: {message}"))
        }
        Answer::Refused { .. } | Answer::Allowed | Answer::Unanswered => None,
    });
    let said = said.next().unwrap_or_else(|| code.clone());
    format!("{what}: {said}; {}", meaning(code).advice)
}
