//! Detaches the interrupted member from its Auto Scaling group, and attaches the replacement that the function
//! launched.

use crate::event::{InstanceState, Interruption};
use crate::plan::draft::Plan;
use crate::plan::facts::launcher::Launcher;
use crate::plan::facts::milestone;
use crate::plan::group::{claim, pairs};
use crate::plan::lineage::Lineage;
use crate::plan::marks::own;
use crate::record::Milestone;
use crate::situation::{Fact, Group, Instance, Lifecycle};
use crate::step::{Action, GroupChange, GroupVerb, Step};
use crate::tags::{self, Tags};

const REMEMBER: &str = "remember the group";

/// A replacement waits for so many seconds after its volumes are attached to become a member.
const JOINS_WITHIN: f64 = 120.0;

/// Detaches the interrupted member while it runs. The group is recorded first, since a detached instance no longer
/// shows that it was a member.
pub fn detach_owner(lineage: &Lineage, launcher: &Launcher, plan: &mut Plan) {
    let (Some(owner), Fact::Known(Some(group))) = (lineage.owner, &lineage.facts.group) else {
        return;
    };
    let in_service = group.scaling.lifecycle(&owner.id) == Some(Lifecycle::InService);
    let alive = owner.state == InstanceState::Running && lineage.interruption(owner).is_some();
    let decrement = match launcher {
        Launcher::Group => false,
        Launcher::Join => true,
        Launcher::Function
        | Launcher::Fleet(_)
        | Launcher::Orchestrator(_)
        | Launcher::Nothing(_)
        | Launcher::Unknown(_) => {
            return;
        }
    };
    if !in_service || !alive {
        return;
    }
    if let Some(why) = obstacle(lineage, group, decrement) {
        plan.note(format!("{} stays a member: {why}", owner.id));
        return;
    }
    let Some(template) = lineage.template() else {
        plan.wait(5, "the prepared rescue to be visible, to leave the group");
        return;
    };
    let change = GroupChange {
        group: group.scaling.name.clone(),
        instance: owner.id.clone(),
        verb: GroupVerb::Detach { decrement },
    };
    let step = Step::new(format!("detach {}", owner.id), Action::Group(change));
    let mut record = Tags::from([(tags::GROUP.to_owned(), group.scaling.name.clone())]);
    if decrement {
        record.insert(tags::LEFT_GROUP.to_owned(), owner.id.to_string());
    }
    if own::holds(&template.tags, &record) {
        plan.step(step);
        return;
    }
    let resources = vec![template.id.to_string()];
    let tags = record;
    plan.step(Step::new(REMEMBER, Action::Tag { resources, tags }));
    plan.step(step.after(REMEMBER));
}

fn obstacle(lineage: &Lineage, group: &Group, decrement: bool) -> Option<String> {
    let scaling = &group.scaling;
    let replaced =
        || lineage.successor.is_some() || pairs::matched_member(lineage, false).is_some();
    if !scaling.is_opted_in() {
        Some(claim::not_opted_in(group))
    } else if decrement {
        let small = scaling.desired_capacity <= scaling.min_size;
        small.then(|| format!("{} cannot get smaller", scaling.name))
    } else if scaling.capacity_rebalance {
        Some(format!(
            "{} replaces it at the notice, by Capacity Rebalancing",
            scaling.name
        ))
    } else if scaling.suspends("Launch") {
        Some(format!(
            "{} would launch nothing, its Launch process is suspended",
            scaling.name
        ))
    } else {
        replaced().then(|| format!("{} has launched already", scaling.name))
    }
}

/// Attaches the replacement to the group. True once it is a member, or cannot become one.
pub fn join(
    lineage: &Lineage,
    launcher: &Launcher,
    successor: &Instance,
    interruption: &Interruption,
    plan: &mut Plan,
) -> bool {
    let (Launcher::Join, Fact::Known(Some(group))) = (launcher, &lineage.facts.group) else {
        return true;
    };
    let scaling = &group.scaling;
    if scaling.lifecycle(&successor.id).is_some() {
        return true;
    }
    let waited = milestone::since(Milestone::DataAttached, lineage, interruption);
    let why = if !scaling.is_opted_in() {
        Some(claim::not_opted_in(group))
    } else if scaling.desired_capacity >= scaling.max_size {
        Some(format!("{} has its maximum size", scaling.name))
    } else if !scaling
        .availability_zones
        .contains(&successor.availability_zone)
    {
        let zone = &successor.availability_zone;
        Some(format!("{} has no subnet in {zone}", scaling.name))
    } else if waited > JOINS_WITHIN {
        Some(format!("{} has not accepted it in time", scaling.name))
    } else {
        None
    };
    if let Some(why) = why {
        plan.note(format!(
            "{} serves outside the group it replaces a member of: {why}",
            successor.id
        ));
        return true;
    }
    let change = GroupChange {
        group: scaling.name.clone(),
        instance: successor.id.clone(),
        verb: GroupVerb::Attach,
    };
    let id = format!("attach {} to {}", successor.id, scaling.name);
    plan.step(Step::new(id, Action::Group(change)));
    plan.wait(5, format!("{} to be a member", successor.id));
    false
}
