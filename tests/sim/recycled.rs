//! The Recycle Bin: a volume that EC2 has deleted with its instance comes back with its last write, where the bin has
//! it; where it has not, everything is as without one.

use crate::support::{
    Function, assert_whole, count, function, journal, lineage, lost_writes, settle,
};
use spot_rescue::event::InstanceAction;
use spot_rescue::handler::Handler;
use spot_rescue::seal::Seal;
use spot_rescue::sim::{FailingCloud, Fault, Kind, On, Protected, ROLE, Supply, World};
use spot_rescue::situation::Market;
use spot_rescue::step::Action;
use spot_rescue::tags::{self, Tags};

fn defaults() -> Tags {
    [(tags::RECYCLE_BIN.to_owned(), "7".to_owned())].into()
}

fn with_a_bin(world: &World) -> Function {
    Handler {
        defaults: defaults(),
        ..function(world)
    }
}

/// A stack with a rule, and an instance whose first data volume goes with it unless that is prevented.
async fn start(seed: u64) -> (World, Function, Protected) {
    let world = World::new(seed);
    world.change(|it| it.bin.rule = true);
    let function = with_a_bin(&world);
    let protected = world.protected_in("eu-west-1a", &[]);
    settle(&world, &function).await;
    world.sweep();
    settle(&world, &function).await;
    (world, function, protected)
}

fn taken_back(world: &World) -> usize {
    count(world, |it| matches!(it, Action::RestoreFromBin { .. }))
}

fn restored(world: &World) -> usize {
    count(world, |it| matches!(it, Action::CreateVolume(_)))
}

fn ids(world: &World, protected: &Protected) -> Vec<bool> {
    let found = lineage(world, protected);
    found.volumes.values().map(|it| it.is_copy).collect()
}

/// However late the bin lists it, within the minute that nothing is concluded from.
#[tokio::test]
async fn without_a_warning_the_deleted_volume_itself_comes_back_and_no_write_is_lost() {
    for late in [0, 5, 30] {
        let (world, function, protected) = start(1101).await;
        world.change(|it| it.bin.late_seconds = late);
        world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        assert_eq!(
            ids(&world, &protected),
            [false, false],
            "{late} {}",
            journal(&world)
        );
        assert_eq!(lost_writes(&world, &protected), [0, 0], "{late}");
        assert_eq!((taken_back(&world), restored(&world)), (1, 0), "{late}");
        assert!(world.look(|it| it.binned().is_empty()));
    }
}

/// With a snapshot set that is some minutes old.
async fn with_a_set(seed: u64) -> (World, Function, Protected) {
    let world = World::new(seed);
    world.change(|it| it.bin.rule = true);
    let function = with_a_bin(&world);
    let protected = world.protected_in("eu-west-1a", &[("spot-rescue:rebalance", "snapshot")]);
    settle(&world, &function).await;
    world.sweep();
    settle(&world, &function).await;
    world.recommend_rebalance(&protected.instance);
    settle(&world, &function).await;
    world.advance(600);
    (world, function, protected)
}

/// Whether what EC2 deletes with its instance gets there is not documented.
#[tokio::test]
async fn where_the_bin_has_nothing_a_snapshot_is_restored_as_without_a_bin() {
    for (rule, not_with_instance) in [(false, false), (true, true)] {
        let (world, function, protected) = with_a_set(1102).await;
        world.change(|it| {
            it.bin.rule = rule;
            it.bin.not_with_instance = not_with_instance;
        });
        world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        assert_eq!(
            ids(&world, &protected),
            [true, false],
            "{}",
            journal(&world)
        );
        assert_eq!((taken_back(&world), restored(&world)), (0, 1));
    }
}

/// Neither is waited for longer than a snapshot is worth.
#[tokio::test]
async fn a_bin_that_cannot_be_read_or_gives_nothing_back_is_done_without() {
    let (list, restore) = ("ListVolumesInRecycleBin", "RestoreVolumeFromRecycleBin");
    for (call, codes) in [
        (
            list,
            &[
                "UnauthorizedOperation",
                "InvalidParameterValue",
                "RequestLimitExceeded",
            ][..],
        ),
        (restore, &["UnauthorizedOperation", "InvalidParameterValue"]),
    ] {
        for code in codes.iter().copied() {
            let (world, _, protected) = with_a_set(1103).await;
            let fault = Fault {
                on: On::Every(call),
                kind: Kind::Code(code),
            };
            let function = Handler {
                cloud: FailingCloud::new(world.clone(), vec![fault]),
                clock: world.clone(),
                defaults: defaults(),
                seal: Seal::of(Some(ROLE)),
                print: |_| {},
            };
            world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
            settle(&world, &function).await;
            assert!(function.cloud.struck().contains(&call), "{call}");
            assert_whole(&world, &protected);
            assert_eq!(
                ids(&world, &protected),
                [true, false],
                "{call} {code} {}",
                journal(&world)
            );
        }
    }
}

/// A call that is not answered, or done twice, changes nothing.
#[tokio::test]
async fn a_volume_comes_back_once_whatever_becomes_of_the_answer() {
    for kind in [
        Kind::LoseReply,
        Kind::Twice,
        Kind::Silence,
        Kind::Code("RequestLimitExceeded"),
    ] {
        let (world, _, protected) = start(1104).await;
        let on = On::Call("RestoreVolumeFromRecycleBin", 0);
        let function = Handler {
            cloud: FailingCloud::new(world.clone(), vec![Fault { on, kind }]),
            clock: world.clone(),
            defaults: defaults(),
            seal: Seal::of(Some(ROLE)),
            print: |_| {},
        };
        world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert!(!function.cloud.struck().is_empty());
        assert_whole(&world, &protected);
        assert_eq!(
            lost_writes(&world, &protected),
            [0, 0],
            "{kind:?} {}",
            journal(&world)
        );
    }
}

/// Even where a volume may not be restored from a snapshot.
#[tokio::test]
async fn a_policy_that_only_moves_gets_its_volume_back() {
    let world = World::new(1105);
    world.change(|it| it.bin.rule = true);
    let function = with_a_bin(&world);
    let protected = world.protected_in("eu-west-1a", &[("spot-rescue:data", "move")]);
    settle(&world, &function).await;
    world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(
        lost_writes(&world, &protected),
        [0, 0],
        "{}",
        journal(&world)
    );
}

/// The root as well, where it is to be kept.
#[tokio::test]
async fn a_root_that_is_to_be_kept_comes_back() {
    let world = World::new(1108);
    world.change(|it| it.bin.rule = true);
    let function = with_a_bin(&world);
    let protected = world.protected_in("eu-west-1a", &[("spot-rescue:root", "keep")]);
    settle(&world, &function).await;
    world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(
        lost_writes(&world, &protected),
        [0, 0],
        "{}",
        journal(&world)
    );
    assert_eq!(
        (taken_back(&world), restored(&world)),
        (2, 0),
        "{}",
        journal(&world)
    );
    let owner = world.look(|it| {
        let mut all = it.instances.values();
        let holds = |it: &spot_rescue::sim::SimInstance| {
            it.facts
                .root()
                .is_some_and(|it| it.volume == protected.root)
        };
        all.any(|it| it.facts.is_alive() && holds(it))
    });
    assert!(owner, "{}", journal(&world));
}

/// What the function deletes itself would stay for a week, and cost as before.
#[tokio::test]
async fn what_the_sweep_deletes_is_not_kept() {
    let (world, function, protected) = start(1106).await;
    let elsewhere = world.subnet("eu-west-1b");
    let tag = ("spot-rescue:subnets", elsewhere.as_str());
    world.retag(protected.instance.as_str(), &[tag]);
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    for _ in 0..4 {
        world.advance(30 * 3600);
        world.sweep();
        settle(&world, &function).await;
    }
    let gone = count(&world, |it| matches!(it, Action::DeleteVolume { .. }));
    assert!(gone > 0, "{}", journal(&world));
    assert_eq!(world.look(|it| it.binned().len()), 0, "{}", journal(&world));
}

/// No mark, no call.
#[tokio::test]
async fn without_a_rule_the_bin_is_not_asked() {
    let world = World::new(1107);
    let function = crate::support::failing(&world, Vec::new());
    let protected = world.protected_in("eu-west-1a", &[]);
    settle(&world, &function).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert!(
        !function
            .cloud
            .calls()
            .contains_key("ListVolumesInRecycleBin")
    );
    let marked = world.look(|it| {
        let all = it.volumes.values();
        all.filter(|it| it.tags.current().contains_key(tags::RECYCLE))
            .count()
    });
    assert_eq!(marked, 0);
}
