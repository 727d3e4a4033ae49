//! Gets a replacement: the Auto Scaling group's new member, or an instance that the function launches.

use crate::plan::capacity::launch::{self, Decision};
use crate::plan::draft::Plan;
use crate::plan::facts::launcher::Launcher;
use crate::plan::group::{claim, join};
use crate::plan::lineage::Lineage;
use crate::plan::marks::member;

/// Whether there is or will be a replacement.
pub fn plan(lineage: &Lineage, launcher: &Launcher, plan: &mut Plan) -> Decision {
    join::detach_owner(lineage, launcher, plan);
    if let Some(successor) = lineage.successor {
        member::seal(lineage, successor, plan);
        claim::mark_claimed(lineage, plan);
        return Decision::Wanted;
    }
    if *launcher != Launcher::Group {
        return launch::replacement(lineage, plan);
    }
    if claim::await_replacement(lineage, plan) {
        Decision::Wanted
    } else {
        Decision::Refused
    }
}
