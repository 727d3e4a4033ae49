//! TRAP 51: a refusal that says that a type is not offered, and means a launch option: the account enforces IMDSv2,
//! and the prepared rescue says `HttpTokens=optional`, as its instance did.

use crate::support::{
    Function, assert_whole, count, journal, lost_writes, missing, prepared, settle,
};
use crate::told::{Told, notes, told, watched};
use spot_rescue::clock::{Clock, Timestamp};
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::{FailingCloud, Launches, Protected, World};
use spot_rescue::situation::Market;
use spot_rescue::step::{Action, Launch};
use std::collections::BTreeSet;

const CODE: &str = "UnsupportedOperation";
/// The volumes outlive what ends without a warning.
const ALWAYS: [(&str, &str); 1] = [("spot-rescue:protect", "always")];

/// Every launch request, when, and whether EC2 accepted it.
fn launches(world: &World) -> Vec<(Timestamp, Launch, bool)> {
    world.look(|it| {
        let launch = |it: &spot_rescue::sim::Entry| match &it.action {
            Action::Launch(launch) => Some((it.at, launch.clone(), it.outcome.is_ok())),
            _ => None,
        };
        it.journal.iter().filter_map(launch).collect()
    })
}

/// Instances that EC2 has started for us.
fn machines(world: &World) -> usize {
    world.look(|it| {
        let launched = it.journal.iter();
        let launched = launched.filter(|it| matches!(it.action, Action::Launch(_)));
        let ids: BTreeSet<_> = launched.filter_map(|it| it.outcome.clone().ok()).collect();
        ids.len()
    })
}

fn plain_versions(world: &World) -> usize {
    count(
        world,
        |it| matches!(it, Action::WriteTemplate(it) if it.spec.plain),
    )
}

/// An account that enforces IMDSv2 now, with instances from before.
async fn enforced(seed: u64, tags: &[(&str, &str)]) -> (World, Function, Protected) {
    let (world, function, protected) = prepared(seed, tags).await;
    world.enforce_tokens(true);
    (world, function, protected)
}

/// With `protect=always` those are off all the time.
fn assert_whole_but_flags(world: &World, protected: &Protected) {
    let missing = missing(world, protected);
    let flags = "delete flags [false, false]";
    assert_eq!(missing, [flags], "{}", journal(world));
}

fn watching(world: &World) -> Told {
    watched(FailingCloud::new(world.clone(), vec![]))
}

#[tokio::test]
async fn a_launch_refused_for_want_of_imdsv2_is_sent_once_more_with_it() {
    let (world, _, protected) = enforced(61, &[]).await;
    let function = watching(&world);
    let began = world.now();
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_until_quiet(&function).await;
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
    let asked = launches(&world);
    let [refused, taken] = asked.as_slice() else {
        panic!("{}", journal(&world));
    };
    assert!(!refused.2 && taken.2, "{}", journal(&world));
    assert!((taken.0 - began).whole_seconds() <= 10, "{taken:?}");
    assert_eq!(taken.1.market, Market::Spot, "the same is asked again");
    assert_eq!((machines(&world), plain_versions(&world)), (1, 1));
    let said = notes().join("\n");
    assert!(said.contains(CODE) && said.contains("IMDSv2"), "{said}");
    assert!(told()[0]["refused"].to_string().contains(CODE));
}

/// Calls that mix, warnings that come twice, tags that are seen late.
#[tokio::test]
async fn there_is_one_replacement_however_many_invocations_look() {
    for seed in 0..12 {
        let (world, function, protected) = enforced(seed, &[]).await;
        world.change(|it| {
            it.config.interleave = true;
            it.config.concurrency = 3;
            it.config.batch = 1;
            it.config.call_millis = 150;
            it.config.lag_seconds = i64::from(seed % 3 == 0) * 4;
            it.config.events.doubled_percent = 100;
        });
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        assert_eq!(machines(&world), 1, "{seed}\n{}", journal(&world));
        let calls = launches(&world).len();
        assert!(calls <= 12, "{seed}: {calls}\n{}", journal(&world));
    }
}

/// The next rescue is prepared from what the replacement runs with; nothing is remembered of the refusal.
#[tokio::test]
async fn the_next_is_prepared_from_the_replacement_and_launched_at_once() {
    let (world, function, protected) = enforced(62, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    world.advance(3600);
    world.sweep();
    settle(&world, &function).await;
    let owner = world.look(|it| {
        let template = it.templates.values().next().expect("prepared");
        let newest = template.versions.values().last().expect("a version");
        assert!(!newest.spec.plain && newest.tokens_required);
        let tags = template.tags.current();
        assert!(!tags.contains_key("spot-rescue:plain"), "{tags:?}");
        let mut alive = it.instances.values().filter(|it| it.facts.is_alive());
        alive.next().expect("one lives").facts.id.clone()
    });
    let before = launches(&world).len();
    world.interrupt(&owner, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(launches(&world).len(), before + 1, "{}", journal(&world));
    assert_eq!(plain_versions(&world), 1);
}

/// An instance that has ended has no launch data any more: then it is like any pool.
#[tokio::test]
async fn with_nothing_left_to_write_it_from_the_next_way_is_asked() {
    let (world, function, protected) = prepared(63, &ALWAYS).await;
    world.change(|it| it.config.notice_seconds = 0);
    world.refuse_launches(Launches::Of(Market::Spot), CODE);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole_but_flags(&world, &protected);
    let markets: Vec<Market> = launches(&world).iter().map(|it| it.1.market).collect();
    assert_eq!(markets, [Market::Spot, Market::OnDemand]);
    assert_eq!(plain_versions(&world), 0);
}

#[tokio::test]
async fn with_no_way_left_a_missing_replacement_is_reported_and_launched_once_mended() {
    let (world, _, protected) = enforced(64, &ALWAYS).await;
    let function = watching(&world);
    world.change(|it| it.config.notice_seconds = 0);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 420).await;
    let outcomes = told();
    let [outcome] = outcomes.as_slice() else {
        panic!("{outcomes:#?}");
    };
    assert_eq!(outcome["outcome"], "unreplaced");
    let why = outcome["why"].to_string();
    assert!(
        why.contains(CODE) && why.contains("metadata options"),
        "{why}"
    );
    assert!(notes().iter().any(|it| it.contains("HttpTokens")));
    world.enforce_tokens(false);
    for _ in 0..2 {
        world.advance(900);
        world.sweep();
        let _ = world.run_until_quiet(&function).await;
    }
    assert_whole_but_flags(&world, &protected);
}

/// The code means what it says: each pool is asked once more, and then rests like any other.
#[tokio::test]
async fn a_type_that_is_not_sold_there_is_asked_for_twice_at_most() {
    for (of, calls) in [(Launches::Of(Market::Spot), 3), (Launches::All, 80)] {
        let (world, function, protected) = prepared(65, &[]).await;
        world.refuse_launches(of.clone(), CODE);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let _ = world.run_for(&function, 7200).await;
        let asked = launches(&world);
        assert!(asked.len() <= calls, "{of:?}\n{}", journal(&world));
        assert_eq!(plain_versions(&world), 1, "{}", journal(&world));
        for market in [Market::Spot, Market::OnDemand] {
            let times: Vec<_> = asked.iter().filter(|it| it.1.market == market).collect();
            for three in times.windows(3) {
                let between = (three[2].0 - three[0].0).whole_seconds();
                assert!(between >= 179, "{between}\n{}", journal(&world));
            }
        }
        world.mend_launches();
        world.sweep();
        settle(&world, &function).await;
        assert_whole(&world, &protected);
    }
}
