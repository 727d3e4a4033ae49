//! Foreseen interruptions: a rebalance recommendation, a date of AWS Health's, and what follows or does not.

use crate::support::{
    Function, assert_whole, count, journal, lineage, lost_writes, prepared, settle,
};
use spot_rescue::clock::{self, Clock};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{Protected, Supply, World, invariants};
use spot_rescue::situation::Market;
use spot_rescue::step::Action;
use spot_rescue::tags;

const REPLACE: [(&str, &str); 1] = [("spot-rescue:rebalance", "replace")];

fn is_launch(action: &Action) -> bool {
    matches!(action, Action::Launch(_))
}

fn is_set(action: &Action) -> bool {
    matches!(action, Action::SnapshotInstance { .. })
}

/// The sweep comes by, and with it the sweep after it.
async fn sweep(world: &World, function: &Function) {
    for _ in 0..2 {
        world.sweep();
        settle(world, function).await;
        world.advance(900);
    }
}

/// Living members of the lineage that are not the instance itself.
fn spares(world: &World, protected: &Protected) -> Vec<InstanceId> {
    world.look(|it| {
        let alive = it.instances.values().filter(|it| it.facts.is_alive());
        let others = alive.filter(|it| it.tags.current().contains_key(tags::REPLACES));
        let ids = others.map(|it| it.facts.id.clone());
        ids.filter(|it| *it != protected.instance).collect()
    })
}

#[tokio::test]
async fn a_recommendation_is_answered_with_a_fresh_set_and_nothing_else() {
    let (world, function, protected) = prepared(401, &[]).await;
    for _ in 0..3 {
        world.recommend_rebalance(&protected.instance);
        settle(&world, &function).await;
    }
    assert_whole(&world, &protected);
    assert_eq!(count(&world, is_set), 1, "{}", journal(&world));
    assert_eq!(count(&world, is_launch), 0);
    world.advance(25 * 3600);
    sweep(&world, &function).await;
    assert_eq!(
        world.look(|it| it.snapshots.len()),
        0,
        "{}",
        journal(&world)
    );
}

#[tokio::test]
async fn rebalance_recommendations_can_be_ignored() {
    let (world, function, protected) = prepared(402, &[("spot-rescue:rebalance", "ignore")]).await;
    world.recommend_rebalance(&protected.instance);
    settle(&world, &function).await;
    assert_eq!(count(&world, is_set), 0);
    assert_whole(&world, &protected);
}

/// TRAP 5: the set of the recommendation is seconds old and may be pending for hours; a disk of type
/// st1 allows one at a time.
#[tokio::test]
async fn a_warning_seconds_after_a_recommendation_finds_its_set_and_its_spare() {
    for (seed, policy) in [(403, &[][..]), (404, &REPLACE[..])] {
        for apart in [0, 1, 5, 20] {
            let (world, function, protected) = prepared(seed, policy).await;
            world.change(|it| {
                it.config.snapshot_seconds = 3600;
                it.config.interleave = true;
                it.config.concurrency = 2;
                it.config.batch = 1;
                for it in it.volumes.values_mut() {
                    "st1".clone_into(&mut it.facts.settings.volume_type);
                }
            });
            world.recommend_rebalance(&protected.instance);
            let _ = world.run_for(&function, apart).await;
            world.interrupt(&protected.instance, InstanceAction::Terminate);
            let _ = world.run_for(&function, 100).await;
            assert_eq!(spares(&world, &protected).len(), 1, "{}", journal(&world));
            settle(&world, &function).await;
            assert_whole(&world, &protected);
            assert_eq!(lost_writes(&world, &protected), [0, 0]);
            let launched = world.look(|it| it.instances.len());
            assert_eq!(launched, 2, "{apart} s apart\n{}", journal(&world));
            let failed = world.look(|it| {
                let bad = it.journal.iter().filter(|it| is_set(&it.action));
                bad.filter(|it| it.outcome.is_err()).count()
            });
            assert!(failed <= 1, "{apart} s apart\n{}", journal(&world));
        }
    }
}

#[tokio::test]
async fn a_spare_waits_and_takes_over_when_the_instance_is_taken() {
    let (world, function, protected) = prepared(405, &REPLACE).await;
    world.recommend_rebalance(&protected.instance);
    settle(&world, &function).await;
    let waiting = spares(&world, &protected);
    assert_eq!(waiting.len(), 1, "{}", journal(&world));
    // The instance serves on, whatever else happens meanwhile.
    sweep(&world, &function).await;
    let serving = world.look(|it| {
        let all = it.groups.values().flat_map(|it| it.targets.keys());
        all.filter(|it| it.id == protected.instance.as_str())
            .count()
    });
    assert_eq!(serving, 2);
    // By now there is no capacity left: only the spare can take over.
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
    assert_eq!(spares(&world, &protected), waiting);
}

#[tokio::test]
async fn a_spare_that_was_not_needed_is_given_back_and_the_next_warning_launches_anew() {
    let (world, function, protected) = prepared(406, &REPLACE).await;
    world.recommend_rebalance(&protected.instance);
    settle(&world, &function).await;
    let first = spares(&world, &protected);
    world.advance(7 * 3600);
    sweep(&world, &function).await;
    assert!(spares(&world, &protected).is_empty(), "{}", journal(&world));
    assert_whole(&world, &protected);
    // Long enough for EC2 to have forgotten the spare, but not its token.
    world.advance(2 * 3600);
    sweep(&world, &function).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
    assert_ne!(spares(&world, &protected), first);
}

#[tokio::test]
async fn a_spare_goes_with_the_instance_its_user_ends() {
    let (world, function, protected) = prepared(407, &REPLACE).await;
    world.recommend_rebalance(&protected.instance);
    settle(&world, &function).await;
    world.terminate(&protected.instance);
    let _ = world.run_until_quiet(&function).await;
    world.advance(600);
    world.sweep();
    let _ = world.run_until_quiet(&function).await;
    assert!(spares(&world, &protected).is_empty(), "{}", journal(&world));
    assert_eq!(world.look(|it| it.templates.len()), 0);
    assert_eq!(world.look(|it| it.violations.clone()), Vec::<String>::new());
}

#[tokio::test]
async fn a_spare_that_is_taken_itself_does_no_harm() {
    let (world, function, protected) = prepared(408, &REPLACE).await;
    world.recommend_rebalance(&protected.instance);
    settle(&world, &function).await;
    let first = spares(&world, &protected);
    world.interrupt(&first[0], InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_ne!(spares(&world, &protected), first);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
}

#[tokio::test]
async fn without_capacity_for_a_spare_the_rescue_loses_no_way_to_launch() {
    let (world, function, protected) = prepared(409, &REPLACE).await;
    world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(0));
    world.recommend_rebalance(&protected.instance);
    settle(&world, &function).await;
    assert!(spares(&world, &protected).is_empty());
    world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(9));
    world.advance(1800);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(lineage(&world, &protected).market, Some(Market::Spot));
}

#[tokio::test]
async fn a_change_announced_for_a_day_is_prepared_for_half_an_hour_before() {
    let (world, function, protected) = prepared(410, &REPLACE).await;
    let due = world.now() + time::Duration::days(3);
    let text = include_str!("../../events/health-scheduled-change.json");
    let text = text.replace("i-0123456789abcdef0", protected.instance.as_str());
    let text = text.replace("2026-11-23T10:00:00Z", &clock::format(world.now()));
    let date = "26 Nov 2026 11:00:00 GMT";
    let text = text.replace("07 Dec 2026 18:00:00 GMT", date);
    assert_eq!(clock::parse_rfc1123(date), Some(due));
    world.message(&text);
    settle(&world, &function).await;
    sweep(&world, &function).await;
    assert_eq!(count(&world, is_set) + count(&world, is_launch), 0);
    world.change(|it| it.advance_to(due - time::Duration::minutes(20)));
    sweep(&world, &function).await;
    assert_eq!(count(&world, is_set), 1, "{}", journal(&world));
    assert_eq!(spares(&world, &protected).len(), 1);
    world.change(|it| it.advance_to(due + time::Duration::hours(7)));
    sweep(&world, &function).await;
    assert!(spares(&world, &protected).is_empty());
    let broken = world.look(invariants::at_quiescence);
    assert!(broken.is_empty(), "{broken:?}");
}
