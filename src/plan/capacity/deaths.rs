//! Replacements that ended before they took over.
//!
//! The newest is remembered by its id, whatever it ended of: a launch's token is made of the instance that it
//! replaces, and once EC2 has forgotten the dead one the token would be an earlier one again, which names a dead
//! instance for ever (TRAP 45). Three that died booting are a brake, whatever they died of (TRAP 46): the
//! fourth would die as well.
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

/// So many may die before launching rests.
const BRAKE: u32 = 3;

/// From the last one's launch.
const REST: Duration = Duration::HOUR;

/// Older than the owner, or never to take over: they do not count.
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

/// EC2 did not take it: it could not boot.
fn died_booting(lineage: &Lineage, instance: &Instance) -> bool {
    lineage.interruption(instance).is_none()
}

/// What is on record, and what has been seen since.
fn known(lineage: &Lineage) -> Option<Deaths> {
    let recorded = lineage.record.died.clone();
    // What is written down has whole seconds.
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

/// Launching rests when several have died. What is seen for the first time in a rescue is written down.
pub fn gate(lineage: &Lineage, in_rescue: bool, plan: &mut Plan) -> Result<(), Stop> {
    let Some(deaths) = known(lineage) else {
        return Ok(());
    };
    if in_rescue {
        remember(lineage, &deaths, plan);
    }
    note(lineage, &deaths, plan);
    let until = deaths.launched + REST;
    let left = (until - lineage.situation.now).whole_seconds();
    if deaths.booting < BRAKE || left <= 0 {
        return Ok(());
    }
    let what = "replacements that do not die while they boot".to_owned();
    let seconds = u16::try_from(left).unwrap_or(u16::MAX);
    Err(Stop::Wait(seconds.min(600), what))
}

/// Of a rescue in which nothing is launched, too: what is wanted later must not ask for a dead one.
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

/// What can be done about it, where the reason tells.
pub fn advice(lineage: &Lineage, reason: &str) -> String {
    match reason {
        "Client.InternalError" => format!(
            ", mostly for want of a KMS key of the root volume{}",
            keys::advice_for_root(lineage)
        ),
        "Client.VolumeLimitExceeded" => {
            "; raise the account's quota of EBS storage (Service Quotas, Amazon EBS)".to_owned()
        }
        reason if reason.starts_with("Client.Invalid") => {
            "; the prepared rescue names what EC2 does not have any more".to_owned()
        }
        _ => String::new(),
    }
}

/// Why the last of them died, for a person. None if none has.
pub fn told(lineage: &Lineage) -> Option<String> {
    let reason = known(lineage)?.reason?;
    Some(format!(
        "replacements die while they boot ({reason}){}",
        advice(lineage, &reason)
    ))
}

/// Pools that had no capacity after all, as the dead say: they rest like those that said so at once.
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

/// What has ended shows no subnet any more (TRAP 14): in its own zone, it was in the one that is on record.
fn subnet(lineage: &Lineage, dead: &Instance) -> Option<SubnetId> {
    let place = lineage.record.place.as_ref();
    let here = place.filter(|it| it.availability_zone == dead.availability_zone);
    let shown = dead.subnet.clone();
    shown.or_else(|| here.map(|it| it.subnet.clone()))
}

/// The instance a replacement is launched for: the newest that is seen, or one that is remembered as newer.
pub fn replaced(lineage: &Lineage, seen: &InstanceId) -> InstanceId {
    let launched = lineage.member(seen).map(|it| it.launch_time);
    let newer = |it: &&Deaths| launched.is_none_or(|launched: Timestamp| it.launched >= launched);
    let died = lineage.record.died.as_ref().filter(newer);
    died.map_or_else(|| seen.clone(), |it| it.newest.clone())
}

/// The request for one that ended has brought the new owner: it must not be sent again when that one is to be
/// replaced, and what the others died of counts no more.
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
