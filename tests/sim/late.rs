//! A warning that comes late, or never, for as long as a day: what EC2 still has is not lost, one replacement is
//! launched, and it is reported. Nothing is concluded from an absence.

use crate::support::{Function, count, journal, lineage, lost_writes, missing};
use crate::told::{Told, told, watched};
use serde_json::Value;
use spot_rescue::clock::Clock;
use spot_rescue::event::InstanceAction;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{FailingCloud, Protected, World, invariants};
use spot_rescue::step::Action;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const LATE: [i64; 14] = [
    0,
    30,
    90,
    118,
    125,
    5 * MINUTE,
    20 * MINUTE,
    50 * MINUTE,
    61 * MINUTE,
    HOUR + 30 * MINUTE,
    3 * HOUR,
    8 * HOUR,
    20 * HOUR,
    24 * HOUR,
];

struct Start {
    world: World,
    function: Told,
    protected: Protected,
}

/// Prepared and swept, with all flags off unless the test is about flags.
async fn start(flagged: bool) -> Start {
    let world = World::new(211);
    let function = watched(FailingCloud::new(world.clone(), Vec::new()));
    let protected = world.protected_instance();
    if !flagged {
        world.change(|it| {
            let instance = it.instances.get_mut(&protected.instance);
            let devices = instance
                .into_iter()
                .flat_map(|it| it.facts.devices.iter_mut());
            devices.for_each(|it| it.delete_on_termination = false);
        });
    }
    let _ = world.run_until_quiet(&function).await;
    world.advance(HOUR);
    world.sweep();
    let _ = world.run_until_quiet(&function).await;
    Start {
        world,
        function,
        protected,
    }
}

async fn play_out(world: &World, function: &Told) {
    let _ = world.run_until_quiet(function).await;
    for _ in 0..4 {
        world.advance(900);
        world.sweep();
        let _ = world.run_until_quiet(function).await;
    }
}

/// Everything that is not as it was, except the flags.
fn broken(world: &World, protected: &Protected) -> Vec<String> {
    let mut all = missing(world, protected);
    all.retain(|it| !it.starts_with("delete flags"));
    let lost = lost_writes(world, protected).iter().sum::<u64>();
    all.extend((lost > 0).then(|| format!("{lost} writes lost")));
    all.extend(world.look(invariants::at_quiescence));
    all
}

fn kinds() -> Vec<String> {
    let kind = |it: &Value| it["outcome"].as_str().unwrap_or_default().to_owned();
    told().iter().map(kind).collect()
}

fn launches(world: &World) -> usize {
    let mut ids: Vec<InstanceId> = world.look(|it| {
        let made = it.journal.iter().filter_map(|it| match &it.action {
            Action::Launch(_) => it.outcome.as_ref().ok()?.parse().ok(),
            _ => None,
        });
        made.collect()
    });
    ids.sort();
    ids.dedup();
    ids.len()
}

/// The queue is not worked on for so long: the warning, the state changes and all sweeps lie in it.
#[tokio::test]
async fn a_late_warning_leads_to_one_rescue_of_what_is_left() {
    for late in LATE {
        for flagged in [false, true] {
            let Start {
                world,
                function,
                protected,
            } = start(flagged).await;
            world.interrupt(&protected.instance, InstanceAction::Terminate);
            world.advance(late);
            play_out(&world, &function).await;
            let what = format!("{late} s late, flagged {flagged}, told {:?}", kinds());
            assert_eq!(launches(&world), 1, "{what}\n{}", journal(&world));
            let found = lineage(&world, &protected);
            assert_eq!(found.live, 1, "{what}");
            // The flagged one goes with its instance where no look came in time to keep it: an instance that misses a
            // volume does not serve, and what is left waits with it.
            let kept = !flagged || late < 120;
            if kept {
                assert_eq!(broken(&world, &protected), Vec::<String>::new(), "{what}");
                let told = kinds();
                let late = |it: &String| it == "unreplaced";
                let rest: Vec<_> = told.iter().filter(|it| !late(it)).collect();
                assert_eq!(rest, ["back-in-service"], "{what}");
            } else {
                let rest = found.volumes.values().map(|it| it.lost_writes);
                assert_eq!(rest.collect::<Vec<_>>(), [0], "{what}");
                assert!(kinds().contains(&"failed".to_owned()), "{what}");
            }
        }
    }
}

/// The warning is never delivered, and no look comes for so long.
#[tokio::test]
async fn an_instance_that_vanished_without_a_warning_is_rescued_by_the_status_of_its_request() {
    for late in [
        MINUTE,
        10 * MINUTE,
        50 * MINUTE,
        2 * HOUR,
        20 * HOUR,
        47 * HOUR,
    ] {
        let Start {
            world,
            function,
            protected,
        } = start(false).await;
        world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
        world.advance(late + 125);
        world.change(|it| it.queue.messages.clear());
        world.sweep();
        play_out(&world, &function).await;
        assert_eq!(
            broken(&world, &protected),
            Vec::<String>::new(),
            "{late} {}",
            journal(&world)
        );
        let what = format!("{late}: {:?}", kinds());
        assert_eq!(
            kinds().last().map(String::as_str),
            Some("back-in-service"),
            "{what}"
        );
        assert_eq!(launches(&world), 1, "{late}");
    }
}

/// EC2 has forgotten the request as well: nothing is launched, deleted or expired, and it is reported once.
#[tokio::test]
async fn nothing_is_concluded_from_an_absence() {
    let Start {
        world,
        function,
        protected,
    } = start(false).await;
    world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
    world.advance(72 * HOUR);
    world.change(|it| it.queue.messages.clear());
    world.sweep();
    play_out(&world, &function).await;
    assert_eq!(launches(&world), 0);
    assert_eq!(kinds(), ["vanished"], "{:?}", told());
    let why = told()[0]["why"].as_str().unwrap_or_default().to_owned();
    for volume in &protected.data {
        assert!(why.contains(volume.as_str()), "{why}");
    }
    assert_eq!(world.look(|it| it.templates.len()), 1);
    // The warning turns up after all.
    let at = world.now() - time::Duration::hours(72);
    world.warn(&protected.instance, InstanceAction::Terminate, at);
    play_out(&world, &function).await;
    assert_eq!(broken(&world, &protected), Vec::<String>::new());
    // What was to expire in two weeks stays with the new owner.
    for _ in 0..20 {
        world.advance(24 * HOUR);
        world.sweep();
        let _ = world.run_until_quiet(&function).await;
    }
    assert_eq!(world.look(|it| it.templates.len()), 1);
}

/// Two weeks later its prepared rescue is deleted, its volumes stay.
#[tokio::test]
async fn the_prepared_rescue_of_a_vanished_instance_is_deleted_after_two_weeks() {
    let Start {
        world, function, ..
    } = start(false).await;
    let volumes = world.look(|it| it.volumes.len());
    let protected = world.look(|it| it.instances.keys().next().cloned());
    world.interrupt_silently(&protected.expect("one"), InstanceAction::Terminate);
    world.advance(72 * HOUR);
    world.change(|it| it.queue.messages.clear());
    for _ in 0..16 {
        world.sweep();
        let _ = world.run_until_quiet(&function).await;
        world.advance(24 * HOUR);
    }
    assert_eq!(world.look(|it| it.templates.len()), 0);
    assert_eq!(world.look(|it| it.volumes.len()), volumes);
    assert_eq!(kinds(), ["vanished"]);
}

/// Its user ended it, and no look came for hours: the request says so.
#[tokio::test]
async fn an_instance_ended_by_its_user_is_not_brought_back_hours_later() {
    let Start {
        world,
        function,
        protected,
    } = start(false).await;
    world.terminate(&protected.instance);
    world.advance(3 * HOUR);
    world.change(|it| it.queue.messages.clear());
    world.sweep();
    play_out(&world, &function).await;
    assert_eq!(launches(&world), 0);
    assert_eq!(kinds(), Vec::<String>::new());
    assert_eq!(world.look(|it| it.templates.len()), 0);
}

/// A replacement is warned about hours after it vanished: it is no lineage's first, but the head of one.
#[tokio::test]
async fn a_late_warning_of_a_replacement_finds_its_lineage() {
    let Start {
        world,
        function,
        protected,
    } = start(false).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    play_out(&world, &function).await;
    let owner = world.look(|it| {
        let mut alive = it.instances.values().filter(|it| it.facts.is_alive());
        alive.next().map(|it| it.facts.id.clone())
    });
    let owner = owner.expect("one serves");
    world.interrupt(&owner, InstanceAction::Terminate);
    // Its request is forgotten as well.
    world.advance(72 * HOUR);
    let warning = world.look(|it| it.queue.messages.first().cloned());
    world.change(|it| {
        it.queue.messages.clear();
        it.queue.messages.extend(warning);
    });
    play_out(&world, &function).await;
    let found = lineage(&world, &protected);
    assert_eq!(
        (found.live, found.volumes.len()),
        (1, 2),
        "{}",
        journal(&world)
    );
    assert_eq!(launches(&world), 2);
}

/// An event about an instance without the opt-in costs one describe, seen or not, tagged or not.
#[tokio::test]
async fn an_instance_without_the_opt_in_costs_one_describe() {
    let world = World::new(212);
    let function: Function = crate::support::function(&world);
    let bare = world.spot_instance("m5.large", "eu-west-1a").run();
    world.terminate(&bare);
    world.advance(300);
    let before = world.look(|it| it.calls.clone());
    let _ = world.run_until_quiet(&function).await;
    let after = world.look(|it| it.calls.clone());
    let called: Vec<_> = { after.iter() }
        .filter(|(call, n)| before.get(*call) != Some(n))
        .map(|(call, _)| *call)
        .collect();
    assert_eq!(called, ["DescribeInstances"]);
    assert_eq!(count(&world, |_| true), 0);
}
