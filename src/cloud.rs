//! The seam: what the core asks of AWS, in domain terms.
//!
//! Reads are batched and typed; every change is one verb, [`Cloud::act`], because steps are data.
//! A wrapper that fails, repeats or records calls has ten short methods to write.
//!
//! How each change survives being done twice:
//!
//! | action | handle |
//! |---|---|
//! | `Tag`, `Untag`, `SetDeleteOnTermination`, `Deregister`, `Terminate`, `CancelRequest` | idempotent by nature |
//! | `Register` | registering a registered target changes nothing |
//! | `TrimTemplate` | what is gone already is not an error of the whole |
//! | `Launch`, `WriteTemplate`, `CreateVolume`, `CopyVolume` | `ClientToken` from the intent |
//! | `SnapshotInstance`, `SnapshotVolume` | no token exists: looked for by tag first; a twin is refused by the per-volume rate, or expires with the rest |
//! | `RestoreFromBin` | a volume that is back already is refused, and found |
//! | `Attach` | looked at first; "already attached there" counts as done |
//! | `Group` | looked at first; "not part of", "already part of" and "no active lifecycle action" count as done |
//! | `Network` | associating and flags are idempotent by nature; attaching and assigning are looked at first, and a twin is refused, except that one which names no addresses may add one too many |
//! | `PointName` | idempotent by nature; not conditional: the record set is looked at a moment before |
//! | `ReplaceRoot` | `ClientToken` from the intent |
//! | `RegisterImage` | the name, which is unique and says what the image is made of |
//! | `Delete…`, `DeregisterImage` | "not found" counts as done |
//! | `Wake` | a twin only looks twice |

pub use crate::error::{Class, CloudError, TOO_LONG, TOO_MANY, advice, classify, launching};

use crate::dns::{DnsName, RecordSet};
use crate::id::{ImageId, InstanceId, InterfaceId, RequestId, SnapshotId, TemplateId, VolumeId};
use crate::situation::{
    Address, AutoScalingGroup, Balancing, Fleet, Image, Instance, KeyState, Listing,
    NetworkInterface, Registration, RootTask, Shape, Snapshot, SpotRequest, TargetGroup, Template,
    Volume,
};
use crate::step::Action;
use async_trait::async_trait;
use std::collections::BTreeSet;

/// What can be asked of AWS.
#[async_trait]
pub trait Cloud: Send + Sync {
    async fn instances(&self, query: &Query) -> Result<Vec<Instance>, CloudError>;
    async fn templates(&self, query: &Query) -> Result<Vec<Template>, CloudError>;
    async fn volumes(&self, query: &Query) -> Result<Vec<Volume>, CloudError>;
    /// What the Recycle Bin has. There is no filter, and an id that it does not have may fail the call.
    async fn recycled(&self) -> Result<BTreeSet<VolumeId>, CloudError>;
    /// Only the account's own (TRAP 27).
    async fn snapshots(&self, query: &Query) -> Result<Vec<Snapshot>, CloudError>;
    /// All addresses of the account: the list is short and the call has no pages.
    async fn addresses(&self) -> Result<Vec<Address>, CloudError>;
    async fn interfaces(&self, query: &Query) -> Result<Vec<NetworkInterface>, CloudError>;
    /// By id images of any owner; by tag only the account's own.
    async fn images(&self, query: &Query) -> Result<Vec<Image>, CloudError>;
    /// Of these instances.
    async fn root_tasks(&self, ids: &[InstanceId]) -> Result<Vec<RootTask>, CloudError>;
    /// Whether its termination protection is on (`DisableApiTermination`).
    async fn is_termination_protected(&self, instance: &InstanceId) -> Result<bool, CloudError>;
    /// What these types are; one that does not exist is left out.
    async fn shapes(&self, instance_types: &[String]) -> Result<Vec<Shape>, CloudError>;
    /// The key of new volumes that name none, if the account encrypts by default.
    async fn default_key(&self) -> Result<Option<String>, CloudError>;
    /// The state of the key with this ARN.
    async fn key_state(&self, arn: &str) -> Result<KeyState, CloudError>;
    async fn requests(&self, ids: &[RequestId]) -> Result<Vec<SpotRequest>, CloudError>;
    /// Spot requests that are active and have a tag of this key.
    async fn tagged_requests(&self, key: &'static str) -> Result<Vec<SpotRequest>, CloudError>;
    /// The record sets of one name. Others of its zone are not looked at.
    async fn record_sets(&self, name: &DnsName) -> Result<Vec<RecordSet>, CloudError>;
    /// The groups of one service that can hold instances: target groups of type `instance` and `ip`.
    async fn target_groups(&self, of: Balancing) -> Result<Listing, CloudError>;
    async fn targets(&self, group: &TargetGroup) -> Result<Vec<Registration>, CloudError>;
    /// Auto Scaling groups by name, with their launch hooks where a member waits in one. One that
    /// does not exist is left out.
    async fn groups(&self, names: &[String]) -> Result<Vec<AutoScalingGroup>, CloudError>;
    /// EC2 Fleets and Spot Fleets by id. One that does not exist any more is left out.
    async fn fleets(&self, ids: &[String]) -> Result<Vec<Fleet>, CloudError>;
    /// The secret that the stack has generated for the function alone: seals are made with it.
    async fn secret(&self) -> Result<String, CloudError>;
    /// More messages of the function's own queue: ten at most, and perhaps none though there are some.
    async fn receive(&self) -> Result<Vec<Message>, CloudError>;
    /// Messages received that way, at most ten, by their receipts: they need not be delivered again.
    async fn delete(&self, receipts: &[String]) -> Result<(), CloudError>;
    /// Sends the call, and says in a few words what came of it (an id, mostly).
    async fn act(&self, action: &Action) -> Result<String, CloudError>;
}

/// A message that the queue has handed out, to be deleted by its receipt.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Message.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    pub body: String,
    pub receipt: String,
}

/// By filter, never by id list: one id that is gone must not fail the rest (TRAP 35).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Query {
    /// Instances by id, volumes by the instance they are attached to.
    Instances(Vec<InstanceId>),
    /// Launch templates by name.
    Names(Vec<String>),
    Snapshots(Vec<SnapshotId>),
    Interfaces(Vec<InterfaceId>),
    /// Network interfaces by the private addresses they hold.
    PrivateAddresses(Vec<String>),
    Images(Vec<ImageId>),
    /// Volumes by id, snapshots by the volume they are of.
    Volumes(Vec<VolumeId>),
    /// One launch template by id: there is no filter for it.
    Template(TemplateId),
    /// A tag with one of these values.
    Tag {
        key: &'static str,
        values: Vec<String>,
    },
    /// A tag with any value.
    TagKey(&'static str),
}

impl Query {
    /// Reads of a sweep: these may be cut off, and the rest comes later. A part of any other read would pass for the
    /// whole.
    #[must_use]
    pub fn may_be_cut(&self) -> bool {
        match self {
            Self::TagKey(key) => *key != crate::tags::CONSISTENCY,
            Self::Tag { key, .. } => *key == crate::tags::OPT_IN,
            Self::Instances(_)
            | Self::Names(_)
            | Self::Snapshots(_)
            | Self::Interfaces(_)
            | Self::PrivateAddresses(_)
            | Self::Images(_)
            | Self::Volumes(_)
            | Self::Template(_) => false,
        }
    }

    /// Read to its end, however long that takes: what is due, and what goes, follows from all scheduled sets. An account
    /// may have a hundred thousand snapshots.
    /// <https://docs.aws.amazon.com/general/latest/gr/ebs-service.html>
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::TagKey(crate::tags::CONSISTENCY))
    }

    /// The query can match nothing.
    #[must_use]
    pub fn names_nothing(&self) -> bool {
        match self {
            Self::Instances(ids) => ids.is_empty(),
            Self::Names(values) | Self::PrivateAddresses(values) | Self::Tag { values, .. } => {
                values.is_empty()
            }
            Self::Snapshots(ids) => ids.is_empty(),
            Self::Interfaces(ids) => ids.is_empty(),
            Self::Images(ids) => ids.is_empty(),
            Self::Volumes(ids) => ids.is_empty(),
            Self::Template(_) | Self::TagKey(_) => false,
        }
    }
}

/// The IAM actions of the reads above.
pub const READ_ACTIONS: &[&str] = &[
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeLifecycleHooks",
    "ec2:DescribeAddresses",
    "ec2:DescribeFleets",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceAttribute",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeReplaceRootVolumeTasks",
    "ec2:DescribeSnapshots",
    "ec2:DescribeSpotFleetRequests",
    "ec2:DescribeSpotInstanceRequests",
    "ec2:DescribeVolumes",
    "ec2:GetEbsDefaultKmsKeyId",
    "ec2:GetEbsEncryptionByDefault",
    "ec2:ListVolumesInRecycleBin",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "kms:DescribeKey",
    "route53:ListResourceRecordSets",
    "secretsmanager:GetSecretValue",
    "vpc-lattice:ListTargetGroups",
    "vpc-lattice:ListTargets",
];

/// What EC2 does in the caller's name with the keys of encrypted volumes: whenever one is made, copied
/// or attached, and whenever an instance is launched with one. Only for customer managed keys.
/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html>
pub const KEY_ACTIONS: &[&str] = &[
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
];

/// So many pages are turned for what only a tag leads to and a look can do without: snapshots.
/// <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-pagination.html>
pub const MOST_PAGES: usize = 5;
/// So many items one read takes in. A batch of a hundred lineages has some thousand of a kind; so many more are read
/// within seconds, and no rescue needs them.
pub const MOST_READ: usize = 5000;
