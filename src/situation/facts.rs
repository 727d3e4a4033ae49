//! What AWS shows of one lineage. By default nothing has been read.

use super::{
    Address, Fact, Fleet, Group, Image, Instance, KeyState, Lookup, NetworkInterface,
    Registrations, RootTask, Shape, Snapshot, SpotRequest, Template, Volume,
};
use crate::id::{InstanceId, VolumeId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    pub instances: Vec<Instance>,
    /// The lineage that this one belongs to, by that one's record or by the volumes its first instance holds.
    pub part_of: Option<InstanceId>,
    /// Interrupted instances that AWS has deregistered from all their target groups.
    pub deregistered: BTreeSet<InstanceId>,
    pub template: Fact<Option<Template>>,
    /// The name that its template has, or is to have. None while that is unknown, or if foreign templates have all
    /// its names.
    pub template_name: Option<String>,
    pub volumes: Fact<Vec<Volume>>,
    /// Volumes in the Recycle Bin. Read only where one may have been deleted with its instance.
    pub recycled: Fact<BTreeSet<VolumeId>>,
    pub snapshots: Fact<Vec<Snapshot>>,
    pub registrations: Fact<Registrations>,
    pub addresses: Fact<Vec<Address>>,
    /// Interfaces on record, and those that hold a private address on record.
    pub interfaces: Fact<Vec<NetworkInterface>>,
    pub images: Fact<Vec<Image>>,
    /// The Auto Scaling group its instances are members of, or were.
    pub group: Fact<Option<Group>>,
    /// The fleets that launched them, without our own.
    pub fleets: Fact<Vec<Fleet>>,
    /// The shapes of the types that the policy concerns.
    pub shapes: Fact<Vec<Shape>>,
    pub requests: Fact<Vec<SpotRequest>>,
    /// The key of volumes that name none, if the account encrypts by default. Read only while nothing is interrupted.
    pub default_key: Fact<Option<String>>,
    /// The states of the KMS keys that the stack names, by ARN, without those that could not be read. Read only while
    /// nothing is interrupted.
    pub keys: Fact<BTreeMap<String, KeyState>>,
    /// Stand-ins that may have to give way to Spot, and have termination protection.
    pub termination_protected: Fact<BTreeSet<InstanceId>>,
    /// Replacements of the root volumes of successors. Read only where a root is to be kept.
    pub root_tasks: Fact<Vec<RootTask>>,
    /// The record sets of the DNS name that follows. Read only where there is one, and only when it is needed.
    pub lookup: Fact<Lookup>,
}
