//! Volumes and their snapshots.

use crate::clock::Timestamp;
use crate::id::{InstanceId, SnapshotId, VolumeId};
use crate::tags::Tags;
use serde::Serialize;

/// A volume as the instance sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub name: String,
    pub volume: VolumeId,
    pub delete_on_termination: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    pub id: VolumeId,
    pub state: VolumeState,
    pub availability_zone: String,
    pub created: Timestamp,
    /// The snapshot it was made from, as EC2 shows it.
    pub snapshot: Option<SnapshotId>,
    /// The volume it was copied from, as EC2 shows it: only for clones (`CopyVolumes`).
    pub source: Option<VolumeId>,
    /// More than one only with Multi-Attach.
    pub attachments: Vec<Attachment>,
    pub settings: VolumeSettings,
    pub tags: Tags,
    /// Keys of ours that are there without our seal: they take room.
    pub unproven: Vec<String>,
}

/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-describing-volumes.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeState {
    Creating,
    Available,
    InUse,
    Deleting,
    Deleted,
    Error,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub instance: InstanceId,
    pub device: String,
    /// `attached`; false while `attaching`, `detaching` or `busy`.
    pub settled: bool,
    pub delete_on_termination: bool,
}

/// Settings of a volume that its snapshot does not keep (TRAP 33).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
pub struct VolumeSettings {
    pub volume_type: String,
    /// GiB.
    pub size: i32,
    pub iops: Option<i32>,
    /// MiB/s.
    pub throughput: Option<i32>,
    pub encrypted: bool,
    pub kms_key: Option<String>,
    /// io1 and io2 only: up to sixteen instances of the zone at a time, without any fencing.
    /// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volumes-multi.html>
    pub multi_attach: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub id: SnapshotId,
    pub volume: VolumeId,
    pub state: SnapshotState,
    pub started: Timestamp,
    /// None while it is pending, or where EC2 does not say.
    pub completed: Option<Timestamp>,
    /// Given when it was taken, and never changed.
    pub description: String,
    pub tags: Tags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotState {
    Pending,
    Completed,
    /// `error`, or in the Recycle Bin: not usable.
    Unusable,
}

impl Volume {
    #[must_use]
    pub fn is_usable(&self) -> bool {
        match self.state {
            VolumeState::Creating | VolumeState::Available | VolumeState::InUse => true,
            VolumeState::Deleting | VolumeState::Deleted | VolumeState::Error => false,
        }
    }

    /// Attached to no instance, and ready to be attached.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.state == VolumeState::Available && self.attachments.is_empty()
    }

    #[must_use]
    pub fn attached_to(&self, instance: &InstanceId) -> bool {
        self.attachment(instance).is_some_and(|it| it.settled)
    }

    /// Its attachment to this instance, whatever state that is in.
    #[must_use]
    pub fn attachment(&self, instance: &InstanceId) -> Option<&Attachment> {
        self.attachments.iter().find(|it| it.instance == *instance)
    }
}
