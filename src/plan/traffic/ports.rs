//! Notes which targets are left to an orchestrator, while the user can still decide otherwise (TRAP 66).

use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::policy::Targets;
use crate::situation::{Instance, Target};
use crate::tags;

/// Notes the targets that the function does not register for a replacement.
pub fn tell(lineage: &Lineage, owner: &Instance, left: &[Target], plan: &mut Plan) {
    if left.is_empty() || lineage.policy.targets.value != Targets::Auto {
        return;
    }
    let left: Vec<String> = left.iter().map(named).collect();
    plan.note(format!(
        "{} is registered as {} by its orchestrator: that is not registered for a replacement; \
         {}targets=rejoin registers everything",
        owner.id,
        left.join(" "),
        tags::PREFIX
    ));
}

fn named(target: &Target) -> String {
    let port = target.port.map_or(String::new(), |it| format!(":{it}"));
    format!("{}{port}", target.group.name())
}
