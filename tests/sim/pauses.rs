//! Stopped and not brought back: reported, replaced by copies if the policy asks for it, and an original that comes
//! back after all.

use crate::support::{Function, count, journal, lineage, lost_writes, missing, prepared};
use spot_rescue::clock::Clock;
use spot_rescue::event::{InstanceAction, InstanceState};
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{LineageSummary, Protected, World, invariants};
use spot_rescue::step::Action;
use spot_rescue::tags;
use std::cell::RefCell;

const RESTORE: [(&str, &str); 2] = [
    ("spot-rescue:no-return", "restore"),
    ("spot-rescue:return-minutes", "30"),
];

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The outcomes reported so far.
fn told() -> Vec<String> {
    let word = |line: &String| {
        let value: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(value.get("outcome")?.as_str()?.to_owned())
    };
    TOLD.with_borrow(|it| it.iter().filter_map(word).collect())
}

async fn begin(seed: u64, tags: &[(&str, &str)]) -> (World, Function, Protected) {
    TOLD.with_borrow_mut(Vec::clear);
    let (world, mut function, protected) = prepared(seed, tags).await;
    function.print = |line| TOLD.with_borrow_mut(|it| it.push(line.to_owned()));
    (world, function, protected)
}

/// A sweep, and whatever comes of it.
async fn sweep(world: &World, function: &Function, minutes: i64) {
    for _ in 0..minutes / 15 {
        world.advance(900);
        world.sweep();
        let run = world.run_until_quiet(function).await;
        assert!(run.quiet, "{}", journal(world));
    }
    let broken = world.look(invariants::at_quiescence);
    assert!(broken.is_empty(), "{broken:#?}\n{}", journal(world));
}

async fn stopped(world: &World, function: &Function, id: &InstanceId) {
    world.interrupt(id, InstanceAction::Stop);
    let run = world.run_until_quiet(function).await;
    assert!(run.quiet, "{}", journal(world));
}

fn is_launch(action: &Action) -> bool {
    matches!(action, Action::Launch(_))
}

/// Without the original, which is there as well.
fn missing_on_replacement(world: &World, protected: &Protected) -> Vec<String> {
    let mut all = missing(world, protected);
    all.retain(|it| !it.contains("instances live"));
    all
}

fn state(world: &World, id: &InstanceId) -> Option<InstanceState> {
    world.look(|it| it.instances.get(id).map(|it| it.facts.state))
}

fn replacement(world: &World, protected: &Protected) -> Vec<InstanceId> {
    world.look(|it| {
        let alive = it.instances.values().filter(|it| it.facts.is_alive());
        let made = alive.filter(|it| it.tags.current().contains_key(tags::REPLACES));
        let ids = made.map(|it| it.facts.id.clone());
        ids.filter(|it| *it != protected.instance).collect()
    })
}

fn serving(world: &World, id: &InstanceId) -> usize {
    world.look(|it| {
        let all = it.groups.values().flat_map(|it| it.targets.iter());
        let open = all.filter(|(_, drain)| **drain == spot_rescue::sim::Drain::No);
        open.filter(|(it, _)| it.id == id.as_str()).count()
    })
}

#[tokio::test]
async fn an_instance_not_back_in_time_is_reported_once_and_left_to_ec2() {
    for action in [InstanceAction::Stop, InstanceAction::Hibernate] {
        let (world, function, protected) = begin(501, &[]).await;
        world.interrupt(&protected.instance, action);
        let _ = world.run_until_quiet(&function).await;
        sweep(&world, &function, 45).await;
        assert_eq!(told(), ["paused"]);
        sweep(&world, &function, 120).await;
        assert_eq!(told(), ["paused", "overdue"], "{}", journal(&world));
        assert_eq!(count(&world, is_launch), 0);
        world.resume(&protected.instance);
        let _ = world.run_until_quiet(&function).await;
        assert_eq!(told(), ["paused", "overdue", "resumed"]);
        assert_eq!(missing(&world, &protected), Vec::<String>::new());
    }
}

/// An instance that was just deregistered may be looked for again at once.
#[tokio::test]
async fn an_instance_back_within_two_minutes_is_reported_within_them() {
    let (world, function, protected) = begin(503, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Hibernate);
    let _ = world.run_for(&function, 30).await;
    world.resume(&protected.instance);
    let _ = world.run_for(&function, 75).await;
    assert_eq!(serving(&world, &protected.instance), 2);
    assert!(told().contains(&"resumed".to_owned()), "{:?}", told());
    let _ = world.run_until_quiet(&function).await;
    assert_eq!(missing(&world, &protected), Vec::<String>::new());
}

#[tokio::test]
async fn if_the_policy_asks_for_it_a_replacement_gets_copies_and_no_write_is_lost() {
    let (world, function, protected) = begin(502, &RESTORE).await;
    stopped(&world, &function, &protected.instance).await;
    sweep(&world, &function, 60).await;
    let missing = missing_on_replacement(&world, &protected);
    assert!(missing.is_empty(), "{missing:#?}\n{}", journal(&world));
    let found: LineageSummary = lineage(&world, &protected);
    assert!(found.is_replacement && found.volumes.values().all(|it| it.is_copy));
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
    assert_eq!(told(), ["paused", "overdue", "back-in-service"]);
    // TRAP 2: the original has all it had, and lives.
    assert_eq!(
        state(&world, &protected.instance),
        Some(InstanceState::Stopped)
    );
    assert_eq!(world.volumes_of(&protected.instance).len(), 3);
    assert_eq!(replacement(&world, &protected).len(), 1);
    world.advance(25 * 3600);
    sweep(&world, &function, 30).await;
    assert_eq!(world.volumes_of(&protected.instance).len(), 3);
}

/// Two of one kind: only one serves.
#[tokio::test]
async fn an_original_that_comes_back_too_late_is_kept_out_of_service() {
    let (world, function, protected) = begin(503, &RESTORE).await;
    stopped(&world, &function, &protected.instance).await;
    sweep(&world, &function, 60).await;
    world.resume(&protected.instance);
    let _ = world.run_until_quiet(&function).await;
    assert_eq!(told().last().map(String::as_str), Some("returned-late"));
    // Its own start script registers it.
    for target in &protected.targets {
        let port = target.port.unwrap_or_default();
        let _ = world.register(&target.group, &target.id, port);
    }
    sweep(&world, &function, 45).await;
    assert_eq!(
        serving(&world, &protected.instance),
        0,
        "{}",
        journal(&world)
    );
    let first = replacement(&world, &protected);
    assert_eq!(serving(&world, &first[0]), 2);
    assert_eq!(told().iter().filter(|it| *it == "returned-late").count(), 1);
    // From now on the replacement's volumes count, also for the next rescue.
    world.advance(3600);
    world.interrupt(&first[0], InstanceAction::Terminate);
    let _ = world.run_until_quiet(&function).await;
    sweep(&world, &function, 30).await;
    let second = replacement(&world, &protected);
    assert_eq!(
        (second.len(), serving(&world, &second[0])),
        (1, 2),
        "{}",
        journal(&world)
    );
    assert_eq!(serving(&world, &protected.instance), 0);
    let kept = world.volumes_of(&protected.instance).len();
    assert_eq!(
        (kept, state(&world, &protected.instance)),
        (3, Some(InstanceState::Running))
    );
    let held = world.volumes_of(&second[0]);
    let origins: Vec<_> = ["/dev/sdf", "/dev/sdg"]
        .iter()
        .map(|it| world.look(|state| state.volumes[&held[*it]].content.clone()))
        .collect();
    let expected: Vec<_> = origins.iter().map(|it| it.origin.clone()).collect();
    assert_eq!(expected, protected.data);
}

#[tokio::test]
async fn an_original_that_is_back_before_the_copies_goes_on_and_the_replacement_goes() {
    for keeps in [false, true] {
        let (world, function, protected) = begin(504, &RESTORE).await;
        world.change(|it| {
            it.config.resume_keeps_launch_time = keeps;
            it.config.snapshot_seconds = 1200;
        });
        stopped(&world, &function, &protected.instance).await;
        world.advance(2400);
        world.sweep();
        let _ = world.run_for(&function, 300).await;
        assert_eq!(
            replacement(&world, &protected).len(),
            1,
            "{}",
            journal(&world)
        );
        world.resume(&protected.instance);
        let _ = world.run_until_quiet(&function).await;
        sweep(&world, &function, 120).await;
        assert!(
            replacement(&world, &protected).is_empty(),
            "{}",
            journal(&world)
        );
        let missing = missing(&world, &protected);
        assert!(missing.is_empty(), "{missing:#?}\n{}", journal(&world));
        assert!(told().contains(&"resumed".to_owned()));
        // The next stop, and the next rescue, are about what was written since.
        world.advance(3600);
        stopped(&world, &function, &protected.instance).await;
        sweep(&world, &function, 90).await;
        let missing = missing_on_replacement(&world, &protected);
        assert!(
            missing.is_empty(),
            "{keeps} {missing:#?}\n{}",
            journal(&world)
        );
        assert_eq!(
            lost_writes(&world, &protected),
            [0, 0],
            "{}",
            journal(&world)
        );
    }
}

/// TRAP 30: there is nothing to copy from.
#[tokio::test]
async fn an_instance_that_may_hibernate_is_only_reported_and_that_is_noted_ahead() {
    TOLD.with_borrow_mut(Vec::clear);
    let world = World::new(505);
    let mut function = crate::support::function(&world);
    function.print = |line| TOLD.with_borrow_mut(|it| it.push(line.to_owned()));
    let builder = world.spot_instance("m5.large", "eu-west-1a").hibernation();
    let builder = builder.persistent(InstanceAction::Hibernate);
    let protected = world.protected_like(builder, "eu-west-1a", &RESTORE);
    let _ = world.run_until_quiet(&function).await;
    let said = TOLD.with_borrow(|it| it.iter().any(|it| it.contains("will only be reported")));
    assert!(said, "{}", TOLD.with_borrow(|it| it.join("\n")));
    world.interrupt(&protected.instance, InstanceAction::Hibernate);
    let _ = world.run_until_quiet(&function).await;
    sweep(&world, &function, 120).await;
    assert_eq!(count(&world, is_launch), 0, "{}", journal(&world));
    assert_eq!(told(), ["paused", "overdue"]);
}

/// TRAP 25: at the notice the request is open again, and EC2 launches as soon as it can.
#[tokio::test]
async fn a_persistent_request_is_cancelled_before_it_launches_beside_the_replacement() {
    for relaunch in [3, 30, 120] {
        let (world, function, protected) = persistent(506, InstanceAction::Terminate).await;
        world.change(|it| it.config.relaunch_seconds = relaunch);
        let marked = world.look(|it| {
            let requests = it.requests.values();
            requests
                .filter(|it| it.tags.current().contains_key(tags::RESCUE))
                .count()
        });
        assert_eq!(marked, 1);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let _ = world.run_until_quiet(&function).await;
        sweep(&world, &function, 30).await;
        assert_eq!(missing(&world, &protected), Vec::<String>::new());
        assert_eq!(lost_writes(&world, &protected), [0, 0]);
        assert_eq!(
            world.look(|it| it.instances.len()),
            2,
            "{}",
            journal(&world)
        );
    }
}

/// No warning came, and EC2 was faster: what it has launched is not ours to end, and is named.
#[tokio::test]
async fn an_instance_that_ec2_launched_by_itself_is_reported_and_no_more_follow() {
    let (world, function, protected) = persistent(507, InstanceAction::Terminate).await;
    world.change(|it| it.config.relaunch_seconds = 10);
    world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
    world.advance(60);
    world.change(|it| it.queue.messages.clear());
    world.sweep();
    let _ = world.run_until_quiet(&function).await;
    let said = TOLD.with_borrow(|it| it.iter().any(|it| it.contains("by itself")));
    assert!(said, "{}", TOLD.with_borrow(|it| it.join("\n")));
    assert_eq!(
        replacement(&world, &protected).len(),
        1,
        "{}",
        journal(&world)
    );
    assert!(world.look(|it| it.requests.values().any(|it| !it.facts.live)));
}

/// TRAP 2, TRAP 25: cancelling it would end the stopped instance.
#[tokio::test]
async fn the_request_of_a_stopped_instance_is_never_cancelled() {
    let is_cancel = |it: &Action| matches!(it, Action::CancelRequest { .. });
    for policy in [&[][..], &RESTORE[..]] {
        let (world, function, protected) = persistent(508, InstanceAction::Stop).await;
        world.retag(protected.instance.as_str(), policy);
        world.sweep();
        let _ = world.run_until_quiet(&function).await;
        stopped(&world, &function, &protected.instance).await;
        sweep(&world, &function, 120).await;
        assert_eq!(count(&world, is_cancel), 0, "{}", journal(&world));
        // EC2 gives it up, by its own hand.
        world.give_up(&protected.instance);
        let _ = world.run_until_quiet(&function).await;
        assert_eq!(count(&world, is_cancel), 0, "{}", journal(&world));
        assert!(world.now() > spot_rescue::clock::parse("2026-11-23T10:00:00Z").unwrap());
    }
}

async fn persistent(seed: u64, behaviour: InstanceAction) -> (World, Function, Protected) {
    TOLD.with_borrow_mut(Vec::clear);
    let world = World::new(seed);
    let mut function = crate::support::function(&world);
    function.print = |line| TOLD.with_borrow_mut(|it| it.push(line.to_owned()));
    let builder = world.spot_instance("m5.large", "eu-west-1a");
    let protected = world.protected_like(builder.persistent(behaviour), "eu-west-1a", &[]);
    let _ = world.run_until_quiet(&function).await;
    world.advance(3600);
    (world, function, protected)
}

/// EC2 shows the tombstone a few seconds longer than it stands. It has no warning's time but that of the look that found
/// the instance stopped, which may be the very second in which it starts again.
#[tokio::test]
async fn an_instance_that_is_back_stays_in_service_while_its_old_tombstone_is_shown() {
    for lag in 0..6 {
        for moment in 0..8 {
            let (world, function, protected) = begin(340, &[]).await;
            world.interrupt_silently(&protected.instance, InstanceAction::Stop);
            world.advance(200);
            world.change(|it| it.config.lag_seconds = lag);
            world.sweep();
            let _ = world.deliver_due(&function).await;
            let _ = world.deliver_due(&function).await;
            world.resume(&protected.instance);
            let _ = world.run_for(&function, moment).await;
            world.sweep();
            let run = world.run_until_quiet(&function).await;
            assert!(run.quiet, "{}", journal(&world));
            let missing = missing(&world, &protected);
            let case = format!("lag {lag} s, {moment} s");
            assert!(
                missing.is_empty(),
                "{case}: {missing:?}\n{}",
                journal(&world)
            );
        }
    }
}
