//! Other owners of an instance: a fleet that keeps its size, an AWS service that manages it or parts of it.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_FleetData.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SpotFleetRequestConfig.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_OperatorResponse.html>

use super::Instance;
use crate::id::VolumeId;
use crate::tags::{self, Tags};
use std::collections::BTreeMap;

/// An EC2 Fleet (`fleet-…`) or a Spot Fleet (`sfr-…`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    pub id: String,
    /// It launches another member for each that it loses: of type `maintain`, and not deleted.
    pub maintains: bool,
}

impl Fleet {
    /// By its type and state, as EC2 writes them: a fleet that has been deleted (`deleted_running`, `cancelled_running`)
    /// launches nothing any more.
    #[must_use]
    pub fn of(id: &str, kind: &str, state: &str) -> Self {
        let live = matches!(state, "submitted" | "active" | "modifying");
        Self {
            id: id.to_owned(),
            maintains: kind == "maintain" && live,
        }
    }

    /// Nothing but a Spot Fleet has such an id.
    #[must_use]
    pub fn is_spot(id: &str) -> bool {
        id.starts_with("sfr-")
    }
}

/// Managed by an AWS service (`Operator`). EC2 lets only that service change it, so a rescue neither keeps it nor
/// carries it over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Operated {
    /// The service that manages the instance itself.
    pub by: Option<String>,
    /// Volumes and interfaces on it that a service manages, with the service. They are not among `devices` and
    /// `interfaces`.
    pub parts: BTreeMap<String, String>,
    /// The root volume, if it is among them.
    pub root: Option<VolumeId>,
}

impl Operated {
    /// Managed volumes but for the root.
    pub fn data_volumes(&self) -> impl Iterator<Item = VolumeId> {
        let volumes = self.parts.keys().filter_map(|it| it.parse().ok());
        volumes.filter(|it| Some(it) != self.root.as_ref())
    }
}

impl Instance {
    /// Takes what a service manages out of its devices and interfaces, and its address out of its addresses.
    #[must_use]
    pub fn without_operated(mut self) -> Self {
        let parts = &self.operated.parts;
        let root = self.root().map(|it| it.volume.clone());
        self.operated.root = root.filter(|it| parts.contains_key(it.as_str()));
        self.devices
            .retain(|it| !parts.contains_key(it.volume.as_str()));
        let (operated, own): (Vec<_>, Vec<_>) = std::mem::take(&mut self.interfaces)
            .into_iter()
            .partition(|it| !it.slot.is_primary() && parts.contains_key(it.id.as_str()));
        self.interfaces = own;
        let theirs = |address: &String| operated.iter().any(|it| it.addresses.contains(address));
        self.private_addresses.retain(|it| !theirs(it));
        self
    }

    /// The fleet that launched it, by the tag EC2 puts on it. Our own launches are by `instant` fleets.
    #[must_use]
    pub fn fleet(&self) -> Option<&str> {
        let ours = self.tags.contains_key(tags::LAUNCHED);
        fleet_of(&self.tags).filter(|_| !ours)
    }
}

fn fleet_of(tags: &Tags) -> Option<&str> {
    let names = [tags::SPOT_FLEET_MEMBER, tags::FLEET_MEMBER];
    names
        .iter()
        .find_map(|it| tags.get(*it))
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_live_fleet_of_type_maintain_replaces_what_it_loses() {
        for (kind, state, maintains) in [
            ("maintain", "active", true),
            ("maintain", "submitted", true),
            ("maintain", "modifying", true),
            ("maintain", "deleted_running", false),
            ("maintain", "deleted-running", false),
            ("maintain", "cancelled_running", false),
            ("maintain", "deleted", false),
            ("maintain", "failed", false),
            ("request", "active", false),
            ("instant", "active", false),
            ("", "", false),
        ] {
            let fleet = Fleet::of("fleet-1", kind, state);
            assert_eq!(fleet.maintains, maintains, "{kind} {state}");
        }
    }
}
