//! Replacements that die while they boot, for any reason: few instances are started, and all is whole once the cause
//! is mended (TRAP 45, TRAP 46).

use crate::support::{assert_whole, count, journal, lost_writes, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{Protected, Supply, World};
use spot_rescue::situation::Market;
use spot_rescue::step::Action;
use std::collections::BTreeSet;

const REASONS: [&str; 7] = [
    "Client.InternalError",
    "Client.InvalidKMSKey.InvalidState",
    "Client.VolumeLimitExceeded",
    "Client.InvalidSnapshot.NotFound",
    "Server.InternalError",
    "Server.InsufficientInstanceCapacity",
    "Server.SomethingNew",
];

/// Instances that EC2 has started for us, dead or alive.
fn machines(world: &World) -> usize {
    world.look(|it| {
        let launched = it.journal.iter().filter(|it| {
            let launch = matches!(it.action, Action::Launch(_));
            launch && it.outcome.is_ok()
        });
        let ids: BTreeSet<_> = launched.map(|it| it.outcome.clone().ok()).collect();
        ids.len()
    })
}

async fn hours(world: &World, function: &crate::support::Function, hours: usize) {
    for _ in 0..4 * hours {
        let _ = world.run_for(function, 900).await;
        world.sweep();
    }
}

#[tokio::test]
async fn three_die_in_the_first_hour_whatever_the_reason_and_it_is_whole_once_mended() {
    for reason in REASONS {
        let (world, function, protected) = prepared(81, &[]).await;
        world.all_die_booting(reason);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        hours(&world, &function, 1).await;
        let text = || format!("{reason}\n{}", journal(&world));
        assert_eq!(machines(&world), 3, "{}", text());
        hours(&world, &function, 4).await;
        let later = machines(&world);
        assert!((5..=7).contains(&later), "{later} {}", text());
        world.mend_booting();
        hours(&world, &function, 2).await;
        assert_whole(&world, &protected);
        assert_eq!(lost_writes(&world, &protected), [0, 0], "{}", text());
    }
}

/// EC2 had no capacity after all: the pool rests as if it had said so at once.
#[tokio::test]
async fn an_instance_that_dies_for_want_of_capacity_is_replaced_from_another_pool() {
    let (world, function, protected) = prepared(83, &[]).await;
    world.die_booting("Server.InsufficientInstanceCapacity", 1);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    let markets: Vec<Market> = world.look(|it| {
        let all = it.journal.iter().filter_map(|it| match &it.action {
            Action::Launch(launch) => Some(launch.market),
            _ => None,
        });
        all.collect()
    });
    assert_eq!(markets, [Market::Spot, Market::OnDemand]);
    assert_whole(&world, &protected);
}

/// One ends before it takes over, and EC2 has forgotten it when there is capacity again.
async fn ended_early(policy: &[(&str, &str)], after: i64) -> (World, Protected) {
    let (world, function, protected) = prepared(82, policy).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, after).await;
    let supply = |left| {
        for market in [Market::Spot, Market::OnDemand] {
            world.supply("m5.large", "eu-west-1a", market, Supply::Left(left));
        }
    };
    supply(0);
    let first = replacement(&world, &protected).expect("one is launched");
    world.terminate(&first);
    hours(&world, &function, 3).await;
    supply(9);
    hours(&world, &function, 1).await;
    (world, protected)
}

/// Its token names it for ever: another token is used.
#[tokio::test]
async fn a_replacement_that_ended_and_is_forgotten_is_replaced_with_another_token() {
    let keep = [("spot-rescue:private-ip", "keep")];
    for (policy, after) in [(&[][..], 60), (&keep[..], 150)] {
        let (world, protected) = ended_early(policy, after).await;
        assert_whole(&world, &protected);
        assert_eq!(machines(&world), 2, "{}", journal(&world));
        let calls = count(&world, |it| matches!(it, Action::Launch(_)));
        assert!(calls <= 150, "{calls}\n{}", journal(&world));
    }
}

fn replacement(world: &World, protected: &Protected) -> Option<InstanceId> {
    world.look(|it| {
        let mut all = it.instances.values().map(|it| &it.facts);
        let found = all.find(|it| it.is_alive() && it.id != protected.instance);
        found.map(|it| it.id.clone())
    })
}
