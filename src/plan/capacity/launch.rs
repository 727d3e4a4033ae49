//! The replacement: one, from the prepared rescue.
//!
//! Exactly one, because the request's token is computed from the instance to be replaced and the number of
//! launches that were refused so far: whoever plans the same launch sends the same token and gets the same
//! instance (TRAP 7). A launch that AWS has answered is written down, whatever the answer, and the next way is
//! tried (TRAP 43).
//!
//! What stands in the way of a launch is looked at in one list, [`decide`]: the first that does, says so.

pub mod network;
pub mod plain;
pub mod request;
pub mod unheard;

use crate::clock::Timestamp;
use crate::id::InstanceId;
use crate::plan::capacity::lanes::{self, Lane};
use crate::plan::capacity::launch::request::Instead;
use crate::plan::capacity::pools::{self, Choice, Memory};
use crate::plan::capacity::{deaths, template};
use crate::plan::draft::{Plan, Stop};
use crate::plan::facts::way::{self, Way, fleet};
use crate::plan::facts::{asked, breaker};
use crate::plan::lineage::{Lineage, chosen};
use crate::plan::network::primary;
use crate::plan::volumes::root::image;
use crate::policy::Types;
use crate::record::{FailedPool, Place};
use crate::situation::{Instance, Market};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use time::Duration;

/// Its token is used up.
pub const COUNT: &str = "count the launch";

/// An instance is to be seen by then, and whoever has launched it has come to its end.
const SEEN: Duration = Duration::MINUTE;

/// What a launch is for.
enum Purpose<'a> {
    /// At first sight of a warning, of this instance: nothing else has been read.
    FirstAid(&'a Instance),
    Replace,
    /// Ahead of an interruption, for the owner, in one of these ways.
    Spare(&'a Instance, Vec<Lane>),
}

/// Whether there is, or will be, a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Wanted,
    /// The policy, or the instance's group, says that it is not for us to launch.
    Refused,
}

/// At first sight of a warning, if the prepared rescue is known to exist.
pub fn first(lineage: &Lineage, instance: &Instance, plan: &mut Plan) {
    // A spare may wait already, or be gone again: that is looked up first.
    let at_risk = instance.tags.contains_key(tags::AT_RISK);
    // The interface it is to be launched on has an instance yet.
    let bare = |it: &String| it.contains(template::BARE);
    let later =
        asked::keeps_address(lineage) || instance.tags.get(tags::PREPARED).is_some_and(bare);
    let unknown = at_risk || later || !knows_all_pools(lineage, instance);
    if unknown || lineage.prepared().is_none() {
        return;
    }
    if let Ok(step) = decide(lineage, Purpose::FirstAid(instance), plan) {
        plan.step(step);
        plan.wait(5, "the replacement to run");
    }
}

/// Ahead of an interruption, by the same request, in one of these ways.
pub fn spare(
    lineage: &Lineage,
    owner: &Instance,
    ways: Vec<Lane>,
    after: Option<&str>,
    plan: &mut Plan,
) {
    if asked::keeps_address(lineage) {
        plan.note("no spare is launched: the private address is to be kept");
        return;
    }
    match decide(lineage, Purpose::Spare(owner, ways), plan) {
        Ok(mut step) => {
            step.after.extend(after.map(str::to_owned));
            plan.step(step);
            plan.wait(5, "the spare to run");
        }
        Err(Stop::NotOurs(why)) => plan.note(format!("no spare is launched: {why}")),
        // It is no emergency: the next sweep asks again.
        Err(Stop::Wait(..) | Stop::GiveUpAddress(_) | Stop::TokenUsed) => {}
    }
}

/// Of an instance that nothing else replaces, and that has no replacement yet.
pub fn replacement(lineage: &Lineage, plan: &mut Plan) -> Decision {
    match decide(lineage, Purpose::Replace, plan) {
        Ok(step) => {
            plan.step(step);
            plan.wait(5, "the replacement to run");
        }
        Err(Stop::Wait(seconds, what)) => plan.wait(seconds, what),
        Err(Stop::GiveUpAddress(why)) => primary::give_up(lineage, &why, plan),
        Err(Stop::TokenUsed) => count(lineage, plan),
        Err(Stop::NotOurs(why)) => {
            plan.note(format!("no replacement is launched: {why}"));
            return Decision::Refused;
        }
    }
    Decision::Wanted
}

/// The launch, or what stands in its way.
fn decide(lineage: &Lineage, purpose: Purpose, plan: &mut Plan) -> Result<Step, Stop> {
    ours(lineage)?;
    let base = &base(lineage, &purpose)?;
    if lineage.prepared().is_none() && !template::is_planned(plan) {
        return Err(request::not_prepared());
    }
    deaths::gate(lineage, matches!(purpose, Purpose::Replace), plan)?;
    let place = place(lineage)?;
    notes(lineage, plan);
    if let Some(again) = unheard::of(lineage, place, base) {
        return match unheard::step(lineage, base, again, plan) {
            // Another request by the same token has been refused a moment ago; this one may not be.
            Err(Stop::TokenUsed) => Err(Stop::Wait(5, "a launch to be heard of".to_owned())),
            answer => answer,
        };
    }
    let (lane, instead) = match purpose {
        Purpose::Spare(_, ways) => {
            let instead = Instead::default();
            (free(lineage, ways, base, &instead)?, instead)
        }
        Purpose::FirstAid(_) | Purpose::Replace => {
            plain::write(lineage, since(lineage, base), plan)?;
            let interface = primary::start(lineage, plan)?;
            if interface.is_none() {
                network::write(lineage, plan)?;
            }
            let image = image::start(lineage, base, plan)?;
            let instead = Instead { image, interface };
            (lane(lineage, place, base, &instead)?, instead)
        }
    };
    let attempt = lineage.record.attempts.of(base);
    // It is asked for once more, and the answer may be the same.
    let used = lineage
        .situation
        .suspected
        .get_key_value(&token_used(lineage, base));
    plan.suspects
        .extend(used.map(|(used, since)| (used.clone(), *since)));
    let step = request::step(lineage, base, lane, instead, attempt, plan)?;
    if is_used(lineage, &step) {
        return Err(Stop::TokenUsed);
    }
    if has_launched_otherwise(lineage, &step) {
        return Err(Stop::Wait(5, "what was launched to be seen".to_owned()));
    }
    Ok(if template::is_planned(plan) {
        step.after(template::STEP)
    } else {
        step
    })
}

fn ours(lineage: &Lineage) -> Result<(), Stop> {
    let way = way::way(lineage);
    if let Way::Unknown(what) = way {
        return Err(Stop::Wait(5, what));
    }
    way.refusal().map_or(Ok(()), |why| Err(Stop::NotOurs(why)))
}

/// A launch by this token has returned what nobody has seen since: it ended before, and the token goes on naming it.
fn is_used(lineage: &Lineage, step: &Step) -> bool {
    let Action::Launch(launch) = &step.action else {
        return false;
    };
    let unseen = lineage.situation.unseen.get(&launch.token);
    unseen.is_some_and(|since| lineage.situation.now - *since > SEEN)
}

/// First aid knows nothing of the launches on record that were refused, and may have got what they did not.
fn has_launched_otherwise(lineage: &Lineage, step: &Step) -> bool {
    let Action::Launch(launch) = &step.action else {
        return false;
    };
    let others = lineage.situation.unseen.iter();
    let mut others = others.filter(|(token, _)| **token != launch.token);
    others.any(|(_, since)| lineage.situation.now - *since <= SEEN)
}

/// Somebody of ours has used the token for another request, and may have got an instance: it is waited for, and
/// then the next request is sent.
fn count(lineage: &Lineage, plan: &mut Plan) {
    plan.wait(15, "the replacement that another invocation has launched");
    let (Some(template), Ok(base)) = (lineage.template(), base(lineage, &Purpose::Replace)) else {
        return;
    };
    let used = token_used(lineage, &base);
    if !plan.confirmed(lineage, used, "what was launched by the same token") {
        return;
    }
    let action = Action::Tag {
        resources: vec![template.id.to_string()],
        tags: Tags::from([(
            tags::ATTEMPTS.to_owned(),
            lineage.record.attempts.after(&base).text(),
        )]),
    };
    plan.step(Step::new(COUNT, action));
}

/// What is suspected then, until what it has led to is to be seen.
fn token_used(lineage: &Lineage, base: &InstanceId) -> String {
    let attempts = lineage.record.attempts.of(base);
    format!("the token of launch {attempts} for {base} is used")
}

/// The instance that the request names as the one to be replaced.
fn base(lineage: &Lineage, purpose: &Purpose) -> Result<InstanceId, Stop> {
    let seen = match purpose {
        Purpose::FirstAid(instance) => Some(&instance.id),
        Purpose::Spare(owner, _) => lineage.base().map(|it| &it.id).or(Some(&owner.id)),
        Purpose::Replace => {
            let base = lineage.base().map(|it| &it.id);
            base.or(lineage.record.head.as_ref())
        }
    };
    let seen = seen.ok_or_else(|| Stop::Wait(15, "the instance to be seen".to_owned()))?;
    Ok(deaths::replaced(lineage, seen))
}

fn place<'a>(lineage: &'a Lineage) -> Result<&'a Place, Stop> {
    let what = "a subnet and type to launch in: those of the instance are unknown";
    let place = lineage.record.place.as_ref();
    place.ok_or_else(|| Stop::Wait(60, what.to_owned()))
}

/// The next way to launch, unless all rest.
fn lane(
    lineage: &Lineage,
    place: &Place,
    base: &InstanceId,
    instead: &Instead,
) -> Result<Lane, Stop> {
    let ways = match &instead.interface {
        None => lanes::lanes(lineage, place),
        Some(_) => lanes::on_interface(lineage, place),
    };
    let open = free(lineage, ways, base, instead);
    let elsewhere = || free(lineage, lanes::lanes(lineage, place), base, instead).is_ok();
    if instead.interface.is_some() && open.is_err() && elsewhere() {
        let why = format!("there is no capacity in {}", place.subnet);
        return Err(Stop::GiveUpAddress(why));
    }
    open
}

/// The first of these ways that does not rest.
fn free(
    lineage: &Lineage,
    ways: Vec<Lane>,
    base: &InstanceId,
    instead: &Instead,
) -> Result<Lane, Stop> {
    let mut failed = failed(lineage);
    if instead.image.is_some() {
        // What was refused for want of the prepared one has not been asked with another, which takes longer to be made.
        let lately = |it: &FailedPool| lineage.situation.now - it.at < Duration::MINUTE;
        failed.retain(|it| !it.code.starts_with(chosen::NO_IMAGE) || lately(it));
    }
    let memory = Memory {
        failed: &failed,
        rest: lineage.policy.pool_rest.value,
    };
    let Some(Choice { lane, not_before }) = pools::choose(ways, memory, since(lineage, base))
    else {
        let what = "a way to launch that the policy and the stack allow";
        return Err(Stop::Wait(60, what.to_owned()));
    };
    let rests = not_before.map_or(0, |it| (it - lineage.situation.now).whole_seconds());
    if rests <= 0 {
        return Ok(lane);
    }
    let what = format!(
        "a way to launch: all rest, {} first is asked again",
        lane.name()
    );
    let seconds = u16::try_from(rests).unwrap_or(u16::MAX).max(5);
    Err(Stop::Wait(seconds, what))
}

/// What launches were refused, and what the dead say of the pools they were in.
fn failed(lineage: &Lineage) -> Vec<FailedPool> {
    let mut all = deaths::pools(lineage);
    let later = |it: &FailedPool| {
        lineage
            .record
            .failed_pools
            .iter()
            .any(|known| known.pool == it.pool && known.at >= it.at)
    };
    all.retain(|it| !later(it));
    let again = |it: &&FailedPool| {
        all.iter().all(|dead| dead.pool != it.pool) && !plain::answers(lineage, it)
    };
    let known = lineage.record.failed_pools.iter().filter(again).cloned();
    known.chain(all.clone()).collect()
}

/// The way the warning would begin with, if it leads to Spot.
pub fn first_way(lineage: &Lineage) -> Vec<Lane> {
    let place = lineage.record.place.as_ref();
    let mut ways = place.map_or_else(Vec::new, |it| lanes::lanes(lineage, it));
    ways.truncate(1);
    ways.retain(|it| it.market == Market::Spot);
    ways
}

/// Spot where the instance is: its volumes need only move.
pub fn spot_here(lineage: &Lineage) -> Vec<Lane> {
    let Some(place) = &lineage.record.place else {
        return Vec::new();
    };
    let mut ways = lanes::lanes(lineage, place);
    ways.retain(|it| it.market == Market::Spot && it.subnet == place.subnet);
    ways
}

/// Pools that failed before it was launched are on record, which has not been read: for an instance
/// older than their rest they do not matter.
fn knows_all_pools(lineage: &Lineage, instance: &Instance) -> bool {
    since(lineage, &instance.id) - instance.launch_time > lineage.policy.pool_rest.value
}

/// What a person should know about the choice.
fn notes(lineage: &Lineage, plan: &mut Plan) {
    if let Some(why) = fleet::doubt(lineage) {
        plan.note(why);
    }
    if let Some(why) = breaker::open(lineage) {
        plan.note(format!("breaker open: {why}"));
    }
    for failed in &lineage.record.failed_pools {
        plan.note(format!("not to be had: {failed}"));
    }
    let like = lineage.policy.instance_types.value == Types::Like;
    if like && lineage.record.shape.is_none() {
        plan.note("no other type is tried: what the instance's own is like is not on record");
    }
}

/// When the instance to be replaced was taken, or began if nothing else is known.
fn since(lineage: &Lineage, base: &InstanceId) -> Timestamp {
    let instance = lineage.member(base);
    let taken = instance.and_then(|it| lineage.interruption(it));
    let recorded = lineage.record.interruption.as_ref();
    // Of a warning with a longer notice the two minutes are still to come, and pools rest from now on.
    let now = lineage.situation.now;
    let taken = taken.as_ref().or(recorded).map(|it| it.at.min(now));
    taken
        .or(instance.map(|it| it.launch_time))
        .unwrap_or(Timestamp::UNIX_EPOCH)
}
