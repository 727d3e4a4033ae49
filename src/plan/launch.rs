//! The replacement: one, from the prepared rescue.
//!
//! Exactly one, because the request's token is computed from the instance to be replaced and the
//! number of launches that failed so far: whoever plans the same launch sends the same token and
//! gets the same instance (TRAP 7). A failed launch is written down, and the next lane is tried.

use super::{Lineage, Plan, prepare, protect, risk, template_name};
use crate::id::{InstanceId, SubnetId, TemplateId};
use crate::policy::{OnDemand, Replace};
use crate::situation::{Instance, Market};
use crate::step::{Action, Launch, LaunchTemplate, Step, token};
use crate::tags::{self, Tags};

pub const STEP: &str = "launch";

/// One way to ask for capacity.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lane {
    market: Market,
    subnets: Vec<SubnetId>,
}

/// At first sight of a warning, if the prepared rescue is known to exist.
pub fn first(lineage: &Lineage, instance: &Instance, plan: &mut Plan) {
    let prepared = instance.tags.contains_key(tags::PREPARED);
    // A spare may wait already, or be gone again: that is looked up first.
    let at_risk = instance.tags.contains_key(tags::AT_RISK);
    if prepared && !at_risk && refusal(lineage, instance).is_none() {
        steps(lineage, &instance.id, plan);
    }
}

/// Ahead of an interruption, by the same request; only in the first way to launch, and once.
pub fn spare(
    lineage: &Lineage,
    owner: &Instance,
    template: &TemplateId,
    after: Option<&str>,
    plan: &mut Plan,
) {
    if let Some(why) = refusal(lineage, owner) {
        plan.note(format!("no spare is launched: {why}"));
        return;
    }
    let ways = lanes(lineage);
    let number = usize::try_from(attempts(lineage)).unwrap_or(0);
    let first = ways.first().is_some_and(|it| it.market == Market::Spot);
    if !first || number % ways.len() != 0 {
        return;
    }
    let base = lineage.base().map_or(&owner.id, |it| &it.id);
    steps(lineage, base, plan);
    if let Some(step) = plan.steps.iter_mut().find(|it| it.id == STEP) {
        step.on_failure = risk::next_round(lineage, template);
        step.after.extend(after.map(str::to_owned));
    }
}

/// The number of the launch that begins a new round of ways.
pub fn next_round(lineage: &Lineage) -> Option<u32> {
    let ways = u32::try_from(lanes(lineage).len()).ok()?;
    let rounds = attempts(lineage).checked_div(ways)? + 1;
    rounds.checked_mul(ways)
}

fn attempts(lineage: &Lineage) -> u32 {
    let failed = lineage.situation.failed_launches;
    lineage.record.attempt.max(failed)
}

/// Whether there is, or will be, a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Wanted,
    /// The policy, or the instance's group, says that it is not for us to launch.
    Refused,
}

/// If nobody has taken over yet.
pub fn replacement(lineage: &Lineage, plan: &mut Plan) -> Decision {
    if lineage.successor.is_some() {
        return Decision::Wanted;
    }
    let base = lineage.base();
    if let Some(why) = base.and_then(|it| refusal(lineage, it)) {
        plan.note(format!("no replacement is launched: {why}"));
        return Decision::Refused;
    }
    if lineage.template().is_none() && !prepare::is_planned(plan) {
        plan.wait(15, "a prepared rescue to launch from");
    } else if let Some(base) = base.map(|it| &it.id).or(lineage.record.head.as_ref()) {
        steps(lineage, base, plan);
    }
    Decision::Wanted
}

fn refusal(lineage: &Lineage, base: &Instance) -> Option<String> {
    match (lineage.policy.replace.value, base.group()) {
        (Replace::None, _) => Some(format!("tag {}replace is none", tags::PREFIX)),
        (Replace::Auto, Some(group)) => Some(format!(
            "{} is a member of the Auto Scaling group {group}, which replaces it",
            base.id
        )),
        (Replace::Auto | Replace::Launch, _) => None,
    }
}

fn steps(lineage: &Lineage, base: &InstanceId, plan: &mut Plan) {
    let lanes = lanes(lineage);
    let attempt = attempts(lineage);
    let tried = usize::try_from(lineage.situation.pass).unwrap_or(usize::MAX);
    let Some(place) = &lineage.record.place else {
        plan.note("no replacement is launched: subnet and type of the instance are unknown");
        return;
    };
    if tried > lanes.len() {
        plan.wait(
            30,
            format!(
                "capacity: all {} ways to launch have just failed",
                lanes.len()
            ),
        );
        return;
    }
    let number = usize::try_from(attempt).unwrap_or(0);
    let Lane { market, subnets } = lanes[number % lanes.len()].clone();
    let mut instance_types = vec![place.instance_type.clone()];
    let others = lineage.policy.instance_types.value.iter();
    instance_types.extend(others.filter(|it| **it != place.instance_type).cloned());
    let launch = Launch {
        template: template(lineage, plan),
        market,
        instance_types,
        subnets,
        tags: launch_tags(lineage, base),
        attempt,
        token: token(&["launch", base.as_str(), &attempt.to_string()]),
    };
    let step = Step::new(STEP, Action::Launch(launch)).or_else(failed(lineage, attempt));
    plan.step(if prepare::is_planned(plan) {
        step.after(prepare::STEP)
    } else {
        step
    });
    plan.wait(5, "the replacement to run");
}

/// Spot where it was, On-Demand where it was, then the same in the other subnets.
fn lanes(lineage: &Lineage) -> Vec<Lane> {
    let own: Vec<SubnetId> = lineage
        .record
        .place
        .iter()
        .map(|it| it.subnet.clone())
        .collect();
    let others = lineage
        .policy
        .subnets
        .value
        .iter()
        .filter(|it| !own.contains(it));
    let others: Vec<SubnetId> = others.cloned().collect();
    let markets = match lineage.policy.on_demand.value {
        OnDemand::Fallback => &[Market::Spot, Market::OnDemand][..],
        OnDemand::Never => &[Market::Spot][..],
    };
    let places = [own, others]
        .into_iter()
        .filter(|subnets| !subnets.is_empty());
    places
        .flat_map(|subnets| {
            markets.iter().map(move |market| Lane {
                market: *market,
                subnets: subnets.clone(),
            })
        })
        .collect()
}

fn template(lineage: &Lineage, plan: &Plan) -> LaunchTemplate {
    let known = lineage.template_id().filter(|_| !prepare::is_planned(plan));
    let name = || template_name(&lineage.situation.lineage);
    known.map_or_else(|| LaunchTemplate::Name(name()), LaunchTemplate::Id)
}

/// The user's tags come from the template; these are ours.
fn launch_tags(lineage: &Lineage, base: &InstanceId) -> Tags {
    let mut tags = protect::own(lineage);
    tags.insert(tags::REPLACES.to_owned(), base.to_string());
    tags
}

/// A failed launch counts in the record, so that the next one is another request.
fn failed(lineage: &Lineage, attempt: u32) -> Option<Action> {
    let resources = vec![lineage.template_id()?.to_string()];
    let tags = Tags::from([(tags::ATTEMPT.to_owned(), (attempt + 1).to_string())]);
    Some(Action::Tag { resources, tags })
}
