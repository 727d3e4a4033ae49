//! The successor serves: the same targets on the same ports, the same addresses. Not before its
//! volumes are there, and never without one that is lost: an empty database must not take traffic.

use crate::event::{InstanceState, Interruption};
use crate::plan::draft::Plan;
use crate::plan::facts::way::Way;
use crate::plan::facts::{asked, milestone};
use crate::plan::group::{claim, join};
use crate::plan::lineage::Lineage;
use crate::plan::network::{addresses, interfaces};
use crate::plan::pace;
use crate::plan::traffic::{dns, register};
use crate::plan::volumes::fate::{Fate, HandOver};
use crate::plan::volumes::hand_over;
use crate::record::Milestone;
use crate::step::Until;

/// So many seconds after its data a replacement without one of its addresses counts as back, as one
/// without one of its targets does.
const PATIENCE: f64 = 300.0;

/// True once everything is as it was.
pub fn plan(
    lineage: &Lineage,
    way: &Way,
    interruption: &Interruption,
    hand_over: &HandOver,
    plan: &mut Plan,
) -> bool {
    let Some(successor) = lineage.successor else {
        return false;
    };
    if successor.state != InstanceState::Running {
        let seconds = pace::boot(interruption, !hand_over.complete(), lineage.situation.now);
        plan.wait_until(Until::Runs, seconds, format!("{} to run", successor.id));
        return false;
    }
    if !hand_over.complete() {
        return false;
    }
    // A launch hook that is given up ends its instance: the flags come back once that is past.
    let in_service = claim::in_service(lineage, successor, plan);
    let flagged = in_service
        && (asked::keeps_volumes_always(lineage)
            || hand_over::delete_flags(hand_over, successor, plan));
    let trying = milestone::since(ready(hand_over), lineage, interruption);
    let moved = interfaces::plan(lineage, successor, plan);
    let registered = register::plan(lineage, successor, trying, plan);
    let addressed = addresses::plan(lineage, successor, &moved, plan);
    let networked = settled(trying, moved.complete && addressed, plan);
    // An address that comes along needs no other name.
    let named = networked && dns::plan(lineage, successor, trying, plan);
    let joined = registered && join::join(lineage, way, successor, interruption, plan);
    flagged && joined && named
}

/// An interface that does not fit, an address that is not to be had: after a while that is told and
/// the rescue is over all the same, or its lineage could not be rescued a second time.
fn settled(trying: f64, complete: bool, plan: &mut Plan) -> bool {
    let late = trying > PATIENCE;
    if late && !complete {
        plan.note("not everything of the network could be brought back: see the steps above");
    }
    complete || late
}

/// From when on the successor could serve: the root comes last.
fn ready(hand_over: &HandOver) -> Milestone {
    let root = hand_over.root().map(|(_, fate)| fate);
    match root {
        Some(Fate::Attached { .. }) => Milestone::RootReplaced,
        Some(Fate::Coming | Fate::Lost | Fate::Left { .. } | Fate::Stuck) | None => {
            Milestone::DataAttached
        }
    }
}
