//! Situation -> [`Plan`]: every decision of a rescue, pure and deterministic.
//!
//! Nothing here awaits, reads a clock or calls AWS. The plan is computed anew from the situation at each look, so
//! there is no stored program counter: a step that AWS shows as done is not planned again, a missing one is.

mod capacity;
mod course;
mod draft;
mod facts;
mod group;
mod lineage;
mod marks;
mod network;
pub mod pace;
mod phase;
pub mod reads;
mod traffic;
mod volumes;

pub use capacity::launch::COUNT;
pub use capacity::launch::request::mismatch;
pub use course::progress::STEP as NOTED;
pub use course::rehearsal::due::due as rehearsals;
pub use course::standstill::REPLACED;
pub use course::sweep::{Expired, expired, on_record, wakes};
pub use draft::Plan;
pub use lineage::Lineage;
pub use marks::missed::REMEMBERED;
pub use marks::seen::STEP as SEEN;
pub use marks::tombstone::REMEMBER;
pub use phase::{Phase, phase};
pub(crate) use volumes::snapshot;

use crate::clock::Timestamp;
use crate::plan::course::return_to_spot::hand_back;
use crate::plan::course::{close, opted_out, pause, prepare, rescue, standstill, tidy, vanished};
use crate::plan::group::{claim, warnings};
use crate::plan::lineage::claimed;
use crate::plan::marks::seen::unread;
use crate::plan::marks::tombstone;
use crate::plan::volumes::root;
use crate::situation::{Fact, Instance, Situation};
use crate::tags;

/// The first pass of a warning: every protective step that needs only the instance's own description, so that it is
/// sent in the second round trip.
pub fn first_aid(situation: &Situation) -> Plan {
    let lineage = Lineage::of(situation);
    match phase(&lineage) {
        Phase::Rescue(interruption) => rescue::first_aid(&lineage, &interruption),
        Phase::StoppedByEc2(interruption) | Phase::Overdue(interruption) => {
            pause::first_aid(&lineage, &interruption)
        }
        Phase::Unprotected(_)
        | Phase::Healthy
        | Phase::Restarted(_)
        | Phase::ReturningToSpot(_)
        | Phase::ReturnCancelled(_)
        | Phase::Ended(_)
        | Phase::Vanished(_) => Plan::default(),
    }
}

/// The instance cannot be read: the volumes and interfaces that the record names are protected.
pub fn unseen(situation: &Situation) -> Plan {
    let lineage = Lineage::of(situation);
    match phase(&lineage) {
        Phase::Rescue(interruption) => rescue::unseen(&lineage, &interruption),
        Phase::Unprotected(_)
        | Phase::StoppedByEc2(_)
        | Phase::Overdue(_)
        | Phase::Healthy
        | Phase::Restarted(_)
        | Phase::ReturningToSpot(_)
        | Phase::ReturnCancelled(_)
        | Phase::Ended(_)
        | Phase::Vanished(_) => Plan::default(),
    }
}

/// All steps that are still missing.
pub fn plan(situation: &Situation) -> Plan {
    let lineage = Lineage::of(situation);
    if let Fact::Unavailable { operation, why } = &situation.facts.template {
        return without_record(situation, operation, why);
    }
    if let Some(rescue) = claimed::claimed_by(situation) {
        let mut plan = Plan::default();
        claim::wake_rescue(&rescue, &lineage, &mut plan);
        return plan;
    }
    if let Some(other) = &situation.facts.part_of {
        return Plan::nothing(format!("{} belongs to {other}", situation.lineage));
    }
    let phase = phase(&lineage);
    let owner = lineage.owner.filter(|_| phase == Phase::Healthy);
    let since = since(&lineage, &phase);
    let mut plan = match phase {
        Phase::Unprotected(why) => return opted_out::plan(&lineage, why),
        Phase::Ended(why) => tidy::ended(&lineage, why),
        Phase::Vanished(why) => vanished::plan(&lineage, &why),
        Phase::Healthy => prepare::plan(&lineage),
        Phase::StoppedByEc2(interruption) => pause::plan(&lineage, &interruption),
        Phase::Overdue(interruption) => pause::restore(&lineage, &interruption),
        Phase::Restarted(interruption) => pause::returned(&lineage, &interruption),
        Phase::ReturningToSpot(interruption) => hand_back::relieve(&lineage, &interruption),
        Phase::ReturnCancelled(interruption) => hand_back::stay(&lineage, &interruption),
        Phase::Rescue(interruption) => rescue::plan(&lineage, &interruption),
    };
    // The work after a hand-over starts with it, however long the rescue has taken.
    plan.since = since.filter(|_| !plan.steps.iter().any(|it| it.id == close::STEP));
    strangers(&lineage, &mut plan);
    if let Some(owner) = owner {
        plan.warnings = warnings::warnings(&lineage, owner);
    }
    plan.warnings.extend(root::warning(&lineage));
    plan.warnings.extend(lineage.warnings);
    plan
}

/// A rescue begins with the interruption, and anew with each replacement.
fn since(lineage: &Lineage, phase: &Phase) -> Option<Timestamp> {
    let (Phase::Rescue(interruption) | Phase::Overdue(interruption)) = phase else {
        // What the previous rescue still owes started with its interruption.
        return { lineage.record.owed.as_ref() }.map(|it| it.interruption.at);
    };
    let launched = lineage.successor.map(|it| it.launch_time);
    launched.max(Some(interruption.at))
}

/// The two minutes of a warning, and the time an instance takes to shut down.
const WARNED: time::Duration = time::Duration::seconds(180);

/// An instance with tags of this lineage that the function has not launched gets no volume and no address, and is
/// reported. A replacement of ours may look like that for a moment, until its launch has been answered.
fn strangers(lineage: &Lineage, plan: &mut Plan) {
    let (id, now) = (&lineage.id, lineage.now);
    let settled = |it: &&Instance| now - it.launch_time > time::Duration::MINUTE;
    // A replacement may get a warning before its launch has been answered: the warning must not be lost.
    let warned = |it: &&Instance| {
        let mut notices = lineage.inputs.notices.iter();
        notices.any(|notice| notice.instance == it.id && now - notice.at < WARNED)
    };
    for stranger in lineage.strangers().filter(warned) {
        plan.wait(
            pace::answer(stranger.launch_time, now),
            format!("{} to be known as a replacement of {id}", stranger.id),
        );
    }
    for stranger in lineage.strangers().filter(settled) {
        plan.note(format!(
            "{} looks like a replacement of {id}, but no launch of ours has returned it: it gets no volume and no \
             address; end it, or remove the tags",
            stranger.id
        ));
    }
    if let Some(template) = lineage.template()
        && !template.unproven.is_empty()
    {
        plan.note(format!(
            "tags of {} are not what the function wrote: {}; what they said is lost until the rescue is prepared \
             anew; find out what writes them",
            template.id,
            template.unproven.join(" ")
        ));
    }
    for member in &lineage.members {
        let planted = |it: &&String| *it == tags::INTERRUPTED_AT;
        if member.unproven.iter().any(|it| planted(&it)) {
            plan.note(format!(
                "{} has the tag {} that the function has not written: it does not count; find out what \
                 writes it",
                member.id,
                tags::INTERRUPTED_AT
            ));
        }
    }
}

/// The record cannot be read: protective steps are taken, and nothing is concluded from what is missing.
fn without_record(situation: &Situation, operation: &str, why: &str) -> Plan {
    let mut plan = first_aid(situation);
    let what = format!("{operation}: {why}");
    let lineage = Lineage::of(situation);
    let phase = phase(&lineage);
    if let Phase::Rescue(interruption) = &phase {
        tombstone::remember_unread(&lineage, interruption, &mut plan);
    }
    unread::note(&lineage, &mut plan);
    if let Phase::Rescue(interruption) | Phase::Overdue(interruption) = &phase {
        standstill::unread(&lineage, interruption, &what, &mut plan);
    }
    plan.wait(5, format!("the prepared rescue to be readable ({what})"));
    plan
}
