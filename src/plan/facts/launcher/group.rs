//! Whether the Auto Scaling group of an instance replaces it, or the function does.

use crate::event::InstanceState;
use crate::id::InstanceId;
use crate::plan::facts::launcher::Launcher;
use crate::plan::lineage::Lineage;
use crate::policy::Replace;
use crate::situation::{AutoScalingGroup, Fact, Group, Instance, Lifecycle};

/// None for an instance in no group.
#[must_use]
pub fn launcher(lineage: &Lineage) -> Option<Launcher> {
    let name = lineage.group_name()?;
    Some(of_member(lineage, name))
}

fn of_member(lineage: &Lineage, name: &str) -> Launcher {
    let replace = lineage.policy.replace.value;
    let group = match &lineage.facts.group {
        Fact::Known(Some(group)) => group,
        Fact::Known(None) if replace == Replace::Launch => return Launcher::Function,
        Fact::Known(None) => {
            return Launcher::Nothing(format!("its Auto Scaling group {name} is gone"));
        }
        Fact::Unavailable { operation, why } => {
            let what = format!("the Auto Scaling group {name} to be readable ({operation}: {why})");
            return Launcher::Unknown(what);
        }
        Fact::NotRead => {
            return Launcher::Unknown(format!("the Auto Scaling group {name} to be read"));
        }
    };
    match lineage.successor {
        Some(successor) if lineage.is_claimed(successor) => Launcher::Group,
        Some(_) => Launcher::Join,
        None => {
            let base = lineage.base().map(|it| &it.id);
            let (head, left) = (&lineage.record.head, &lineage.record.left_group);
            // The owner has left the group: its replacement was never a member, so the group does not replace it when
            // it is interrupted in turn.
            let base = base
                .filter(|_| left.is_none() || left != head)
                .or(head.as_ref());
            choose(replace, group, base, left.as_ref())
        }
    }
}

/// The choice for any lineage of the group, by its record and by what Auto Scaling shows.
pub fn choose(
    replace: Replace,
    group: &Group,
    instance: Option<&InstanceId>,
    left: Option<&InstanceId>,
) -> Launcher {
    let scaling = &group.scaling;
    if scaling.deleting {
        return Launcher::Nothing(format!("{} is being deleted", scaling.name));
    }
    if left.is_some() && left == instance {
        return Launcher::Join;
    }
    let lifecycle = instance.and_then(|it| scaling.lifecycle(it));
    let idle = match lifecycle {
        Some(Lifecycle::Standby) => "in standby",
        Some(Lifecycle::Warmed) => "in the warm pool",
        Some(Lifecycle::InService) if replace == Replace::Launch && room(scaling).is_ok() => {
            let runs = |it: &&Instance| it.state == InstanceState::Running;
            let shown = group.instances.iter().filter(runs);
            let mut shown = shown.map(|it| Some(&it.id));
            // The group notices by itself that a member is ending.
            return if shown.any(|it| it == instance) {
                Launcher::Join
            } else {
                Launcher::Group
            };
        }
        Some(_) | None => return Launcher::Group,
    };
    if replace == Replace::Launch {
        return Launcher::Function;
    }
    Launcher::Nothing(format!(
        "it is {idle} of {}, which does not replace it",
        scaling.name
    ))
}

/// Whether the group can shrink by one and grow again, or why not.
pub fn room(scaling: &AutoScalingGroup) -> Result<(), &'static str> {
    if scaling.capacity_rebalance {
        Err("Capacity Rebalancing launches a replacement at the notice anyway")
    } else if scaling.weighted {
        Err("instances of the group count by weight")
    } else if scaling.desired_capacity <= scaling.min_size {
        Err("the group cannot get smaller: its desired capacity is its minimum size")
    } else {
        Ok(())
    }
}
