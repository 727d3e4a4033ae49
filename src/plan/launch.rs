//! The replacement: one, from the prepared rescue.
//!
//! Exactly one, because the request's token is computed from the instance to be replaced and the
//! number of launches that failed so far: whoever plans the same launch sends the same token and
//! gets the same instance (TRAP 7). A failed launch is written down, and the next lane is tried.

use super::group::{self, Way};
use super::lanes::{self, Lane, lanes};
use super::pools::{self, Choice, Memory};
use super::primary::{self, Start};
use super::{Lineage, Plan, breaker, keys, prepare, protect, root};
use crate::clock::Timestamp;
use crate::id::{ImageId, InstanceId, InterfaceId};
use crate::policy::Types;
use crate::record::Place;
use crate::situation::{Instance, Market};
use crate::step::{Action, Launch, LaunchTemplate, Refusal, Step, token};
use crate::tags::{self, Tags};

pub const STEP: &str = "launch";

/// At first sight of a warning, if the prepared rescue is known to exist.
pub fn first(lineage: &Lineage, instance: &Instance, plan: &mut Plan) {
    let prepared = lineage.prepared().is_some();
    // A spare may wait already, or be gone again: that is looked up first.
    let at_risk = instance.tags.contains_key(tags::AT_RISK);
    let knows = knows_all_pools(lineage, instance);
    // The interface it is to be launched on has an instance yet.
    let later = primary::wanted(lineage).is_some();
    if prepared && knows && !at_risk && !later && refusal(lineage).is_none() {
        steps(lineage, &instance.id, plan);
    }
}

/// The way the warning would begin with, if it leads to Spot.
pub fn first_way(lineage: &Lineage) -> Vec<Lane> {
    let place = lineage.record.place.as_ref();
    let mut ways = place.map_or_else(Vec::new, |it| lanes(lineage, it));
    ways.truncate(1);
    ways.retain(|it| it.market == Market::Spot);
    ways
}

/// Spot where the instance is: its volumes need only move.
pub fn spot_here(lineage: &Lineage) -> Vec<Lane> {
    let Some(place) = &lineage.record.place else {
        return Vec::new();
    };
    let mut ways = lanes(lineage, place);
    ways.retain(|it| it.market == Market::Spot && it.subnet == place.subnet);
    ways
}

/// Ahead of an interruption, by the same request, in one of these ways.
pub fn spare(
    lineage: &Lineage,
    owner: &Instance,
    ways: Vec<Lane>,
    after: Option<&str>,
    plan: &mut Plan,
) {
    if let Some(why) = refusal(lineage) {
        plan.note(format!("no spare is launched: {why}"));
        return;
    }
    if primary::wanted(lineage).is_some() {
        plan.note("no spare is launched: the private address is to be kept");
        return;
    }
    let base = lineage.base().map_or(&owner.id, |it| &it.id);
    let since = since(lineage, base);
    let Some(Choice { lane, not_before }) = pools::choose(ways, memory(lineage), since) else {
        return;
    };
    if not_before.is_some_and(|it| it > lineage.situation.now) {
        return;
    }
    let Some(mut step) = launch(lineage, base, lane, (None, None), plan) else {
        return;
    };
    let prepared = prepare::is_planned(plan).then_some(prepare::STEP);
    let first = after.into_iter().chain(prepared);
    step.after.extend(first.map(str::to_owned));
    plan.step(step);
    plan.wait(5, "the spare to run");
}

/// Pools that failed before it was launched are on record, which has not been read: for an instance
/// older than their rest they do not matter.
fn knows_all_pools(lineage: &Lineage, instance: &Instance) -> bool {
    since(lineage, &instance.id) - instance.launch_time > lineage.policy.pool_rest.value
}

/// Whether there is, or will be, a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Wanted,
    /// The policy, or the instance's group, says that it is not for us to launch.
    Refused,
}

/// If nobody has taken over yet.
pub fn replacement(lineage: &Lineage, way: &Way, plan: &mut Plan) -> Decision {
    group::leave(lineage, way, plan);
    if let Some(successor) = lineage.successor {
        protect::seal(lineage, successor, plan);
        group::welcome(lineage, plan);
        return Decision::Wanted;
    }
    match way {
        Way::Own | Way::Join => {}
        Way::Group => {
            return if group::await_replacement(lineage, plan) {
                Decision::Wanted
            } else {
                Decision::Refused
            };
        }
        Way::Unknown(what) => {
            plan.wait(5, what.clone());
            return Decision::Wanted;
        }
        Way::Refused(why) => {
            plan.note(format!("no replacement is launched: {why}"));
            return Decision::Refused;
        }
    }
    let base = lineage.base();
    if lineage.prepared().is_none() && !prepare::is_planned(plan) {
        plan.wait(15, "a prepared rescue to launch from");
    } else if keys::launching_is_vain(lineage, plan) {
        // Another one would die like those before it.
    } else if let Some(base) = base.map(|it| &it.id).or(lineage.record.head.as_ref()) {
        steps(lineage, base, plan);
    }
    Decision::Wanted
}

/// Why it is not for us to launch.
pub fn refusal(lineage: &Lineage) -> Option<String> {
    match group::way(lineage) {
        Way::Own | Way::Join => None,
        Way::Group => Some("the Auto Scaling group replaces it".to_owned()),
        Way::Refused(why) => Some(why),
        Way::Unknown(what) => Some(format!("waiting for {what}")),
    }
}

fn steps(lineage: &Lineage, base: &InstanceId, plan: &mut Plan) {
    let base = &keys::replaced(lineage, base);
    let Some(place) = &lineage.record.place else {
        plan.note("no replacement is launched: subnet and type of the instance are unknown");
        return;
    };
    notes(lineage, plan);
    let (ways, interface) = match primary::start(lineage, plan) {
        Start::Anywhere => (lanes(lineage, place), None),
        Start::On(interface) => (lanes::on_interface(lineage, place), Some(interface)),
        Start::Wait => return,
    };
    let since = since(lineage, base);
    let Some(Choice { lane, not_before }) = pools::choose(ways, memory(lineage), since) else {
        return;
    };
    if interface.is_some() && not_before.is_some() && has_room_elsewhere(lineage, place, since) {
        let why = format!("there is no capacity in {}", place.subnet);
        primary::give_up(lineage, &why, plan);
        return;
    }
    let rests = not_before.map_or(0, |it| (it - lineage.situation.now).whole_seconds());
    if rests > 0 {
        let what = format!(
            "capacity: every pool rests, {} first is asked again",
            lane.name()
        );
        plan.wait(u16::try_from(rests).unwrap_or(u16::MAX).max(5), what);
        return;
    }
    let image = match root::start(lineage, base, plan) {
        root::Start::Template => None,
        root::Start::Image(image) => Some(image),
        root::Start::Wait => {
            plan.wait(10, "an image to launch from");
            return;
        }
    };
    let Some(step) = launch(lineage, base, lane, (image, interface), plan) else {
        plan.wait(15, "a prepared rescue to launch from");
        return;
    };
    plan.step(if prepare::is_planned(plan) {
        step.after(prepare::STEP)
    } else {
        step
    });
    plan.wait(5, "the replacement to run");
}

/// Some way to launch has not failed lately, were it not for the interface.
fn has_room_elsewhere(lineage: &Lineage, place: &Place, since: Timestamp) -> bool {
    let all = pools::choose(lanes(lineage, place), memory(lineage), since);
    all.is_some_and(|it| it.not_before.is_none())
}

/// The request to launch on an interface; each is another one, since a refusal is remembered by its id.
pub fn on_interface_id(lineage: &Lineage, interface: &InterfaceId) -> String {
    format!("{STEP} {} on {interface}", lineage.record.attempts.total())
}

fn memory<'a>(lineage: &'a Lineage) -> Memory<'a> {
    Memory {
        failed: &lineage.record.failed_pools,
        rest: lineage.policy.pool_rest.value,
    }
}

/// What a person should know about the choice.
fn notes(lineage: &Lineage, plan: &mut Plan) {
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

/// Instead of the prepared rescue's: another one is another request.
type Instead = (Option<ImageId>, Option<InterfaceId>);

fn launch_token(base: &InstanceId, attempt: u32, instead: &Instead) -> String {
    let (image, interface) = instead;
    let attempt = attempt.to_string();
    let parts = ["launch", base.as_str(), attempt.as_str()];
    let image = image.as_ref().map(ImageId::as_str);
    let interface = interface.as_ref().map(InterfaceId::as_str);
    let parts = parts.into_iter().chain(image).chain(interface);
    token(&parts.collect::<Vec<_>>())
}

fn launch(
    lineage: &Lineage,
    base: &InstanceId,
    lane: Lane,
    instead: Instead,
    plan: &Plan,
) -> Option<Step> {
    let template = template(lineage, plan)?;
    let attempt = lineage.record.attempts.of(base);
    let refusal = Refusal {
        template: lineage.template_id(),
        counted: (tags::ATTEMPTS, lineage.record.attempts.after(base).text()),
        attempt: attempt + 1,
        at: lineage.situation.now,
        pools: lane.pools(),
        known: lineage.record.failed_pools.clone(),
    };
    let id = instead
        .1
        .as_ref()
        .map_or_else(|| STEP.to_owned(), |it| on_interface_id(lineage, it));
    let token = launch_token(base, attempt, &instead);
    let (image, interface) = instead;
    let launch = Launch {
        template,
        market: lane.market,
        instance_types: lane.types,
        subnet: lane.subnet,
        token,
        interface,
        image,
        tags: launch_tags(lineage, base),
        attempt,
    };
    Some(Step::new(id, Action::Launch(launch)).or_else(refusal))
}

/// When the instance to be replaced was taken, or began if nothing else is known.
fn since(lineage: &Lineage, base: &InstanceId) -> Timestamp {
    let instance = lineage.member(base);
    let taken = instance.and_then(|it| lineage.interruption(it));
    let recorded = lineage.record.interruption.as_ref();
    taken
        .as_ref()
        .or(recorded)
        .map(|it| it.at)
        .or(instance.map(|it| it.launch_time))
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

fn template(lineage: &Lineage, plan: &Plan) -> Option<LaunchTemplate> {
    if prepare::is_planned(plan) {
        let name = lineage.situation.template_name.clone();
        return name.map(LaunchTemplate::Name);
    }
    let (id, version) = lineage.prepared()?;
    Some(LaunchTemplate::Version(id, version))
}

/// The user's tags come from the template; these are ours.
fn launch_tags(lineage: &Lineage, base: &InstanceId) -> Tags {
    let mut tags = protect::own(lineage);
    tags.insert(tags::REPLACES.to_owned(), base.to_string());
    tags.insert(tags::LAUNCHED.to_owned(), "yes".to_owned());
    tags
}
