//! Plain facts about one lineage, as read from AWS, and what the invocation knows by itself.
//!
//! A *lineage* is a protected instance and the replacements that took over from it, one after the
//! other; its id is the id of its first instance. Facts carry no opinion: what they mean is decided
//! in `plan`.

mod facts;
mod group;
mod image;
mod inputs;
mod key;
mod likeness;
mod network;
mod owners;
mod rehearsal;
mod storage;

pub use facts::Facts;
pub use group::{AutoScalingGroup, Group, Lifecycle, Member};
pub use image::{Boot, Image, ImageState, RootTask, RootTaskState, Shape};
pub use inputs::Inputs;
pub use key::KeyState;
pub use likeness::{Cpu, Likeness, Unlike};
pub use network::{Address, Holder, Interface, NetworkInterface, PublicAddress, Slot};
pub use owners::{Fleet, Operated};
pub use rehearsal::{Answer, Rehearsing};
pub use storage::{
    Attachment, Device, Snapshot, SnapshotState, Volume, VolumeSettings, VolumeState,
};

use crate::clock::Timestamp;
pub use crate::dns::{DnsName, Lookup, RecordSet, RecordType, Says};
use crate::event::{InstanceAction, InstanceState};
use crate::id::{ImageId, InstanceId, RequestId, SubnetId, TemplateId};
use crate::tags::{self, Tags};
pub use crate::target::{
    Balancing, ListedGroup, Listing, Registration, Registrations, Target, TargetGroup,
};
use serde::Serialize;

/// Something read, or why it is not known. "Could not find out" is never an empty list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fact<T> {
    Known(T),
    /// The read failed.
    Unavailable {
        operation: &'static str,
        why: String,
    },
    /// Not asked for yet: the first pass of a warning reads only the instance.
    #[default]
    NotRead,
}

impl<T> Fact<T> {
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unavailable { .. } | Self::NotRead => None,
        }
    }

    /// The part of a fact that is needed, without a copy of the rest.
    pub fn of<U>(&self, f: impl FnOnce(&T) -> U) -> Fact<U> {
        match self {
            Self::Known(value) => Fact::Known(f(value)),
            Self::Unavailable { operation, why } => Fact::Unavailable {
                operation,
                why: why.clone(),
            },
            Self::NotRead => Fact::NotRead,
        }
    }
}

/// Everything one plan is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    pub lineage: InstanceId,
    pub now: Timestamp,
    pub inputs: Inputs,
    pub facts: Facts,
}

/// An instance as `DescribeInstances` shows it. A terminated one has lost devices, network and,
/// after a while, tags (TRAP 14).
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, as EC2 or our seals show it"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    pub id: InstanceId,
    pub state: InstanceState,
    pub launch_time: Timestamp,
    pub availability_zone: String,
    /// Addresses are unique only within one VPC.
    pub vpc: Option<String>,
    pub subnet: Option<SubnetId>,
    pub instance_type: String,
    pub image: Option<ImageId>,
    pub market: Market,
    /// The request EC2 launched it for.
    pub request: Option<RequestId>,
    pub root_device: Option<String>,
    pub devices: Vec<Device>,
    /// Every private address, IPv4 and IPv6, the primary one first: `ip` targets name them.
    pub private_addresses: Vec<String>,
    /// The primary one first, then by device index.
    pub interfaces: Vec<Interface>,
    /// IPv4, of the primary interface: an Elastic IP, or one of Amazon's.
    pub public_address: Option<String>,
    /// The primary interface has a public address from Amazon's pool.
    pub auto_public_address: bool,
    /// The source/destination check of the primary interface is off.
    pub forwards: bool,
    pub security_groups: Vec<String>,
    pub key_pair: Option<String>,
    pub instance_profile: Option<String>,
    /// `StateReason.Code`: `Server.SpotInstanceTermination` is what no event says.
    pub state_reason: Option<String>,
    /// Hibernation-enabled instances cannot be snapshotted (TRAP 30).
    pub hibernation: bool,
    pub boot: Boot,
    pub operated: Operated,
    pub likeness: Likeness,
    pub tags: Tags,
    /// Keys of ours with values that the function has not sealed.
    pub unproven: Vec<String>,
    /// It has no mark of ours, but was launched from this lineage's prepared rescue.
    pub placed: bool,
    /// Its marks as a replacement are sealed for it. Unsealed marks came with the launch, and may have been copied
    /// from another instance.
    pub sealed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Market {
    Spot,
    OnDemand,
}

impl Market {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::OnDemand => "on-demand",
        }
    }
}

/// A Spot Instance request, as far as it decides what EC2 does by itself.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SpotInstanceRequest.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpotRequest {
    pub id: RequestId,
    /// EC2 fulfils it again and again; a one-time request is over once it was fulfilled.
    pub persistent: bool,
    pub behaviour: InstanceAction,
    /// `open`, `active` or `disabled`: it may still launch or start something.
    pub live: bool,
    /// A user has stopped its instance: cancelling it would end that.
    pub disabled: bool,
    /// The instance it has launched last.
    pub instance: Option<InstanceId>,
    /// How that one ended, once it has.
    pub end: Option<RequestEnd>,
    pub tags: Tags,
}

/// What the status of a request says about the end of its instance. EC2 shows it longer than the instance.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-request-status.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestEnd {
    /// EC2 interrupted it; otherwise its user ended it.
    pub by_spot: bool,
    pub code: String,
    pub at: Option<Timestamp>,
}

impl RequestEnd {
    /// By the status code, if it stands for an end.
    #[must_use]
    pub fn of(code: &str, at: Option<Timestamp>) -> Option<Self> {
        let by_user = code == "instance-terminated-by-user";
        let ended = code.starts_with("instance-terminated-");
        ended.then(|| Self {
            by_spot: !by_user,
            code: code.to_owned(),
            at,
        })
    }
}

/// The prepared rescue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub id: TemplateId,
    pub name: String,
    pub tags: Tags,
    /// The principal that created it, by EC2's own account.
    pub created_by: Option<String>,
    /// The newest version, and the one that is launched when none is named.
    pub latest: u64,
    pub default: u64,
    /// It is the function's, by EC2's `CreatedBy` and by our seal. Of foreign templates no tag is shown.
    pub ours: bool,
    /// Keys of ours with values that the function has not sealed.
    pub unproven: Vec<String>,
}

impl Template {
    /// The version of our own making that is to be launched, and the one before it. A mark of ours that is older than
    /// the last change of the default version was put back by another caller: the version it names may be gone.
    #[must_use]
    pub fn versions(&self) -> Option<(u64, Option<u64>)> {
        let mut words = self.tags.get(tags::VERSION)?.split(' ');
        let current = words.next()?.parse().ok()?;
        let before = words.next().and_then(|it| it.parse().ok());
        (current >= self.default).then_some((current, before))
    }

    /// The version of ours to make one with this fingerprint from. If that version exists already, and may not be
    /// noted yet, the request is the same as before: EC2 answers with it, and no version is deleted for it.
    #[must_use]
    pub fn before(&self, print: &str) -> Option<u64> {
        let (current, before) = self.versions()?;
        let made = self.tags.get(tags::VERSION)?.split(' ').next_back();
        let again = made == Some(print) && self.latest == current;
        if again { before } else { Some(current) }
    }
}

impl Instance {
    /// The lineage this instance belongs to.
    #[must_use]
    pub fn lineage(&self) -> InstanceId {
        let tagged = self.tags.get(tags::RESCUE).and_then(|id| id.parse().ok());
        tagged.unwrap_or_else(|| self.id.clone())
    }

    /// Launched from a prepared rescue, and minutes later still without a mark of ours: an instance that a user
    /// launched, until the record says otherwise.
    #[must_use]
    pub fn is_doubtful(&self, now: Timestamp) -> bool {
        const SETTLED: time::Duration = time::Duration::minutes(10);
        self.placed && self.is_alive() && now - self.launch_time > SETTLED
    }

    /// It exists and is not ending.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        match self.state {
            InstanceState::Pending
            | InstanceState::Running
            | InstanceState::Stopping
            | InstanceState::Stopped => true,
            InstanceState::ShuttingDown | InstanceState::Terminated => false,
        }
    }

    /// A member of an Auto Scaling group, by the tag the group puts on it.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        self.tags.get(tags::GROUP_MEMBER).map(String::as_str)
    }

    /// Its root volume, while it has one.
    #[must_use]
    pub fn root(&self) -> Option<&Device> {
        self.devices.iter().find(|it| self.is_root(&it.name))
    }

    #[must_use]
    pub fn is_root(&self, device: &str) -> bool {
        self.root_device.as_deref() == Some(device)
    }

    /// Every instance has one as long as it has a network interface.
    #[must_use]
    pub fn primary_interface(&self) -> Option<&Interface> {
        self.interfaces.iter().find(|it| it.slot.is_primary())
    }

    /// Whether a target names this instance, by its id or one of its addresses.
    #[must_use]
    pub fn answers_to(&self, target: &Target) -> bool {
        let mut addresses = self.private_addresses.iter();
        target.id == self.id.as_str() || addresses.any(|it| target.is_address(it))
    }

    /// Whether a registration is this instance's. Another VPC may have the same addresses.
    #[must_use]
    pub fn is_registered_as(&self, it: &Registration) -> bool {
        let near = it.vpc.is_some() && it.vpc == self.vpc;
        self.answers_to(&it.target) && (near || it.target.is_instance())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(version: &str, latest: u64, default: u64) -> Template {
        Template {
            id: "lt-0123456789abcdef0".parse().expect("an id"),
            name: "spot-rescue-i-0123456789abcdef0".to_owned(),
            tags: [(tags::VERSION.to_owned(), version.to_owned())].into(),
            created_by: None,
            latest,
            default,
            ours: true,
            unproven: Vec::new(),
        }
    }

    /// A twin has written the version, and perhaps not noted it: asked for again as it was, no version is deleted that may
    /// have been launched.
    #[test]
    fn a_version_is_made_of_the_same_one_by_twins() {
        for (version, latest, default, made_of) in [
            ("3 2 print", 3, 3, Some(2)),
            ("3 print", 3, 3, None),
            ("3 2 other", 3, 3, Some(3)),
            // Another caller has added one since.
            ("3 2 print", 4, 3, Some(3)),
            // An old mark was put back.
            ("3 2 print", 4, 4, None),
        ] {
            let it = template(version, latest, default);
            assert_eq!(it.before("print"), made_of, "{version} {latest} {default}");
        }
    }
}
