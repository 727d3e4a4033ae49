//! An interruption that is only foreseen: a rebalance recommendation, or a date of AWS Health's.
//!
//! Often nothing follows, so nothing is taken from the instance: it keeps its traffic and its volumes.
//! The snapshot set is made fresh, and if the policy asks for it the replacement is launched ahead, as a
//! *spare*. It is launched by the very request the warning would send, so that a warning that comes
//! seconds later, or at the same time, gets the same instance; EC2 lets volumes move only when the
//! instance has ended, so the spare saves the boot and the search for capacity, and waits. Moving
//! everything at once would mean to end an instance that may well live on: that is its user's to do.
//!
//! A spare nobody needed is given back: marked with an expiry here, ended by the sweep.

use super::{Lineage, Plan, launch, snapshot, tidy};
use crate::clock::Timestamp;
use crate::event::{InstanceState, Risk};
use crate::policy::Rebalance;
use crate::record::{failed_pool_tags, risk_text};
use crate::situation::{Instance, Market};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use time::Duration;

/// A recommendation that nothing has followed for so long is over.
const LASTS: Duration = Duration::hours(6);
/// So long before a date the instance counts as at risk: two sweeps.
const LEAD: Duration = Duration::minutes(30);

pub const NOTE: &str = "note the risk";

/// Where a risk stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The date is still far.
    Ahead,
    Now,
    Over,
}

/// From when on it counts.
fn begins(risk: &Risk) -> Timestamp {
    risk.due.map_or(risk.at, |it| (it - LEAD).max(risk.at))
}

#[must_use]
pub fn stage(risk: &Risk, now: Timestamp) -> Stage {
    if now < begins(risk) {
        Stage::Ahead
    } else if now < risk.due.unwrap_or(risk.at).max(risk.at) + LASTS {
        Stage::Now
    } else {
        Stage::Over
    }
}

/// The owner is well. What was foreseen for it is on record as long as it is the owner.
pub fn plan(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let Some(risk) = lineage.risk(owner) else {
        return;
    };
    let policy = lineage.policy.rebalance.value;
    let stage = stage(&risk, lineage.situation.now);
    if stage == Stage::Now && owner.state == InstanceState::Running {
        match policy {
            Rebalance::Ignore => {}
            Rebalance::Snapshot => snapshot::ahead(lineage, owner, begins(&risk), plan),
            Rebalance::Replace => {
                snapshot::ahead(lineage, owner, begins(&risk), plan);
                spare(lineage, owner, &risk, plan);
            }
        }
    }
    if stage != Stage::Now || policy != Rebalance::Replace {
        give_back(lineage, plan);
    }
}

/// One attempt per look, in the first way to launch: a recommendation is no emergency.
fn spare(lineage: &Lineage, owner: &Instance, risk: &Risk, plan: &mut Plan) {
    if let Some(spare) = lineage.successor {
        plan.note(format!("{} waits to replace {}", spare.id, owner.id));
        return;
    }
    if lineage.template_id().is_none() {
        plan.wait(5, "a prepared rescue to launch a spare from");
        return;
    }
    if owner.market != Market::Spot || lineage.situation.pass > 1 {
        return;
    }
    // Whoever warns of the instance later must not launch before he has looked for the spare.
    let noted = owner.tags.contains_key(tags::AT_RISK);
    if !noted {
        let resources = vec![owner.id.to_string()];
        let tags = Tags::from([(tags::AT_RISK.to_owned(), risk_text(risk))]);
        plan.step(Step::new(NOTE, Action::Tag { resources, tags }));
    }
    launch::spare(lineage, owner, (!noted).then_some(NOTE), plan);
}

/// Only what is empty goes: a replacement that holds volumes of the lineage is no spare any more.
pub fn give_back(lineage: &Lineage, plan: &mut Plan) {
    let spare = lineage.successor.filter(|it| it.group().is_none());
    let Some(spare) = spare.filter(|it| is_empty(it)) else {
        return;
    };
    if spare.tags.contains_key(tags::EXPIRES_AT) {
        return;
    }
    // The next launch must be another request: this one's token stays with the spare, dead or alive.
    let count = "count the spare";
    if let Some(template) = lineage.template_id() {
        let resources = vec![template.to_string()];
        let attempt = lineage.record.attempt + 1;
        let tags = Tags::from([(tags::ATTEMPT.to_owned(), attempt.to_string())]);
        plan.step(Step::new(count, Action::Tag { resources, tags }));
    }
    plan.note(format!("{} was not needed: it is given back", spare.id));
    let step = tidy::expire_at(lineage.situation.now, spare.id.to_string());
    plan.step(step.after(count));
}

/// It has its own root volume and nothing else.
#[must_use]
pub fn is_empty(instance: &Instance) -> bool {
    let mut devices = instance.devices.iter();
    devices.all(|it| instance.is_root(&it.name))
}

/// A rescue begins: the spare is needed after all.
pub fn keep(lineage: &Lineage, plan: &mut Plan) {
    let marked = |it: &&Instance| it.tags.contains_key(tags::EXPIRES_AT);
    if let Some(spare) = lineage.successor.filter(marked) {
        let resources = vec![spare.id.to_string()];
        let keys = vec![tags::EXPIRES_AT.to_owned()];
        plan.step(Step::new(
            "keep the spare",
            Action::Untag { resources, keys },
        ));
    }
}

/// What the record says of it: as long as the owner is the owner, so that its launches count.
pub fn record_tags(lineage: &Lineage, owner: &Instance) -> Tags {
    let Some(risk) = lineage.risk(owner) else {
        return Tags::new();
    };
    let mut all = Tags::from([(tags::AT_RISK.to_owned(), risk_text(&risk))]);
    if lineage.record.attempt > 0 {
        let attempt = lineage.record.attempt.to_string();
        all.insert(tags::ATTEMPT.to_owned(), attempt);
        all.extend(failed_pool_tags(&lineage.record.failed_pools));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn a_date_counts_from_half_an_hour_before_and_a_recommendation_at_once() {
        let at = clock::parse("2026-11-23T10:00:00Z").unwrap();
        let risk = |due| Risk {
            instance: "i-0123456789abcdef0".parse().unwrap(),
            at,
            due,
        };
        let after = |hours| at + Duration::hours(hours);
        for (due, hours, expected) in [
            (None, 0, Stage::Now),
            (None, 5, Stage::Now),
            (None, 6, Stage::Over),
            (Some(after(48)), 0, Stage::Ahead),
            (Some(after(48)), 48, Stage::Now),
            (Some(after(48)), 54, Stage::Over),
            // Told too late: it is now.
            (Some(after(-1)), 0, Stage::Now),
        ] {
            assert_eq!(stage(&risk(due), after(hours)), expected, "{due:?} {hours}");
        }
        let soon = at + Duration::minutes(48 * 60 - 30);
        assert_eq!(stage(&risk(Some(after(48))), soon), Stage::Now);
    }
}
