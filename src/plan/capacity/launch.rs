//! Launches one replacement from the prepared rescue.
//!
//! It is exactly one because the token of the request is computed from the instance to be replaced and the number of
//! refused launches: two invocations that plan the same launch send the same token and get the same instance (TRAP 7).
//! A launch that AWS has refused is written down, whatever the code, and the next request is tried (TRAP 43).
//!
//! [`decide`] checks everything that can prevent a launch, in order; the first check that fails says why.

pub mod network;
pub mod plain;
pub mod request;
pub mod unheard;
pub mod version;

use crate::clock::Timestamp;
use crate::id::InstanceId;
use crate::plan::capacity::lanes::{self, Lane};
use crate::plan::capacity::launch::request::Instead;
use crate::plan::capacity::pools::{self, Choice, Memory};
use crate::plan::capacity::{deaths, template};
use crate::plan::draft::{Plan, Stop};
use crate::plan::facts::launcher::{self, Launcher, fleet};
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

/// Counts a launch after its token is used up.
pub const COUNT: &str = "count the launch";

/// By then EC2 shows a launched instance, and the invocation that launched it has ended.
const SEEN: Duration = Duration::MINUTE;

/// What a launch is for.
enum Purpose<'a> {
    /// In first aid for this instance: only the instance itself has been read.
    FirstAid(&'a Instance),
    Replace,
    /// Before an interruption, for the owner, by one of these requests.
    Spare(&'a Instance, Vec<Lane>),
}

/// Whether there is or will be a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Wanted,
    /// The policy or the Auto Scaling group leaves the launch to others.
    Refused,
}

/// The launch in first aid, if the prepared rescue is known to exist.
pub fn first(lineage: &Lineage, instance: &Instance, plan: &mut Plan) {
    // A spare may be running already, or gone again: the next look reads that first.
    let at_risk = instance.tags.contains_key(tags::AT_RISK);
    // The interface to launch on is still attached to the interrupted instance.
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

/// Launches a spare before an interruption, with the request that a rescue would send.
pub fn spare(
    lineage: &Lineage,
    owner: &Instance,
    lanes: Vec<Lane>,
    after: Option<&str>,
    plan: &mut Plan,
) {
    if asked::keeps_address(lineage) {
        plan.note("no spare is launched: the private address is to be kept");
        return;
    }
    match decide(lineage, Purpose::Spare(owner, lanes), plan) {
        Ok(mut step) => {
            step.after.extend(after.map(str::to_owned));
            plan.step(step);
            plan.wait(5, "the spare to run");
        }
        Err(Stop::NotOurs(why)) => plan.note(format!("no spare is launched: {why}")),
        // A spare is not urgent: the next sweep tries again.
        Err(Stop::Wait(..) | Stop::GiveUpAddress(_) | Stop::TokenUsed) => {}
    }
}

/// Launches the replacement of an instance that has none yet and that nothing else replaces.
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

/// The launch, or what prevents it.
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
            // Another request with the same token has just been refused; this one may be answered at the next look.
            Err(Stop::TokenUsed) => Err(Stop::Wait(5, "the answer to a launch".to_owned())),
            answer => answer,
        };
    }
    let (lane, instead) = match purpose {
        Purpose::Spare(_, lanes) => {
            let instead = Instead::default();
            (free(lineage, lanes, base, &instead)?, instead)
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
    // The token is sent once more and may be refused again: the suspicion keeps the time it began.
    let used = lineage
        .inputs
        .suspected
        .get_key_value(&token_used(lineage, base));
    plan.suspects
        .extend(used.map(|(used, since)| (used.clone(), *since)));
    let step = request::step(lineage, base, lane, instead, attempt, plan)?;
    if is_used(lineage, &step) {
        return Err(Stop::TokenUsed);
    }
    if has_launched_otherwise(lineage, &step) {
        return Err(Stop::Wait(5, "a launched instance to be seen".to_owned()));
    }
    Ok(if template::is_planned(plan) {
        step.after(template::STEP)
    } else {
        step
    })
}

fn ours(lineage: &Lineage) -> Result<(), Stop> {
    let launcher = launcher::launcher(lineage);
    if let Launcher::Unknown(what) = launcher {
        return Err(Stop::Wait(5, what));
    }
    launcher
        .refusal()
        .map_or(Ok(()), |why| Err(Stop::NotOurs(why)))
}

/// A launch with this token has returned an instance that EC2 has not shown since: the instance has ended, and EC2
/// keeps returning it for this token.
fn is_used(lineage: &Lineage, step: &Step) -> bool {
    let Action::Launch(launch) = &step.action else {
        return false;
    };
    let unseen = lineage.inputs.unseen.get(&launch.token);
    unseen.is_some_and(|since| lineage.now - *since > SEEN)
}

/// First aid does not read which launches were refused, so its launch may have another token and have succeeded.
fn has_launched_otherwise(lineage: &Lineage, step: &Step) -> bool {
    let Action::Launch(launch) = &step.action else {
        return false;
    };
    let others = lineage.inputs.unseen.iter();
    let mut others = others.filter(|(token, _)| **token != launch.token);
    others.any(|(_, since)| lineage.now - *since <= SEEN)
}

/// Another invocation has used the token for another request and may have got an instance. The plan waits until EC2
/// shows it, and then counts the launch, so that the next request has another token.
fn count(lineage: &Lineage, plan: &mut Plan) {
    plan.wait(15, "the replacement that another invocation has launched");
    let (Some(template), Ok(base)) = (lineage.template(), base(lineage, &Purpose::Replace)) else {
        return;
    };
    let used = token_used(lineage, &base);
    if !plan.confirmed(
        lineage,
        used,
        "the instance of the same token to be visible",
    ) {
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

/// The name of the suspicion that another request has used this token.
fn token_used(lineage: &Lineage, base: &InstanceId) -> String {
    let attempts = lineage.record.attempts.of(base);
    format!("the token of launch {attempts} for {base} is used")
}

/// The instance that the request replaces.
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

/// The next request to send, unless all its pools rest.
fn lane(
    lineage: &Lineage,
    place: &Place,
    base: &InstanceId,
    instead: &Instead,
) -> Result<Lane, Stop> {
    let lanes = match &instead.interface {
        None => lanes::lanes(lineage, place),
        Some(_) => lanes::on_interface(lineage, place),
    };
    let open = free(lineage, lanes, base, instead);
    let elsewhere = || free(lineage, lanes::lanes(lineage, place), base, instead).is_ok();
    if instead.interface.is_some() && open.is_err() && elsewhere() {
        let why = format!("there is no capacity in {}", place.subnet);
        return Err(Stop::GiveUpAddress(why));
    }
    open
}

/// The first of these requests with a pool that does not rest.
fn free(
    lineage: &Lineage,
    lanes: Vec<Lane>,
    base: &InstanceId,
    instead: &Instead,
) -> Result<Lane, Stop> {
    let mut failed = failed(lineage);
    if instead.image.is_some() {
        // A pool that was refused because the prepared image is missing has not been tried with the other image, which
        // takes longer than a minute to be made.
        let lately = |it: &FailedPool| lineage.now - it.at < Duration::MINUTE;
        failed.retain(|it| !it.code.starts_with(chosen::NO_IMAGE) || lately(it));
    }
    let memory = Memory {
        failed: &failed,
        rest: lineage.policy.pool_rest.value,
    };
    let Some(Choice { lane, not_before }) = pools::choose(lanes, memory, since(lineage, base))
    else {
        let what = "a pool to launch in that the policy and the stack's parameters allow";
        return Err(Stop::Wait(60, what.to_owned()));
    };
    let rests = not_before.map_or(0, |it| (it - lineage.now).whole_seconds());
    if rests <= 0 {
        return Ok(lane);
    }
    let what = format!(
        "a pool to launch in: all have refused lately, {} is tried first",
        lane.name()
    );
    let seconds = u16::try_from(rests).unwrap_or(u16::MAX).max(5);
    Err(Stop::Wait(seconds, what))
}

/// The pools of refused launches, and those of replacements that ended for want of capacity.
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

/// The first request that a warning would send, if it is for Spot.
pub fn first_way(lineage: &Lineage) -> Vec<Lane> {
    let place = lineage.record.place.as_ref();
    let mut lanes = place.map_or_else(Vec::new, |it| lanes::lanes(lineage, it));
    lanes.truncate(1);
    lanes.retain(|it| it.market == Market::Spot);
    lanes
}

/// Spot requests in the instance's own subnet, where its volumes need no copy.
pub fn spot_here(lineage: &Lineage) -> Vec<Lane> {
    let Some(place) = &lineage.record.place else {
        return Vec::new();
    };
    let mut lanes = lanes::lanes(lineage, place);
    lanes.retain(|it| it.market == Market::Spot && it.subnet == place.subnet);
    lanes
}

/// The record names pools that failed, and first aid does not read it. For an instance that was launched longer ago
/// than pools rest, those failures no longer count.
fn knows_all_pools(lineage: &Lineage, instance: &Instance) -> bool {
    since(lineage, &instance.id) - instance.launch_time > lineage.policy.pool_rest.value
}

/// Notes for a person about the choice of the request.
fn notes(lineage: &Lineage, plan: &mut Plan) {
    if let Some(why) = fleet::doubt(lineage) {
        plan.note(why);
    }
    if let Some(why) = breaker::open(lineage) {
        plan.note(format!("breaker open: {why}"));
    }
    for failed in &lineage.record.failed_pools {
        plan.note(format!("launch refused: {failed}"));
    }
    let like = lineage.policy.instance_types.value == Types::Like;
    if like && lineage.record.shape.is_none() {
        plan.note(
            "no other type is tried: the attributes of the instance's own type are not on record",
        );
    }
}

/// The time of the interruption of the instance to be replaced, or of its launch if no interruption is known.
fn since(lineage: &Lineage, base: &InstanceId) -> Timestamp {
    let instance = lineage.member(base);
    let taken = instance.and_then(|it| lineage.interruption(it));
    let recorded = lineage.record.interruption.as_ref();
    // An interruption that is announced for later counts from now on, since pools rest from now on.
    let now = lineage.now;
    let taken = taken.as_ref().or(recorded).map(|it| it.at.min(now));
    taken
        .or(instance.map(|it| it.launch_time))
        .unwrap_or(Timestamp::UNIX_EPOCH)
}
