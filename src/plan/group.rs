//! Members of an Auto Scaling group: how the group and the function bring one replacement together.
//!
//! A group replaces its members by itself, so a second replacement must be avoided (TRAP 22). By default the group
//! launches and its new member takes over (`Launcher::Group`): the interrupted member is detached without a decrement,
//! which makes the group launch at once, unless Capacity Rebalancing has done so already. With
//! `spot-rescue:replace=launch` the function launches (`Launcher::Join`): the group shrinks by one, and grows again
//! when the replacement is attached. If the group's sizes or Capacity Rebalancing would lead to two replacements, the
//! group launches, and a warning says so ([`warnings`]).
//!
//! - <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-capacity-rebalancing.html>
//! - <https://docs.aws.amazon.com/autoscaling/ec2/userguide/detach-instance-asg.html>

pub mod claim;
pub mod join;
pub mod pairs;
pub mod warnings;
