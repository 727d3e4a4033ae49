//! Images, root replacements and instance types.

use crate::id::{ImageId, InstanceId, SnapshotId};
use crate::tags::Tags;

/// The part of an image a prepared rescue needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    pub id: ImageId,
    pub name: String,
    pub state: ImageState,
    pub root_device: Option<String>,
    /// The snapshot its root is made from.
    pub root_snapshot: Option<SnapshotId>,
    /// Devices the image would create volumes for.
    pub devices: Vec<String>,
    pub boot: Boot,
    pub tags: Tags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageState {
    Pending,
    Available,
    /// `failed`, `disabled`, `invalid`, …: nothing can be launched from it.
    Unusable,
}

/// How an instance boots, and what it is billed as: what an image of its root must say. Left out,
/// `RegisterImage` takes i386 and paravirtual (TRAP 12).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "features that do not exclude each other"
)]
pub struct Boot {
    pub architecture: String,
    pub virtualization: String,
    /// `legacy-bios`, `uefi` or `uefi-preferred`.
    pub mode: Option<String>,
    pub ena: bool,
    /// `sriovNetSupport` is `simple`.
    pub sriov: bool,
    /// `NitroTPM`, version 2.0.
    pub tpm: bool,
    /// The image demands version 2 of the instance metadata service.
    pub imds: bool,
    /// `PlatformDetails`: what is billed.
    pub platform: String,
    /// Of the AWS Marketplace.
    pub product_codes: Vec<String>,
}

/// One `CreateReplaceRootVolumeTask`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootTask {
    pub id: String,
    pub instance: InstanceId,
    pub state: RootTaskState,
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceRootVolumeTask.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootTaskState {
    /// `pending`, `in-progress`, `failing`, `failing-detached`, and whatever may come to be.
    Underway,
    Succeeded,
    /// The root that was to be replaced is attached as before.
    Failed,
    /// No root is attached.
    FailedDetached,
}

/// Properties of an instance type, as far as another type can be like it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that do not exclude each other"
)]
pub struct Shape {
    pub instance_type: String,
    pub vcpus: i32,
    pub memory_mib: i32,
    /// `x86_64`, `arm64`, …
    pub architectures: Vec<String>,
    pub current_generation: bool,
    pub burstable: bool,
    pub bare_metal: bool,
    /// It has instance store volumes.
    pub local_storage: bool,
    /// It has GPUs, or other accelerators.
    pub accelerated: bool,
}
