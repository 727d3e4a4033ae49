//! The stories into which faults are put: how each begins, and what happens in it.

use crate::support::prepared;
use spot_rescue::cloud::Cloud;
use spot_rescue::event::InstanceAction;
use spot_rescue::handler::Handler;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{GroupType, Protected, Supply, World};
use spot_rescue::situation::Market;

/// More than one invocation may be needed; nothing lasts longer than this.
const LONG: i64 = 600;

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
    /// A volume is deleted by its user: the set of the warning is all there is.
    LostVolume,
    /// The same, and that set fails: an older one is all there is.
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
    /// EC2 does not take it: an image is made of it.
    RootByImage,
}

pub const ALL: [Story; 16] = [
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
            Self::OtherZone => {
                let scene = one(&[]).await;
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
            Self::SameZone | Self::Chain | Self::Stop | Self::Hibernate | Self::Silent => {
                one(&[]).await
            }
        }
    }

    /// What happens; the faults strike meanwhile. True if the world got quiet in the end.
    pub async fn play<C: Cloud>(self, scene: &Scene, function: &Handler<C, World>) -> bool {
        let world = &scene.world;
        let action = match self {
            Self::Stop => InstanceAction::Stop,
            Self::Hibernate => InstanceAction::Hibernate,
            Self::SameZone
            | Self::OtherZone
            | Self::OnDemand
            | Self::Unprepared
            | Self::Chain
            | Self::LostVolume
            | Self::OlderSet
            | Self::Storm
            | Self::GroupMember
            | Self::GroupJoin
            | Self::Clone
            | Self::KeptRoot
            | Self::RootByImage
            | Self::Silent => InstanceAction::Terminate,
        };
        for it in &scene.protected {
            if self == Self::Silent {
                world.interrupt_silently(&it.instance, action);
            } else {
                world.interrupt(&it.instance, action);
            }
        }
        match self {
            Self::Chain => {
                let _ = world.run_for(function, 60).await;
                let second = scene.newest();
                world.interrupt(&second, InstanceAction::Terminate);
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
            Self::SameZone
            | Self::OtherZone
            | Self::OnDemand
            | Self::Unprepared
            | Self::Storm
            | Self::GroupMember
            | Self::GroupJoin
            | Self::Clone
            | Self::KeptRoot
            | Self::RootByImage
            | Self::Silent => {}
        }
        let quiet = world.run_until_quiet(function).await.quiet;
        world.sweep();
        quiet && world.run_until_quiet(function).await.quiet
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
        self.world.retag(snapshot.as_str(), &[day_after]);
        self.world.advance(600);
    }

    /// The set of the warning turns out to be of no use.
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
        newest.expect("somebody lives")
    }
}
