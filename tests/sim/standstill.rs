//! A rescue that stands still: it is reported, with its reasons, and costs little while it lasts.

use crate::support::{assert_whole, count, prepared, settle};
use crate::told::{Told, told, watched};
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::{FailingCloud, Fault, Kind, On, Protected, Supply, World};
use spot_rescue::situation::Market;
use spot_rescue::step::Action;

const CODE: &str = "InsufficientInstanceCapacity";
const DAY: usize = 96;

fn supply(world: &World, supply: Supply) {
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, supply);
    }
}

/// Sweeps, a quarter of an hour apart.
async fn sweeps(world: &World, function: &Told, count: usize) {
    let _ = world.run_until_quiet(function).await;
    for _ in 0..count {
        world.advance(900);
        world.sweep();
        let _ = world.run_until_quiet(function).await;
    }
}

async fn interrupted(faults: Vec<Fault>) -> (World, Told, Protected) {
    let (world, _, protected) = prepared(91, &[]).await;
    let function = watched(FailingCloud::new(world.clone(), faults));
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    (world, function, protected)
}

fn kinds() -> Vec<String> {
    let kind = |it: &serde_json::Value| it["outcome"].as_str().unwrap_or_default().to_owned();
    told().iter().map(kind).collect()
}

#[tokio::test]
async fn a_missing_replacement_is_reported_within_minutes_with_the_refusal() {
    let (world, function, protected) = interrupted(vec![]).await;
    supply(&world, Supply::Refused(CODE));
    let _ = world.run_for(&function, 420).await;
    let told = told();
    let [outcome] = told.as_slice() else {
        panic!("{told:#?}");
    };
    assert_eq!(outcome["outcome"], "unreplaced");
    assert_eq!(outcome["level"], "ERROR");
    let refused = outcome["refused"].to_string();
    let why = outcome["why"].to_string();
    assert!(
        refused.contains("spot") && refused.contains("on-demand"),
        "{refused}"
    );
    assert!(
        why.contains(CODE) && why.contains("spot-rescue:subnets"),
        "{why}"
    );
    supply(&world, Supply::Left(1));
    sweeps(&world, &function, 2).await;
    assert_whole(&world, &protected);
    assert_eq!(kinds(), ["unreplaced", "back-in-service"]);
}

/// Whatever the plan waits for that long: a look comes in time to report it.
#[tokio::test]
async fn a_missing_replacement_is_reported_in_time_although_the_next_launch_is_far_off() {
    let (world, function, _) = interrupted(vec![]).await;
    supply(&world, Supply::Refused("UnauthorizedOperation"));
    let _ = world.run_for(&function, 310).await;
    assert_eq!(kinds(), ["unreplaced"]);
}

/// Once, then daily, and after a week no more; and the rescue goes on all the same.
#[tokio::test]
async fn a_standstill_is_reported_daily_for_a_week_and_the_rescue_goes_on() {
    let (world, function, protected) = interrupted(vec![]).await;
    supply(&world, Supply::Refused(CODE));
    sweeps(&world, &function, 1).await;
    assert_eq!(kinds().len(), 1);
    sweeps(&world, &function, DAY).await;
    assert_eq!(kinds().len(), 2);
    sweeps(&world, &function, 9 * DAY).await;
    assert_eq!(kinds(), vec!["unreplaced"; 7]);
    supply(&world, Supply::Left(1));
    sweeps(&world, &function, 2).await;
    assert_whole(&world, &protected);
}

/// The longer it takes, the rarer the looks; a change is looked at closely again.
#[tokio::test]
async fn a_rescue_that_is_open_for_a_day_costs_few_calls_and_messages() {
    let (world, function, _) = interrupted(vec![]).await;
    supply(&world, Supply::Refused(CODE));
    sweeps(&world, &function, DAY).await;
    let wakes = count(&world, |it| matches!(it, Action::Wake { .. }));
    let launches = count(&world, |it| matches!(it, Action::Launch(_)));
    assert!((DAY..400).contains(&wakes), "{wakes} messages");
    assert!(launches < 300, "{launches} launches");
}

#[tokio::test]
async fn a_volume_that_cannot_be_attached_is_named_in_the_outcome() {
    let fault = Fault {
        on: On::Every("AttachVolume"),
        kind: Kind::Code("UnauthorizedOperation"),
    };
    let (world, function, protected) = interrupted(vec![fault]).await;
    sweeps(&world, &function, 2).await;
    let told = told();
    let stuck = told.iter().find(|it| it["outcome"] == "stuck");
    let why = stuck.map(|it| it["why"].to_string()).unwrap_or_default();
    assert!(why.contains(protected.data[0].as_str()), "{told:#?}");
    assert!(why.contains("UnauthorizedOperation"), "{why}");
    function.cloud.disarm();
    sweeps(&world, &function, 2).await;
    assert_whole(&world, &protected);
}

/// Nothing can be written down, and it is reported all the same.
#[tokio::test]
async fn a_missing_replacement_is_reported_without_a_record_as_well() {
    for call in ["CreateTags", "DescribeLaunchTemplates"] {
        let fault = Fault {
            on: On::Every(call),
            kind: Kind::Code("UnauthorizedOperation"),
        };
        let (world, function, protected) = interrupted(vec![fault]).await;
        supply(&world, Supply::Refused(CODE));
        let _ = world.run_for(&function, 900).await;
        world.sweep();
        let _ = world.run_for(&function, 60).await;
        let told = kinds();
        assert!((1..=2).contains(&told.len()), "{call}: {told:?}");
        assert!(told.iter().all(|it| it == "unreplaced"), "{call}: {told:?}");
        function.cloud.disarm();
        supply(&world, Supply::Left(9));
        sweeps(&world, &function, 4).await;
        settle(&world, &crate::support::function(&world)).await;
        assert_whole(&world, &protected);
    }
}
