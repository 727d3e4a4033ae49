//! Replaces an On-Demand stand-in of ours by a Spot Instance, if the policy says so (`spot-rescue:return-to-spot`).
//!
//! There is no hurry, so nothing is taken from the stand-in before a Spot Instance runs in the same Availability Zone
//! and termination protection allows to terminate the stand-in. The Spot Instance is launched with the request that
//! would replace the stand-in at an interruption; without capacity nothing changes, and a later sweep tries again. Then
//! the stand-in gets a tombstone of its own kind (`return`), and a rescue follows in which the function terminates the
//! instance (`hand_back`).
//!
//! Only an instance that the function has launched is ever terminated: EC2 says from which launch template an instance
//! was launched. The original belongs to its user, and a member to its Auto Scaling group.

pub mod hand_back;

use crate::clock::{self, Timestamp};
use crate::event::{InstanceAction, InstanceState, Interruption};
use crate::plan::capacity::lanes::Lane;
use crate::plan::capacity::launch::choice;
use crate::plan::course::{caveats, foreseen, outcome};
use crate::plan::draft::Plan;
use crate::plan::facts::{asked, breaker, launcher, stand_in};
use crate::plan::lineage::Lineage;
use crate::plan::marks::tombstone;
use crate::plan::volumes::root;
use crate::policy::Data;
use crate::record::GivenUp;
use crate::report::Kind;
use crate::situation::{Fact, Instance, Market};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use std::collections::BTreeMap;
use time::Duration;

/// A Spot Instance has to run for so long first: one that dies while booting has died by then.
const SETTLED: Duration = Duration::MINUTE;

const STAYS: &str = "remember that it stays";

/// Why the stand-in stays On-Demand whatever the policy says.
fn refusal(lineage: &Lineage, owner: &Instance) -> Option<String> {
    if lineage.group_name().is_some() {
        return Some("its Auto Scaling group decides between Spot and On-Demand".to_owned());
    }
    if lineage.policy.data.value == Data::None {
        return Some(format!(
            "tag {}data is none, and it would leave its volumes behind",
            tags::PREFIX
        ));
    }
    if caveats::has_instance_store(&owner.instance_type) {
        return Some(format!(
            "it is an {}, and its instance store volumes would be lost",
            owner.instance_type
        ));
    }
    if asked::kept_interface(lineage).is_some() {
        return Some(
            "its private address is to be kept, and two instances cannot have it at the same time"
                .to_owned(),
        );
    }
    root::refusal(lineage).or_else(|| launcher::why_not_ours(lineage))
}

/// When the stand-in has served long enough, interruptions are long enough ago, and no attempt has failed lately.
fn due(lineage: &Lineage, owner: &Instance) -> Option<Timestamp> {
    let served = owner.launch_time + lineage.policy.return_to_spot.value?;
    let failed = lineage.record.stays.as_ref();
    let rested = failed.filter(|it| it.of == owner.id);
    let rested = rested.map(|it| it.at + stand_in::REST);
    [Some(served), breaker::calm_from(lineage), rested]
        .into_iter()
        .flatten()
        .max()
}

fn is_due(lineage: &Lineage, owner: &Instance) -> bool {
    let due = due(lineage, owner).is_some_and(|it| it <= lineage.now);
    due && stand_in::is_asked(lineage, owner) && refusal(lineage, owner).is_none()
}

/// The owner is not interrupted.
pub fn plan(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    if !stand_in::is_asked(lineage, owner) {
        return;
    }
    if let Some(why) = refusal(lineage, owner) {
        plan.note(format!("{} stays On-Demand: {why}", owner.id));
    } else if let (Some(stay), false) = (&lineage.record.stays, is_due(lineage, owner)) {
        let since = clock::format(stay.at);
        plan.note(format!(
            "{} stays On-Demand: {since} {}",
            owner.id, stay.why
        ));
    } else if is_due(lineage, owner)
        && owner.state == InstanceState::Running
        && lineage.successor.is_none()
        && may_be_ended(lineage, owner, plan)
    {
        look_for_spot(lineage, owner, plan);
    }
}

/// One attempt per look, and only on Spot.
fn look_for_spot(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    for failed in &lineage.record.failed_pools {
        plan.note(format!("{} stays On-Demand for now: {failed}", owner.id));
    }
    if lineage.inputs.pass > 1 {
        plan.wait(15, "a Spot Instance to be seen, if one was launched");
        return;
    }
    let lanes: Vec<Lane> = choice::spot_here(lineage);
    foreseen::launch_noted(lineage, owner, lanes, plan);
}

/// A Spot Instance has been launched for a stand-in that is to give way.
pub fn is_relieved(lineage: &Lineage, owner: &Instance) -> bool {
    let mut idle = lineage.idle();
    owner.state == InstanceState::Running
        && lineage.successor.is_some()
        && is_due(lineage, owner)
        && idle.all(|it| it.market == Market::Spot)
}

/// Starts the hand-over. The owner's present state is not recorded: it may come from a hand-over that is not visible
/// yet.
pub fn relief(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let Some(spare) = lineage.successor else {
        return;
    };
    if spare.tags.contains_key(tags::EXPIRES_AT) {
        plan.note(format!("{} has been given back: it is to end", spare.id));
        return;
    }
    if !may_be_ended(lineage, owner, plan) {
        return;
    }
    let now = lineage.now;
    if spare.state != InstanceState::Running || now < spare.launch_time + SETTLED {
        plan.wait(15, format!("{} to have run for a minute", spare.id));
        return;
    }
    let at_our_hands = Interruption {
        instance: owner.id.clone(),
        action: InstanceAction::Return,
        at: now,
    };
    tombstone::set(lineage, owner, &at_our_hands, plan);
    tombstone::remember(lineage, &at_our_hands, plan);
    plan.wait(
        5,
        format!("{} to be visible as giving way to Spot", owner.id),
    );
}

/// Whether termination protection is off: checked before the launch, and again before anything is taken from the
/// stand-in.
fn may_be_ended(lineage: &Lineage, owner: &Instance, plan: &mut Plan) -> bool {
    match &lineage.facts.termination_protected {
        Fact::Known(termination_protected) if termination_protected.contains(&owner.id) => {
            let why = "its termination protection is on; switch it off (DisableApiTermination)";
            keep_on(lineage, owner, lineage.now, why, plan);
            false
        }
        Fact::Known(_) => true,
        Fact::Unavailable { operation, why } => {
            let id = &owner.id;
            plan.note(format!(
                "{id} stays On-Demand for now: its termination protection cannot be read ({operation}: {why}); the \
                 next sweep tries again"
            ));
            false
        }
        Fact::NotRead => false,
    }
}

/// The stand-in is not terminated: reported once, and not tried again for a day.
fn keep_on(lineage: &Lineage, owner: &Instance, begun: Timestamp, why: &str, plan: &mut Plan) {
    let Some(template) = lineage.template() else {
        return;
    };
    let stay = GivenUp {
        of: owner.id.clone(),
        at: lineage.now,
        why: why.to_owned(),
    };
    let resources = vec![template.id.to_string()];
    let tags = Tags::from([(tags::STAYS.to_owned(), stay.text())]);
    plan.step(Step::new(STAYS, Action::Tag { resources, tags }));
    let given_up = Interruption {
        instance: owner.id.clone(),
        action: InstanceAction::Return,
        at: begun,
    };
    let mut outcome = outcome::of_owner(Kind::KeptOnDemand, lineage, &given_up, BTreeMap::new());
    outcome.why = Some(why.to_owned());
    plan.outcome = Some((STAYS.to_owned(), outcome));
}
