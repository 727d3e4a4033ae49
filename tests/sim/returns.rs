//! An On-Demand stand-in gives way to Spot, where its user asks for it; and everything that may interfere.

use crate::support::{
    Function, assert_whole, count, failing, journal, lost_writes, prepared, settle,
};
use spot_rescue::clock::Clock;
use spot_rescue::event::InstanceAction;
use spot_rescue::handler::Handler;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{
    Drain, FailingCloud, Fault, Kind, On, Protected, Supply, World, invariants,
};
use spot_rescue::situation::{Holder, Instance, Market};
use spot_rescue::step::Action;
use spot_rescue::tags;
use std::collections::{BTreeMap, BTreeSet};

const ASKED: (&str, &str) = ("spot-rescue:return-to-spot", "12h");
const HOUR: i64 = 3600;

fn is_deregistration(action: &Action) -> bool {
    matches!(action, Action::Deregister { .. })
}

fn is_end(action: &Action) -> bool {
    matches!(action, Action::Terminate { .. })
}

/// How many replacements there have been.
fn launched(world: &World) -> usize {
    let launches = world.look(|it| {
        let launches = it.journal.iter();
        let launches = launches.filter(|it| matches!(it.action, Action::Launch(_)));
        let made = launches.filter_map(|it| it.outcome.clone().ok());
        made.collect::<BTreeSet<_>>()
    });
    launches.len()
}

fn spot(world: &World, supply: Supply) {
    world.supply("m5.large", "eu-west-1a", Market::Spot, supply);
}

/// The instances that live, oldest first.
fn alive(world: &World) -> Vec<Instance> {
    let mut all: Vec<Instance> = world.look(|it| {
        let all = it.instances.values().map(|it| it.facts.clone());
        all.filter(Instance::is_alive).collect()
    });
    all.sort_by_key(|it| it.launch_time);
    all
}

fn owner(world: &World) -> Instance {
    alive(world).remove(0)
}

/// On-Demand stands in, since there was no Spot capacity; now there is.
async fn standing_in(seed: u64, policy: &[(&str, &str)]) -> (World, Function, Protected) {
    let (world, function, protected) = prepared(seed, policy).await;
    spot(&world, Supply::Left(0));
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_eq!(owner(&world).market, Market::OnDemand);
    spot(&world, Supply::Left(9));
    (world, function, protected)
}

/// Open rescues come to their end, and to the sweeps after it.
async fn sweeps(world: &World, function: &Function) {
    for _ in 0..3 {
        assert!(world.run_until_quiet(function).await.quiet);
        world.advance(900);
        world.sweep();
    }
    settle(world, function).await;
}

async fn sweep(world: &World, function: &Function) {
    world.sweep();
    settle(world, function).await;
}

/// It serves as before, and nothing was taken from it.
fn assert_stands_in(world: &World, protected: &Protected, stand_in: &InstanceId) {
    assert_whole(world, protected);
    assert_eq!(owner(world).id, *stand_in, "{}", journal(world));
}

#[tokio::test]
async fn after_its_time_a_stand_in_gives_way_to_spot_and_nothing_is_lost() {
    let (world, function, protected) = standing_in(601, &[ASKED]).await;
    let stand_in = owner(&world).id;
    world.advance(11 * HOUR);
    sweep(&world, &function).await;
    assert_stands_in(&world, &protected, &stand_in);
    world.advance(HOUR);
    sweep(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(owner(&world).market, Market::Spot, "{}", journal(&world));
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
    assert_eq!(launched(&world), 2, "{}", journal(&world));
    // And nothing else follows.
    for _ in 0..3 {
        world.advance(24 * HOUR);
        sweep(&world, &function).await;
    }
    assert_whole(&world, &protected);
    assert_eq!(count(&world, is_end), 1, "{}", journal(&world));
}

#[tokio::test]
async fn no_stand_in_returns_to_spot_unasked() {
    let (world, function, protected) = standing_in(602, &[]).await;
    let stand_in = owner(&world).id;
    world.advance(1000 * HOUR);
    sweep(&world, &function).await;
    assert_stands_in(&world, &protected, &stand_in);
}

#[tokio::test]
async fn a_postponed_return_comes_later() {
    let (world, function, protected) = standing_in(603, &[ASKED]).await;
    let stand_in = owner(&world).id;
    world.retag(stand_in.as_str(), &[(ASKED.0, "2d")]);
    world.advance(13 * HOUR);
    sweep(&world, &function).await;
    assert_stands_in(&world, &protected, &stand_in);
    world.advance(36 * HOUR);
    sweep(&world, &function).await;
    assert_eq!(owner(&world).market, Market::Spot, "{}", journal(&world));
    assert_whole(&world, &protected);
}

#[tokio::test]
async fn without_capacity_it_stays_and_a_later_sweep_asks_again() {
    let (world, function, protected) = standing_in(604, &[ASKED]).await;
    let stand_in = owner(&world).id;
    spot(&world, Supply::Left(0));
    world.advance(12 * HOUR);
    let is_launch = |it: &Action| matches!(it, Action::Launch(_));
    let before = count(&world, is_launch);
    for n in 1..=3 {
        sweep(&world, &function).await;
        assert_eq!(count(&world, is_launch), before + n, "{}", journal(&world));
        assert_stands_in(&world, &protected, &stand_in);
        world.advance(900);
    }
    let on_demand = |it: &Action| matches!(it, Action::Launch(it) if it.market == Market::OnDemand);
    assert_eq!(count(&world, on_demand), 1, "only at the rescue");
    spot(&world, Supply::Left(1));
    sweep(&world, &function).await;
    assert_eq!(owner(&world).market, Market::Spot, "{}", journal(&world));
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
}

#[tokio::test]
async fn a_stand_in_with_termination_protection_stays_and_loses_nothing_for_a_moment() {
    let (world, function, protected) = standing_in(605, &[ASKED]).await;
    let stand_in = owner(&world).id;
    world.change(|it| it.termination_protected.insert(stand_in.clone()));
    let left = count(&world, is_deregistration);
    world.advance(12 * HOUR);
    for _ in 0..4 {
        sweep(&world, &function).await;
        world.advance(900);
    }
    assert_stands_in(&world, &protected, &stand_in);
    assert_eq!(count(&world, is_deregistration), left);
    assert_eq!(launched(&world), 1);
    assert_eq!(count(&world, is_end), 0);
    // Once a day it is tried.
    world.change(|it| it.termination_protected.clear());
    sweep(&world, &function).await;
    assert_stands_in(&world, &protected, &stand_in);
    world.advance(24 * HOUR);
    sweep(&world, &function).await;
    assert_eq!(owner(&world).market, Market::Spot, "{}", journal(&world));
}

/// It is switched on while the Spot Instance boots.
#[tokio::test]
async fn protection_is_asked_again_before_traffic_leaves() {
    let (world, function, protected) = standing_in(606, &[ASKED]).await;
    let stand_in = owner(&world).id;
    let left = count(&world, is_deregistration);
    world.advance(12 * HOUR);
    world.sweep();
    let _ = world.run_for(&function, 30).await;
    assert_eq!(alive(&world).len(), 2, "{}", journal(&world));
    world.change(|it| it.termination_protected.insert(stand_in.clone()));
    settle(&world, &function).await;
    world.advance(900);
    sweep(&world, &function).await;
    assert_stands_in(&world, &protected, &stand_in);
    assert_eq!(alive(&world).len(), 1, "the spare is given back");
    assert_eq!(count(&world, is_deregistration), left);
}

/// The function, with calls that are refused this way.
fn refusing(
    world: &World,
    call: &'static str,
    code: &'static str,
) -> Handler<FailingCloud<World>, World> {
    let fault = Fault {
        on: On::Every(call),
        kind: Kind::Code(code),
    };
    failing(world, vec![fault])
}

#[tokio::test]
async fn a_refused_end_leads_all_the_way_back() {
    for code in ["OperationNotPermitted", "UnauthorizedOperation"] {
        let (world, function, protected) = standing_in(607, &[ASKED]).await;
        let stand_in = owner(&world).id;
        world.advance(12 * HOUR);
        world.sweep();
        let refused = refusing(&world, "TerminateInstances", code);
        let _ = world.run_for(&refused, 140).await;
        assert_eq!(refused.cloud.struck(), ["TerminateInstances"]);
        // Traffic at once; flags when no late invocation can end the instance any more.
        assert!(serves(&world, &stand_in), "{}", journal(&world));
        let flags = owner(&world).devices;
        assert!(flags.iter().all(|it| !it.delete_on_termination));
        assert!(world.run_until_quiet(&refused).await.quiet);
        assert_eq!(refused.cloud.struck(), ["TerminateInstances"], "once");
        assert_whole_beside_spare(&world, &protected, &stand_in);
        // The spare goes; and for a day nothing is tried.
        world.advance(900);
        sweep(&world, &function).await;
        world.advance(20 * HOUR);
        sweep(&world, &function).await;
        assert_stands_in(&world, &protected, &stand_in);
        assert_eq!(alive(&world).len(), 1, "{}", journal(&world));
        world.advance(4 * HOUR);
        sweep(&world, &function).await;
        assert_eq!(owner(&world).market, Market::Spot, "{}", journal(&world));
        assert_whole(&world, &protected);
        assert_eq!(lost_writes(&world, &protected), [0, 0]);
    }
}

/// On both ports.
fn serves(world: &World, instance: &InstanceId) -> bool {
    world.look(|it| {
        let targets = it.groups.values().flat_map(|it| &it.targets);
        let serving =
            targets.filter(|(it, drain)| it.id == instance.as_str() && **drain == Drain::No);
        serving.count() == 2
    })
}

/// Targets, flags and tags are the stand-in's again.
fn assert_whole_beside_spare(world: &World, protected: &Protected, stand_in: &InstanceId) {
    world.look(|it| {
        let found = &it.instances[stand_in];
        let tags = found.tags.current();
        assert!(
            !tags.contains_key(tags::INTERRUPTED_AT),
            "{}",
            journal(world)
        );
        let flags = found.facts.devices.iter();
        let flags = flags.map(|it| (it.name.as_str(), it.delete_on_termination));
        // Whichever was attached first.
        let flags: BTreeMap<_, _> = flags.collect();
        let users = [("/dev/sdf", true), ("/dev/sdg", false), ("/dev/xvda", true)];
        assert_eq!(flags, users.into(), "as the user had them");
    });
    assert!(serves(world, stand_in), "{protected:?} {}", journal(world));
}

/// Whatever cannot be prepared keeps the stand-in where it is, and in service as long as possible.
#[tokio::test]
async fn no_stand_in_is_ended_before_everything_is_kept() {
    for (call, deregistered) in [
        ("ModifyInstanceAttribute", false),
        ("CreateSnapshots", false),
        ("DeregisterTargets", true),
    ] {
        let (world, function, protected) = standing_in(608, &[ASKED]).await;
        let stand_in = owner(&world).id;
        let left = count(&world, is_deregistration);
        world.advance(12 * HOUR);
        let refused = refusing(&world, call, "UnauthorizedOperation");
        world.sweep();
        let _ = world.run_for(&refused, 270).await;
        assert!(!refused.cloud.struck().is_empty());
        assert_eq!(count(&world, is_deregistration), left, "{call}");
        assert!(deregistered || serves(&world, &stand_in), "{call}");
        sweeps(&world, &function).await;
        assert_eq!(count(&world, is_end), 1, "the spare's {}", journal(&world));
        assert_stands_in(&world, &protected, &stand_in);
        assert_eq!(alive(&world).len(), 1, "{call} {}", journal(&world));
    }
}

/// EC2 takes the Spot Instance at any moment of the hand-over.
#[tokio::test]
async fn a_spare_that_is_taken_in_the_middle_does_no_harm() {
    for seconds in [5, 30, 70, 85, 100, 110, 130] {
        let (world, function, protected) = standing_in(609, &[ASKED]).await;
        world.advance(12 * HOUR);
        world.sweep();
        let _ = world.run_for(&function, seconds).await;
        let spare = alive(&world).pop().expect("it lives");
        if spare.market == Market::Spot {
            world.interrupt(&spare.id, InstanceAction::Terminate);
        }
        sweeps(&world, &function).await;
        assert_whole(&world, &protected);
        assert_eq!(lost_writes(&world, &protected), [0, 0], "{seconds} s");
    }
}

/// As an interruptible Capacity Reservation warns, at any moment of the hand-over.
#[tokio::test]
async fn a_stand_in_that_is_warned_in_the_middle_is_rescued_like_any_other() {
    for seconds in [1, 30, 62, 64, 70, 80, 90, 95, 100, 110, 130] {
        let (world, function, protected) = standing_in(610, &[ASKED]).await;
        let stand_in = owner(&world).id;
        world.advance(12 * HOUR);
        world.sweep();
        let _ = world.run_for(&function, seconds).await;
        world.warn(&stand_in, InstanceAction::Terminate, world.now());
        let _ = world.run_for(&function, 120).await;
        world.terminate(&stand_in);
        sweeps(&world, &function).await;
        assert_whole(&world, &protected);
        assert_eq!(lost_writes(&world, &protected), [0, 0], "{seconds} s");
        assert_eq!(launched(&world), 2, "{seconds} s {}", journal(&world));
    }
}

#[tokio::test]
async fn a_user_who_opts_out_of_the_return_in_the_middle_keeps_the_stand_in() {
    for seconds in [30, 62, 80] {
        let (world, function, protected) = standing_in(611, &[ASKED]).await;
        let stand_in = owner(&world).id;
        world.advance(12 * HOUR);
        world.sweep();
        let _ = world.run_for(&function, seconds).await;
        world.retag(stand_in.as_str(), &[(ASKED.0, "never")]);
        sweeps(&world, &function).await;
        assert_stands_in(&world, &protected, &stand_in);
        assert_eq!(alive(&world).len(), 1, "{}", journal(&world));
    }
}

#[tokio::test]
async fn interruptions_must_lie_far_enough_back() {
    let tags = [(ASKED.0, "10m"), ("spot-rescue:breaker", "1/1h")];
    let (world, function, protected) = standing_in(612, &tags).await;
    let stand_in = owner(&world).id;
    world.advance(1800);
    sweep(&world, &function).await;
    assert_stands_in(&world, &protected, &stand_in);
    world.advance(1800);
    sweep(&world, &function).await;
    assert_eq!(owner(&world).market, Market::Spot, "{}", journal(&world));
    assert_whole(&world, &protected);
}

/// AWS Health has a date for it: that asks for a fresh set, and for no spare.
#[tokio::test]
async fn a_stand_in_at_risk_gives_way_as_well() {
    let (world, function, protected) = standing_in(616, &[ASKED]).await;
    world.advance(12 * HOUR);
    world.recommend_rebalance(&owner(&world).id);
    sweep(&world, &function).await;
    assert_eq!(owner(&world).market, Market::Spot, "{}", journal(&world));
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
    assert_eq!(launched(&world), 2, "{}", journal(&world));
}

/// Its root goes along, its interfaces, and the flags of both; or they stay, and the flags come back.
#[tokio::test]
async fn roots_and_interfaces_follow_or_stay_with_their_flags() {
    for refused in [false, true] {
        let (world, function, protected) =
            prepared(617, &[ASKED, ("spot-rescue:root", "keep")]).await;
        let interface = world.interface(&protected.instance, 1, true);
        sweep(&world, &function).await;
        spot(&world, Supply::Left(0));
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        let stand_in = owner(&world).id;
        spot(&world, Supply::Left(9));
        world.advance(12 * HOUR);
        if refused {
            let refusing = refusing(&world, "TerminateInstances", "OperationNotPermitted");
            world.sweep();
            assert!(world.run_until_quiet(&refusing).await.quiet);
            assert_eq!(refusing.cloud.struck().len(), 1);
        }
        sweeps(&world, &function).await;
        let owner = owner(&world);
        assert_eq!(owner.id == stand_in, refused, "{}", journal(&world));
        assert_whole(&world, &protected);
        world.look(|it| {
            let root = owner.root().expect("it has one");
            assert!(root.delete_on_termination);
            assert_eq!(it.volumes[&root.volume].content.origin, protected.root);
            let found = &it.interfaces[&interface];
            assert_eq!(found.facts.holder, Holder::Instance(owner.id.clone()));
            assert!(found.delete_on_termination, "{}", journal(&world));
        });
    }
}

#[tokio::test]
async fn tags_are_seen_late_and_nothing_goes_wrong() {
    let (world, function, protected) = standing_in(613, &[ASKED]).await;
    world.change(|it| {
        it.config.lag_seconds = 4;
        it.config.interleave = true;
        it.config.concurrency = 2;
        it.config.batch = 1;
    });
    world.advance(12 * HOUR);
    for _ in 0..3 {
        world.sweep();
    }
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(owner(&world).market, Market::Spot, "{}", journal(&world));
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
    assert_eq!(launched(&world), 2, "{}", journal(&world));
}

/// An On-Demand Instance that the user launched, and stand-ins that would take something along.
#[tokio::test]
async fn an_on_demand_instance_stays_if_it_is_not_ours_or_its_end_would_cost_data() {
    for tag in [
        ("spot-rescue:data", "none"),
        ("spot-rescue:replace", "none"),
    ] {
        let (world, function, protected) = standing_in(614, &[ASKED]).await;
        let stand_in = owner(&world).id;
        world.retag(stand_in.as_str(), &[tag]);
        world.advance(12 * HOUR);
        sweep(&world, &function).await;
        assert_stands_in(&world, &protected, &stand_in);
    }
    let (world, function, protected) = prepared(615, &[ASKED]).await;
    world.change(|it| {
        let instance = it.instances.get_mut(&protected.instance).expect("it lives");
        instance.facts.market = Market::OnDemand;
    });
    world.advance(100 * HOUR);
    sweep(&world, &function).await;
    assert_stands_in(&world, &protected, &protected.instance);
    let broken = world.look(invariants::at_quiescence);
    assert!(broken.is_empty(), "{broken:?}");
}
