//! Multi-Attach volumes: they need not be detached first.

use crate::support::{function, journal, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::{InstanceId, VolumeId};
use spot_rescue::sim::{DATA_DEVICES, Supply, World};
use spot_rescue::situation::{Market, VolumeSettings};

/// A protected instance and an unprotected one, with one volume between them.
async fn cluster(seed: u64, tags: &[(&str, &str)]) -> (World, InstanceId, InstanceId, VolumeId) {
    let world = World::new(seed);
    let settings = VolumeSettings {
        volume_type: "io2".to_owned(),
        size: 100,
        iops: Some(1000),
        multi_attach: true,
        ..VolumeSettings::default()
    };
    let builder = world.spot_instance("m5.large", "eu-west-1a").protected();
    let builder = builder.tags(tags);
    let id = builder.volume_like(DATA_DEVICES[0], settings, false).run();
    let other = world.spot_instance("m5.large", "eu-west-1a").run();
    let shared = world.volumes_of(&id)[DATA_DEVICES[0]].clone();
    world.give_away(&shared, &other, "/dev/sdh");
    settle(&world, &function(&world)).await;
    world.advance(3600);
    (world, id, other, shared)
}

fn holders(world: &World, volume: &VolumeId) -> Vec<InstanceId> {
    world.look(|it| {
        let all = it.volumes[volume].facts.attachments.iter();
        all.map(|it| it.instance.clone()).collect()
    })
}

#[tokio::test]
async fn a_shared_volume_goes_to_the_replacement_while_the_old_instance_lives() {
    let (world, id, other, shared) = cluster(81, &[]).await;
    let function = function(&world);
    world.interrupt(&id, InstanceAction::Terminate);
    let _ = world.run_for(&function, 60).await;
    let held = holders(&world, &shared);
    assert_eq!(held.len(), 3, "{}", journal(&world));
    settle(&world, &function).await;
    let held = holders(&world, &shared);
    assert!(held.len() == 2 && held.contains(&other) && !held.contains(&id));
}

/// A copy would not be the volume that the others write to, and none at all must not take traffic.
#[tokio::test]
async fn in_another_zone_a_shared_volume_is_neither_copied_nor_done_without() {
    let (world, id, other, shared) = cluster(82, &[]).await;
    let function = function(&world);
    let elsewhere = world.subnet("eu-west-1b");
    world.retag(id.as_str(), &[("spot-rescue:subnets", elsewhere.as_str())]);
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
    world.interrupt(&id, InstanceAction::Terminate);
    let _ = world.run_for(&function, 3600).await;
    assert_eq!(holders(&world, &shared), [other], "{}", journal(&world));
    let copies = world.look(|it| it.calls.get("CreateVolume").copied());
    assert_eq!(copies, None);
}
