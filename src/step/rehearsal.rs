//! Dry runs ahead of any warning: whether AWS would do what a warning asks for. They change nothing.
//!
//! "Checks whether you have the required permissions for the action, without actually making the request":
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html> (`DryRun`). What a dry run does not
//! look at is asked for by its name.

use super::{Action, Launch};
use crate::id::{AllocationId, InstanceId, SnapshotId};
use crate::situation::VolumeSettings;
use crate::tags::Tags;
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rehearsal {
    /// A fleet, and the launch that the fleet makes in the caller's name. Where the prepared rescue describes a network
    /// interface, its security groups.
    Launch {
        launch: Launch,
        interface: Option<Vec<String>>,
    },
    /// The call itself, with `DryRun`.
    Call(Box<Action>),
    /// A volume, made of a snapshot where there is one of ours.
    Volume {
        snapshot: Option<SnapshotId>,
        availability_zone: String,
        settings: VolumeSettings,
        tags: Tags,
    },
    /// An Elastic IP, with the instance that has it.
    Address {
        allocation: AllocationId,
        instance: InstanceId,
    },
    /// Whether these exist.
    KeyPair(String),
    SecurityGroups(Vec<String>),
    /// Whether the zone offers this type.
    Type {
        instance_type: String,
        availability_zone: String,
    },
}

impl Rehearsal {
    /// It is only a read, and no dry run of a call that a warning sends.
    #[must_use]
    pub fn is_look(&self) -> bool {
        match self {
            Self::KeyPair(_) | Self::SecurityGroups(_) | Self::Type { .. } => true,
            Self::Launch { .. } | Self::Call(_) | Self::Volume { .. } | Self::Address { .. } => {
                false
            }
        }
    }

    /// The first of its calls, as its permission is called.
    #[must_use]
    pub fn call(&self) -> &'static str {
        match self {
            Self::Launch { .. } => "ec2:CreateFleet",
            Self::Call(action) => action.call(),
            Self::Volume { .. } => "ec2:CreateVolume",
            Self::Address { .. } => "ec2:AssociateAddress",
            Self::KeyPair(_) => "ec2:DescribeKeyPairs",
            Self::SecurityGroups(_) => "ec2:DescribeSecurityGroups",
            Self::Type { .. } => "ec2:DescribeInstanceTypeOfferings",
        }
    }

    /// The permissions that all of it needs.
    #[must_use]
    pub fn iam_actions(&self) -> &'static [&'static str] {
        match self {
            Self::Launch { .. } => &["ec2:CreateFleet", "ec2:RunInstances"],
            Self::Call(action) => action.iam_actions(),
            Self::Volume { .. } => &["ec2:CreateVolume", "ec2:CreateTags"],
            Self::Address { .. } => &["ec2:AssociateAddress"],
            Self::KeyPair(_) => &["ec2:DescribeKeyPairs"],
            Self::SecurityGroups(_) => &["ec2:DescribeSecurityGroups"],
            Self::Type { .. } => &["ec2:DescribeInstanceTypeOfferings"],
        }
    }
}

impl fmt::Display for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Launch {
                launch,
                interface: _,
            } => write!(f, "rehearse: {launch}"),
            Self::Call(action) => write!(f, "rehearse: {action}"),
            Self::Volume {
                snapshot,
                availability_zone,
                settings: _,
                tags: _,
            } => {
                let of = snapshot.as_ref().map_or("nothing", SnapshotId::as_str);
                write!(
                    f,
                    "rehearse: create a volume of {of} in {availability_zone}"
                )
            }
            Self::Address {
                allocation,
                instance,
            } => write!(f, "rehearse: associate {allocation} with {instance}"),
            Self::KeyPair(name) => write!(f, "look for key pair {name}"),
            Self::SecurityGroups(ids) => write!(f, "look for {}", ids.join(" ")),
            Self::Type {
                instance_type,
                availability_zone,
            } => write!(f, "look for {instance_type} in {availability_zone}"),
        }
    }
}
