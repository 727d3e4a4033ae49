//! A plan is data: steps with everything the executor needs, so that it makes no choices.

mod call;
mod description;
mod digest;
mod except;
mod needs;
mod network;
mod refusal;
mod rehearsal;
mod spec;
mod text;
mod touches;
mod wait;

pub use crate::record::InstanceTypes;
pub use description::{described, description};
pub use digest::{fingerprint, token};
pub use except::Except;
pub use network::{Network, PrivateAddresses};
pub use refusal::Refusal;
pub use rehearsal::Rehearsal;
pub use spec::{RootDevice, TemplateSpec};
pub use touches::Kind;
pub use wait::{Until, Wait};

use crate::dns::{DnsName, RecordType};
use crate::event::{Interruption, Wake};
use crate::id::{
    ImageId, InstanceId, InterfaceId, RequestId, SnapshotId, SubnetId, TemplateId, VolumeId,
};
use crate::situation::{Boot, Market, Target, TargetGroup, VolumeSettings};
use crate::tags::Tags;
use std::collections::BTreeMap;

/// One mutating call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Unique within a plan; other steps name it in `after`.
    pub id: String,
    pub action: Action,
    /// Steps that must have succeeded first; everything else runs at once.
    pub after: Vec<String>,
    /// What to write down when AWS refuses the call.
    pub on_failure: Option<Refusal>,
    /// Nothing waits for it: where AWS grants too few of its kind, others ask first.
    pub can_wait: bool,
}

/// Every call that changes something, with all its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Tag {
        resources: Vec<String>,
        tags: Tags,
    },
    Untag {
        resources: Vec<String>,
        keys: Vec<String>,
    },
    Deregister {
        group: TargetGroup,
        targets: Vec<Target>,
    },
    Register {
        group: TargetGroup,
        targets: Vec<Target>,
    },
    /// Device name -> the flag. Always explicit: an omitted one means true (TRAP 15).
    SetDeleteOnTermination {
        instance: InstanceId,
        devices: BTreeMap<String, bool>,
    },
    /// One crash-consistent set over all volumes of the instance. Its description cannot be changed afterwards.
    SnapshotInstance {
        instance: InstanceId,
        description: String,
        tags: Tags,
        /// Each with its volume's tags, where there is room for all of them.
        copy_tags: bool,
        except: Except,
    },
    SnapshotVolume {
        volume: VolumeId,
        description: String,
        tags: Tags,
    },
    Launch(Launch),
    WriteTemplate(WriteTemplate),
    DeleteTemplate {
        template: TemplateId,
    },
    /// Versions that will not be launched any more: they hold the user's data, and other callers may have added them.
    TrimTemplate {
        template: TemplateId,
        default: u64,
        versions: Vec<u64>,
    },
    CreateVolume(CreateVolume),
    CopyVolume(CopyVolume),
    /// A deleted volume comes back, with its id and its last write.
    RestoreFromBin {
        volume: VolumeId,
    },
    Attach {
        volume: VolumeId,
        instance: InstanceId,
        device: String,
    },
    /// The instance reboots with another root volume; the old one is left over.
    ReplaceRoot(ReplaceRoot),
    RegisterImage(RegisterImage),
    DeregisterImage {
        image: ImageId,
    },
    Network(Network),
    /// Points a record set that had an address of the replaced instance.
    PointName(PointName),
    /// To an Auto Scaling group, about one instance.
    Group(GroupChange),
    DeleteVolume {
        volume: VolumeId,
    },
    DeleteSnapshot {
        snapshot: SnapshotId,
    },
    /// An instance that we launched: a spare that was not needed, or a stand-in that gives way to Spot.
    Terminate {
        instance: InstanceId,
    },
    /// So that EC2 launches nothing from it by itself. A running instance goes on; a stopped one would end.
    CancelRequest {
        request: RequestId,
    },
    /// A dry run: tells whether AWS would do it, and changes nothing.
    Rehearse(Rehearsal),
    /// The delayed message that stands in for waiting.
    Wake {
        wake: Wake,
        delay_seconds: u16,
    },
    /// Several of them in one call, each with its delay.
    Wakes(Vec<(Wake, u16)>),
}

/// The record set is written over as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointName {
    pub name: DnsName,
    pub kind: RecordType,
    /// Unchanged.
    pub ttl: i64,
    pub address: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupChange {
    pub group: String,
    pub instance: InstanceId,
    pub verb: GroupVerb,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupVerb {
    /// Out of the group. Unless the desired capacity goes down with it, the group launches another at
    /// once.
    Detach { decrement: bool },
    /// Into the group: the desired capacity goes up with it.
    Attach,
    /// Ends the wait in a launch lifecycle hook: the member may go into service.
    CompleteLaunch { hook: String },
}

/// One replacement from the prepared rescue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    pub template: LaunchTemplate,
    pub market: Market,
    pub instance_types: InstanceTypes,
    /// Exactly one: a fleet with two subnets of one zone is refused as a whole ("duplicate instance pools"), and
    /// requirements may not be given twice.
    pub subnet: SubnetId,
    /// An existing interface to launch on, instead of a new one: then there is one type, named.
    pub interface: Option<InterfaceId>,
    /// Instead of the template's.
    pub image: Option<ImageId>,
    pub tags: Tags,
    /// How many launches have failed before.
    pub attempt: u32,
    pub token: String,
}

/// By id and number: a caller that may add a version could have its own launched as the newest. By name only while it
/// is being created; then it is the one that this invocation has made, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaunchTemplate {
    Version(TemplateId, u64),
    Name(String),
}

/// The prepared rescue, made from a living instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteTemplate {
    pub source: InstanceId,
    pub name: String,
    /// None creates the template; otherwise the template gets a new version, made from this one of ours.
    pub existing: Option<(TemplateId, Option<u64>)>,
    /// Only the network settings are given: the rest comes from the version it is made from, and no instance is read.
    pub extends: bool,
    /// Instead of the source's image, which was made for one rescue and will be gone.
    pub image: Option<ImageId>,
    pub spec: TemplateSpec,
    /// Of the launch template itself: the record.
    pub tags: Tags,
    pub token: String,
}

/// A volume restored from a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateVolume {
    pub snapshot: SnapshotId,
    pub availability_zone: String,
    pub settings: VolumeSettings,
    /// MiB/s in which EC2 fetches the data; None for whenever they are read (TRAP 38).
    pub initialization_rate: Option<i32>,
    pub tags: Tags,
    pub token: String,
}

/// A volume copied at once, in its own zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyVolume {
    pub source: VolumeId,
    /// All settings are given: the type's default would be gp2 (TRAP 33).
    pub settings: VolumeSettings,
    pub tags: Tags,
    pub token: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplaceRoot {
    pub instance: InstanceId,
    pub by: RootSource,
    /// Tags of the task.
    pub tags: Tags,
    pub token: String,
}

/// What becomes the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootSource {
    /// This volume itself: free, and in the instance's zone.
    Volume(VolumeId),
    /// A volume made from the image.
    Image(ImageId),
}

/// An image of a root's snapshot. Its name contains the snapshot: that is the only guard against a twin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterImage {
    pub name: String,
    pub snapshot: SnapshotId,
    pub root: RootDevice,
    pub boot: Boot,
    /// An instance that boots by UEFI, to copy its variables from.
    pub uefi_data_of: Option<InstanceId>,
    pub tags: Tags,
}

impl Step {
    #[must_use]
    pub fn new(id: impl Into<String>, action: Action) -> Self {
        Self {
            id: id.into(),
            action,
            after: Vec::new(),
            on_failure: None,
            can_wait: false,
        }
    }

    #[must_use]
    pub fn after(mut self, id: &str) -> Self {
        self.after.push(id.to_owned());
        self
    }

    #[must_use]
    pub fn or_else(mut self, refusal: Refusal) -> Self {
        self.on_failure = Some(refusal);
        self
    }
}

/// The name of a snapshot set: the same warning gives the same name.
#[must_use]
pub fn warning_set(interruption: &Interruption) -> String {
    format!(
        "{}-{}",
        interruption.instance,
        interruption.at.unix_timestamp()
    )
}
