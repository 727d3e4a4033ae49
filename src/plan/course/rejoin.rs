//! Brings the successor into service: the same targets on the same ports, the same addresses. It waits until all
//! volumes are attached, and never serves without a lost one: an empty database must not take traffic.

use crate::event::{InstanceState, Interruption};
use crate::plan::draft::Plan;
use crate::plan::facts::launcher::Launcher;
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

/// So many seconds after its volumes are attached, a replacement counts as back even if an address is missing.
const ADDRESSES_WITHIN: f64 = 300.0;

/// True once the successor serves as the old instance did.
pub fn plan(
    lineage: &Lineage,
    launcher: &Launcher,
    interruption: &Interruption,
    hand_over: &HandOver,
    plan: &mut Plan,
) -> bool {
    let Some(successor) = lineage.successor else {
        return false;
    };
    if successor.state != InstanceState::Running {
        let seconds = pace::boot(interruption, !hand_over.complete(), lineage.now);
        plan.wait_until(Until::Runs, seconds, format!("{} to run", successor.id));
        return false;
    }
    if !hand_over.complete() {
        return false;
    }
    // An abandoned launch lifecycle hook terminates its instance, so the flags come back after the hook.
    let in_service = claim::in_service(lineage, successor, plan);
    let flagged = in_service
        && (asked::keeps_volumes_always(lineage)
            || hand_over::delete_flags(hand_over, successor, plan));
    let trying = milestone::since(ready(hand_over), lineage, interruption);
    let moved = interfaces::plan(lineage, successor, plan);
    let registered = register::plan(lineage, successor, trying, plan);
    let addressed = addresses::plan(lineage, successor, &moved, plan);
    let networked = settled(trying, moved.complete && addressed, plan);
    // Names follow the addresses: a name of an address that moves along needs no change.
    let named = networked && dns::plan(lineage, successor, trying, plan);
    let joined = registered && join::join(lineage, launcher, successor, interruption, plan);
    flagged && joined && named
}

/// An interface or address that cannot be brought back is noted after a while, and the rescue ends all the same:
/// otherwise the lineage could not be rescued a second time.
fn settled(trying: f64, complete: bool, plan: &mut Plan) -> bool {
    let late = trying > ADDRESSES_WITHIN;
    if late && !complete {
        plan.note("not everything of the network could be brought back: see the steps above");
    }
    complete || late
}

/// The milestone after which the successor can serve: the root volume comes last.
fn ready(hand_over: &HandOver) -> Milestone {
    let root = hand_over.root().map(|(_, fate)| fate);
    match root {
        Some(Fate::Attached { .. }) => Milestone::RootReplaced,
        Some(Fate::Coming | Fate::Lost | Fate::Left { .. } | Fate::Stuck) | None => {
            Milestone::DataAttached
        }
    }
}
