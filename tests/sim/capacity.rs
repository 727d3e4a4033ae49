//! Where a replacement is launched when the pool that was asked for is empty.

use crate::support::{assert_whole, journal, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::{Protected, Supply, World};
use spot_rescue::situation::{Instance, Market};
use spot_rescue::step::{Action, InstanceTypes, Launch};
use time::Duration;

const NONE: Supply = Supply::Left(0);

/// Every launch that was requested, in order, with its time.
fn launches(world: &World) -> Vec<(spot_rescue::clock::Timestamp, Launch)> {
    world.look(|it| {
        let all = it.journal.iter();
        all.filter_map(|it| match &it.action {
            Action::Launch(launch) => Some((it.at, launch.clone())),
            _ => None,
        })
        .collect()
    })
}

fn replacement(world: &World, protected: &Protected) -> Instance {
    world.look(|it| {
        let mut all = it.instances.values().map(|it| it.facts.clone());
        all.find(|it| it.is_alive() && it.id != protected.instance)
            .expect("a replacement lives")
    })
}

#[tokio::test]
async fn another_type_by_name_stands_in_when_its_own_is_gone() {
    let tags = [("spot-rescue:instance-types", "m6i.large r5.large")];
    let (world, function, protected) = prepared(1, &tags).await;
    world.supply("m5.large", "eu-west-1a", Market::Spot, NONE);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    let found = replacement(&world, &protected);
    assert!(["m6i.large", "r5.large"].contains(&found.instance_type.as_str()));
    assert_eq!(found.market, Market::Spot);
    assert_eq!(launches(&world).len(), 1, "all types are one request");
}

#[tokio::test]
async fn like_takes_as_many_processors_no_less_memory_and_the_same_architecture() {
    for seed in 0..8 {
        let (world, function, protected) =
            prepared(seed, &[("spot-rescue:instance-types", "like")]).await;
        world.supply("m5.large", "eu-west-1a", Market::Spot, NONE);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        let found = replacement(&world, &protected).instance_type;
        assert!(
            ["m6i.large", "r5.large"].contains(&found.as_str()),
            "{found}"
        );
        // The type the user chose stays the measure, whatever type stood in.
        world.advance(3600);
        let stand_in = replacement(&world, &protected).id;
        world.interrupt(&stand_in, InstanceAction::Terminate);
        settle(&world, &function).await;
        let last = launches(&world).pop().expect("launched").1.instance_types;
        let InstanceTypes::Like(shape) = last else {
            panic!("{last:?}\n{}", journal(&world));
        };
        assert_eq!(shape.instance_type, "m5.large");
    }
}

/// The shape could not be read in time: the own type is tried, and nothing is refused.
#[tokio::test]
async fn like_without_knowing_what_is_the_own_type() {
    let (world, function, protected) = prepared(1, &[]).await;
    world.retag(
        protected.instance.as_str(),
        &[("spot-rescue:instance-types", "like")],
    );
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
}

#[tokio::test]
async fn an_exhausted_spot_quota_leads_straight_to_on_demand() {
    let (world, function, protected) = prepared(1, &[]).await;
    let elsewhere = world.subnet("eu-west-1b");
    world.retag(
        protected.instance.as_str(),
        &[("spot-rescue:subnets", elsewhere.as_str())],
    );
    world.quota(Market::Spot, true);
    world.supply("m5.large", "eu-west-1a", Market::OnDemand, NONE);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    let found = replacement(&world, &protected);
    assert_eq!(found.market, Market::OnDemand);
    assert_eq!(found.availability_zone, "eu-west-1b");
    let spot = launches(&world)
        .iter()
        .filter(|(_, it)| it.market == Market::Spot)
        .count();
    assert_eq!(
        spot,
        1,
        "Spot is not asked in the other zone\n{}",
        journal(&world)
    );
}

#[tokio::test]
async fn an_exhausted_on_demand_quota_leaves_spot_elsewhere() {
    let (world, function, protected) = prepared(1, &[]).await;
    let elsewhere = world.subnet("eu-west-1b");
    world.retag(
        protected.instance.as_str(),
        &[("spot-rescue:subnets", elsewhere.as_str())],
    );
    world.supply("m5.large", "eu-west-1a", Market::Spot, NONE);
    world.quota(Market::OnDemand, true);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    let found = replacement(&world, &protected);
    assert_eq!(found.market, Market::Spot);
    assert_eq!(found.availability_zone, "eu-west-1b");
}

/// Whatever happens, the same pool is not asked twice within three minutes.
#[tokio::test]
async fn a_pool_without_capacity_is_left_alone_for_three_minutes() {
    let (world, function, protected) = prepared(1, &[]).await;
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, NONE);
    }
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 900).await;
    let asked = launches(&world);
    assert!(asked.len() >= 6, "{asked:#?}");
    for market in [Market::Spot, Market::OnDemand] {
        let times: Vec<_> = asked.iter().filter(|it| it.1.market == market).collect();
        for pair in times.windows(2) {
            let between = pair[1].0 - pair[0].0;
            assert!(between >= Duration::seconds(179), "{between}: {asked:#?}");
        }
    }
    world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(1));
    world.sweep();
    settle(&world, &function).await;
    assert_whole(&world, &protected);
}

/// Interrupted again and again: On-Demand, which EC2 does not take back.
async fn interruptions(policy: &[(&str, &str)], between: i64) -> Vec<Market> {
    let (world, function, protected) = prepared(1, policy).await;
    let mut owner = protected.instance.clone();
    let mut markets = Vec::new();
    for _ in 0..3 {
        world.interrupt(&owner, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        let mut all = world.look(|it| {
            let all = it.instances.values().map(|it| it.facts.clone());
            all.filter(Instance::is_alive).collect::<Vec<_>>()
        });
        let next = all.pop().expect("one lives");
        markets.push(next.market);
        if next.market == Market::OnDemand {
            break;
        }
        owner = next.id;
        world.advance(between);
    }
    markets
}

#[tokio::test]
async fn the_third_interruption_within_an_hour_leads_to_on_demand() {
    use Market::{OnDemand, Spot};
    assert_eq!(interruptions(&[], 300).await, [Spot, Spot, OnDemand]);
    assert_eq!(interruptions(&[], 3600).await, [Spot, Spot, Spot]);
    let off = [("spot-rescue:breaker", "off")];
    assert_eq!(interruptions(&off, 300).await, [Spot, Spot, Spot]);
    let first = [("spot-rescue:breaker", "1/1h")];
    assert_eq!(interruptions(&first, 300).await, [OnDemand]);
    let never = [("spot-rescue:on-demand", "never")];
    assert_eq!(interruptions(&never, 300).await, [Spot, Spot, Spot]);
}
