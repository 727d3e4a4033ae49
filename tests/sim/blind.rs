//! Reads that fail, or do not show a change yet, lead to no conclusion.

use crate::support::{
    assert_whole, count, failing, function, journal, lost_writes, prepared, settle,
};
use spot_rescue::event::InstanceAction;
use spot_rescue::handler::Handler;
use spot_rescue::sim::{FailingCloud, Fault, Kind, On, World};
use spot_rescue::step::Action;

/// The function, with one API that cannot be read.
fn blind(world: &World, api: &'static str) -> Handler<FailingCloud<World>, World> {
    let kind = Kind::Code("InternalError");
    let on = On::Every(api);
    failing(world, vec![Fault { on, kind }])
}

/// The wakes come while no tombstone is visible, and no other event comes at all: without the warning they carry, the
/// instance would look as if all were well, and the next look would come a minute later.
#[tokio::test]
async fn wakes_that_see_no_tombstone_go_on_with_the_warning() {
    for lag in [8, 20] {
        let (world, function, protected) = prepared(70, &[]).await;
        world.change(|it| it.config.lag_seconds = lag);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let _ = world.run_for(&function, 1).await;
        world.change(|it| it.config.events.lost_percent = 100);
        let _ = world.run_for(&function, 49).await;
        let wakes = count(&world, |it| matches!(it, Action::Wake { .. }));
        assert!(wakes >= 4, "lag {lag}: {wakes}\n{}", journal(&world));
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        assert_eq!(lost_writes(&world, &protected), [0, 0], "lag {lag}");
    }
}

/// The set of the warning is there, but cannot be seen: that is no reason to take another one.
#[tokio::test]
async fn snapshots_that_cannot_be_read_are_not_taken_again() {
    let (world, _, protected) = prepared(71, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let unseeing = blind(&world, "DescribeSnapshots");
    let _ = world.run_for(&unseeing, 100).await;
    let sets = count(&world, |it| matches!(it, Action::SnapshotInstance { .. }));
    assert_eq!(sets, 1, "{}", journal(&world));
    settle(&world, &function(&world)).await;
    assert_whole(&world, &protected);
}
