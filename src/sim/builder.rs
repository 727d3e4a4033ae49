//! Instances, volumes and groups to begin a test with.

use super::fleet::general_purpose;
use super::images::{users_image, usual_boot};
use super::model::Content;
use super::{Drain, Group, GroupType, Lagged, SimSnapshot, World};
use crate::event::{InstanceAction, InstanceState};
use crate::id::{AllocationId, ImageId, InstanceId, SnapshotId, SubnetId, VolumeId};
use crate::situation::{
    Balancing, Instance, Likeness, Market, Operated, Snapshot, SnapshotState, Target, TargetGroup,
    VolumeSettings,
};
use crate::tags::{self, Tags};
use std::collections::BTreeMap;

pub const ROOT_DEVICE: &str = "/dev/xvda";
pub const KEY_PAIR: &str = "operators";
/// The account's only VPC, unless a test makes another.
pub const VPC: &str = "vpc-0123456789abcdef0";
pub const DATA_DEVICES: [&str; 2] = ["/dev/sdf", "/dev/sdg"];

/// An instance to be built: running, Spot, `m5.large`, with a root volume.
#[derive(Debug)]
#[must_use = "nothing exists before `run`"]
pub struct InstanceBuilder<'a> {
    world: &'a World,
    zone: String,
    instance_type: String,
    market: Market,
    image_devices: Vec<String>,
    /// Device, settings, `DeleteOnTermination`.
    volumes: Vec<(String, VolumeSettings, bool)>,
    tags: Tags,
    hibernation: bool,
    /// Its request, if it is persistent.
    persistent: Option<InstanceAction>,
}

/// The usual protected instance, with everything it has.
#[derive(Debug, Clone)]
pub struct Protected {
    pub instance: InstanceId,
    pub root: VolumeId,
    pub data: Vec<VolumeId>,
    pub targets: Vec<Target>,
    pub address: AllocationId,
    pub subnet: SubnetId,
}

impl World {
    /// The subnet of a zone; there is one per zone.
    #[must_use]
    pub fn subnet(&self, zone: &str) -> SubnetId {
        self.change(|it| {
            let known = it.subnets.iter().find(|(_, of)| *of == zone);
            if let Some((id, _)) = known {
                return id.clone();
            }
            let id: SubnetId = it.new_id("subnet-");
            it.subnets.insert(id.clone(), zone.to_owned());
            id
        })
    }

    pub fn spot_instance(&self, instance_type: &str, zone: &str) -> InstanceBuilder<'_> {
        InstanceBuilder {
            world: self,
            zone: zone.to_owned(),
            instance_type: instance_type.to_owned(),
            market: Market::Spot,
            image_devices: Vec::new(),
            volumes: vec![(ROOT_DEVICE.to_owned(), general_purpose(), true)],
            tags: Tags::new(),
            hibernation: false,
            persistent: None,
        }
    }

    /// Opted in, with two data volumes (one of them `DeleteOnTermination`), two ports of one group
    /// and an Elastic IP. Its `running` event is in the queue.
    #[must_use]
    pub fn protected_instance(&self) -> Protected {
        self.protected_in("eu-west-1a", &[])
    }

    /// The same in this zone, with further tags.
    #[must_use]
    pub fn protected_in(&self, zone: &str, tags: &[(&str, &str)]) -> Protected {
        self.protected_like(self.spot_instance("m5.large", zone), zone, tags)
    }

    /// The same, made of an instance that is special in some way.
    #[must_use]
    pub fn protected_like(
        &self,
        builder: InstanceBuilder<'_>,
        zone: &str,
        tags: &[(&str, &str)],
    ) -> Protected {
        let subnet = self.subnet(zone);
        let builder = builder.volume(DATA_DEVICES[0], 100, true);
        let builder = builder.volume(DATA_DEVICES[1], 50, false);
        let instance = builder.protected().tags(tags).run();
        let group = self.target_group(GroupType::Instance);
        let id = instance.as_str();
        let targets = vec![
            self.register(&group, id, 8080),
            self.register(&group, id, 9090),
        ];
        let address = self.elastic_ip(Some(&instance));
        let volumes = self.volumes_of(&instance);
        let of = |device: &str| volumes[device].clone();
        Protected {
            root: of(ROOT_DEVICE),
            data: DATA_DEVICES.iter().map(|it| of(it)).collect(),
            targets,
            address,
            subnet,
            instance,
        }
    }

    #[must_use]
    pub fn target_group(&self, kind: GroupType) -> TargetGroup {
        let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup";
        self.group(kind, |n| {
            TargetGroup::Elb(format!("{arn}/tg{n}/{n:016x}").into())
        })
    }

    #[must_use]
    pub fn lattice_group(&self, kind: GroupType) -> TargetGroup {
        let arn = "arn:aws:vpc-lattice:eu-west-1:123456789012:targetgroup";
        self.group(kind, |n| {
            TargetGroup::Lattice(format!("{arn}/tg-{n:017x}").into())
        })
    }

    #[must_use]
    pub fn classic_load_balancer(&self) -> TargetGroup {
        self.group(GroupType::Instance, |n| {
            TargetGroup::Classic(format!("classic-{n}").into())
        })
    }

    fn group(&self, kind: GroupType, name: impl Fn(usize) -> TargetGroup) -> TargetGroup {
        self.change(|it| {
            let name = name(it.groups.len());
            let group = Group {
                kind,
                port: 80,
                vpc: VPC.to_owned(),
                refuses: None,
                targets: BTreeMap::new(),
            };
            it.groups.insert(name.clone(), group);
            name
        })
    }

    /// Registers a target past all rules. Classic Load Balancers have no ports of their own.
    #[must_use]
    pub fn register(&self, group: &TargetGroup, id: &str, port: u16) -> Target {
        let target = Target {
            group: group.clone(),
            id: id.to_owned(),
            port: (group.balancing() != Balancing::Classic).then_some(port),
        };
        self.change(|it| {
            if let Some(group) = it.groups.get_mut(group) {
                group.targets.insert(target.clone(), Drain::No);
            }
        });
        target
    }

    #[must_use]
    pub fn elastic_ip(&self, holder: Option<&InstanceId>) -> AllocationId {
        self.change(|it| {
            let id: AllocationId = it.new_id("eipalloc-");
            let placement = holder.and_then(|holder| it.primary_seat(holder));
            it.addresses.insert(id.clone(), placement);
            id
        })
    }

    /// A free, empty volume that belongs to no lineage.
    #[must_use]
    pub fn volume(&self, zone: &str) -> VolumeId {
        self.change(|it| it.blank_volume(zone, general_purpose()))
    }

    /// A public snapshot of another account, tagged as ours: `DescribeSnapshots` without an owner
    /// would show it (TRAP 27).
    #[must_use]
    pub fn planted_snapshot(&self, volume: &VolumeId, tags: Tags) -> SnapshotId {
        self.change(|it| {
            let id: SnapshotId = it.new_id("snap-");
            let facts = Snapshot {
                id: id.clone(),
                volume: volume.clone(),
                state: SnapshotState::Completed,
                started: it.now,
                completed: Some(it.now),
                description: String::new(),
                tags: Tags::new(),
            };
            let origin = it.new_id("vol-");
            let snapshot = SimSnapshot {
                facts,
                tags: Lagged::new(tags),
                visible_from: it.now,
                content: Content {
                    origin,
                    generation: 1,
                    lost: 0,
                },
                size: 8,
                own: false,
                set: vec![id.clone()],
                will_fail: false,
            };
            it.snapshots.insert(id.clone(), snapshot);
            id
        })
    }

    /// The volumes of an instance by device.
    #[must_use]
    pub fn volumes_of(&self, instance: &InstanceId) -> BTreeMap<String, VolumeId> {
        self.look(|it| {
            let devices = it.instances.get(instance).map(|it| &it.facts.devices);
            let pairs = devices.into_iter().flatten();
            pairs
                .map(|it| (it.name.clone(), it.volume.clone()))
                .collect()
        })
    }
}

impl InstanceBuilder<'_> {
    pub fn market(mut self, market: Market) -> Self {
        self.market = market;
        self
    }

    pub fn protected(self) -> Self {
        self.tags(&[(tags::OPT_IN, "on"), ("Name", "db")])
    }

    pub fn tags(mut self, tags: &[(&str, &str)]) -> Self {
        let tags = tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        self.tags.extend(tags);
        self
    }

    pub fn volume(self, device: &str, size: i32, delete_on_termination: bool) -> Self {
        let settings = VolumeSettings {
            size,
            ..general_purpose()
        };
        self.volume_like(device, settings, delete_on_termination)
    }

    pub fn volume_like(mut self, device: &str, settings: VolumeSettings, delete: bool) -> Self {
        self.volumes.push((device.to_owned(), settings, delete));
        self
    }

    /// The image makes a volume for this device, too.
    pub fn image_device(mut self, device: &str) -> Self {
        self.image_devices.push(device.to_owned());
        self
    }

    pub fn hibernation(mut self) -> Self {
        self.hibernation = true;
        self
    }

    /// EC2 fulfils its request again and again.
    pub fn persistent(mut self, behaviour: InstanceAction) -> Self {
        self.persistent = Some(behaviour);
        self
    }

    /// Runs, and has emitted its event.
    #[must_use]
    pub fn run(self) -> InstanceId {
        let Self {
            world,
            zone,
            instance_type,
            market,
            image_devices,
            volumes,
            tags,
            hibernation,
            persistent,
        } = self;
        let subnet = world.subnet(&zone);
        world.change(|it| {
            let image: ImageId = it.new_id("ami-");
            let of_image = users_image(image.clone(), ROOT_DEVICE, image_devices);
            it.images.insert(image.clone(), of_image);
            let id: InstanceId = it.new_id("i-");
            let facts = Instance {
                id: id.clone(),
                state: InstanceState::Running,
                launch_time: it.now,
                availability_zone: zone.clone(),
                vpc: Some(VPC.to_owned()),
                subnet: Some(subnet),
                instance_type,
                image: Some(image),
                market,
                request: None,
                root_device: Some(ROOT_DEVICE.to_owned()),
                devices: Vec::new(),
                private_addresses: vec![it.new_address()],
                interfaces: Vec::new(),
                public_address: None,
                auto_public_address: false,
                forwards: false,
                security_groups: vec!["sg-0123456789abcdef0".to_owned()],
                key_pair: Some(KEY_PAIR.to_owned()),
                instance_profile: None,
                state_reason: None,
                hibernation,
                boot: usual_boot(),
                operated: Operated::default(),
                likeness: Likeness::default(),
                tags: Tags::new(),
                unproven: Vec::new(),
                placed: false,
                sealed: false,
            };
            it.add_instance(facts, tags);
            if market == Market::Spot {
                let behaviour = persistent.unwrap_or(InstanceAction::Terminate);
                it.request_for(&id, persistent.is_some(), behaviour);
            }
            for (device, settings, delete) in volumes {
                let volume = it.blank_volume(&zone, settings);
                if let Some(volume) = it.volumes.get_mut(&volume) {
                    volume.root = device == ROOT_DEVICE;
                }
                it.put(&volume, &id, &device, delete, true);
            }
            it.emit_state_change(&id, InstanceState::Running);
            id
        })
    }
}
