//! Elastic IPs. Taking one from another instance is silent, as asked for.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html>

use super::{State, state::refused};
use crate::cloud::CloudError;
use crate::event::InstanceState;
use crate::id::{AllocationId, InstanceId};

impl State {
    pub(super) fn associate(
        &mut self,
        allocation: &AllocationId,
        id: &InstanceId,
    ) -> Result<String, CloudError> {
        const CALL: &str = "AssociateAddress";
        let instance = self
            .instance(id)
            .ok_or_else(|| refused(CALL, "InvalidInstanceID.NotFound", id.as_str()))?;
        if !matches!(
            instance.facts.state,
            InstanceState::Running | InstanceState::Stopped
        ) {
            return Err(refused(CALL, "IncorrectInstanceState", id.as_str()));
        }
        let holder = self.addresses.get_mut(allocation);
        let holder = holder
            .ok_or_else(|| refused(CALL, "InvalidAllocationID.NotFound", allocation.as_str()))?;
        *holder = Some(id.clone());
        Ok(format!(
            "eipassoc-{}",
            allocation.as_str().trim_start_matches("eipalloc-")
        ))
    }
}
