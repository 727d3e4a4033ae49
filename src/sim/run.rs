//! `RunInstances` on a network interface that exists: one type, at once, and every refusal is an error.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html>
//! - what the launch template says of the network beside it: TRAP 10, TRAP 58

use super::fleet::{as_of, tags_of};
use super::model::Version;
use super::tagging::check_tags;
use super::{State, error::refused};
use crate::cloud::CloudError;
use crate::id::{InstanceId, InterfaceId};
use crate::situation::{Holder, Slot};
use crate::step::{InstanceTypes, Launch};

const CALL: &str = "RunInstances";
/// The name of the operation in a refusal of the whole request.
const ON_TOP: &str = "RunInstances (refused)";

impl State {
    /// Of a refusal the token remembers nothing, as far as is known: sent again, the same request may succeed.
    pub(super) fn run_on(
        &mut self,
        launch: &Launch,
        interface: &InterfaceId,
    ) -> Result<String, CloudError> {
        let parameters = format!("{launch:?}");
        check_tags(CALL, &launch.tags)?;
        self.made_no_dead(&launch.token)?;
        let keeps = self.config.tokens_keep_refusals;
        let kept = |error: &CloudError| keeps && error.operation == ON_TOP;
        let run = |world: &mut Self| world.run(launch, interface);
        let answer = self.once(CALL, &launch.token, parameters, kept, run);
        answer.map_err(|it| as_of(CALL, it))
    }

    /// Since January 2025 the token of an instance that has ended is answered with an error (TRAP 45).
    fn made_no_dead(&self, token: &str) -> Result<(), CloudError> {
        let Some(id) = self.made(CALL, token).and_then(|it| it.parse().ok()) else {
            return Ok(());
        };
        if self.instance(&id).is_some_and(|it| it.facts.is_alive()) {
            return Ok(());
        }
        let message = format!("{id} has been terminated");
        Err(refused(CALL, "IdempotentInstanceTerminated", &message))
    }

    /// The interface decides the subnet.
    fn run(&mut self, launch: &Launch, interface: &InterfaceId) -> Result<String, CloudError> {
        let (template, version) = self.prepared(launch)?;
        let image = self.bootable(CALL, launch, &version)?;
        let found = self.known_interface(CALL, interface)?;
        if found.facts.holder != Holder::Free {
            let message = format!("Interface: [{interface}] in use.");
            return Err(refused(CALL, "InvalidNetworkInterface.InUse", &message));
        }
        let subnet = found.facts.subnet.clone();
        self.refused_on_top(CALL, launch, &subnet)
            .map_err(|it| as_of(ON_TOP, it))?;
        check_network(&version)?;
        self.check_tokens(launch, &version)
            .map_err(|it| as_of(ON_TOP, it))?;
        let kind = only_type(launch)?;
        self.offer(&kind, &subnet, launch.market)
            .map_err(|code| as_of(ON_TOP, refused(CALL, &code, &kind)))?;
        let tags = tags_of(CALL, launch, &template, &version)?;
        self.take_capacity(&kind, &subnet, launch.market);
        let id = self.boot_up(&version, image, launch.market, kind, &subnet, tags);
        self.take_interface(&id, interface);
        Ok(id.to_string())
    }

    /// In place of one of its own. Public addresses of Amazon's are for new interfaces, and the flag of one
    /// that exists begins as false.
    fn take_interface(&mut self, id: &InstanceId, interface: &InterfaceId) {
        if let Some((own, _)) = self.primary_seat(id) {
            self.interfaces.remove(&own);
        }
        self.put_interface(interface, id, Slot::default(), false);
        if let Some(instance) = self.instances.get_mut(id) {
            instance.facts.auto_public_address = false;
        }
    }
}

/// Whether a request's interface 0 replaces the template's or is added to it, AWS does not document (TRAP 58): here
/// it is refused. And tags for resources that are not made are refused.
fn check_network(version: &Version) -> Result<(), CloudError> {
    let spec = &version.spec;
    if spec.bare && spec.interface_tags.is_empty() {
        return Ok(());
    }
    let message = "Each network interface requires a unique device index";
    Err(refused(CALL, "InvalidParameterCombination", message))
}

fn only_type(launch: &Launch) -> Result<String, CloudError> {
    match &launch.instance_types {
        InstanceTypes::Named(names) if names.len() == 1 => Ok(names.concat()),
        InstanceTypes::Named(_) | InstanceTypes::Like(_) => {
            Err(refused(CALL, "InvalidParameterValue", "one instance type"))
        }
    }
}
