//! An interruption that is found out late, and that nothing has written down. Either no event of it has come, or AWS
//! has taken no tags since: then a chain of wakes remembers what the first look saw, and is to come first.

use crate::clock::Timestamp;
use crate::event::Interruption;
use crate::plan::draft::Plan;
use crate::plan::facts::spot_request;
use crate::plan::lineage::Lineage;
use crate::record::FirstLook;
use crate::situation::Fact;
use crate::tags;
use time::Duration;

/// Whatever is told of an interruption later than this has been kept from being written down before.
const LATE: Duration = Duration::minutes(5);

/// What one chain of wakes alone remembers is looked into after so many seconds at the latest.
pub const REMEMBERED: u16 = 300;

/// So that chain has had its turn.
const COMES: Duration = Duration::seconds(REMEMBERED as i64 + 60);

/// By what this look knows. Whatever has the warning remembers all that there is to remember.
pub fn is(lineage: &Lineage, interruption: &Interruption) -> bool {
    let of_this = |it: &Interruption| it.instance == interruption.instance;
    if interruption.is_ours() || lineage.situation.notices.iter().any(of_this) {
        return false;
    }
    if lineage.record.interruption.as_ref().is_some_and(of_this) {
        return lineage.record.first_look == FirstLook::Missed;
    }
    ended(lineage, interruption).is_some_and(|it| lineage.situation.now - it > LATE)
}

/// No more is known of an interruption than that the instance has ended, and the request that tells when is yet to be
/// read.
pub fn is_unclear(lineage: &Lineage, interruption: &Interruption) -> bool {
    let of_this = |it: &Interruption| it.instance == interruption.instance;
    let mut told = { lineage.situation.notices.iter() }.chain(&lineage.record.interruption);
    let tombstone = lineage.member(&interruption.instance);
    let tombstone = tombstone.and_then(|it| it.tags.get(tags::INTERRUPTED_AT));
    !told.any(of_this) && tombstone.is_none() && matches!(lineage.situation.requests, Fact::NotRead)
}

/// EC2 shows no time with the reason why an instance has ended; its request has one.
fn ended(lineage: &Lineage, interruption: &Interruption) -> Option<Timestamp> {
    let request = spot_request::end(lineage, &interruption.instance);
    let tombstone = lineage.member(&interruption.instance);
    let tombstone = tombstone.is_some_and(|it| it.tags.contains_key(tags::INTERRUPTED_AT));
    let told = Some(interruption.at).filter(|_| tombstone);
    request.and_then(|it| it.at).or(told)
}

/// The successor is given something once whatever remembers more has had its turn since the record takes tags again.
pub fn is_waited_for(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) -> bool {
    if !is(lineage, interruption) {
        return false;
    }
    let what = "what an earlier look may have seen and could not write down";
    // What this chain of wakes remembers to write is no tombstone.
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
