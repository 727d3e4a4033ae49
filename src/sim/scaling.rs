//! Auto Scaling groups: they launch, replace and take out by themselves, and wait in launch hooks.
//!
//! - Without Capacity Rebalancing a member is replaced only after it has ended and a health check has
//!   failed; with it, as soon as the notice comes, "and terminates the instance that received it once
//!   the new one has passed its health check" (TRAP 22).
//!   <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-capacity-rebalancing.html>
//! - `Pending:Wait` lasts until every launch hook is completed; its default result is ABANDON, which
//!   terminates the instance.
//!   <https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html>
//! - <https://docs.aws.amazon.com/autoscaling/ec2/userguide/detach-instance-asg.html>
//! - <https://docs.aws.amazon.com/autoscaling/ec2/userguide/attach-instance-asg.html>

mod calls;

use super::agenda::Due;
use super::error::refused;
use super::instances::BY_USER;
use super::model::Version;
use super::{Drain, State};
use crate::cloud::CloudError;
use crate::event::InstanceState;
use crate::id::{ImageId, InstanceId, SubnetId};
use crate::situation::{AutoScalingGroup, Balancing, Lifecycle, Market, Member, Target};
use crate::step::TemplateSpec;
use crate::tags::{self, Tags};
use std::collections::{BTreeMap, BTreeSet};

/// What Auto Scaling shows of a group (its hooks as well), and how it launches.
#[derive(Debug, Clone, Default)]
pub struct ScalingGroup {
    pub facts: AutoScalingGroup,
    pub instance_type: String,
    pub image: Option<ImageId>,
    /// What its launch template and its propagated tags put on an instance.
    pub launch_tags: Tags,
    /// The port its target groups are served on.
    pub port: u16,
    /// Launch hooks each waiting member has still to pass.
    pub waiting: BTreeMap<InstanceId, BTreeSet<String>>,
    /// Have got a notice: replaced at once, ended once another is in service, first come first served.
    pub at_risk: Vec<InstanceId>,
    /// How many it has launched by itself.
    pub launches: usize,
}

impl ScalingGroup {
    /// Members that count towards the desired capacity.
    fn counted(&self) -> impl Iterator<Item = &Member> {
        let counts = |it: &&Member| {
            let active = matches!(
                it.lifecycle,
                Lifecycle::Pending | Lifecycle::PendingWait | Lifecycle::InService
            );
            active && !self.at_risk.contains(&it.instance)
        };
        self.facts.members.iter().filter(counts)
    }

    fn set(&mut self, id: &InstanceId, lifecycle: Lifecycle) {
        let member = self.facts.members.iter_mut().find(|it| it.instance == *id);
        if let Some(member) = member {
            member.lifecycle = lifecycle;
        }
    }

    fn remove(&mut self, id: &InstanceId) {
        self.facts.members.retain(|it| it.instance != *id);
        self.at_risk.retain(|it| it != id);
        self.waiting.remove(id);
    }
}

fn invalid(call: &'static str, message: &str) -> CloudError {
    refused(call, "ValidationError", message)
}

impl State {
    pub(super) fn read_groups(
        &mut self,
        names: &[String],
    ) -> Result<Vec<AutoScalingGroup>, CloudError> {
        self.admit("DescribeAutoScalingGroups")?;
        let found = names.iter().filter_map(|it| self.scaling_groups.get(it));
        let shown = found.map(|it| {
            let mut facts = it.facts.clone();
            if it.waiting.is_empty() {
                facts.launch_hooks.clear();
            }
            facts
        });
        Ok(shown.collect())
    }

    fn scaling(&mut self, call: &'static str, name: &str) -> Result<&mut ScalingGroup, CloudError> {
        let unknown = || invalid(call, "AutoScalingGroup name not found");
        self.scaling_groups.get_mut(name).ok_or_else(unknown)
    }

    fn group_of(&self, id: &InstanceId) -> Option<String> {
        let mut groups = self.scaling_groups.iter();
        let has = |it: &ScalingGroup| it.facts.lifecycle(id).is_some();
        groups.find(|(_, it)| has(it)).map(|(name, _)| name.clone())
    }

    /// The group compares its members with its desired capacity.
    pub fn group_looks(&mut self, name: &str) {
        let Some(group) = self.scaling_groups.get(name) else {
            return;
        };
        let facts = &group.facts;
        let desired = usize::try_from(facts.desired_capacity).unwrap_or(0);
        let has = group.counted().count();
        let surplus = group
            .counted()
            .find(|it| it.lifecycle == Lifecycle::InService);
        let surplus = surplus.map(|it| it.instance.clone());
        if has < desired && !facts.suspends("Launch") && !facts.deleting {
            if self.group_launches(name) {
                self.group_looks(name);
            } else {
                self.schedule(60, Due::GroupLooks(name.to_owned()));
            }
        } else if has > desired
            && !facts.suspends("Terminate")
            && let Some(id) = surplus
        {
            self.group_terminates(name, &id);
            self.group_looks(name);
        }
    }

    /// In the zone that has the fewest, of those that have capacity. False if none has.
    fn group_launches(&mut self, name: &str) -> bool {
        let Some(group) = self.scaling_groups.get(name).cloned() else {
            return false;
        };
        let kind = &group.instance_type;
        let zone_of = |id: &InstanceId| {
            let instance = self.instances.get(id);
            instance.map(|it| it.facts.availability_zone.clone())
        };
        let mut open: Vec<(usize, String, SubnetId)> = Vec::new();
        for zone in &group.facts.availability_zones {
            let subnet = self.subnets.iter().find(|(_, of)| *of == zone);
            let Some(subnet) = subnet.map(|(id, _)| id.clone()) else {
                continue;
            };
            if self.offer(kind, &subnet, Market::Spot).is_ok() {
                let there = |it: &&Member| zone_of(&it.instance).as_ref() == Some(zone);
                open.push((group.counted().filter(there).count(), zone.clone(), subnet));
            }
        }
        let Some((_, _, subnet)) = open.into_iter().min() else {
            return false;
        };
        self.take_capacity(kind, &subnet, Market::Spot);
        let version = Version {
            spec: TemplateSpec {
                security_groups: vec!["sg-0123456789abcdef0".to_owned()],
                ..TemplateSpec::default()
            },
            image: group.image.clone(),
            key_pair: None,
            instance_profile: None,
            tokens_required: true,
        };
        let mut tags = group.launch_tags.clone();
        tags.insert(tags::GROUP_MEMBER.to_owned(), name.to_owned());
        let own_template = "lt-0000000000000000f".to_owned();
        tags.insert(tags::LAUNCHED_FROM.to_owned(), own_template);
        let image = version.image.as_ref().and_then(|it| self.images.get(it));
        let Some(image) = image.cloned() else {
            return false;
        };
        let id = self.boot_up(&version, image, Market::Spot, kind.clone(), &subnet, tags);
        if let Some(group) = self.scaling_groups.get_mut(name) {
            group.launches += 1;
            let lifecycle = Lifecycle::Pending;
            let instance = id;
            group.facts.members.push(Member {
                instance,
                lifecycle,
            });
        }
        true
    }

    fn group_terminates(&mut self, name: &str, id: &InstanceId) {
        self.leave_traffic_sources(name, id);
        if let Some(group) = self.scaling_groups.get_mut(name) {
            group.remove(id);
        }
        if self.instances.get(id).is_some_and(|it| it.facts.is_alive()) {
            self.shut_down(id, BY_USER);
        }
    }

    /// The notice reaches the group as well; only Capacity Rebalancing makes it act.
    pub(super) fn group_is_warned(&mut self, id: &InstanceId) {
        let Some(name) = self.group_of(id) else {
            return;
        };
        if let Some(group) = self.scaling_groups.get_mut(&name)
            && group.facts.capacity_rebalance
        {
            group.at_risk.push(id.clone());
            self.schedule(2, Due::GroupLooks(name));
        }
    }

    /// A member runs: into its hooks, or into service.
    pub(super) fn member_runs(&mut self, id: &InstanceId) {
        let Some(name) = self.group_of(id) else {
            return;
        };
        let Some(group) = self.scaling_groups.get_mut(&name) else {
            return;
        };
        if group.facts.lifecycle(id) != Some(Lifecycle::Pending) {
            return;
        }
        let hooks = group.facts.launch_hooks.clone();
        if hooks.is_empty() {
            self.goes_into_service(&name, id);
            return;
        }
        group.set(id, Lifecycle::PendingWait);
        group
            .waiting
            .insert(id.clone(), hooks.iter().cloned().collect());
        for hook in &hooks {
            self.emit_launch_hook(&name, hook, id);
        }
        let timeout = self.config.hook_seconds;
        self.schedule(timeout, Due::HookTimesOut(name, id.clone()));
    }

    pub(super) fn goes_into_service(&mut self, name: &str, id: &InstanceId) {
        let runs = self.instances.get(id);
        let runs = runs.is_some_and(|it| it.facts.state == InstanceState::Running);
        let Some(group) = self.scaling_groups.get_mut(name) else {
            return;
        };
        if !runs || group.facts.lifecycle(id).is_none() {
            return;
        }
        group.set(id, Lifecycle::InService);
        let outgoing = group.at_risk.first().cloned();
        self.join_traffic_sources(name, id);
        self.emit_launched(name, id);
        if let Some(outgoing) = outgoing {
            self.group_terminates(name, &outgoing);
        }
    }

    /// The default result, ABANDON.
    pub(super) fn hook_times_out(&mut self, name: &str, id: &InstanceId) {
        let group = self.scaling_groups.get(name);
        if group.is_some_and(|it| it.waiting.contains_key(id)) {
            self.group_terminates(name, id);
            self.schedule(1, Due::GroupLooks(name.to_owned()));
        }
    }

    /// It no longer runs; a health check will notice.
    pub(super) fn member_ends(&mut self, id: &InstanceId) {
        if let Some(name) = self.group_of(id) {
            let due = Due::HealthCheckFails(name, id.clone());
            self.schedule(self.config.health_check_seconds, due);
        }
    }

    pub(super) fn health_check_fails(&mut self, name: &str, id: &InstanceId) {
        let Some(group) = self.scaling_groups.get(name) else {
            return;
        };
        if group.facts.lifecycle(id).is_some() && !group.facts.suspends("ReplaceUnhealthy") {
            self.group_terminates(name, id);
            self.group_looks(name);
        }
    }

    /// Auto Scaling's own tag: set on members, removed when one is detached.
    pub(super) fn mark_member(&mut self, id: &InstanceId, group: Option<&str>) {
        let (now, seen_from) = (self.now, self.seen_from());
        if let Some(instance) = self.instances.get_mut(id) {
            instance.tags.change(now, seen_from, |tags| {
                tags.remove(tags::GROUP_MEMBER);
                tags.extend(group.map(|it| (tags::GROUP_MEMBER.to_owned(), it.to_owned())));
            });
        }
    }

    fn group_targets(&self, name: &str, id: &InstanceId) -> Vec<Target> {
        let Some(group) = self.scaling_groups.get(name) else {
            return Vec::new();
        };
        let port = |of| (of != Balancing::Classic).then_some(group.port);
        let target = group.facts.traffic_sources.iter().map(|it| Target {
            group: it.clone(),
            id: id.to_string(),
            port: port(it.balancing()),
        });
        target.collect()
    }

    fn join_traffic_sources(&mut self, name: &str, id: &InstanceId) {
        for target in self.group_targets(name, id) {
            if let Some(group) = self.groups.get_mut(&target.group) {
                group.targets.insert(target, Drain::No);
            }
        }
    }

    fn leave_traffic_sources(&mut self, name: &str, id: &InstanceId) {
        for target in self.group_targets(name, id) {
            let group = target.group.clone();
            self.deregister(&group, &[target]).ok();
        }
    }
}
