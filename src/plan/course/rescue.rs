//! The two minutes, in order: what happens between the warning and the moment when the replacement serves.
//!
//! 1. **First aid** ([`first_aid`]), as soon as the instance has been described: traffic leaves, volumes and interfaces are
//!    kept, the interruption is written down, the snapshot set is taken and the replacement launched, all at once.
//! 2. **Every later look** ([`plan`]) adds what is still missing: protection first, then the record, then the
//!    replacement; once that runs its volumes, its network and its traffic; and when it serves, the end of the rescue.
//!
//! Steps listed first are sent first. Nothing moves before what the old instance has is on record.

use crate::event::Interruption;
use crate::plan::capacity::launch::{self, Decision};
use crate::plan::capacity::{deaths, requests};
use crate::plan::course::{at_the_latest, close, foreseen, progress, rejoin, replacement};
use crate::plan::draft::Plan;
use crate::plan::facts::launcher::{self, Launcher};
use crate::plan::lineage::Lineage;
use crate::plan::marks::seen::{self, over};
use crate::plan::marks::{missed, tombstone};
use crate::plan::network::interfaces;
use crate::plan::traffic::deregister;
use crate::plan::volumes::{clone, hand_over, protect, snapshot};
use crate::record::FirstLook;

/// The second round trip: every step that the instance's own description and tags allow.
pub fn first_aid(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    let Some(instance) = lineage.member(&interruption.instance) else {
        return plan;
    };
    deregister::on_record(lineage, instance, &mut plan);
    protect::keep_volumes(instance, &mut plan);
    interfaces::keep_all(lineage, instance, &mut plan);
    let is_first = tombstone::set(lineage, instance, interruption, &mut plan);
    if is_first {
        snapshot::warning(lineage, instance, interruption, &mut plan);
        launch::first(lineage, instance, &mut plan);
    }
    plan
}

/// Protects by the record alone, when the instance cannot be described.
pub fn unseen(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    let instance = &interruption.instance;
    deregister::recorded_of(lineage, instance, &mut plan);
    protect::keep_recorded(lineage, instance, &mut plan);
    tombstone::remember(lineage, interruption, &mut plan);
    plan
}

/// Every later look adds the steps that are still missing.
pub fn plan(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    protect(lineage, &mut plan);
    remember(lineage, interruption, &mut plan);
    let launcher = launcher::launcher(lineage);
    if replacement::plan(lineage, &launcher, &mut plan) == Decision::Refused {
        progress::kept(lineage, interruption, launcher.refusal(), &mut plan);
        return plan;
    }
    if is_on_record(lineage, interruption, &mut plan) {
        bring_back(lineage, &launcher, interruption, &mut plan);
    }
    plan
}

/// Each interrupted instance of the lineage, a replacement included, is deregistered, and nothing is deleted with it.
fn protect(lineage: &Lineage, plan: &mut Plan) {
    deregister::found(lineage, plan);
    let interrupted = lineage.interrupted();
    for (instance, interruption) in interrupted.filter(|(it, _)| !lineage.is_retired(it)) {
        protect::keep_volumes(instance, plan);
        interfaces::keep_all(lineage, instance, plan);
        interfaces::mark_all(lineage, instance, plan);
        tombstone::set(lineage, instance, &interruption, plan);
        snapshot::warning(lineage, instance, &interruption, plan);
    }
}

/// Writes down what a terminated instance no longer shows, and removes what would hinder a replacement.
fn remember(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) {
    tombstone::remember(lineage, interruption, plan);
    seen::note(lineage, interruption, plan);
    protect::mark_volumes(lineage, plan);
    clone::request(lineage, plan);
    at_the_latest::prepare(lineage, interruption, plan);
    foreseen::keep(lineage, plan);
    requests::cancel(lineage, interruption, plan);
    deaths::note_down(lineage, plan);
}

/// Nothing moves before the old instance's volumes, addresses and targets are on record, or carried by a chain of
/// wakes if an earlier look could not write them down.
fn is_on_record(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) -> bool {
    if over::reached(lineage) < FirstLook::Seen && over::is_expected(FirstLook::Seen, lineage) {
        plan.wait(5, "what the old instance has to be on record");
        return false;
    }
    if missed::is_waited_for(lineage, interruption, plan) {
        // How far the rescue has come is reported all the same.
        let foreseen = hand_over::plan(lineage, interruption, &mut Plan::default());
        progress::plan(lineage, interruption, &foreseen, plan);
        return false;
    }
    true
}

/// The replacement gets its volumes, then its network and its traffic; when it serves, the rescue is over.
fn bring_back(
    lineage: &Lineage,
    launcher: &Launcher,
    interruption: &Interruption,
    plan: &mut Plan,
) {
    let hand_over = hand_over::plan(lineage, interruption, plan);
    let serves = rejoin::plan(lineage, launcher, interruption, &hand_over, plan);
    progress::plan(lineage, interruption, &hand_over, plan);
    if serves && over::is_expected(FirstLook::Listed, lineage) {
        plan.wait(5, "every target group to be asked");
    } else if serves {
        close::plan(lineage, interruption, &hand_over, plan);
    } else if plan.waits.is_empty() {
        plan.wait(5, "the replacement to serve");
    }
}
