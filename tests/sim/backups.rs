//! Scheduled backups: when they are taken, which stay, and that no rescue is the worse for them.

use crate::support::{Function, assert_whole, journal, lost_writes, prepared, settle};
use serde_json::json;
use spot_rescue::backup::{Set, SetState, sets};
use spot_rescue::clock::{Clock, parse};
use spot_rescue::event::{InstanceAction, own};
use spot_rescue::keeper::Keeper;
use spot_rescue::seal::Seal;
use spot_rescue::sim::{FailingCloud, Fault, Kind, On, ROLE, World};
use spot_rescue::step::Action;
use spot_rescue::tags::{self, Tags};
use std::time::Duration;
use time::Duration as Span;
use tokio::time::Instant;

const HOURLY: [(&str, &str); 2] = [
    ("spot-rescue:backup", "hourly"),
    ("spot-rescue:retain", "4h 3d"),
];

fn keeper<C>(cloud: C, world: &World) -> Keeper<C, World> {
    Keeper {
        cloud,
        clock: world.clone(),
        defaults: Tags::new(),
        seal: Seal::of(Some(ROLE)),
        print: |_| {},
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

/// Every quarter of an hour, as the schedule comes.
async fn keep(world: &World, function: &Function, hours: i64) {
    for _ in 0..hours * 4 {
        run(world).await;
        let _ = world.run_for(function, 900).await;
    }
    // The last set completes, and what it makes superfluous goes.
    run(world).await;
    let _ = world.run_for(function, 300).await;
    run(world).await;
}

async fn run(world: &World) {
    let kept = keeper(world.clone(), world).run(0, soon()).await;
    let kept = kept.expect("all is read");
    let failed = kept.reports.iter().filter(|it| !it.outcome.succeeded());
    assert_eq!(failed.count(), 0, "{}", journal(world));
}

/// The scheduled sets that there are, the oldest first.
fn scheduled(world: &World) -> Vec<Set> {
    let snapshots = world.look(|it| {
        let all = it.snapshots.values().map(|it| {
            let mut facts = it.facts.clone();
            let said = spot_rescue::step::described(&facts.description);
            facts.tags.extend(said);
            facts
        });
        all.collect::<Vec<_>>()
    });
    sets(&snapshots).into_values().flatten().collect()
}

fn taken(world: &World) -> usize {
    crate::support::count(
        world,
        |it| matches!(it, Action::SnapshotInstance { tags, .. } if tags.contains_key(tags::CONSISTENCY)),
    )
}

#[tokio::test]
async fn one_set_an_hour_is_taken_and_the_first_of_each_period_stays() {
    let (world, function, protected) = prepared(901, &HOURLY).await;
    keep(&world, &function, 100).await;
    assert_eq!(taken(&world), 101, "{}", journal(&world));
    let kept = scheduled(&world);
    let volumes = protected.data.len() + 1;
    let whole = |it: &Set| it.snapshots.len() == volumes && it.state == SetState::Completed;
    assert!(kept.iter().all(whole), "{kept:#?}");
    // Four hours, and the first of three days; the first of today is older than four hours.
    assert_eq!(kept.len(), 7, "{kept:#?}");
    let newest = kept.last().expect("the newest");
    assert!(world.now() - newest.started < Span::hours(2));
}

#[tokio::test]
async fn a_root_that_is_to_be_skipped_is_in_no_set() {
    let skip = ("spot-rescue:backup-root", "skip");
    for (tag, more) in [(Some(skip), 0), (None, 1), (Some((skip.0, "stop")), 1)] {
        let tags: Vec<(&str, &str)> = HOURLY.into_iter().chain(tag).collect();
        let (world, function, protected) = prepared(908, &tags).await;
        keep(&world, &function, 3).await;
        let kept = scheduled(&world);
        let volumes = protected.data.len() + more;
        let whole = |it: &Set| it.snapshots.len() == volumes && it.state == SetState::Completed;
        assert!(
            !kept.is_empty() && kept.iter().all(whole),
            "{tag:?} {kept:#?}"
        );
        // The set at the warning has it in any case.
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
    }
}

/// The seconds between a backup and the warning: EC2 refuses a second set within fifteen seconds, and at first the
/// backup is still under way.
#[tokio::test]
async fn a_warning_right_after_a_backup_is_rescued_as_ever() {
    for seconds in 0..40 {
        let (world, function, protected) = prepared(902, &HOURLY).await;
        let kept = keeper(world.clone(), &world).run(0, soon()).await;
        assert_eq!(kept.expect("read").reports.len(), 1);
        world.advance(seconds);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        assert_eq!(lost_writes(&world, &protected), [0, 0], "{seconds} s");
        // The backup outlives the rescue, and its copies' expiry.
        for _ in 0..3 {
            world.advance(30 * 3600);
            world.sweep();
            settle(&world, &function).await;
        }
        assert_eq!(
            scheduled(&world).len(),
            1,
            "{seconds} s: {}",
            journal(&world)
        );
    }
}

/// From the warning on, until it is over.
#[tokio::test]
async fn while_a_rescue_goes_on_nothing_is_taken_or_deleted() {
    let (world, function, protected) = prepared(903, &HOURLY).await;
    keep(&world, &function, 6).await;
    let (sets, before) = (scheduled(&world), taken(&world));
    // From now on most of them are superfluous.
    let tag = ("spot-rescue:retain", "1h");
    world.retag(protected.instance.as_str(), &[tag]);
    world.advance(3600);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 20).await;
    for _ in 0..5 {
        let kept = keeper(world.clone(), &world).run(0, soon()).await;
        assert!(
            kept.expect("read").reports.is_empty(),
            "{}",
            journal(&world)
        );
        let _ = world.run_for(&function, 20).await;
    }
    assert_eq!((scheduled(&world), taken(&world)), (sets, before));
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    // The replacement is backed up as the original was.
    keep(&world, &function, 2).await;
    assert!(taken(&world) >= before + 2, "{}", journal(&world));
}

/// Whichever instance is rescued: the first minutes need the same calls.
#[tokio::test]
async fn in_the_first_minutes_of_a_rescue_no_backup_of_another_instance_is_taken() {
    let (world, function, first) = prepared(909, &HOURLY).await;
    let _ = world.protected_in("eu-west-1a", &HOURLY);
    settle(&world, &function).await;
    keep(&world, &function, 2).await;
    let before = taken(&world);
    assert!(before >= 4, "{}", journal(&world));
    world.advance(3600);
    world.interrupt(&first.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 30).await;
    for _ in 0..4 {
        run(&world).await;
        let _ = world.run_for(&function, 20).await;
    }
    assert_eq!(taken(&world), before, "{}", journal(&world));
    // Later the other one has its turn, and the replacement.
    settle(&world, &function).await;
    world.advance(600);
    run(&world).await;
    assert_eq!(taken(&world), before + 2, "{}", journal(&world));
}

/// Each call of a run, failing in each way.
#[tokio::test]
async fn what_fails_is_made_up_by_the_next_run() {
    for call in [
        "DescribeInstances",
        "DescribeLaunchTemplates",
        "DescribeSnapshots",
        "CreateSnapshots",
        "DeleteSnapshot",
    ] {
        for kind in [
            Kind::Code("RequestLimitExceeded"),
            Kind::Code("UnauthorizedOperation"),
            Kind::LoseReply,
        ] {
            let (world, function, protected) = prepared(904, &HOURLY).await;
            keep(&world, &function, 9).await;
            let cloud = FailingCloud::new(
                world.clone(),
                vec![Fault {
                    on: On::Every(call),
                    kind,
                }],
            );
            let failing = keeper(cloud, &world);
            // Two runs: one takes a set, and once that has completed another goes.
            for wait in [3600, 900] {
                let _ = world.run_for(&function, wait).await;
                let answer = failing.handle(json!({}), Duration::from_mins(1)).await;
                // A failed read is a failed invocation, which an alarm counts; a failed step is not.
                assert_eq!(
                    answer.is_err(),
                    call.starts_with("Describe"),
                    "{call} {kind:?}"
                );
            }
            assert!(
                failing.cloud.struck().contains(&call),
                "{call} was not called"
            );
            keep(&world, &function, 8).await;
            let kept = scheduled(&world);
            assert_eq!(kept.len(), 6, "{call} {kind:?} {kept:#?}");
            assert!(kept.iter().all(|it| it.state == SetState::Completed));
            assert_whole(&world, &protected);
        }
    }
}

/// With the rights to tag and to snapshot: neither is anything else deleted, nor does anything count as a backup.
#[tokio::test]
async fn snapshots_that_only_look_like_backups_are_neither_counted_nor_deleted() {
    let (world, function, protected) = prepared(905, &HOURLY).await;
    let attacker = world.attacker();
    let lineage = protected.instance.to_string();
    let mut planted = Vec::new();
    for hour in 0..9 {
        let snapshot = world.snapshot(&protected.data[0]).expect("taken");
        let set = format!(
            "backup-{lineage}-{}",
            parse("2026-11-23T11:00:00Z")
                .expect("a time")
                .unix_timestamp()
                + hour * 3600
        );
        attacker.tag(
            snapshot.as_str(),
            &[
                (tags::RESCUE, &lineage),
                (tags::SET, &set),
                (tags::CONSISTENCY, "crash"),
            ],
        );
        planted.push(snapshot);
        world.advance(60);
    }
    keep(&world, &function, 30).await;
    assert!((31..33).contains(&taken(&world)), "{}", journal(&world));
    let left = world.look(|it| {
        planted
            .iter()
            .filter(|id| it.snapshots.contains_key(*id))
            .count()
    });
    assert_eq!(left, planted.len(), "{}", journal(&world));
}

/// A policy that is off, misspelt, or gone with the opt-in.
#[tokio::test]
async fn without_a_schedule_nothing_is_taken_and_nothing_goes() {
    for (key, value, more) in [
        ("spot-rescue:backup", "off", 0),
        ("spot-rescue:backup", "hourl", 0),
        ("spot-rescue:retain", "4x", 5),
        ("spot-rescue:retain", "all", 5),
        ("spot-rescue", "off", 0),
    ] {
        let (world, function, protected) = prepared(906, &[("spot-rescue:backup", "hourly")]).await;
        keep(&world, &function, 10).await;
        let before = scheduled(&world).len();
        assert!(before > 10);
        world.retag(protected.instance.as_str(), &[(key, value)]);
        world.sweep();
        let _ = world.run_until_quiet(&function).await;
        keep(&world, &function, 5).await;
        let now = scheduled(&world).len() - before;
        let is_right = (more..=more + 1).contains(&now) && (more > 0 || now == 0);
        assert!(is_right, "{key}={value}: {now} {}", journal(&world));
    }
}

/// Due at once are more than a run takes, and EC2 refuses them all: each run asks for the next, until its chain has had
/// enough runs. The schedule begins another.
#[tokio::test]
async fn a_chain_of_runs_ends_although_nothing_succeeds() {
    let (world, function, _) = prepared(907, &HOURLY).await;
    let tags = [HOURLY[0], (tags::OPT_IN, "on")];
    for _ in 0..70 {
        let it = world.protected_instance().instance;
        world.retag(it.as_str(), &tags);
    }
    world.sweep();
    let _ = world.run_until_quiet(&function).await;
    let fault = Fault {
        on: On::Every("CreateSnapshots"),
        kind: Kind::Code("UnauthorizedOperation"),
    };
    let keeper = keeper(FailingCloud::new(world.clone(), vec![fault]), &world);
    let mut message =
        json!({"source": "spot-rescue", "detail-type": "Sweep", "detail": {}}).to_string();
    let mut runs = 0;
    loop {
        let batch = json!({"Records": [{"messageId": "1", "body": message}]});
        let asked = asked_for(&world).len();
        let _ = keeper.handle(batch, Duration::from_mins(1)).await;
        runs += 1;
        let asked = asked_for(&world).split_off(asked);
        let Some(next) = asked.into_iter().next() else {
            break;
        };
        message = next;
        assert!(runs < 50, "no end");
    }
    assert_eq!(runs, 21);
}

/// The messages of wakes.
fn asked_for(world: &World) -> Vec<String> {
    world.look(|it| {
        let all = it.journal.iter().filter_map(|it| match &it.action {
            Action::Wake { wake, .. } => Some(own::wake(wake)),
            _ => None,
        });
        all.collect()
    })
}

/// One line for each backup, in the quarter of an hour after it has completed.
#[tokio::test]
async fn a_backup_that_has_completed_is_reported() {
    let (world, function, protected) = prepared(908, &HOURLY).await;
    let mut lines = Vec::new();
    for _ in 0..24 {
        let kept = keeper(world.clone(), &world).run(0, soon()).await;
        lines.extend(kept.expect("all is read").lines);
        let _ = world.run_for(&function, 900).await;
    }
    assert_eq!(lines.len(), taken(&world), "{lines:#?}");
    for line in &lines {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(line["instance"], protected.instance.as_str());
        assert_eq!(
            line["snapshots"].as_array().map(Vec::len),
            Some(protected.data.len() + 1)
        );
        let seconds = line["BackupSeconds"].as_i64().expect("a number");
        assert!((1..900).contains(&seconds), "{line}");
        assert!(line["next"].is_string() && line["kept"].as_u64() > Some(0));
    }
}
