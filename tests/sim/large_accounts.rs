//! TRAP 47: EC2 pages before it filters. Resources of others in the account cost a rescue only a few calls.

use crate::support::{
    assert_whole, count, failing, function, journal, lost_writes, prepared, settle,
};
use spot_rescue::event::{InstanceAction, InstanceState};
use spot_rescue::sim::{Fault, Group, GroupType, Kind, On, Protected, Supply, World};
use spot_rescue::situation::{Market, TargetGroup};
use spot_rescue::step::Action;
use std::collections::BTreeMap;

/// Fifty pages of snapshots, five of volumes, two of target groups; none is ours, and the groups are in another VPC.
fn crowd(world: &World) {
    world.change(|it| {
        it.config.others_snapshots = 50_000;
        it.config.others_volumes = 5_000;
        it.config.call_millis = 100;
        for n in 0..500 {
            let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup";
            let name = TargetGroup::Elb(format!("{arn}/others-{n}/{n:016x}").into());
            let group = Group {
                port: 80,
                kind: GroupType::Instance,
                vpc: "vpc-0badbadbadbadbad0".to_owned(),
                refuses: None,
                targets: BTreeMap::new(),
            };
            it.groups.insert(name, group);
        }
    });
}

/// Nothing is left in this zone: the replacement comes up in another one, and its volumes are made anew.
fn only_elsewhere(world: &World, protected: &Protected) {
    let elsewhere = world.subnet("eu-west-1b");
    let tag = ("spot-rescue:subnets", elsewhere.as_str());
    world.retag(protected.instance.as_str(), &[tag]);
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
}

#[tokio::test]
async fn an_account_full_of_others_costs_a_rescue_a_few_calls() {
    let (world, _, protected) = prepared(3, &[]).await;
    let calls = || world.look(|it| it.calls.clone());
    let sum = |it: &BTreeMap<&str, u64>| it.values().sum::<u64>();
    crowd(&world);
    let before = sum(&calls());
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function(&world), 600).await;
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
    let all = sum(&calls()) - before;
    assert!(all <= 105 + 60, "{all}: {:?}", calls());
}

/// The closing snapshots are found by the ids that their calls have returned, and taken once.
#[tokio::test]
async fn a_rescue_in_another_zone_finds_its_own_snapshots_among_fifty_thousand() {
    for seed in 0..5 {
        let (world, function, protected) = prepared(seed, &[]).await;
        only_elsewhere(&world, &protected);
        crowd(&world);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let _ = world.run_for(&function, 900).await;
        assert_whole(&world, &protected);
        assert_eq!(
            lost_writes(&world, &protected),
            [0, 0],
            "{}",
            journal(&world)
        );
        let closing = count(&world, |it| matches!(it, Action::SnapshotVolume { .. }));
        assert_eq!(closing, 2, "seed {seed}\n{}", journal(&world));
        let made = count(&world, |it| matches!(it, Action::CreateVolume(_)));
        assert_eq!(made, 2, "seed {seed}\n{}", journal(&world));
    }
}

/// A service never answers one kind of read: the look goes on with what it knows. Time stands still for the test, so
/// that nothing waits by the wall.
#[tokio::test(start_paused = true)]
async fn one_listing_without_end_keeps_no_look_from_the_rest() {
    let mut untouched = Vec::new();
    for call in [
        "DescribeSnapshots",
        "DescribeAddresses",
        "DescribeTargetGroups",
        "DescribeTargetHealth",
        "vpc-lattice:ListTargetGroups",
        "DescribeLoadBalancers",
    ] {
        let (world, _, protected) = prepared(5, &[]).await;
        let silent = Fault {
            on: On::Every(call),
            kind: Kind::Silence,
        };
        let function = failing(&world, vec![silent]);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let _ = world.run_for(&function, 100).await;
        untouched.extend(Some(call).filter(|_| function.cloud.struck().is_empty()));
        let running = world.look(|it| {
            let all = it.instances.values();
            let others = all.filter(|it| it.facts.id != protected.instance);
            others
                .filter(|it| it.facts.state == InstanceState::Running)
                .count()
        });
        assert_eq!(running, 1, "{call}\n{}", journal(&world));
        let _ = world.run_for(&function, 100).await;
        let attached = count(&world, |it| matches!(it, Action::Attach { .. }));
        assert!(attached >= 2, "{call}\n{}", journal(&world));
        function.cloud.disarm();
        world.sweep();
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        assert_eq!(lost_writes(&world, &protected), [0, 0], "{call}");
    }
    assert_eq!(untouched, [""; 0]);
}
