//! Members of an Auto Scaling group: who brings the replacement.
//!
//! A group replaces its members by itself, so a second replacement is the thing to avoid (TRAP 22).
//! By default the group launches and its new member takes over ([`Way::Group`](super::way::Way)): the interrupted one is
//! detached without a decrement, which makes the group launch at once, unless Capacity Rebalancing has
//! made it do so already. `spot-rescue:replace` = `launch` makes the replacement ours (`Way::Join`):
//! the group gets smaller by one, and bigger again when ours is attached. Where the group's sizes or
//! Capacity Rebalancing would make that two, the group's way is taken, and said so ([`warnings`]).
//!
//! - <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-capacity-rebalancing.html>
//! - <https://docs.aws.amazon.com/autoscaling/ec2/userguide/detach-instance-asg.html>

mod claim;
mod join;
mod pairs;
mod warnings;

pub use claim::{
    await_replacement, call, claimed_by, in_service, is_claimed, newcomer, registers, welcome,
};
pub use join::{join, leave};
pub use warnings::warnings;

use super::Lineage;
use super::way::Way;
use crate::event::InstanceState;
use crate::id::InstanceId;
use crate::policy::Replace;
use crate::situation::{AutoScalingGroup, Fact, Group, Instance, Lifecycle};

/// None of an instance that is in no group.
#[must_use]
pub fn way(lineage: &Lineage) -> Option<Way> {
    let name = lineage.group_name()?;
    Some(of_member(lineage, name))
}

fn of_member(lineage: &Lineage, name: &str) -> Way {
    let replace = lineage.policy.replace.value;
    let group = match &lineage.situation.group {
        Fact::Known(Some(group)) => group,
        Fact::Known(None) if replace == Replace::Launch => return Way::Own,
        Fact::Known(None) => {
            return Way::Refused(format!("its Auto Scaling group {name} is gone"));
        }
        Fact::Unavailable { operation, why } => {
            let what = format!("the Auto Scaling group {name} to be readable ({operation}: {why})");
            return Way::Unknown(what);
        }
        Fact::NotRead => return Way::Unknown(format!("the Auto Scaling group {name} to be read")),
    };
    match lineage.successor {
        Some(successor) if is_claimed(lineage.situation, successor) => Way::Group,
        Some(_) => Way::Join,
        None => {
            let base = lineage.base().map(|it| &it.id);
            let (head, left) = (&lineage.record.head, &lineage.record.left_group);
            // The owner's place was given up: who replaces it was never a member, and if it is
            // interrupted in its turn the group does not replace it.
            let base = base
                .filter(|_| left.is_none() || left != head)
                .or(head.as_ref());
            choose(replace, group, base, left.as_ref())
        }
    }
}

/// The same for everybody's lineage: by what is on record and what Auto Scaling shows.
fn choose(
    replace: Replace,
    group: &Group,
    instance: Option<&InstanceId>,
    left: Option<&InstanceId>,
) -> Way {
    let scaling = &group.scaling;
    if scaling.deleting {
        return Way::Refused(format!("{} is being deleted", scaling.name));
    }
    if left.is_some() && left == instance {
        return Way::Join;
    }
    let lifecycle = instance.and_then(|it| scaling.lifecycle(it));
    let idle = match lifecycle {
        Some(Lifecycle::Standby) => "in standby",
        Some(Lifecycle::Warmed) => "in the warm pool",
        Some(Lifecycle::InService) if replace == Replace::Launch && room(scaling).is_ok() => {
            let runs = |it: &&Instance| it.state == InstanceState::Running;
            let shown = group.instances.iter().filter(runs);
            let mut shown = shown.map(|it| Some(&it.id));
            // Of one that is ending already the group takes notice itself.
            return if shown.any(|it| it == instance) {
                Way::Join
            } else {
                Way::Group
            };
        }
        Some(_) | None => return Way::Group,
    };
    if replace == Replace::Launch {
        return Way::Own;
    }
    Way::Refused(format!(
        "it is {idle} of {}, which does not replace it",
        scaling.name
    ))
}

/// Whether the group can get smaller by one and bigger again, or why not.
fn room(scaling: &AutoScalingGroup) -> Result<(), &'static str> {
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
