//! Launches one replacement from the prepared rescue.
//!
//! It is exactly one because the token of the request is computed from the instance to be replaced and the number of
//! refused launches: two invocations that plan the same launch send the same token and get the same instance (TRAP 7).
//! A launch that AWS has refused is written down, whatever the code, and the next request is tried (TRAP 43).
//!
//! [`decide`] checks everything that can prevent a launch, in order; the first check that fails says why.

pub mod choice;
pub mod network;
pub mod plain;
pub mod request;
pub mod unheard;
pub mod used;
pub mod version;

use crate::id::InstanceId;
use crate::plan::capacity::lanes::Lane;
use crate::plan::capacity::launch::request::Instead;
use crate::plan::capacity::{deaths, template};
use crate::plan::draft::{Plan, Stop};
use crate::plan::facts::launcher::{self, Launcher, fleet};
use crate::plan::facts::{asked, breaker};
use crate::plan::lineage::Lineage;
use crate::plan::network::primary;
use crate::plan::pace;
use crate::plan::volumes::root::image;
use crate::policy::Types;
use crate::record::Place;
use crate::situation::Instance;
use crate::step::{Action, Step};
use crate::tags::{self, Tags};

/// Counts a launch after its token is used up.
pub const COUNT: &str = "count the launch";

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
    let unknown = at_risk || later || !choice::knows_all_pools(lineage, instance);
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
    let mut unanswered = unheard::of(lineage, place, base);
    if unanswered.is_none() && matches!(purpose, Purpose::Replace) {
        unanswered = unheard::unproven(lineage, place, base, plan);
    }
    if let Some(again) = unanswered {
        let later = pace::answer(again.launched, lineage.now);
        return match unheard::step(lineage, base, again, plan) {
            // Another request with the same token has just been refused; this one may be answered at the next look.
            Err(Stop::TokenUsed) => Err(Stop::Wait(later, "the answer to a launch".to_owned())),
            answer => answer,
        };
    }
    let (lane, instead) = match purpose {
        Purpose::Spare(_, lanes) => {
            let instead = Instead::default();
            (choice::free(lineage, lanes, base, &instead)?, instead)
        }
        Purpose::FirstAid(_) | Purpose::Replace => {
            plain::write(lineage, choice::since(lineage, base), plan)?;
            let interface = primary::start(lineage, plan)?;
            if interface.is_none() {
                network::write(lineage, plan)?;
            }
            let image = image::start(lineage, base, plan)?;
            let instead = Instead { image, interface };
            (choice::lane(lineage, place, base, &instead)?, instead)
        }
    };
    let attempt = lineage.record.attempts.of(base);
    // AWS has answered an earlier look that the token is used, and would answer so again.
    let suspected = &lineage.inputs.suspected;
    if suspected.contains_key(&used::token(lineage, base)) {
        return Err(Stop::TokenUsed);
    }
    let step = request::step(lineage, base, lane, instead, attempt, plan)?;
    if used::is_used(lineage, &step) {
        return Err(Stop::TokenUsed);
    }
    if used::has_launched_otherwise(lineage, &step) {
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

/// Another invocation has used the token for another request and may have got an instance. The plan waits until EC2
/// shows it, and then counts the launch, so that the next request has another token.
fn count(lineage: &Lineage, plan: &mut Plan) {
    plan.wait(15, "the replacement that another invocation has launched");
    let (Some(template), Ok(base)) = (lineage.template(), base(lineage, &Purpose::Replace)) else {
        return;
    };
    let used = used::token(lineage, &base);
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
