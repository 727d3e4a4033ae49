//! Replacements that ended before they took over.
//!
//! The id of the newest is remembered, whatever it ended of. A launch token is made of the instance to be replaced;
//! once EC2 no longer shows the dead replacement, the token would be an earlier one again, and EC2 would return a dead
//! instance for ever (TRAP 45). After three replacements that died while booting, launches pause (TRAP 46): a fourth
//! would die as well.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html>

use crate::clock::Timestamp;
use crate::id::{InstanceId, SubnetId};
use crate::plan::draft::{Plan, Stop};
use crate::plan::lineage::Lineage;
use crate::plan::volumes::keys;
use crate::record::{Deaths, FailedPool, Pool};
use crate::situation::{Instance, Template};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use time::Duration;

const REMEMBER: &str = "remember the replacement that ended";

/// After so many deaths while booting, launches pause.
const BRAKE: u32 = 3;

/// How long launches pause, counted from the launch of the last replacement.
const REST: Duration = Duration::HOUR;

/// Replacements that have ended. One that is older than the owner, or was never to take over, does not count.
fn ended<'a>(lineage: &'a Lineage) -> impl Iterator<Item = &'a Instance> {
    let after = lineage.owner.map(|it| it.launch_time);
    let members = lineage.members.iter().copied();
    members.filter(move |it| {
        let later = after.is_none_or(|after| it.launch_time >= after);
        let owner = lineage.owner.is_some_and(|owner| owner.id == it.id);
        let ours = it.tags.contains_key(tags::REPLACES) && !owner;
        later && ours && !it.is_alive()
    })
}

/// It ended without an interruption: it could not boot.
fn died_booting(lineage: &Lineage, instance: &Instance) -> bool {
    lineage.interruption(instance).is_none()
}

/// The recorded deaths and those seen since.
fn known(lineage: &Lineage) -> Option<Deaths> {
    let recorded = lineage.record.died.clone();
    // The record has whole seconds.
    let second = |at: Timestamp| at.unix_timestamp();
    let counted = |it: &Instance| {
        let mut known = recorded.iter();
        known.any(|known| second(it.launch_time) <= second(known.launched))
    };
    let new: Vec<&Instance> = ended(lineage).filter(|it| !counted(it)).collect();
    let Some(newest) = new.iter().max_by_key(|it| (it.launch_time, &it.id)) else {
        return recorded;
    };
    let booting = new.iter().filter(|it| died_booting(lineage, it));
    let mut reason = booting.clone().filter_map(|it| it.state_reason.clone());
    let (died, reason) = (booting.count(), reason.next_back());
    let before = recorded.as_ref().map_or(0, |it| it.booting);
    Some(Deaths {
        newest: newest.id.clone(),
        launched: newest.launch_time,
        booting: before + u32::try_from(died).unwrap_or(u32::MAX),
        reason: reason.or_else(|| recorded?.reason),
    })
}

/// Launches pause after several deaths. A death that a rescue sees for the first time is written down.
pub fn gate(lineage: &Lineage, in_rescue: bool, plan: &mut Plan) -> Result<(), Stop> {
    let Some(deaths) = known(lineage) else {
        return Ok(());
    };
    if in_rescue {
        remember(lineage, &deaths, plan);
    }
    note(lineage, &deaths, plan);
    let until = deaths.launched + REST;
    let left = (until - lineage.now).whole_seconds();
    if deaths.booting < BRAKE || left <= 0 {
        return Ok(());
    }
    let what = "replacements that do not die while they boot".to_owned();
    let seconds = u16::try_from(left).unwrap_or(u16::MAX);
    Err(Stop::Wait(seconds.min(600), what))
}

/// Also in a rescue that launches nothing: a later launch must not use the token of a dead instance.
pub fn note_down(lineage: &Lineage, plan: &mut Plan) {
    if let Some(deaths) = known(lineage) {
        remember(lineage, &deaths, plan);
    }
}

fn remember(lineage: &Lineage, deaths: &Deaths, plan: &mut Plan) {
    let known = lineage.record.died.as_ref() == Some(deaths);
    let planned = plan.steps.iter().any(|it| it.id == REMEMBER);
    let Some(template) = lineage.template().filter(|_| !known && !planned) else {
        return;
    };
    let action = Action::Tag {
        resources: vec![template.id.to_string()],
        tags: Tags::from([(tags::DIED.to_owned(), deaths.text())]),
    };
    plan.step(Step::new(REMEMBER, action));
}

fn note(lineage: &Lineage, deaths: &Deaths, plan: &mut Plan) {
    let Some(reason) = deaths.reason.as_deref() else {
        return;
    };
    plan.note(format!(
        "{} replacement(s) died while booting ({reason}){}",
        deaths.booting,
        advice(lineage, reason)
    ));
}

/// What a person can do about it, by EC2's state reason.
pub fn advice(lineage: &Lineage, reason: &str) -> String {
    match reason {
        "Client.InternalError" => format!(
            ", mostly for want of a KMS key of the root volume{}",
            keys::advice_for_root(lineage)
        ),
        // "The KMS key provided is in an incorrect state": so does EC2 say it of a key that the caller may not use, too.
        reason if reason.starts_with("Client.InvalidKMSKey") => format!(
            ": the KMS key of a new volume is disabled, about to be deleted or gone, or its policy does not allow the \
             function's role to use it{}",
            keys::advice_for_root(lineage)
        ),
        "Client.VolumeLimitExceeded" => {
            "; raise the account's quota of EBS storage (Service Quotas, Amazon EBS)".to_owned()
        }
        reason if reason.starts_with("Client.Invalid") => {
            "; the prepared rescue names a resource that EC2 no longer has".to_owned()
        }
        _ => String::new(),
    }
}

/// Why the last replacement died while booting, for a person to read.
pub fn told(lineage: &Lineage) -> Option<String> {
    let reason = known(lineage)?.reason?;
    Some(format!(
        "replacements die while they boot ({reason}){}",
        advice(lineage, &reason)
    ))
}

/// Pools in which a replacement ended for want of capacity: they rest like a pool that refuses the launch at once.
pub fn pools(lineage: &Lineage) -> Vec<FailedPool> {
    let of = |it: &Instance| {
        let code = it.state_reason.as_deref()?.strip_prefix("Server.")?;
        let capacity = code.contains("Capacity");
        Some(FailedPool {
            pool: Pool {
                market: it.market,
                subnet: subnet(lineage, it)?,
                instance_type: it.instance_type.clone(),
            },
            code: code.to_owned(),
            at: it.launch_time,
        })
        .filter(|_| capacity)
    };
    ended(lineage).filter_map(of).collect()
}

/// A terminated instance shows no subnet (TRAP 14): in the recorded Availability Zone it was in the recorded subnet.
fn subnet(lineage: &Lineage, dead: &Instance) -> Option<SubnetId> {
    let place = lineage.record.place.as_ref();
    let here = place.filter(|it| it.availability_zone == dead.availability_zone);
    let shown = dead.subnet.clone();
    shown.or_else(|| here.map(|it| it.subnet.clone()))
}

/// The instance that the next launch replaces: the newest that EC2 shows, or a newer one on record.
pub fn replaced(lineage: &Lineage, seen: &InstanceId) -> InstanceId {
    let launched = lineage.member(seen).map(|it| it.launch_time);
    let newer = |it: &&Deaths| launched.is_none_or(|launched: Timestamp| it.launched >= launched);
    let died = lineage.record.died.as_ref().filter(newer);
    died.map_or_else(|| seen.clone(), |it| it.newest.clone())
}

/// After the hand-over the tag names the new owner: with the old value, the next launch would repeat the request that
/// returned this owner. Earlier deaths no longer count.
pub fn handed_over(template: &Template, successor: &Instance) -> Option<(String, String)> {
    let stands = template.tags.contains_key(tags::DIED);
    let text = Deaths {
        newest: successor.id.clone(),
        launched: successor.launch_time,
        booting: 0,
        reason: None,
    };
    stands.then(|| (tags::DIED.to_owned(), text.text()))
}
