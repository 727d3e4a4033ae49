//! A rehearsal: what a warning would be refused is asked for while there is time to mend it.
//!
//! `DryRun` of what a warning sends, and whether what its launch needs is there. Once for each version of the prepared
//! rescue, and what was refused now and then again, so that it goes away by itself once it is mended. Whose turn it is
//! the sweep decides ([`due`]): a few lineages at a time, one call after the other, none while a rescue is young.

pub mod asked;
pub mod due;

use crate::error::launching::meaning;
use crate::plan::draft::Plan;
use crate::plan::facts::way::{self, Way};
use crate::plan::lineage::Lineage;
use crate::plan::volumes::root::gone;
use crate::record::{Caveat, Rehearsed};
use crate::situation::{Answer, Instance};
use crate::step::{Action, Step};
use crate::tags;
use std::collections::BTreeSet;

/// How its steps begin.
const STEP: &str = "rehearse ";

const IMAGE: &str = "image";

/// The stack's parameter says no.
#[must_use]
pub fn is_off(lineage: &Lineage) -> bool {
    let said = lineage.situation.defaults.get(tags::REHEARSAL);
    said.is_some_and(|it| it == "off")
}

/// If it is its turn, and nothing else is to be done.
pub fn plan(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let turn = &lineage.situation.rehearsing;
    let unknown = matches!(way::way(lineage), Way::Unknown(_));
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

/// What the record should say of it now.
#[must_use]
pub fn now(lineage: &Lineage) -> Rehearsed {
    let before = &lineage.record.rehearsed;
    let version = lineage.template().and_then(|it| it.versions());
    let answers = &lineage.situation.rehearsing.answers;
    let answered = !answers.is_empty() && answers.values().all(|it| *it != Answer::Unanswered);
    let whole = version.map(|it| (it.0, lineage.situation.now));
    let mut caveats: BTreeSet<Caveat> = kept(lineage, answered);
    caveats.extend(answers.iter().filter_map(|(step, answer)| {
        let Answer::Refused { code, .. } = answer else {
            return None;
        };
        Some(Caveat::new(step.strip_prefix(STEP)?, code))
    }));
    caveats.extend(gone::caveat(lineage).map(|_| Caveat::new(IMAGE, "gone")));
    Rehearsed::new(whole.filter(|_| answered).or(before.whole), caveats)
}

/// Of those on record, what was not asked for now. Once all has been answered, the rest is of a policy of the past.
fn kept(lineage: &Lineage, answered: bool) -> BTreeSet<Caveat> {
    let answers = &lineage.situation.rehearsing.answers;
    let asked_again = |it: &Caveat| {
        let mut answers = answers.iter().filter(|(_, it)| **it != Answer::Unanswered);
        answers.any(|(step, _)| Caveat::new(step.trim_start_matches(STEP), "").what == it.what)
    };
    let before = lineage.record.rehearsed.caveats.iter();
    let stays = |it: &&Caveat| {
        let unread = lineage.situation.images.known().is_none();
        let rehearsed = !is_off(lineage) && !answered && !asked_again(it);
        if it.what == IMAGE { unread } else { rehearsed }
    };
    before.filter(stays).cloned().collect()
}

/// In one line, when it is news.
pub fn tell(lineage: &Lineage, after: &Rehearsed, plan: &mut Plan) {
    let before = &lineage.record.rehearsed.caveats;
    let news = after.caveats.iter().filter(|it| !before.contains(it));
    let news: Vec<String> = news.map(|it| in_words(lineage, it)).collect();
    if !news.is_empty() {
        plan.note(format!(
            "a warning for {} would meet refusals: {}",
            lineage.situation.lineage,
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

/// What, AWS's code and words, and what to do.
fn in_words(lineage: &Lineage, caveat: &Caveat) -> String {
    let Caveat { what, code } = caveat;
    if what == IMAGE
        && let Some(text) = gone::caveat(lineage)
    {
        return text;
    }
    let answers = lineage.situation.rehearsing.answers.iter();
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
