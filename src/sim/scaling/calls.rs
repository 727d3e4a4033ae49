//! What the function asks of a group: `DetachInstances`, `AttachInstances`, `CompleteLifecycleAction`.

use super::{State, invalid};
use crate::cloud::CloudError;
use crate::event::InstanceState;
use crate::id::InstanceId;
use crate::sim::agenda::Due;
use crate::situation::{Lifecycle, Member};
use crate::step::{GroupChange, GroupVerb};
use std::collections::BTreeSet;

impl State {
    pub(in crate::sim) fn change_group(
        &mut self,
        change: &GroupChange,
    ) -> Result<String, CloudError> {
        let GroupChange {
            group,
            instance,
            verb,
        } = change;
        match verb {
            GroupVerb::Detach { decrement } => self.detach_from_group(group, instance, *decrement),
            GroupVerb::Attach => self.attach_to_group(group, instance),
            GroupVerb::CompleteLaunch { hook } => self.complete_launch(group, hook, instance),
        }
    }

    fn detach_from_group(
        &mut self,
        name: &str,
        id: &InstanceId,
        decrement: bool,
    ) -> Result<String, CloudError> {
        const CALL: &str = "DetachInstances";
        let group = self.scaling(CALL, name)?;
        match group.facts.lifecycle(id) {
            None | Some(Lifecycle::Leaving | Lifecycle::Warmed) => {
                let message =
                    format!("The instance {id} is not part of Auto Scaling group {name}.");
                return Err(invalid(CALL, &message));
            }
            Some(Lifecycle::Pending | Lifecycle::PendingWait) => {
                let message = format!("The instance {id} is not in InService or Standby.");
                return Err(invalid(CALL, &message));
            }
            Some(Lifecycle::InService | Lifecycle::Standby) => {}
        }
        if decrement && group.facts.desired_capacity <= group.facts.min_size {
            let message = "would make the desired capacity smaller than the minimum size";
            return Err(invalid(CALL, message));
        }
        group.facts.desired_capacity -= i32::from(decrement);
        group.remove(id);
        self.leave_traffic_sources(name, id);
        self.mark_member(id, None);
        self.schedule(1, Due::GroupLooks(name.to_owned()));
        Ok(String::new())
    }

    fn attach_to_group(&mut self, name: &str, id: &InstanceId) -> Result<String, CloudError> {
        const CALL: &str = "AttachInstances";
        if let Some(other) = self.group_of(id) {
            let message = format!("Instance {id} is already part of AutoScalingGroup:{other}");
            return Err(invalid(CALL, &message));
        }
        let instance = self.instances.get(id).map(|it| it.facts.clone());
        let runs = instance.filter(|it| it.state == InstanceState::Running);
        let Some(facts) = runs else {
            return Err(invalid(CALL, &format!("Instance {id} is not running")));
        };
        if facts.image.is_none_or(|it| !self.images.contains_key(&it)) {
            return Err(invalid(CALL, "The AMI of the instance no longer exists"));
        }
        let group = self.scaling(CALL, name)?;
        if group.facts.desired_capacity >= group.facts.max_size {
            let message = "would make the desired capacity larger than the maximum size";
            return Err(invalid(CALL, message));
        }
        let zones = &group.facts.availability_zones;
        if !zones.contains(&facts.availability_zone) {
            return Err(invalid(CALL, "not in an Availability Zone of the group"));
        }
        group.facts.desired_capacity += 1;
        let lifecycle = Lifecycle::InService;
        let instance = id.clone();
        group.facts.members.push(Member {
            instance,
            lifecycle,
        });
        self.mark_member(id, Some(name));
        self.join_traffic_sources(name, id);
        Ok(String::new())
    }

    /// Another caller completes a hook.
    pub fn goes_on(&mut self, name: &str, hook: &str, id: &InstanceId) {
        self.complete_launch(name, hook, id).ok();
    }

    fn complete_launch(
        &mut self,
        name: &str,
        hook: &str,
        id: &InstanceId,
    ) -> Result<String, CloudError> {
        const CALL: &str = "CompleteLifecycleAction";
        let group = self.scaling(CALL, name)?;
        let open = group.waiting.get_mut(id);
        if !open.is_some_and(|it| it.remove(hook)) {
            let message = format!("No active Lifecycle Action found with instance ID {id}");
            return Err(invalid(CALL, &message));
        }
        if group.waiting.get(id).is_some_and(BTreeSet::is_empty) {
            group.waiting.remove(id);
            group.set(id, Lifecycle::Pending);
            self.schedule(1, Due::GoesIntoService(name.to_owned(), id.clone()));
        }
        Ok(String::new())
    }
}
