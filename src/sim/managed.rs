//! What an AWS service manages (`Operator.Managed`): every caller sees it, and only that service may change it.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/amazon-ec2-managed-instances.html>

use super::{State, World, error::refused};
use crate::cloud::CloudError;
use crate::situation::Instance;
use crate::step::Action;

/// The code is not documented.
const CODE: &str = "OperationNotPermitted";

impl World {
    /// From now on a service manages this instance, volume or interface.
    pub fn manage(&self, id: &str, by: &'static str) {
        self.change(|it| it.managed.insert(id.to_owned(), by));
    }
}

impl State {
    /// As `DescribeInstances` shows it for the instance, and for each device and interface.
    pub(super) fn with_operators(&self, mut it: Instance) -> Instance {
        it.operated.by = self.operator(it.id.as_str());
        let volumes = it.devices.iter().map(|it| it.volume.to_string());
        let interfaces = it.interfaces.iter().map(|it| it.id.to_string());
        let parts = volumes.chain(interfaces);
        let parts = parts.filter_map(|id| Some((id.clone(), self.operator(&id)?)));
        it.operated.parts = parts.collect();
        it.without_operated()
    }

    fn operator(&self, id: &str) -> Option<String> {
        self.managed.get(id).map(|it| (*it).to_owned())
    }

    pub(super) fn refused_as_managed(&self, action: &Action) -> Result<(), CloudError> {
        let managed = self.changed_by(action).into_iter();
        let managed = managed.filter(|it| self.managed.contains_key(it)).min();
        managed.map_or(Ok(()), |id| {
            let message = format!("{id} is managed by {}", self.managed[&id]);
            Err(refused(super::act::operation(action), CODE, &message))
        })
    }

    fn changed_by(&self, action: &Action) -> Vec<String> {
        if let Action::Tag { resources, .. } | Action::Untag { resources, .. } = action {
            return resources.clone();
        }
        if let Action::SetDeleteOnTermination { instance, devices } = action {
            let held = self.instances.get(instance).map(|it| &it.facts.devices);
            let named = held.into_iter().flatten();
            let named = named.filter(|it| devices.contains_key(&it.name));
            let volumes = named.map(|it| it.volume.to_string());
            return volumes.chain([instance.to_string()]).collect();
        }
        if let Action::Attach {
            volume, instance, ..
        } = action
        {
            return vec![volume.to_string(), instance.to_string()];
        }
        // Whether EC2 takes a snapshot of one for another caller is not documented.
        if let Action::SnapshotInstance {
            instance, except, ..
        } = action
        {
            return self.taken_by(instance, except);
        }
        if let Action::Network(change) = action {
            return self.touched_by(change);
        }
        Vec::new()
    }
}
