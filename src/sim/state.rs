//! The world's memory, and the few things every part of it needs.

use super::agenda::Agenda;
use super::bin::Bin;
use super::outages::Outage;
use super::pools::Supplies;
use super::refusals::Refusal;
use super::throttle::Bucket;
use super::tokens::Used;
use super::{
    Config, Entry, Group, Queue, Rng, ScalingGroup, SimFleet, SimInstance, SimInterface,
    SimRequest, SimRootTask, SimSnapshot, SimTemplate, SimVolume, Zone,
};
use crate::clock::Timestamp;
use crate::cloud::CloudError;
use crate::id::{
    AllocationId, ImageId, InstanceId, InterfaceId, RequestId, SnapshotId, SubnetId, TemplateId,
    VolumeId,
};
use crate::situation::{Image, KeyState, RootTaskState, Target, TargetGroup};
use crate::step::Rehearsal;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::str::FromStr;
use time::Duration;
use time::macros::datetime;

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a thing that may be so in the world"
)]
#[derive(Debug)]
pub struct State {
    pub now: Timestamp,
    pub rng: Rng,
    pub config: Config,
    pub instances: BTreeMap<InstanceId, SimInstance>,
    pub volumes: BTreeMap<VolumeId, SimVolume>,
    pub snapshots: BTreeMap<SnapshotId, SimSnapshot>,
    pub templates: BTreeMap<TemplateId, SimTemplate>,
    /// Elastic IPs, and the interface and private address they are on.
    pub addresses: BTreeMap<AllocationId, Option<(InterfaceId, String)>>,
    pub interfaces: BTreeMap<InterfaceId, SimInterface>,
    /// Hosted zones by id.
    pub zones: BTreeMap<String, Zone>,
    pub groups: BTreeMap<TargetGroup, Group>,
    pub scaling_groups: BTreeMap<String, ScalingGroup>,
    pub fleets: BTreeMap<String, SimFleet>,
    /// Tasks of an orchestrator: the registrations that it made for them. A group that it serves has an entry.
    pub tasks: BTreeMap<TargetGroup, BTreeSet<Target>>,
    /// What an AWS service manages, by id: no other caller may change it.
    pub managed: BTreeMap<String, &'static str>,
    pub images: BTreeMap<ImageId, Image>,
    pub root_tasks: BTreeMap<String, SimRootTask>,
    /// Instances with termination protection.
    pub termination_protected: BTreeSet<InstanceId>,
    /// Subnets and their zones.
    pub subnets: BTreeMap<SubnetId, String>,
    /// Of Spot Instances.
    pub requests: BTreeMap<RequestId, SimRequest>,
    pub queue: Queue,
    /// What Secrets Manager answers.
    pub secret: Result<String, CloudError>,
    pub journal: Vec<Entry>,
    /// How often each API was called.
    pub calls: BTreeMap<&'static str, u64>,
    /// KMS keys that cannot be used: that shows later (TRAP 36).
    pub broken_keys: BTreeSet<String>,
    /// What KMS says of keys that are not enabled.
    pub key_states: BTreeMap<String, KeyState>,
    /// A volume with an unusable key is gone at once, instead of in `error`: both occur on AWS.
    pub keys_vanish: bool,
    /// The account's quota of initialization rates is used up.
    pub no_initialization_rate: bool,
    /// The code with which `CopyVolumes` is refused.
    pub clone_refusal: Option<&'static str>,
    /// Clones are accepted, and end in `error`.
    pub fail_clones: bool,
    /// Clones, and when EC2 has copied all of them.
    pub(super) initializing: BTreeMap<VolumeId, Timestamp>,
    /// `StateReason` codes the next instances to boot die with.
    pub boot_failures: Vec<&'static str>,
    /// And the one that all others die with.
    pub(super) dies_booting: Option<&'static str>,
    /// How the next replacements of a root end, the last one first; those not named succeed.
    pub root_task_ends: Vec<RootTaskState>,
    /// A code all requests to replace a root by a volume are refused with.
    pub no_root_swaps: Option<&'static str>,
    /// So many of the next snapshot requests fail after they were accepted.
    pub snapshot_failures: u32,
    /// Promises broken at the moment it happened.
    pub violations: Vec<String>,
    /// Protected volumes that were deleted through `DeleteOnTermination`.
    pub deleted_with_instance: Vec<VolumeId>,
    /// The newest write to each line of volumes.
    pub(super) writes: BTreeMap<VolumeId, u64>,
    /// Ids of what an attacker has made, or owns.
    pub attackers: BTreeSet<String>,
    /// By resource and key: what would stand there, had an attacker not written over it.
    pub(super) overwritten: BTreeMap<String, BTreeMap<String, Option<String>>>,
    pub(super) supplies: Supplies,
    pub(super) refusals: Vec<Refusal>,
    /// Key pairs and security groups that are gone, and types that a zone has not (`<type>@<zone>`).
    pub missing: BTreeSet<String>,
    /// What was asked in dry runs, and when.
    pub rehearsed: Vec<(Timestamp, Rehearsal)>,
    /// `httpTokensEnforced`: the account refuses launches with optional `HttpTokens` (TRAP 51).
    pub tokens_enforced: bool,
    /// A tag that a snapshot gets from its volume may not be given to it as well: AWS does not document this (TRAP
    /// 57).
    pub tags_once: bool,
    /// The account encrypts new volumes by default, with this key.
    pub default_key: Option<String>,
    pub bin: Bin,
    /// Those that give whatever is launched in them a public address, unless it says otherwise (TRAP 53).
    pub public_subnets: BTreeSet<SubnetId>,
    pub(super) outages: BTreeMap<&'static str, Outage>,
    pub(super) agenda: Agenda,
    pub(super) tokens: BTreeMap<(&'static str, String), Used>,
    /// Launches by call and token, and when they are answered.
    pub(super) under_way: BTreeMap<(&'static str, String), Timestamp>,
    pub(super) next_launch_takes: Option<Duration>,
    pub(super) buckets: BTreeMap<&'static str, Bucket>,
    /// Resources with tags that a call is changing.
    pub(super) retagging: BTreeSet<String>,
    ids: Rng,
    addresses_given: u32,
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            now: datetime!(2026-11-23 10:00 UTC),
            rng: Rng::new(seed),
            ids: Rng::new(!seed),
            config: Config::default(),
            instances: BTreeMap::new(),
            volumes: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            templates: BTreeMap::new(),
            addresses: BTreeMap::new(),
            interfaces: BTreeMap::new(),
            zones: BTreeMap::new(),
            groups: BTreeMap::new(),
            scaling_groups: BTreeMap::new(),
            fleets: BTreeMap::new(),
            tasks: BTreeMap::new(),
            managed: BTreeMap::new(),
            images: BTreeMap::new(),
            root_tasks: BTreeMap::new(),
            termination_protected: BTreeSet::new(),
            subnets: BTreeMap::new(),
            requests: BTreeMap::new(),
            queue: Queue::default(),
            secret: Ok("what the stack has generated for it".to_owned()),
            journal: Vec::new(),
            calls: BTreeMap::new(),
            broken_keys: BTreeSet::new(),
            key_states: BTreeMap::new(),
            keys_vanish: false,
            no_initialization_rate: false,
            clone_refusal: None,
            fail_clones: false,
            initializing: BTreeMap::new(),
            boot_failures: Vec::new(),
            dies_booting: None,
            root_task_ends: Vec::new(),
            no_root_swaps: None,
            snapshot_failures: 0,
            violations: Vec::new(),
            deleted_with_instance: Vec::new(),
            writes: BTreeMap::new(),
            attackers: BTreeSet::new(),
            overwritten: BTreeMap::new(),
            supplies: Supplies::default(),
            refusals: Vec::new(),
            missing: BTreeSet::new(),
            rehearsed: Vec::new(),
            tokens_enforced: false,
            tags_once: false,
            default_key: None,
            bin: Bin::default(),
            public_subnets: BTreeSet::new(),
            outages: BTreeMap::new(),
            agenda: Agenda::default(),
            tokens: BTreeMap::new(),
            under_way: BTreeMap::new(),
            next_launch_takes: None,
            buckets: BTreeMap::new(),
            retagging: BTreeSet::new(),
            addresses_given: 0,
        }
    }

    /// An unused id: seventeen hexadecimal digits in no order, as AWS gives them.
    pub(super) fn new_id<T>(&mut self, prefix: &str) -> T
    where
        T: FromStr<Err: Debug>,
    {
        let text = format!("{prefix}0{:016x}", self.ids.draw());
        text.parse()
            .expect("a prefix and seventeen hexadecimal digits are an id")
    }

    pub(super) fn new_address(&mut self) -> String {
        self.addresses_given += 1;
        let n = self.addresses_given;
        format!("10.0.{}.{}", n / 250, n % 250 + 4)
    }

    /// When a change of this moment is first visible.
    pub(super) fn seen_from(&self) -> Timestamp {
        self.now + Duration::seconds(self.config.lag_seconds)
    }
}
