//! The rescue of a lineage whose owner is being terminated, or was: which decisions, in which order.
//! Steps listed first are sent first: traffic leaves, then volumes are kept, then the rest.

use crate::event::Interruption;
use crate::plan::capacity::launch::{self, Decision};
use crate::plan::capacity::{deaths, requests};
use crate::plan::course::{at_the_latest, close, foreseen, progress, rejoin, replacement};
use crate::plan::draft::Plan;
use crate::plan::facts::way;
use crate::plan::lineage::Lineage;
use crate::plan::marks::seen::{self, over};
use crate::plan::marks::{missed, tombstone};
use crate::plan::network::interfaces;
use crate::plan::traffic::deregister;
use crate::plan::volumes::{clone, hand_over, protect, snapshot};
use crate::record::FirstLook;

/// Round trip two: everything the instance's own description and tags allow.
pub fn first_aid(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    let Some(instance) = lineage.member(&interruption.instance) else {
        return plan;
    };
    deregister::on_record(lineage, instance, &mut plan);
    protect::keep_volumes(instance, &mut plan);
    interfaces::keep(lineage, instance, &mut plan);
    let first_sight = tombstone::tombstone(lineage, instance, interruption, &mut plan);
    if first_sight {
        snapshot::warning(lineage, instance, interruption, &mut plan);
        launch::first(lineage, instance, &mut plan);
    }
    plan
}

/// By the record alone, when the instances cannot be read.
pub fn unseen(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    let instance = &interruption.instance;
    deregister::recorded_of(lineage, instance, &mut plan);
    protect::keep_recorded(lineage, instance, &mut plan);
    tombstone::remember(lineage, interruption, &mut plan);
    plan
}

/// Whatever is still missing.
pub fn plan(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    deregister::found(lineage, &mut plan);
    let interrupted = lineage.interrupted();
    for (instance, interruption) in interrupted.filter(|(it, _)| !lineage.is_retired(it)) {
        protect::keep_volumes(instance, &mut plan);
        interfaces::keep(lineage, instance, &mut plan);
        interfaces::mark_all(lineage, instance, &mut plan);
        tombstone::tombstone(lineage, instance, &interruption, &mut plan);
        snapshot::warning(lineage, instance, &interruption, &mut plan);
    }
    tombstone::remember(lineage, interruption, &mut plan);
    seen::note(lineage, interruption, &mut plan);
    protect::mark_volumes(lineage, &mut plan);
    clone::request(lineage, &mut plan);
    at_the_latest::at_the_latest(lineage, interruption, &mut plan);
    foreseen::keep(lineage, &mut plan);
    requests::cancel(lineage, interruption, &mut plan);
    deaths::note_down(lineage, &mut plan);
    let way = way::way(lineage);
    if replacement::plan(lineage, &way, &mut plan) == Decision::Refused {
        progress::kept(lineage, interruption, way.refusal(), &mut plan);
        return plan;
    }
    // Or this very look has seen it.
    if over::reached(lineage) < FirstLook::Seen && over::is_expected(FirstLook::Seen, lineage) {
        plan.wait(5, "what the old instance has to be on record");
        return plan;
    }
    if missed::is_waited_for(lineage, interruption, &mut plan) {
        // How it stands is told all the same.
        let foreseen = hand_over::hand_over(lineage, interruption, &mut Plan::default());
        progress::plan(lineage, interruption, &foreseen, &mut plan);
        return plan;
    }
    let hand_over = hand_over::hand_over(lineage, interruption, &mut plan);
    let rejoined = rejoin::plan(lineage, &way, interruption, &hand_over, &mut plan);
    progress::plan(lineage, interruption, &hand_over, &mut plan);
    if rejoined && over::is_expected(FirstLook::Listed, lineage) {
        plan.wait(5, "every target group to be asked");
    } else if rejoined {
        close::plan(lineage, interruption, &hand_over, &mut plan);
    } else if plan.waits.is_empty() {
        plan.wait(5, "the replacement to serve");
    }
    plan
}
