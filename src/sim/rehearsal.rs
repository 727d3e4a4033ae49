//! Dry runs: the same checks, and nothing is done. Permissions and what the request names are looked at, capacity is
//! not. "If you have the required permissions, the error response is `DryRunOperation`", which is a success here.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html>

use super::State;
use super::act::operation;
use super::error::refused;
use super::model::Version;
use super::pools::types;
use super::tagging::check_tags;
use crate::cloud::CloudError;
use crate::cloud::launching::{Scope, meaning};
use crate::id::InstanceId;
use crate::step::{Action, InstanceTypes, Launch, Rehearsal};

const FLEET: &str = "CreateFleet";
const RUN: &str = "RunInstances";

impl State {
    pub(super) fn rehearse(&mut self, rehearsal: &Rehearsal) -> Result<String, CloudError> {
        self.rehearsed.push((self.now, rehearsal.clone()));
        let call = operation(&Action::Rehearse(rehearsal.clone()));
        self.admit(call)?;
        match rehearsal {
            Rehearsal::Launch { launch, .. } => self.rehearse_launch(launch)?,
            Rehearsal::Call(action) => self.rehearse_call(call, action)?,
            Rehearsal::Volume { snapshot, tags, .. } => {
                check_tags(call, tags)?;
                let gone = snapshot
                    .as_ref()
                    .filter(|it| !self.snapshots.contains_key(it));
                if let Some(gone) = gone {
                    return Err(refused(call, "InvalidSnapshot.NotFound", gone.as_str()));
                }
            }
            Rehearsal::Address { allocation, .. } => {
                if !self.addresses.contains_key(allocation) {
                    let code = "InvalidAllocationID.NotFound";
                    return Err(refused(call, code, allocation.as_str()));
                }
            }
            Rehearsal::KeyPair(name) => self.is_there(call, "InvalidKeyPair.NotFound", name)?,
            Rehearsal::SecurityGroups(ids) => {
                for id in ids {
                    self.is_there(call, "InvalidGroup.NotFound", id)?;
                }
            }
            Rehearsal::Type {
                instance_type,
                availability_zone,
            } => {
                let pool = format!("{instance_type}@{availability_zone}");
                self.is_there(call, "Unsupported", &pool)?;
            }
        }
        Ok(String::new())
    }

    fn is_there(&self, call: &'static str, code: &str, name: &str) -> Result<(), CloudError> {
        if self.missing.contains(name) {
            return Err(refused(call, code, name));
        }
        Ok(())
    }

    /// A fleet, and the launch that it makes in the caller's name.
    fn rehearse_launch(&mut self, launch: &Launch) -> Result<(), CloudError> {
        check_tags(FLEET, &launch.tags)?;
        self.checked(FLEET, launch)?;
        if matches!(launch.instance_types, InstanceTypes::Named(_)) {
            self.admit(RUN)?;
            self.checked(RUN, launch)?;
            let (_, version) = self.prepared(launch)?;
            self.bootable(RUN, launch, &version)?;
            self.parts_are_there(RUN, &version)?;
        }
        Ok(())
    }

    /// What the launch template names.
    pub(super) fn parts_are_there(
        &self,
        call: &'static str,
        version: &Version,
    ) -> Result<(), CloudError> {
        if let Some(name) = &version.key_pair {
            self.is_there(call, "InvalidKeyPair.NotFound", name)?;
        }
        for group in &version.spec.security_groups {
            self.is_there(call, "InvalidGroup.NotFound", group)?;
        }
        Ok(())
    }

    /// Errors that a person has to mend show in a dry run; want of capacity and quotas do not.
    fn checked(&self, call: &'static str, launch: &Launch) -> Result<(), CloudError> {
        self.refused_on_top(call, launch, &launch.subnet)?;
        let inside = types(launch)
            .into_iter()
            .filter_map(|kind| self.refusal_of(&kind, &launch.subnet, launch.market));
        let shows = |code: &String| {
            let scope = meaning(code).scope;
            matches!(scope, Scope::Denied | Scope::Request | Scope::Unknown)
        };
        let code = { inside }.find(shows);
        code.map_or(Ok(()), |code| {
            Err(refused(call, &code, "not as it is asked for"))
        })
    }

    fn rehearse_call(&self, call: &'static str, action: &Action) -> Result<(), CloudError> {
        let there = |id: &InstanceId| {
            let found = self.instances.get(id).filter(|it| it.facts.is_alive());
            found
                .map(|_| ())
                .ok_or_else(|| refused(call, "InvalidInstanceID.NotFound", id.as_str()))
        };
        if let Action::SnapshotInstance { instance, tags, .. } = action {
            check_tags(call, tags)?;
            there(instance)
        } else if let Action::CopyVolume(copy) = action {
            check_tags(call, &copy.tags)
        } else {
            Ok(())
        }
    }
}
