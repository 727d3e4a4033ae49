//! The record: what has to be known about a protected instance once EC2 no longer shows it.
//!
//! It lives in the tags of the prepared rescue (and in part on the instance). Reading never fails: what is not
//! understood is left out, because a rescue with one target fewer is still a rescue.

mod attempts;
mod deaths;
mod given_up;
mod history;
mod left_open;
mod named;
mod network;
mod original;
mod owed;
mod place;
mod plain;
mod pools;
mod progress;
mod rehearsed;
mod request;
mod risk;
mod roomless;
mod settings;
mod shape;
mod targets;
mod volumes;

pub use crate::event::tombstone::{FirstLook, interruption_from, interruption_text};
pub use attempts::Attempts;
pub use deaths::Deaths;
pub use given_up::GivenUp;
pub use history::{LONGEST as MOST_REMEMBERED, PastInterruption, history_from, history_tags};
pub use left_open::LeftOpen;
pub use named::{Named, pointed_tags};
pub use network::{
    EipPlacement, RecordedAddress, RecordedInterface, address_tags, addresses_of, interface_tags,
    interfaces_of, secondary_of,
};
pub use original::Original;
pub use owed::Owed;
pub use place::Place;
pub use plain::Plain;
pub use pools::{FailedPool, InstanceTypes, Pool, failed_pool_tags, failed_pools_from};
pub use progress::{Milestone, progress_text};
pub use rehearsed::{Caveat, Rehearsed};
pub use request::RecordedRequest;
pub use risk::{risk_from, risk_text};
pub use roomless::{Expiring, expiring_from, expiring_tags, member_tags, members_from};
pub use settings::VolumeTag;
pub use shape::{shape_from, shape_text};
pub use volumes::{RecordedVolume, volume_tags, volumes_from, volumes_of};

use named::pointed_from;
use place::place_from;
use progress::progress_from;

use crate::event::{Interruption, Risk};
use crate::id::InstanceId;
use crate::situation::{Shape, Target};
use crate::tags::{self, Tags};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    /// The instance that owned everything when all was last well.
    pub head: Option<InstanceId>,
    pub place: Option<Place>,
    pub volumes: Vec<RecordedVolume>,
    pub targets: Vec<Target>,
    /// Targets that an orchestrator registers, for a task of its own.
    pub left_targets: Vec<Target>,
    /// Where successors were registered by address: one that has ended shows no address any more.
    pub served: Vec<Target>,
    /// In the instance's own order: by the place of the address of an `ip` target, or of a DNS name, its counterpart
    /// on the replacement is found.
    pub private_addresses: Vec<String>,
    pub addresses: Vec<RecordedAddress>,
    /// Those beyond the primary one; the primary one as well if its address is to be kept.
    pub interfaces: Vec<RecordedInterface>,
    /// The private address that was to be kept and could not be.
    pub address_lost: Option<GivenUp>,
    /// Secondary private addresses of the primary interface.
    pub secondary: Vec<String>,
    /// Replacements that have no room for marks of their own.
    pub members: Vec<InstanceId>,
    /// Volumes that have no room for an expiry of their own.
    pub expiring: Vec<Expiring>,
    /// The Auto Scaling group it is a member of.
    pub group: Option<String>,
    /// The fleet that launched it, and replaces it.
    pub fleet: Option<String>,
    /// The member that has left the group for good, and is replaced by the function.
    pub left_group: Option<InstanceId>,
    pub interruption: Option<Interruption>,
    pub first_look: FirstLook,
    /// The head's Spot Instance request: what EC2 does by itself.
    pub request: Option<RecordedRequest>,
    /// The risk that was last foreseen, and for which instance.
    pub risk: Option<Risk>,
    /// Only of an instance with a DNS name that follows.
    pub named: Option<Named>,
    /// What the name was pointed at in this rescue -> the head's address that it had before.
    pub pointed: BTreeMap<String, String>,
    /// The stand-in that does not give way to Spot for a day.
    pub stays: Option<GivenUp>,
    /// Only of an instance that keeps its root, or has lost its image.
    pub original: Option<Original>,
    /// What the owner still lacks after the last rescue.
    pub owed: Option<Owed>,
    /// Launches with a used token, and the pools they found empty.
    pub attempts: Attempts,
    pub failed_pools: Vec<FailedPool>,
    /// AWS's message when it last refused a launch.
    pub refusal: Option<String>,
    /// The version launched since without CPU options, and with IMDSv2 required.
    pub plain: Option<Plain>,
    /// Network settings that the prepared rescue leaves out, if it leaves out the network.
    pub left_open: Option<LeftOpen>,
    /// The version with network settings, and the one it was made from.
    pub networked: Option<Plain>,
    /// Replacements that ended before they took over.
    pub died: Option<Deaths>,
    /// Past interruptions: which instance of the lineage, and when.
    pub history: Vec<PastInterruption>,
    /// What a warning would be refused, as far as that was rehearsed.
    pub rehearsed: Rehearsed,
    /// The shape of the head's type.
    pub shape: Option<Shape>,
    /// Requests to replace the successor's root that were refused so far.
    pub swaps: u32,
    /// What the owner had gained (`+`) and lost (`-`) since the last sweep when it was interrupted.
    pub changed: Vec<String>,
    /// Seconds from the interruption to each milestone reached.
    pub progress: BTreeMap<Milestone, f64>,
}

impl Record {
    #[must_use]
    pub fn from_tags(tags: &Tags) -> Self {
        let get = |key: &str| tags.get(key).map(String::as_str);
        let record = Self {
            head: get(tags::HEAD).and_then(|id| id.parse().ok()),
            place: get(tags::PLACE).and_then(place_from),
            volumes: volumes_from(tags),
            targets: targets_from(tags),
            left_targets: targets::unpacked(tags::LEFT_TARGETS, tags),
            served: targets::unpacked(tags::SERVED, tags),
            addresses: addresses_from(tags),
            interfaces: interfaces_from(tags),
            address_lost: get(tags::ADDRESS_LOST).and_then(GivenUp::parse),
            secondary: list(tags::SECONDARY, tags, network::private_from),
            private_addresses: list(tags::PRIVATE_ADDRESSES, tags, |it| Some(it.to_owned())),
            members: members_from(tags),
            expiring: expiring_from(tags),
            group: get(tags::GROUP).map(str::to_owned),
            fleet: get(tags::FLEET).map(str::to_owned),
            left_group: get(tags::LEFT_GROUP).and_then(|id| id.parse().ok()),
            interruption: get(tags::INTERRUPTED_AT).and_then(interruption_from),
            first_look: get(tags::INTERRUPTED_AT)
                .map(FirstLook::of)
                .unwrap_or_default(),
            request: get(tags::REQUEST).and_then(RecordedRequest::parse),
            risk: get(tags::AT_RISK).and_then(risk_from),
            stays: get(tags::STAYS).and_then(GivenUp::parse),
            failed_pools: failed_pools_from(tags),
            refusal: get(tags::REFUSAL).map(str::to_owned),
            plain: get(tags::PLAIN).and_then(Plain::parse),
            left_open: LeftOpen::from_tags(tags),
            networked: get(tags::NETWORKED).and_then(Plain::parse),
            died: get(tags::DIED).and_then(Deaths::parse),
            history: history_from(tags),
            rehearsed: Rehearsed::from_tags(tags),
            shape: get(tags::SHAPE).and_then(shape_from),
            pointed: pointed_from(tags),
            named: get(tags::NAMED).and_then(Named::parse),
            original: get(tags::ORIGINAL).and_then(Original::parse),
            owed: Owed::from_tags(tags),
            attempts: get(tags::ATTEMPTS).map(Attempts::parse).unwrap_or_default(),
            swaps: get(tags::SWAPS).and_then(|n| n.parse().ok()).unwrap_or(0),
            changed: list(tags::CHANGED, tags, |it| Some(it.to_owned())),
            progress: get(tags::PROGRESS).map(progress_from).unwrap_or_default(),
        };
        record.with_what_came()
    }

    /// What the interrupted owner had gained since the last sweep is on record twice: the list of targets may have been
    /// put back to what it said before.
    fn with_what_came(mut self) -> Self {
        let interrupted = self.interruption.as_ref().map(|it| &it.instance);
        let owner = self.head.as_ref().filter(|it| Some(*it) == interrupted);
        let came = targets::came(&self.changed, owner);
        self.targets.extend(came);
        self.targets.sort();
        self.targets.dedup();
        self
    }

    /// The part that the head's own tags carry: what its launch depends on.
    #[must_use]
    pub fn noted(head: &Tags) -> Self {
        let get = |key: &str| head.get(key).map(String::as_str);
        Self {
            history: history_from(head),
            shape: get(tags::SHAPE).and_then(shape_from),
            group: get(tags::GROUP).map(str::to_owned),
            place: get(tags::PLACE).and_then(place_from),
            ..Self::default()
        }
    }

    /// The lasting part: what is true while all is well. The passing part (interruption, attempt, progress) is
    /// written tag by tag as it happens.
    #[must_use]
    pub fn to_tags(&self) -> Tags {
        let mut all = volume_tags(&self.volumes);
        all.extend(target_tags(&self.targets));
        all.extend(left_tags(&self.left_targets));
        all.extend(address_tags(&self.addresses));
        let by_address = self.targets.iter().any(|it| !it.is_instance());
        if by_address || self.named.is_some() || self.primary().is_some() {
            all.extend(tags::pack(tags::PRIVATE_ADDRESSES, &self.private_addresses));
        }
        all.extend(history_tags(&self.history));
        if let Some(shape) = &self.shape {
            all.insert(tags::SHAPE.to_owned(), shape_text(shape));
        }
        all.extend(interface_tags(&self.interfaces));
        all.extend(member_tags(&self.members));
        all.extend(expiring_tags(&self.expiring));
        all.extend(tags::pack(tags::SECONDARY, &self.secondary));
        all.extend(self.rehearsed.to_tags());
        if let Some(group) = &self.group {
            all.insert(tags::GROUP.to_owned(), group.clone());
        }
        if let Some(fleet) = &self.fleet {
            all.insert(tags::FLEET.to_owned(), fleet.clone());
        }
        if let Some(head) = &self.head {
            all.insert(tags::HEAD.to_owned(), head.to_string());
        }
        if let Some(place) = &self.place {
            all.insert(tags::PLACE.to_owned(), place.to_string());
        }
        if let Some(named) = &self.named {
            all.insert(tags::NAMED.to_owned(), named.text());
        }
        if let Some(open) = &self.left_open {
            all.extend(open.to_tags());
        }
        if let Some(original) = &self.original {
            all.insert(tags::ORIGINAL.to_owned(), original.text());
        }
        all
    }

    /// The root volume, unless it is an instance store volume or not on record.
    #[must_use]
    pub fn root(&self) -> Option<&RecordedVolume> {
        self.volumes.iter().find(|it| it.root)
    }

    /// The primary interface, if its address is to be kept.
    #[must_use]
    pub fn primary(&self) -> Option<&RecordedInterface> {
        self.interfaces.iter().find(|it| it.slot.is_primary())
    }

    /// The data volumes, which are what a replacement must get.
    pub fn data_volumes(&self) -> impl Iterator<Item = &RecordedVolume> {
        self.volumes.iter().filter(|it| !it.root)
    }
}

fn list<T>(key: &str, tags: &Tags, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
    tags::unpack(key, tags).filter_map(read).collect()
}

#[must_use]
pub fn targets_from(tags: &Tags) -> Vec<Target> {
    targets::unpacked(tags::TARGETS, tags)
}

#[must_use]
pub fn addresses_from(tags: &Tags) -> Vec<RecordedAddress> {
    list(tags::ADDRESSES, tags, network::address_from)
}

#[must_use]
pub fn interfaces_from(tags: &Tags) -> Vec<RecordedInterface> {
    list(tags::INTERFACES, tags, network::interface_from)
}

/// The list of targets, as the launch template and the instance carry it.
#[must_use]
pub fn target_tags(targets: &[Target]) -> Tags {
    targets::packed(tags::TARGETS, targets)
}

#[must_use]
pub fn left_tags(targets: &[Target]) -> Tags {
    targets::packed(tags::LEFT_TARGETS, targets)
}

#[must_use]
pub fn served_tags(targets: &[Target]) -> Tags {
    targets::packed(tags::SERVED, targets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::situation::{Balancing, PublicAddress, TargetGroup};
    use proptest::prelude::*;

    fn volumes() -> impl Strategy<Value = Vec<RecordedVolume>> {
        let one = (
            any::<u64>(),
            "/dev/(sd|xvd)[a-z]{1,2}",
            any::<bool>(),
            any::<bool>(),
        );
        let one = one.prop_map(|(n, device, delete_on_termination, root)| RecordedVolume {
            volume: format!("vol-{:017x}", n >> 8).parse().unwrap(),
            device,
            delete_on_termination,
            root,
        });
        prop::collection::vec(one, 0..28)
    }

    fn targets() -> impl Strategy<Value = Vec<Target>> {
        let groups = prop_oneof![
            "arn:aws:elasticloadbalancing:r:1:targetgroup/[a-z]{1,32}/[0-9a-f]{16}",
            "arn:aws:vpc-lattice:r:1:targetgroup/tg-[0-9a-z]{17}",
            "[A-Za-z0-9-]{1,32}",
        ];
        let one = (groups, "[0-9a-f.:]{4,39}", any::<u16>());
        let one = one.prop_map(|(group, id, port)| {
            let group: TargetGroup = group.parse().unwrap();
            let port = (group.balancing() != Balancing::Classic).then_some(port);
            Target { group, id, port }
        });
        prop::collection::vec(one, 0..8)
    }

    proptest! {
        #[test]
        fn what_is_written_into_tags_is_read_back(volumes in volumes(), mut targets in targets()) {
            targets.sort();
            targets.dedup();
            let record = Record {
                head: "i-0123456789abcdef0".parse().ok(),
                original: Original::parse("ami-12345678 arch=arm64 virt=hvm boot=uefi ena"),
                place: place_from("eu-west-1a subnet-12345678 m6i.large"),
                addresses: ["eipalloc-12345678", "eipalloc-12345679=1=10.0.1.5"]
                    .into_iter()
                    .filter_map(network::address_from)
                    .collect(),
                interfaces: network::interface_from("eni-12345678=1=delete").into_iter().collect(),
                left_open: Some(LeftOpen {
                    public_address: Some(PublicAddress::Refused),
                    security_groups: (0..16).map(|n| format!("sg-{n:017x}")).collect(),
                }),
                secondary: vec!["10.0.0.11".to_owned()],
                volumes,
                targets,
                ..Record::default()
            };
            let tags = record.to_tags();
            prop_assert!(tags.values().all(|value| value.len() <= 256));
            prop_assert_eq!(Record::from_tags(&tags), record);
        }

        #[test]
        fn no_tag_value_makes_reading_panic(
            values in prop::collection::vec(("spot-rescue:[a-z]{1,12}(-[0-9]{1,12})?", ".{0,80}"), 0..20)
        ) {
            let _ = Record::from_tags(&values.into_iter().collect());
        }
    }
}
