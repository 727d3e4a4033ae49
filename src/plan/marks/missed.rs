//! An interruption that is found late, and of which nothing was written down. Either no event has come, or AWS has
//! refused tags since: then a chain of wakes carries what the first look saw, and this rescue waits for it.

use crate::clock::Timestamp;
use crate::event::Interruption;
use crate::plan::draft::Plan;
use crate::plan::facts::spot_request;
use crate::plan::lineage::Lineage;
use crate::record::FirstLook;
use crate::situation::Fact;
use crate::tags;
use time::Duration;

/// An interruption is missed if nothing is written down of it after so long.
const LATE: Duration = Duration::minutes(5);

/// A chain of wakes that carries what could not be written looks again after so many seconds at most.
pub const REMEMBERED: u16 = 300;

/// By then that chain has looked again.
const COMES: Duration = Duration::seconds(REMEMBERED as i64 + 60);

/// The interruption is missed, as far as this look knows. A chain of wakes that started with the warning has missed
/// nothing.
pub fn is(lineage: &Lineage, interruption: &Interruption) -> bool {
    let of_this = |it: &Interruption| it.instance == interruption.instance;
    if interruption.is_ours() || lineage.inputs.notices.iter().any(of_this) {
        return false;
    }
    if lineage.record.interruption.as_ref().is_some_and(of_this) {
        return lineage.record.first_look == FirstLook::Missed;
    }
    ended(lineage, interruption).is_some_and(|it| lineage.now - it > LATE)
}

/// Only the end of the instance is known, and its Spot Instance request, which tells the time, has not been read yet.
pub fn is_unclear(lineage: &Lineage, interruption: &Interruption) -> bool {
    let of_this = |it: &Interruption| it.instance == interruption.instance;
    let mut told = { lineage.inputs.notices.iter() }.chain(&lineage.record.interruption);
    let tombstone = lineage.member(&interruption.instance);
    let tombstone = tombstone.and_then(|it| it.tags.get(tags::INTERRUPTED_AT));
    !told.any(of_this) && tombstone.is_none() && matches!(lineage.facts.requests, Fact::NotRead)
}

/// When the instance ended: EC2 shows a time with the Spot Instance request, not with the state reason.
fn ended(lineage: &Lineage, interruption: &Interruption) -> Option<Timestamp> {
    let request = spot_request::end(lineage, &interruption.instance);
    let tombstone = lineage.member(&interruption.instance);
    let tombstone = tombstone.is_some_and(|it| it.tags.contains_key(tags::INTERRUPTED_AT));
    let told = Some(interruption.at).filter(|_| tombstone);
    request.and_then(|it| it.at).or(told)
}

/// The successor gets nothing until a chain of wakes that may carry more has looked again since the record can be
/// written.
pub fn is_waited_for(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) -> bool {
    if !is(lineage, interruption) {
        return false;
    }
    let what = "what an earlier look may have seen and could not write down";
    // Only a tombstone that AWS shows counts, not one that this chain of wakes has still to write.
    let standing = lineage
        .template()
        .and_then(|it| it.tags.get(tags::INTERRUPTED_AT));
    if standing.is_none_or(|it| FirstLook::of(it) != FirstLook::Missed) {
        plan.wait(5, what);
        return true;
    }
    let seen = format!("{} not noted", interruption.instance);
    !plan.confirmed_for(COMES, lineage, seen, what)
}
