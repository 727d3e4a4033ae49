//! Members of an Auto Scaling group: who brings the replacement.
//!
//! A group replaces its members by itself, so a second replacement is the thing to avoid (TRAP 22).
//! By default the group launches and its new member takes over (`Way::Group`): the interrupted one is
//! detached without a decrement, which makes the group launch at once, unless Capacity Rebalancing has
//! made it do so already. `spot-rescue:replace` = `launch` makes the replacement ours (`Way::Join`):
//! the group gets smaller by one, and bigger again when ours is attached. Where the group's sizes or
//! Capacity Rebalancing would make that two, the group's way is taken, and said so ([`warnings`]).
//!
//! - <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-capacity-rebalancing.html>
//! - <https://docs.aws.amazon.com/autoscaling/ec2/userguide/detach-instance-asg.html>

pub mod claim;
pub mod join;
pub mod pairs;
pub mod warnings;
