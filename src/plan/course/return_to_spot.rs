//! The way back to Spot: an On-Demand stand-in of ours gives way to a Spot Instance, if the policy says so
//! (`spot-rescue:return-to-spot`).
//!
//! Nothing presses: so nothing is taken from the stand-in before a Spot Instance runs in the same zone,
//! and EC2 would let us end the stand-in. The Spot Instance is launched by the very request that would
//! replace the stand-in if it were interrupted; without capacity nothing has happened, and a later sweep
//! asks again. Then the stand-in gets a tombstone of its own kind (`return`), and from there on it is a
//! rescue like any other, except that it is us who end the instance (`hand_back`).
//!
//! Only what we have launched is ever ended: EC2 says from which template an instance was launched. The
//! original is its user's, and a group's member its group's.

pub mod hand_back;

use crate::clock::{self, Timestamp};
use crate::event::{InstanceAction, InstanceState, Interruption};
use crate::plan::capacity::lanes::Lane;
use crate::plan::capacity::launch;
use crate::plan::course::{caveats, foreseen, outcome};
use crate::plan::draft::Plan;
use crate::plan::facts::{asked, breaker, stand_in, way};
use crate::plan::lineage::Lineage;
use crate::plan::marks::tombstone;
use crate::plan::volumes::root;
use crate::policy::Data;
use crate::record::Stay;
use crate::report::Kind;
use crate::situation::{Fact, Instance, Market};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use std::collections::BTreeMap;
use time::Duration;

/// A Spot Instance has to run for so long first: what dies booting has died by then.
const SETTLED: Duration = Duration::MINUTE;

const STAYS: &str = "remember that it stays";

/// Why it stays On-Demand whatever the policy says.
fn refusal(lineage: &Lineage, owner: &Instance) -> Option<String> {
    if lineage.group_name().is_some() {
        return Some("what its Auto Scaling group runs on is the group's business".to_owned());
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
            "its private address is to be kept, and nobody can have it beside it".to_owned(),
        );
    }
    root::refusal(lineage).or_else(|| way::why_not_ours(lineage))
}

/// It has served its time, interruptions lie far enough back, and no attempt has failed lately.
fn due(lineage: &Lineage, owner: &Instance) -> Option<Timestamp> {
    let served = owner.launch_time + lineage.policy.return_to_spot.value?;
    let failed = lineage.record.stays.as_ref();
    let rested = failed.filter(|it| it.instance == owner.id);
    let rested = rested.map(|it| it.at + stand_in::REST);
    [Some(served), breaker::calm_from(lineage), rested]
        .into_iter()
        .flatten()
        .max()
}

fn is_due(lineage: &Lineage, owner: &Instance) -> bool {
    let due = due(lineage, owner).is_some_and(|it| it <= lineage.situation.now);
    due && stand_in::is_asked(lineage, owner) && refusal(lineage, owner).is_none()
}

/// The owner is well.
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
        plan.note(format!("{} stands in: {failed}", owner.id));
    }
    if lineage.situation.pass > 1 {
        plan.wait(15, "a Spot Instance to be seen, if one was launched");
        return;
    }
    let ways: Vec<Lane> = launch::spot_here(lineage);
    foreseen::launch_noted(lineage, owner, ways, plan);
}

/// A Spot Instance has been launched for a stand-in that is to give way.
pub fn is_relieved(lineage: &Lineage, owner: &Instance) -> bool {
    let mut idle = lineage.idle();
    owner.state == InstanceState::Running
        && lineage.successor.is_some()
        && is_due(lineage, owner)
        && idle.all(|it| it.market == Market::Spot)
}

/// Nothing is written down of what the owner shows: it may be the hand-over's doing already, which is
/// only seen later.
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
    let now = lineage.situation.now;
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
    plan.wait(5, format!("{} to be seen giving way", owner.id));
}

/// Asked before anything is launched for it, and again before anything is taken from it.
fn may_be_ended(lineage: &Lineage, owner: &Instance, plan: &mut Plan) -> bool {
    match &lineage.situation.locked {
        Fact::Known(locked) if locked.contains(&owner.id) => {
            let why = "its termination protection is on; switch it off (DisableApiTermination)";
            keep_on(lineage, owner, lineage.situation.now, why, plan);
            false
        }
        Fact::Known(_) => true,
        Fact::Unavailable { operation, why } => {
            let id = &owner.id;
            plan.note(format!("{id} stands in: {operation} says nothing of its termination protection ({why}); the next sweep asks again"));
            false
        }
        Fact::NotRead => false,
    }
}

/// It is not to be ended: said once, and not tried again for a day.
fn keep_on(lineage: &Lineage, owner: &Instance, begun: Timestamp, why: &str, plan: &mut Plan) {
    let Some(template) = lineage.template() else {
        return;
    };
    let stay = Stay {
        instance: owner.id.clone(),
        at: lineage.situation.now,
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
