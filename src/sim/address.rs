//! Elastic IPs. Taking one from another place is silent unless the caller rules it out, and an address
//! put where another one sits drives that one out.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html>

use super::{State, World, error::refused};
use crate::cloud::CloudError;
use crate::event::InstanceState;
use crate::id::{AllocationId, InstanceId, InterfaceId};
use crate::situation::Holder;

impl World {
    /// An Elastic IP on this private address of this interface.
    #[must_use]
    pub fn elastic_ip_on(&self, interface: &InterfaceId, private_address: &str) -> AllocationId {
        let id = self.elastic_ip(None);
        self.change(|it| {
            let placement = (interface.clone(), private_address.to_owned());
            it.addresses.insert(id.clone(), Some(placement));
        });
        id
    }
}

impl State {
    pub(super) fn associate(
        &mut self,
        allocation: &AllocationId,
        id: &InterfaceId,
        private_address: &str,
        take: bool,
    ) -> Result<String, CloudError> {
        const CALL: &str = "AssociateAddress";
        let interface = self.known_interface(CALL, id)?;
        if !interface
            .facts
            .addresses
            .iter()
            .any(|it| it == private_address)
        {
            return Err(refused(CALL, "InvalidParameterValue", private_address));
        }
        if let Holder::Instance(on) = &interface.facts.holder
            && self.instance(on).is_some_and(|it| {
                !matches!(
                    it.facts.state,
                    InstanceState::Running | InstanceState::Stopped
                )
            })
        {
            return Err(refused(CALL, "IncorrectInstanceState", on.as_str()));
        }
        let placement = (id.clone(), private_address.to_owned());
        let before = self.addresses.get(allocation);
        let before = before
            .ok_or_else(|| refused(CALL, "InvalidAllocationID.NotFound", allocation.as_str()))?;
        if !take && before.as_ref().is_some_and(|it| *it != placement) {
            let code = "Resource.AlreadyAssociated";
            return Err(refused(CALL, code, allocation.as_str()));
        }
        for other in self.addresses.values_mut() {
            other.take_if(|it| *it == placement);
        }
        self.addresses.insert(allocation.clone(), Some(placement));
        Ok(format!(
            "eipassoc-{}",
            allocation.as_str().trim_start_matches("eipalloc-")
        ))
    }

    /// The instance behind an address, if there is one.
    #[must_use]
    pub fn address_holder(&self, allocation: &AllocationId) -> Option<InstanceId> {
        let (interface, _) = self.addresses.get(allocation)?.as_ref()?;
        match &self.interfaces.get(interface)?.facts.holder {
            Holder::Instance(id) => Some(id.clone()),
            Holder::Free | Holder::Service | Holder::Unsettled => None,
        }
    }
}
