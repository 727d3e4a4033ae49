//! The things in the world: what AWS shows of them (`facts`), and what it does not show.

use super::Lagged;
use crate::clock::Timestamp;
use crate::id::{ImageId, SnapshotId, VolumeId};
use crate::situation::{Instance, NetworkInterface, Slot, Snapshot, Target, Template, Volume};
use crate::step::TemplateSpec;
use crate::tags::Tags;
use std::collections::BTreeMap;

/// `facts.tags` is unused in all of these: tags lag.
#[derive(Debug, Clone)]
pub struct SimInstance {
    pub facts: Instance,
    pub tags: Lagged<Tags>,
    pub visible_from: Timestamp,
    /// EC2 has decided to interrupt it; only EC2 knows.
    pub doomed: bool,
    /// Launched with `HttpTokens=required`.
    pub tokens_required: bool,
    /// Counts starts: what was planned for an earlier life is void.
    pub life: u32,
}

/// A network interface, and how it is attached while it is.
#[derive(Debug, Clone)]
pub struct SimInterface {
    pub facts: NetworkInterface,
    pub tags: Lagged<Tags>,
    pub slot: Slot,
    pub attachment: String,
    pub delete_on_termination: bool,
    /// Its source/destination check is off: of the interface, whatever it is attached to.
    pub forwards: bool,
}

#[derive(Debug, Clone)]
pub struct SimVolume {
    pub facts: Volume,
    pub tags: Lagged<Tags>,
    pub visible_from: Timestamp,
    pub content: Content,
    /// Was, or is, the root of an instance.
    pub root: bool,
}

/// What is on a volume or in a snapshot, told by counting writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The first volume of the line: copies of copies of it have the same.
    pub origin: VolumeId,
    /// The newest write it holds.
    pub generation: u64,
    /// Writes made to the line that it missed before it was written to itself.
    pub lost: u64,
}

#[derive(Debug, Clone)]
pub struct SimSnapshot {
    pub facts: Snapshot,
    pub tags: Lagged<Tags>,
    pub visible_from: Timestamp,
    /// At the moment of the call, however long the upload takes.
    pub content: Content,
    pub size: i32,
    /// False for the public and shared ones that `owner-ids=self` leaves out (TRAP 27).
    pub own: bool,
    pub set: Vec<SnapshotId>,
    pub will_fail: bool,
}

#[derive(Debug, Clone)]
pub struct SimTemplate {
    pub facts: Template,
    pub tags: Lagged<Tags>,
    pub visible_from: Timestamp,
    /// By number; none is given twice.
    pub versions: BTreeMap<u64, Version>,
}

/// One version of a launch template: what a launch needs of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub spec: TemplateSpec,
    pub image: Option<ImageId>,
    pub instance_profile: Option<String>,
    pub key_pair: Option<String>,
    /// `MetadataOptions` with `HttpTokens=required`.
    pub tokens_required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupType {
    Instance,
    Ip,
    /// `lambda` and `alb`: none of our business.
    Other,
}

/// A target group, or a Classic Load Balancer. Its key is (id, port): the same id may be there on several ports (TRAP 19).
#[derive(Debug, Clone)]
pub struct Group {
    pub kind: GroupType,
    /// Where it finds targets that are registered without a port of their own.
    pub port: u16,
    pub vpc: String,
    /// The error that refuses every registration: a quota, a permission.
    pub refuses: Option<&'static str>,
    pub targets: BTreeMap<Target, Drain>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drain {
    No,
    Until(Timestamp),
}
