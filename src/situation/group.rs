//! An Auto Scaling group, as far as a rescue has to know it: what it will do by itself, its members, and where it
//! registers them.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingGroup.html>

use super::{Instance, TargetGroup, Template};
use crate::id::InstanceId;
use crate::tags::{self, Tags, template_names};
use std::collections::BTreeSet;

/// A group together with what EC2 shows of its members and of their rescues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub scaling: AutoScalingGroup,
    /// Instances with the tag only Auto Scaling can set, whatever lineage they are of.
    pub instances: Vec<Instance>,
    /// The launch templates of the group's lineages, and those that claim a member.
    pub templates: Vec<Template>,
    /// Names of members' templates that are taken by foreign templates.
    pub taken: BTreeSet<String>,
}

impl Group {
    /// The launch template that is named for the instance and marks it as this lineage's: names are unique.
    #[must_use]
    pub fn template_of(&self, instance: &Instance) -> Option<&Template> {
        let names = template_names(&instance.id);
        self.templates.iter().find(|it| names.contains(&it.name))
    }

    /// The names that its launch template may have.
    #[must_use]
    pub fn free_name(&self, instance: &InstanceId) -> String {
        let names = template_names(instance);
        let free = names.iter().find(|it| !self.taken.contains(*it));
        free.unwrap_or(&names[0]).clone()
    }

    /// Members that have been claimed for this lineage.
    #[must_use]
    pub fn claimed(&self, lineage: &InstanceId) -> Vec<Instance> {
        let by_claim = |it: &&Instance| {
            let mark = self
                .template_of(it)
                .and_then(|it| it.tags.get(tags::RESCUE));
            it.id != *lineage && mark.is_some_and(|it| it == lineage.as_str())
        };
        self.instances.iter().filter(by_claim).cloned().collect()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that do not exclude each other"
)]
pub struct AutoScalingGroup {
    pub name: String,
    pub min_size: i32,
    pub max_size: i32,
    pub desired_capacity: i32,
    pub availability_zones: BTreeSet<String>,
    /// Capacity Rebalancing: the group launches a replacement at the notice by itself (TRAP 22).
    pub capacity_rebalance: bool,
    /// Being deleted: it launches nothing any more.
    pub deleting: bool,
    /// Instances count by weight: sizes are not numbers of instances.
    pub weighted: bool,
    pub suspended_processes: BTreeSet<String>,
    pub members: Vec<Member>,
    /// Where the group registers its members, and takes them out, by itself.
    pub traffic_sources: BTreeSet<TargetGroup>,
    /// Names of its launch lifecycle hooks. Read only while a member waits in one.
    pub launch_hooks: Vec<String>,
    pub tags: Tags,
    /// The opt-in is put on every instance the group launches.
    pub propagates_opt_in: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub instance: InstanceId,
    pub lifecycle: Lifecycle,
}

/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifecycle {
    /// `Pending`, `Pending:Proceed`
    Pending,
    /// `Pending:Wait`: held by a launch lifecycle hook, not yet registered anywhere.
    PendingWait,
    InService,
    /// `EnteringStandby`, `Standby`: the group does not replace it.
    Standby,
    /// `Warmed:…`: in the warm pool.
    Warmed,
    /// `Terminating…`, `Detaching` and the states after them: no longer counted.
    Leaving,
}

impl Lifecycle {
    /// Unknown states, added by Auto Scaling one day, do not count as in service.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "Pending" | "Pending:Proceed" => Self::Pending,
            "Pending:Wait" => Self::PendingWait,
            // Its root volume is being replaced: it stays what it is.
            "InService" | "RootVolumeReplaced" => Self::InService,
            "EnteringStandby" | "Standby" => Self::Standby,
            _ if text.starts_with("ReplacingRootVolume") => Self::InService,
            _ if text.starts_with("Warmed") => Self::Warmed,
            _ => Self::Leaving,
        }
    }
}

impl AutoScalingGroup {
    /// Its own opt-in: without it the group itself is never changed.
    #[must_use]
    pub fn is_opted_in(&self) -> bool {
        tags::opts_in(&self.tags)
    }

    #[must_use]
    pub fn lifecycle(&self, instance: &InstanceId) -> Option<Lifecycle> {
        let member = self.members.iter().find(|it| it.instance == *instance);
        member.map(|it| it.lifecycle)
    }

    #[must_use]
    pub fn suspends(&self, process: &str) -> bool {
        self.suspended_processes.contains(process)
    }

    /// The group registers its members there by itself.
    #[must_use]
    pub fn serves(&self, group: &TargetGroup) -> bool {
        self.traffic_sources.contains(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_states_auto_scaling_counts_are_taken_for_members_at_work() {
        for (text, lifecycle) in [
            ("Pending", Lifecycle::Pending),
            ("Pending:Wait", Lifecycle::PendingWait),
            ("Pending:Proceed", Lifecycle::Pending),
            ("InService", Lifecycle::InService),
            ("ReplacingRootVolume:Wait", Lifecycle::InService),
            ("EnteringStandby", Lifecycle::Standby),
            ("Warmed:Stopped", Lifecycle::Warmed),
            ("Terminating:Retained", Lifecycle::Leaving),
            ("Detaching", Lifecycle::Leaving),
            ("SomethingNew", Lifecycle::Leaving),
        ] {
            assert_eq!(Lifecycle::parse(text), lifecycle, "{text}");
        }
    }
}
