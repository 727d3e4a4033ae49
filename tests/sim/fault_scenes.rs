//! The stories into which faults are put: how each begins, and what happens in it.

use crate::support::prepared;
use spot_rescue::cloud::Cloud;
use spot_rescue::dns::{RecordType, Says};
use spot_rescue::event::InstanceAction;
use spot_rescue::handler::Handler;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{Entry, GroupType, Protected, Supply, World};
use spot_rescue::situation::Market;
use spot_rescue::step::Action;

/// More than one invocation may be needed; nothing lasts longer than this.
const LONG: i64 = 600;
const NAME: &str = "Z0123456789ABCDEFGHIJ db.example.org";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    SameZone,
    OtherZone,
    OnDemand,
    /// The warning comes before anything was prepared.
    Unprepared,
    /// The replacement is interrupted while it takes over.
    Chain,
    Stop,
    Hibernate,
    /// A volume is deleted by its user: only the set of the warning has its data.
    LostVolume,
    /// The same, and that set fails: only an older one has its data.
    OlderSet,
    /// Five at once.
    Storm,
    /// Its Auto Scaling group replaces it; our launch hook holds the new member.
    GroupMember,
    /// The replacement is ours and joins the group.
    GroupJoin,
    /// No warning, and the volumes stay.
    Silent,
    /// Clones go to the replacement while the old instance lives.
    Clone,
    /// The old root becomes the root again.
    KeptRoot,
    /// EC2 refuses the volume: an image is made of it.
    RootByImage,
    /// A second interface, a second private address, an Elastic IP on each.
    Addresses,
    /// The replacement is launched on the old one's interface.
    PrivateIp,
    /// No capacity there: another subnet, and another address.
    PrivateIpLost,
    /// `protect=always` is asked for, and a volume added; then it ends without any warning.
    Always,
    /// A recommendation, its spare, and the interruption.
    Spare,
    /// A recommendation, and nothing comes of it: the spare is given back.
    SpareReturned,
    /// An On-Demand stand-in gives way to Spot.
    ReturnToSpot,
    /// Its request would launch another beside the replacement.
    Persistent,
    /// Stopped and not brought back: replaced by copies.
    NoReturn,
    /// A name follows to the replacement, which is then interrupted itself.
    Name,
}

pub const ALL: [Story; 26] = [
    Story::SameZone,
    Story::OtherZone,
    Story::OnDemand,
    Story::Unprepared,
    Story::Chain,
    Story::Stop,
    Story::Hibernate,
    Story::LostVolume,
    Story::OlderSet,
    Story::Storm,
    Story::GroupMember,
    Story::GroupJoin,
    Story::Silent,
    Story::Clone,
    Story::KeptRoot,
    Story::RootByImage,
    Story::Addresses,
    Story::PrivateIp,
    Story::PrivateIpLost,
    Story::Always,
    Story::Spare,
    Story::SpareReturned,
    Story::ReturnToSpot,
    Story::Persistent,
    Story::NoReturn,
    Story::Name,
];

pub struct Scene {
    pub world: World,
    pub protected: Vec<Protected>,
}

impl Story {
    /// The world in the moment before.
    pub async fn begin(self) -> Scene {
        match self {
            Self::Unprepared => {
                let world = World::new(42);
                let protected = vec![world.protected_instance()];
                world.change(|it| it.queue.messages.clear());
                Scene { world, protected }
            }
            Self::Storm => storm().await,
            Self::Clone => one(&[("spot-rescue:data", "clone")]).await,
            Self::GroupMember => grouped(&[], 1).await,
            Self::GroupJoin => grouped(&[("spot-rescue:replace", "launch")], 0).await,
            Self::KeptRoot => one(&[("spot-rescue:root", "keep")]).await,
            Self::RootByImage => {
                let scene = one(&[("spot-rescue:root", "keep")]).await;
                let code = Some("UnsupportedOperation");
                scene.world.change(|it| it.no_root_swaps = code);
                scene
            }
            Self::PrivateIp => one(&[("spot-rescue:private-ip", "keep")]).await,
            Self::OtherZone | Self::PrivateIpLost => {
                let keep = ("spot-rescue:private-ip", "keep");
                let keep = [keep].into_iter().filter(|_| self == Self::PrivateIpLost);
                let scene = one(&keep.collect::<Vec<_>>()).await;
                let subnet = scene.world.subnet("eu-west-1b");
                let tag = ("spot-rescue:subnets", subnet.as_str());
                scene.world.retag(scene.id().as_str(), &[tag]);
                scene.nothing_left(&[Market::Spot, Market::OnDemand]);
                scene
            }
            Self::OnDemand => {
                let scene = one(&[]).await;
                scene.nothing_left(&[Market::Spot]);
                scene
            }
            Self::LostVolume | Self::OlderSet => {
                let scene = one(&[]).await;
                scene.nothing_left(&[Market::Spot, Market::OnDemand]);
                scene
            }
            Self::Addresses => rich().await,
            Self::Spare | Self::SpareReturned => one(&[("spot-rescue:rebalance", "replace")]).await,
            Self::ReturnToSpot => standing_in().await,
            Self::Persistent => persistent().await,
            Self::Name => named().await,
            Self::NoReturn => {
                let minutes = ("spot-rescue:return-minutes", "30");
                one(&[("spot-rescue:no-return", "restore"), minutes]).await
            }
            Self::SameZone
            | Self::Chain
            | Self::Stop
            | Self::Hibernate
            | Self::Silent
            | Self::Always => one(&[]).await,
        }
    }

    /// What happens; the faults strike meanwhile. True if the world got quiet in the end.
    pub async fn play<C: Cloud>(self, scene: &Scene, function: &Handler<C, World>) -> bool {
        let world = &scene.world;
        self.before(scene, function).await;
        let action = match self {
            Self::Stop | Self::NoReturn => InstanceAction::Stop,
            Self::Hibernate => InstanceAction::Hibernate,
            _ => InstanceAction::Terminate,
        };
        for it in &scene.protected {
            match self {
                Self::SpareReturned | Self::ReturnToSpot => {}
                Self::Silent | Self::Always => world.interrupt_silently(&it.instance, action),
                _ => world.interrupt(&it.instance, action),
            }
        }
        self.meanwhile(scene, function).await;
        let quiet = world.run_until_quiet(function).await.quiet;
        world.sweep();
        quiet && world.run_until_quiet(function).await.quiet
    }

    /// What happens ahead of the interruption.
    async fn before<C: Cloud>(self, scene: &Scene, function: &Handler<C, World>) {
        let world = &scene.world;
        match self {
            Self::Spare | Self::SpareReturned => {
                world.recommend_rebalance(scene.id());
                let _ = world.run_for(function, 90).await;
            }
            Self::Always => {
                let protect = ("spot-rescue:protect", "always");
                world.retag(scene.id().as_str(), &[protect]);
                let _ = world.flagged_volume(scene.id(), "/dev/sdh");
                // A write that a fault has prevented is made at the next sweep.
                for _ in 0..2 {
                    world.sweep();
                    let _ = world.run_until_quiet(function).await;
                    world.advance(900);
                }
            }
            _ => {}
        }
    }

    /// What happens besides.
    async fn meanwhile<C: Cloud>(self, scene: &Scene, function: &Handler<C, World>) {
        let world = &scene.world;
        match self {
            Self::Chain => {
                let _ = world.run_for(function, 60).await;
                let second = scene.newest();
                // A fault may have led to On-Demand, which is not interrupted.
                if world.look(|it| it.instances[&second].facts.market) == Market::Spot {
                    world.interrupt(&second, InstanceAction::Terminate);
                }
            }
            Self::Stop | Self::Hibernate => {
                let _ = world.run_for(function, LONG).await;
                world.resume(scene.id());
            }
            Self::LostVolume | Self::OlderSet => {
                let _ = world.run_for(function, 200).await;
                if self == Self::OlderSet {
                    scene.fail_set();
                }
                world.delete_volume(&scene.protected[0].data[1]);
                world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(9));
            }
            Self::SpareReturned => {
                scene.sweeps(function, 1).await;
                world.advance(7 * 3600);
                scene.sweeps(function, 3).await;
            }
            Self::NoReturn => scene.sweeps(function, 6).await,
            Self::Name => {
                // The name has moved, and the rescue is not over.
                let moved =
                    |it: &Entry| matches!(it.action, Action::PointName(_)) && it.outcome.is_ok();
                for _ in 0..LONG {
                    if world.look(|it| it.journal.iter().any(moved)) {
                        break;
                    }
                    let _ = world.run_for(function, 1).await;
                }
                let second = scene.newest();
                // A fault may have made it an On-Demand Instance, which is not interrupted.
                if world.look(|it| it.instances[&second].facts.market == Market::Spot) {
                    world.interrupt(&second, InstanceAction::Terminate);
                }
            }
            // A return that a fault has prevented is not tried again for a day.
            Self::ReturnToSpot => {
                scene.sweeps(function, 4).await;
                world.advance(24 * 3600);
                scene.sweeps(function, 4).await;
            }
            _ => {}
        }
    }
}

async fn one(tags: &[(&str, &str)]) -> Scene {
    let (world, function, protected) = prepared(42, tags).await;
    let id = protected.instance.as_str();
    let _ = world.register(&world.classic_load_balancer(), id, 0);
    let _ = world.register(&world.lattice_group(GroupType::Instance), id, 80);
    world.sweep();
    world.change(|it| it.config.snapshot_seconds = 40);
    let _ = world.run_until_quiet(&function).await;
    let scene = Scene {
        world,
        protected: vec![protected],
    };
    scene.earlier_set();
    scene
}

/// It has served its time, and there is Spot capacity again.
async fn standing_in() -> Scene {
    let scene = one(&[("spot-rescue:return-to-spot", "12h")]).await;
    let function = crate::support::function(&scene.world);
    scene.nothing_left(&[Market::Spot]);
    scene.world.interrupt(scene.id(), InstanceAction::Terminate);
    let _ = scene.world.run_until_quiet(&function).await;
    let some = Supply::Left(9);
    scene
        .world
        .supply("m5.large", "eu-west-1a", Market::Spot, some);
    scene.world.advance(12 * 3600);
    scene.world.sweep();
    scene
}

async fn grouped(tags: &[(&str, &str)], least: i32) -> Scene {
    let world = World::new(44);
    let function = crate::support::function(&world);
    world.scaling_group("web", &["eu-west-1a"]);
    let protected = world.protected_in("eu-west-1a", tags);
    world.member("web", &protected.instance);
    world.change_group("web", |it| {
        (it.facts.min_size, it.facts.max_size) = (least, 1);
        it.facts.launch_hooks.push("spot-rescue".to_owned());
    });
    crate::support::settle(&world, &function).await;
    world.advance(3600);
    let protected = vec![protected];
    Scene { world, protected }
}

/// Two private addresses and a second interface, an Elastic IP on each.
async fn rich() -> Scene {
    let world = World::new(45);
    let function = crate::support::function(&world);
    let protected = world.protected_instance();
    let secondary = world.secondary_address(&protected.instance);
    let primary = world.look(|it| {
        let interfaces = &it.instances[&protected.instance].facts.interfaces;
        interfaces[0].id.clone()
    });
    let _ = world.elastic_ip_on(&primary, &secondary);
    let interface = world.interface(&protected.instance, 1, true);
    let own = world.look(|it| it.interfaces[&interface].facts.addresses[0].clone());
    let _ = world.elastic_ip_on(&interface, &own);
    crate::support::settle(&world, &function).await;
    world.advance(3600);
    let protected = vec![protected];
    Scene { world, protected }
}

async fn persistent() -> Scene {
    let world = World::new(46);
    let function = crate::support::function(&world);
    let builder = world.spot_instance("m5.large", "eu-west-1a");
    let builder = builder.persistent(InstanceAction::Terminate);
    let protected = world.protected_like(builder, "eu-west-1a", &[]);
    // After a crash the warning is seen again in 30 s. If EC2 launches before that, nothing helps: see
    // `an_instance_that_ec2_launched_by_itself_is_reported_and_no_more_follow`.
    world.change(|it| it.config.relaunch_seconds = 150);
    crate::support::settle(&world, &function).await;
    world.advance(3600);
    let protected = vec![protected];
    Scene { world, protected }
}

/// By its private address.
async fn named() -> Scene {
    let world = World::new(47);
    let function = crate::support::function(&world);
    let protected = world.protected_in("eu-west-1a", &[("spot-rescue:dns", NAME)]);
    let address =
        world.look(|it| it.instances[&protected.instance].facts.private_addresses[0].clone());
    let says = Says::Addresses {
        ttl: 60,
        values: vec![address],
    };
    let _ = world.record_set(NAME, RecordType::A, says);
    crate::support::settle(&world, &function).await;
    world.advance(3600);
    let protected = vec![protected];
    Scene { world, protected }
}

async fn storm() -> Scene {
    let world = World::new(43);
    let function = crate::support::function(&world);
    let protected: Vec<_> = (0..5).map(|_| world.protected_instance()).collect();
    crate::support::settle(&world, &function).await;
    world.advance(3600);
    Scene { world, protected }
}

impl Scene {
    pub fn id(&self) -> &InstanceId {
        &self.protected[0].instance
    }

    /// A sweep every quarter of an hour.
    async fn sweeps<C: Cloud>(&self, function: &Handler<C, World>, times: usize) {
        for _ in 0..times {
            let _ = self.world.run_until_quiet(function).await;
            self.world.advance(900);
            self.world.sweep();
        }
    }

    fn nothing_left(&self, markets: &[Market]) {
        for market in markets {
            let none = Supply::Left(0);
            self.world.supply("m5.large", "eu-west-1a", *market, none);
        }
    }

    /// Of the second data volume, as the rescue of the day before left it.
    fn earlier_set(&self) {
        let volume = &self.protected[0].data[1];
        let Some(snapshot) = self.world.snapshot(volume) else {
            return;
        };
        let marks = self
            .world
            .look(|it| it.volumes[volume].tags.current().clone());
        let marks: Vec<_> = marks
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        self.world.retag(snapshot.as_str(), &marks);
        let day_after = ("spot-rescue:expires-at", "2026-11-25T00:00:00Z");
        self.world.mark(snapshot.as_str(), &[day_after]);
        self.world.advance(600);
    }

    /// The set of the warning fails.
    fn fail_set(&self) {
        self.world.change(|it| {
            let sets = it.snapshots.values_mut();
            let taken = sets.filter(|it| it.set.len() > 1);
            taken.for_each(|it| {
                it.facts.state = spot_rescue::situation::SnapshotState::Unusable;
            });
        });
    }

    fn newest(&self) -> InstanceId {
        let newest = self.world.look(|it| {
            let alive = it.instances.values().filter(|it| it.facts.is_alive());
            let newest = alive.max_by_key(|it| (it.facts.launch_time, it.facts.id != *self.id()));
            newest.map(|it| it.facts.id.clone())
        });
        newest.expect("an instance lives")
    }
}
