//! How a world begins: instances with volumes, targets, addresses and policies, and how the AWS
//! around them behaves.

use crate::model::{Lineage, Model};
use proptest::prelude::*;
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::{EventQuality, GroupType, ROOT_DEVICE, World};
use spot_rescue::situation::TargetGroup;
use spot_rescue::tags::{self, Tags};
use std::collections::{BTreeMap, BTreeSet};

pub const ZONES: [&str; 2] = ["eu-west-1a", "eu-west-1b"];
pub const TYPE: &str = "m5.large";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    pub seed: u64,
    pub instances: Vec<Setup>,
    pub weather: Weather,
}

/// The Auto Scaling group; what it does about an interruption is the seed's choice.
const GROUP: &str = "web";

/// One protected instance.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that do not exclude each other"
)]
pub struct Setup {
    /// `DeleteOnTermination` of each data volume.
    pub volumes: Vec<bool>,
    pub ports: Vec<u16>,
    /// Registered by its address in another group, too.
    pub by_address: bool,
    /// With a Classic Load Balancer and with VPC Lattice, too.
    pub classic: bool,
    pub lattice: bool,
    pub address: bool,
    pub behaviour: InstanceAction,
    pub policy: Vec<(&'static str, &'static str)>,
    /// May be replaced in the other zone.
    pub elsewhere: bool,
    pub in_group: bool,
    /// Of a fleet that keeps its size: one of its own.
    pub in_fleet: bool,
    /// Its request is persistent, as one that stops always is.
    pub persistent: bool,
}

/// How slow and how unreliable AWS is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Weather {
    pub interleave: bool,
    pub concurrency: usize,
    pub batch: usize,
    pub call_millis: i64,
    pub lag_seconds: i64,
    pub snapshot_seconds: i64,
    pub boot_seconds: i64,
    pub release_seconds: i64,
    pub shutdown_seconds: i64,
    pub doubled_percent: u64,
    pub late_seconds: u64,
    pub launch_millis: i64,
    pub tokens_keep_refusals: bool,
}

pub fn start() -> impl Strategy<Value = Start> {
    let size = prop_oneof![60 => 1..2_usize, 30 => 2..5_usize, 9 => 5..12_usize, 1 => 12..51_usize];
    let instances = size.prop_flat_map(|size| prop::collection::vec(setup(), size));
    (any::<u64>(), instances, weather()).prop_map(|(seed, instances, weather)| Start {
        seed,
        instances,
        weather,
    })
}

fn setup() -> impl Strategy<Value = Setup> {
    let behaviour = prop_oneof![
        8 => Just(InstanceAction::Terminate),
        1 => Just(InstanceAction::Stop),
        1 => Just(InstanceAction::Hibernate),
    ];
    let disks = prop::collection::vec(any::<bool>(), 0..4);
    let ports = prop::sample::subsequence(vec![80, 443, 8080], 0..=3);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), 0..10_u8);
    let others = (any::<bool>(), any::<bool>(), any::<bool>());
    (disks, ports, behaviour, policy(), flags, others).prop_map(
        |(volumes, ports, behaviour, policy, flags, others)| Setup {
            volumes,
            ports,
            by_address: flags.0,
            classic: others.0,
            lattice: others.1,
            address: flags.1,
            // Members of groups and fleets are one-time requests.
            behaviour: if flags.3 <= 1 {
                InstanceAction::Terminate
            } else {
                behaviour
            },
            policy,
            elsewhere: flags.2,
            in_group: flags.3 == 0,
            in_fleet: flags.3 == 1,
            persistent: others.2 && flags.3 > 1,
        },
    )
}

/// Most people set nothing.
fn policy() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let tags = |list: &[(&'static str, &'static str)]| Just(list.to_vec());
    prop_oneof![
        10 => tags(&[]),
        1 => tags(&[("spot-rescue:replace", "none")]),
        2 => tags(&[("spot-rescue:private-ip", "keep")]),
        1 => tags(&[("spot-rescue:replace", "launch")]),
        1 => tags(&[("spot-rescue:data", "move")]),
        2 => tags(&[("spot-rescue:data", "restore")]),
        1 => tags(&[("spot-rescue:data", "none")]),
        2 => tags(&[("spot-rescue:on-demand", "never")]),
        1 => tags(&[("spot-rescue:on-demand", "never"), ("spot-rescue:data", "restore")]),
        2 => tags(&[("spot-rescue:rebalance", "replace")]),
        2 => tags(&[("spot-rescue:protect", "always")]),
        2 => tags(&[("spot-rescue:data", "clone")]),
        2 => tags(&[("spot-rescue:no-return", "restore"), ("spot-rescue:return-minutes", "1")]),
    ]
}

fn weather() -> impl Strategy<Value = Weather> {
    let runs = (any::<bool>(), 1..4_usize, 1..11_usize, 0..60_i64, 0..4_i64);
    let times = (20..420_i64, 5..65_i64, 1..60_i64, 5..65_i64);
    let events = (0..40_u64, 0..20_u64);
    let launches = (prop::sample::select([0, 0, 2500].as_slice()), any::<bool>());
    let all = (runs, times, events, launches);
    all.prop_map(|(runs, times, events, launches)| Weather {
        interleave: runs.0,
        concurrency: runs.1,
        batch: runs.2,
        call_millis: runs.3,
        lag_seconds: runs.4,
        snapshot_seconds: times.0,
        boot_seconds: times.1,
        release_seconds: times.2,
        shutdown_seconds: times.3,
        doubled_percent: events.0,
        late_seconds: events.1,
        launch_millis: launches.0,
        tokens_keep_refusals: launches.1,
    })
}

impl Start {
    /// With Capacity Rebalancing a group launches at the notice, and ends the member that got it as soon as the new
    /// one is in service: there are no two minutes then.
    /// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-capacity-rebalancing.html>
    fn rebalances(&self) -> bool {
        self.seed.is_multiple_of(3)
    }

    /// A quarter of the worlds has a Recycle Bin. Shrunk seeds are small: these have none.
    fn has_bin(&self) -> bool {
        self.seed >> 62 == 3
    }

    /// Of the stack: whether its function knows of the bin.
    pub fn defaults(&self) -> Tags {
        let days = (tags::RECYCLE_BIN.to_owned(), "7".to_owned());
        Tags::from_iter(self.has_bin().then_some(days))
    }

    /// The instances run and have said so; a bystander without our tag runs beside them.
    pub fn build(&self) -> (World, Model) {
        let world = World::new(self.seed);
        world.change(|it| {
            it.bin.rule = self.has_bin() && !self.seed.is_multiple_of(5);
            it.bin.not_with_instance = self.seed.is_multiple_of(7);
            it.bin.late_seconds = i64::try_from(self.seed % 100).unwrap_or_default();
        });
        let bystander = world
            .spot_instance(TYPE, ZONES[0])
            .volume("/dev/sdf", 5, false);
        let bystander = bystander.run();
        world.scaling_group(GROUP, &[ZONES[0]]);
        world.change_group(GROUP, |it| {
            it.facts.max_size = 100;
            it.facts.capacity_rebalance = self.rebalances();
            let hook = "spot-rescue".to_owned();
            it.facts
                .launch_hooks
                .extend(self.seed.is_multiple_of(2).then_some(hook));
        });
        let lineages = self.instances.iter().map(|it| {
            let mut lineage = it.build(&world);
            if it.in_group && self.rebalances() {
                lineage.notice = self.weather.boot_seconds;
            }
            lineage
        });
        let lineages: Vec<Lineage> = lineages.collect();
        (world, Model::new(lineages, bystander, &self.weather))
    }
}

impl Setup {
    fn build(&self, world: &World) -> Lineage {
        let elsewhere = world.subnet(ZONES[1]);
        let mut tags = self.policy.clone();
        tags.extend(
            self.elsewhere
                .then_some(("spot-rescue:subnets", elsewhere.as_str())),
        );
        let mut builder = world.spot_instance(TYPE, ZONES[0]).protected().tags(&tags);
        if self.persistent || self.behaviour != InstanceAction::Terminate {
            builder = builder.persistent(self.behaviour);
        }
        for (delete, letter) in self.volumes.iter().zip('f'..) {
            builder = builder.volume(&format!("/dev/sd{letter}"), 20, *delete);
        }
        let id = builder.run();
        if self.in_group {
            world.member(GROUP, &id);
        }
        if self.in_fleet {
            let fleet = world.fleet("maintain");
            world.fleet_member(&fleet, &id);
        }
        let mut targets = BTreeSet::new();
        if !self.ports.is_empty() {
            let group = world.target_group(GroupType::Instance);
            targets.extend(self.ports.iter().map(|port| {
                let target = world.register(&group, id.as_str(), *port);
                (target.group.to_string(), *port)
            }));
        }
        if self.by_address {
            let group = world.target_group(GroupType::Ip);
            let address = world.look(|it| it.instances[&id].facts.private_addresses[0].clone());
            let target = world.register(&group, &address, 7000);
            targets.insert((target.group.to_string(), 7000));
        }
        let mut served = |group: TargetGroup, port| {
            let _ = world.register(&group, id.as_str(), port);
            targets.insert((group.to_string(), port));
        };
        if self.classic {
            served(world.classic_load_balancer(), 0);
        }
        if self.lattice {
            served(world.lattice_group(GroupType::Instance), 8443);
        }
        let addresses = self.address.then(|| world.elastic_ip(Some(&id)));
        let disks = world.volumes_of(&id).into_iter();
        let disks = disks.filter(|(device, _)| device != ROOT_DEVICE);
        let volumes: BTreeMap<_, _> = disks
            .zip(&self.volumes)
            .map(|((device, volume), delete)| (device, (volume, *delete)))
            .collect();
        Lineage::new(self, id, volumes, targets, addresses)
    }
}

impl Weather {
    pub fn set(&self, world: &World) {
        let Self {
            interleave,
            concurrency,
            batch,
            call_millis,
            lag_seconds,
            snapshot_seconds,
            boot_seconds,
            release_seconds,
            shutdown_seconds,
            doubled_percent,
            late_seconds,
            launch_millis,
            tokens_keep_refusals,
        } = *self;
        world.change(|it| {
            let config = &mut it.config;
            config.interleave = interleave;
            config.concurrency = concurrency;
            config.batch = batch;
            config.call_millis = call_millis;
            config.launch_millis = launch_millis;
            config.tokens_keep_refusals = tokens_keep_refusals;
            config.lag_seconds = lag_seconds;
            config.snapshot_seconds = snapshot_seconds;
            config.boot_seconds = boot_seconds;
            config.release_seconds = release_seconds;
            // EC2 has no capacity for its own before the old one has ended.
            config.relaunch_seconds = 120;
            config.shutdown_seconds = shutdown_seconds;
            config.events = EventQuality {
                lost_percent: 0,
                doubled_percent,
                late_seconds,
            };
        });
    }
}
