//! What is done about a rebalance recommendation or a scheduled AWS Health event: the instance may be interrupted.
//!
//! Often no interruption follows, so the instance keeps its traffic and its volumes. A new snapshot set is taken, and
//! if the policy says so a replacement is launched ahead, as a *spare*. Its request is the one that a warning would
//! send, so a warning that comes at the same time gets the same instance. The spare saves the search for capacity and
//! the boot; it gets the volumes only when the instance has ended. Moving them earlier would end an instance that may
//! run on: only its user may decide that.
//!
//! A spare that was not needed gets an expiry date here, and the sweep terminates it.

use crate::clock::{SWEEP, Timestamp};
use crate::event::{InstanceState, Risk};
use crate::id::VolumeId;
use crate::plan::capacity::lanes::Lane;
use crate::plan::capacity::launch::{self, choice, request};
use crate::plan::draft::Plan;
use crate::plan::facts::spot_request;
use crate::plan::lineage::Lineage;
use crate::plan::marks::{expiry, member, room};
use crate::plan::volumes::{copies, snapshot};
use crate::policy::Rebalance;
use crate::record::risk_text;
use crate::situation::{Instance, Market, Volume};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use time::Duration;

/// A recommendation without an interruption counts for so long.
const LASTS: Duration = Duration::hours(6);

/// The instance counts as at risk from two sweeps before the date.
const LEAD: Duration = SWEEP.saturating_add(SWEEP);

/// The expiry date of a spare is so far ahead: a rescue that starts meanwhile removes it, and the sweep may read tags
/// late.
const RESPITE: Duration = Duration::minutes(5);

const COUNT: &str = "count the spare";

const NOTE: &str = "note the risk";

/// The state of a risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The date is still far.
    Ahead,
    Now,
    Over,
}

/// When the instance begins to count as at risk.
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

/// The owner is not interrupted. Its risk stays on record as long as it is the owner.
pub fn plan(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let Some(risk) = lineage.risk(owner) else {
        return;
    };
    let policy = lineage.policy.rebalance.value;
    let stage = stage(&risk, lineage.now);
    if stage == Stage::Now && owner.state == InstanceState::Running {
        match policy {
            Rebalance::Ignore => {}
            Rebalance::Snapshot => snapshot::ahead(lineage, owner, begins(&risk), plan),
            Rebalance::Replace => {
                snapshot::ahead(lineage, owner, begins(&risk), plan);
                spare(lineage, owner, plan);
            }
        }
    }
    if stage != Stage::Now || policy != Rebalance::Replace {
        give_back(lineage, plan);
    }
}

/// One attempt per look, by the first launch request only: a recommendation is not urgent.
fn spare(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    if let Some(spare) = lineage.successor {
        plan.note(format!("{} waits to replace {}", spare.id, owner.id));
        return;
    }
    if let Some(why) = spot_request::comes_back(lineage, owner) {
        plan.note(format!("no spare is launched: {why}"));
        return;
    }
    if spot_request::recorded(lineage, owner).is_none() {
        let what = "the Spot Instance request to be readable, before a spare is launched";
        plan.wait(15, what);
        return;
    }
    if lineage.prepared().is_none() {
        plan.wait(5, "a prepared rescue to launch a spare from");
        return;
    }
    // A second request is sent only with the version before, if AWS says that the token was used for that one.
    let asked = lineage.inputs.pass > 1 && !request::is_mismatched(lineage);
    if owner.market != Market::Spot || asked {
        return;
    }
    launch_noted(lineage, owner, choice::first_lane(lineage), plan);
}

/// Tags the owner before the launch: first aid of a later warning must look for the spare before it launches.
pub fn launch_noted(lineage: &Lineage, owner: &Instance, lanes: Vec<Lane>, plan: &mut Plan) {
    let noted = note(lineage, owner, plan);
    launch::spare(lineage, owner, lanes, noted.then_some(NOTE), plan);
}

/// Tags replacements that are not needed with an expiry date, so that the sweep terminates them. One that holds data
/// is left alone.
pub fn give_back(lineage: &Lineage, plan: &mut Plan) {
    let ours = |it: &&Instance| it.tags.contains_key(tags::LAUNCHED);
    let marked = |it: &&Instance| it.tags.contains_key(tags::EXPIRES_AT);
    let idle = lineage.idle().filter(|it| ours(it) && !marked(it));
    let unneeded: Vec<&Instance> = idle.filter(|it| holds_nothing(lineage, it)).collect();
    let counted = count(lineage, &unneeded, plan);
    for spare in unneeded {
        plan.note(format!("{} was not needed: it is given back", spare.id));
        let step = expiry::expire_at(lineage.now + RESPITE, spare.id.to_string());
        let tight = room::is_tight(lineage, spare);
        let loosened = tight
            .then(|| member::loosen(lineage, spare, plan))
            .flatten();
        let step = loosened.iter().fold(step, |step, id| step.after(id));
        // A launch leaves room for this tag; tags that the user has added since may have taken it.
        if loosened.is_some() || room::takes(spare, tags::EXPIRES_AT) {
            plan.step(if counted { step.after(COUNT) } else { step });
        }
    }
}

/// The next launch must have another token: EC2 keeps returning these spares for theirs, running or terminated.
fn count(lineage: &Lineage, spares: &[&Instance], plan: &mut Plan) -> bool {
    let Some(template) = lineage.template_id() else {
        return false;
    };
    let bases = spares.iter().filter_map(|it| it.tags.get(tags::REPLACES));
    let bases = bases.filter_map(|it| it.parse().ok());
    let before = &lineage.record.attempts;
    let attempts = bases.fold(before.clone(), |it, base| it.after(&base));
    if attempts == *before {
        return false;
    }
    let resources = vec![template.to_string()];
    let tags = Tags::from([(tags::ATTEMPTS.to_owned(), attempts.text())]);
    plan.step(Step::new(COUNT, Action::Tag { resources, tags }));
    if let Some(owner) = lineage.owner {
        note(lineage, owner, plan);
    }
    true
}

/// Tags the owner, because a launch was made for it: first aid of a warning must not launch before it has read the
/// lineage. True if the tag was missing.
fn note(lineage: &Lineage, owner: &Instance, plan: &mut Plan) -> bool {
    let room = room::takes(owner, tags::AT_RISK);
    let unsaid = !owner.tags.contains_key(tags::AT_RISK) && owner.is_alive() && room;
    if unsaid {
        let resources = vec![owner.id.to_string()];
        let risk = lineage.risk(owner).unwrap_or(Risk {
            instance: owner.id.clone(),
            at: lineage.now,
            due: None,
        });
        let tags = Tags::from([(tags::AT_RISK.to_owned(), risk_text(&risk))]);
        plan.step(Step::new(NOTE, Action::Tag { resources, tags }));
    }
    unsaid
}

/// True if terminating the spare deletes no data: apart from its root, each volume that would be deleted with it is a
/// copy, as EC2 shows, of a volume of the owner.
fn holds_nothing(lineage: &Lineage, spare: &Instance) -> bool {
    let volumes = lineage.facts.volumes.known();
    let volumes = volumes.map(Vec::as_slice).unwrap_or_default();
    let snapshots = lineage.facts.snapshots.known();
    let snapshots = snapshots.map(Vec::as_slice).unwrap_or_default();
    let is_copy = |id: &VolumeId| {
        let copy = volumes.iter().find(|it| it.id == *id);
        let origins = volumes.iter().filter(|it| held_by(it, lineage.owner));
        copy.is_some_and(|copy| {
            let mut origins = origins;
            origins.any(|it| copies::is_copy(copy, &it.id, snapshots))
        })
    };
    let mut data = spare.devices.iter().filter(|it| !spare.is_root(&it.name));
    data.all(|it| !it.delete_on_termination || is_copy(&it.volume))
}

fn held_by(volume: &Volume, owner: Option<&Instance>) -> bool {
    owner.is_some_and(|owner| volume.attached_to(&owner.id))
}

/// A rescue begins and needs the spare: its expiry date is removed.
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
