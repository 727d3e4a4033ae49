//! Members of fleets: one replacement, launched by the fleet or by us.

use crate::support::{assert_whole, count, failing, function, journal, missing, settle};
use spot_rescue::cloud::Cloud;
use spot_rescue::event::InstanceAction;
use spot_rescue::handler::Handler;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{Drain, Fault, Kind, On, Protected, World};
use spot_rescue::step::Action;
use spot_rescue::tags;
use std::cell::RefCell;

const ZONE: &str = "eu-west-1a";

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn hear<C: Cloud>(function: &mut Handler<C, World>) {
    TOLD.take();
    function.print = |line| TOLD.with_borrow_mut(|it| it.push(line.to_owned()));
}

/// Outcomes of this kind, as a person reads them.
fn told(kind: &str) -> Vec<String> {
    let lines = TOLD.take().into_iter();
    let lines = lines.filter_map(|it| serde_json::from_str::<serde_json::Value>(&it).ok());
    let lines = lines.filter(|it| it["outcome"] == kind);
    lines
        .filter_map(|it| Some(it["message"].as_str()?.to_owned()))
        .collect()
}

fn launches(world: &World) -> usize {
    count(world, |it| matches!(it, Action::Launch(_)))
}

fn living(world: &World) -> Vec<InstanceId> {
    world.look(|it| {
        let alive = it.instances.values().filter(|it| it.facts.is_alive());
        alive.map(|it| it.facts.id.clone()).collect()
    })
}

/// A member, prepared a while ago by a function with calls that do not fail.
async fn member(
    seed: u64,
    fleet: impl Fn(&World) -> String,
    tags: &[(&str, &str)],
) -> (World, String, Protected) {
    let world = World::new(seed);
    let fleet = fleet(&world);
    let member = world.protected_in(ZONE, tags);
    world.fleet_member(&fleet, &member.instance);
    settle(&world, &function(&world)).await;
    world.advance(3600);
    (world, fleet, member)
}

/// The member's volumes survive, and no target sends to it.
fn assert_kept(world: &World, member: &Protected) {
    let shown = journal(world);
    world.look(|it| {
        for volume in member.data.iter().chain([&member.root]) {
            let volume = it.volumes.get(volume);
            assert!(
                volume.is_some_and(|it| it.facts.is_free()),
                "{volume:?}\n{shown}"
            );
        }
        let mut targets = it.groups.values().flat_map(|it| &it.targets);
        let serves =
            targets.any(|(it, drain)| it.id == member.instance.as_str() && *drain == Drain::No);
        assert!(!serves, "{shown}");
        assert!(
            it.snapshots
                .values()
                .any(|it| it.facts.volume == member.data[0]),
            "{shown}"
        );
    });
}

/// TRAP 62: what launches the replacement, by fleet.
#[tokio::test]
async fn an_instance_that_its_fleet_replaces_is_kept_and_nothing_is_launched_beside_it() {
    type Make = fn(&World) -> String;
    type Row = (
        &'static str,
        Make,
        &'static [(&'static str, &'static str)],
        usize,
    );
    let table: [Row; 9] = [
        ("a Spot Fleet", |it| it.spot_fleet("maintain"), &[], 1),
        ("an EC2 Fleet", |it| it.fleet("maintain"), &[], 1),
        (
            "whatever the policy",
            |it| it.fleet("maintain"),
            &[("spot-rescue:replace", "launch")],
            1,
        ),
        (
            "with clones",
            |it| it.fleet("maintain"),
            &[("spot-rescue:data", "clone")],
            1,
        ),
        (
            "with its address",
            |it| it.fleet("maintain"),
            &[("spot-rescue:private-ip", "keep")],
            1,
        ),
        (
            "a Spot Fleet of type request",
            |it| it.spot_fleet("request"),
            &[],
            0,
        ),
        ("of type request", |it| it.fleet("request"), &[], 0),
        ("of type instant", |it| it.fleet("instant"), &[], 0),
        (
            "deleted",
            |it| {
                let fleet = it.fleet("maintain");
                it.delete_fleet(&fleet);
                fleet
            },
            &[],
            0,
        ),
    ];
    for (what, make, tags, of_fleet) in table {
        let (world, fleet, member) = member(1, make, tags).await;
        let mut function = function(&world);
        hear(&mut function);
        world.interrupt(&member.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        let shown = journal(&world);
        assert_eq!(living(&world).len(), 1, "{what}\n{shown}");
        assert_eq!(launches(&world), 1 - of_fleet, "{what}\n{shown}");
        assert_eq!(
            world.look(|it| it.fleets[&fleet].launches),
            of_fleet,
            "{what}"
        );
        let clones = count(&world, |it| matches!(it, Action::CopyVolume(_)));
        assert_eq!(clones, 0, "{what}: nothing would get them\n{shown}");
        let kept = told("kept");
        assert_eq!(kept.len(), of_fleet, "{what}: {kept:?}");
        if of_fleet == 1 {
            assert_kept(&world, &member);
            assert!(kept[0].contains(&fleet), "{what}: {kept:?}");
            assert!(
                kept[0].contains(member.data[0].as_str()),
                "{what}: {kept:?}"
            );
        } else if tags.is_empty() {
            assert_whole(&world, &member);
        }
    }
}

/// Our own replacements belong to a fleet, too, an instant one: it is not read, and costs the next warning no time.
#[tokio::test]
async fn a_replacement_of_ours_is_replaced_at_first_sight() {
    let world = World::new(2);
    let function = function(&world);
    let protected = world.protected_in(ZONE, &[]);
    settle(&world, &function).await;
    world.advance(3600);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    world.advance(7200);
    world.sweep();
    settle(&world, &function).await;
    let first = living(&world).remove(0);
    let tagged = world.look(|it| {
        it.instances[&first]
            .tags
            .current()
            .contains_key(tags::FLEET_MEMBER)
    });
    assert!(tagged, "EC2 says of which fleet it is");
    let before = world.look(|it| it.calls.get("DescribeFleets").copied());
    world.interrupt(&first, InstanceAction::Terminate);
    let _ = world.deliver_due(&function).await;
    assert_eq!(launches(&world), 2, "{}", journal(&world));
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    assert_eq!(
        world.look(|it| it.calls.get("DescribeFleets").copied()),
        before
    );
    assert_eq!(before, None);
}

/// Throttled for a moment: the read is waited for, and then all goes on as usual.
#[tokio::test]
async fn while_the_fleet_cannot_be_read_nothing_is_launched() {
    for (kind, ours) in [("maintain", 0), ("instant", 1)] {
        let (world, _, member) = member(3, |it| it.fleet(kind), &[]).await;
        let faults = (0..4).map(|n| Fault {
            on: On::Call("DescribeFleets", n),
            kind: Kind::Code("RequestLimitExceeded"),
        });
        let function = failing(&world, faults.collect());
        world.interrupt(&member.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_eq!(function.cloud.struck().len(), 4, "{kind}");
        assert_eq!(launches(&world), ours, "{kind}\n{}", journal(&world));
        assert_eq!(living(&world).len(), 1, "{kind}");
    }
}

/// The fleet can never be read: a Spot Fleet is taken for what it is unless its user has said otherwise; of an EC2
/// Fleet that cannot be known, so what was on record counts, and without that a replacement too many is better than
/// none.
#[tokio::test]
async fn a_fleet_that_cannot_be_read_leaves_no_instance_without_a_replacement() {
    type Make = fn(&World) -> String;
    let table: [(&str, Make, bool, usize); 4] = [
        ("Spot Fleet", |it| it.spot_fleet("maintain"), false, 0),
        ("on record", |it| it.fleet("maintain"), true, 0),
        ("instant", |it| it.fleet("instant"), false, 1),
        ("maintain", |it| it.fleet("maintain"), false, 1),
    ];
    for (what, make, known, ours) in table {
        let world = World::new(4);
        let fleet = make(&world);
        let member = world.protected_in(ZONE, &[]);
        world.fleet_member(&fleet, &member.instance);
        let denied = Fault {
            on: On::Every("DescribeFleets"),
            kind: Kind::Code("UnauthorizedOperation"),
        };
        let mut function = failing(&world, vec![denied]);
        let before = failing(&world, if known { vec![] } else { vec![denied] });
        settle(&world, &before).await;
        world.advance(3600);
        hear(&mut function);
        world.interrupt(&member.instance, InstanceAction::Terminate);
        let _ = world.run_for(&function, 100).await;
        assert_eq!(launches(&world), 0, "{what}\n{}", journal(&world));
        settle(&world, &function).await;
        assert_eq!(launches(&world), ours, "{what}\n{}", journal(&world));
        if ours == 1 {
            assert_eq!(missing(&world, &member), Vec::<String>::new(), "{what}");
        } else {
            assert_kept(&world, &member);
            assert_eq!(told("kept").len(), 1, "{what}");
        }
    }
}

/// An hour later EC2 shows neither the instance nor its tags: the record still has its lineage.
#[tokio::test]
async fn nothing_is_launched_once_the_member_is_forgotten() {
    let (world, _, member) = member(5, |it| it.fleet("maintain"), &[]).await;
    let function = function(&world);
    world.interrupt(&member.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    for _ in 0..6 {
        world.advance(1800);
        world.sweep();
        settle(&world, &function).await;
    }
    assert!(world.look(|it| !it.instances.contains_key(&member.instance)));
    assert_eq!(launches(&world), 0, "{}", journal(&world));
}
