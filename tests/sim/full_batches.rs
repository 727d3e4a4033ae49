//! A mapping without a batching window: one warning comes at once, and many are handled together all the same.

use crate::support::{assert_whole, count, failing, function, journal, lost_writes, settle};
use spot_rescue::cloud::Cloud;
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::{Fault, Kind, On, Protected, World};
use spot_rescue::step::Action;

const ALL: usize = 25;

/// Many protected instances, behind two target groups.
async fn many(seed: u64) -> (World, Vec<Protected>) {
    let world = World::new(seed);
    let all: Vec<_> = (0..ALL).map(|_| world.protected_instance()).collect();
    settle(&world, &function(&world)).await;
    world.advance(3600);
    (world, all)
}

fn interrupt(world: &World, all: &[Protected]) {
    for it in all {
        world.interrupt(&it.instance, InstanceAction::Terminate);
    }
}

fn assert_all_whole(world: &World, all: &[Protected]) {
    for it in all {
        assert_whole(world, it);
        assert_eq!(lost_writes(world, it), [0, 0], "{}", journal(world));
    }
    let dead = world.look(|it| it.queue.dead.len());
    assert_eq!(dead, 0, "messages not handled");
}

/// Ten come with the invocation, which takes the others from the queue itself. SQS hands out a part of what it
/// has, so a second invocation may be needed.
#[tokio::test]
async fn an_invocation_with_a_full_batch_takes_what_else_there_is() {
    let (world, all) = many(3).await;
    let function = function(&world);
    interrupt(&world, &all);
    let warnings = world.look(|it| it.queue.messages.len());
    assert!(warnings >= ALL);
    let run = world.run_for(&function, 1).await;
    assert!(run.invocations <= 3, "{run:?} for {warnings} messages");
    assert_eq!(run.messages, 10 * run.invocations, "{run:?}");
    assert_eq!(
        world.look(|it| it
            .queue
            .messages
            .iter()
            .filter(|it| it.receives > 0)
            .count()),
        0
    );
    settle(&world, &function).await;
    assert_all_whole(&world, &all);
}

/// A batch that is not full is all there is.
#[tokio::test]
async fn a_small_batch_asks_the_queue_for_nothing() {
    let (world, all) = many(4).await;
    let denied = Fault {
        on: On::Every("ReceiveMessage"),
        kind: Kind::CrashBefore,
    };
    let function = failing(&world, vec![denied]);
    interrupt(&world, &all[..3]);
    let run = world.run_for(&function, 1).await;
    assert_eq!(run.crashes, 0, "{run:?}");
    assert!(function.cloud.struck().is_empty());
}

/// Whatever the calls for more messages return: those handed out and not handled are delivered again.
#[tokio::test]
async fn trouble_with_the_queue_loses_no_warning() {
    const CALLS: [&str; 2] = ["ReceiveMessage", "DeleteMessageBatch"];
    const KINDS: [Kind; 7] = [
        Kind::Silence,
        Kind::Code("AccessDenied"),
        Kind::Code("RequestThrottled"),
        Kind::LoseReply,
        Kind::Twice,
        Kind::CrashBefore,
        Kind::CrashAfter,
    ];
    for call in CALLS {
        for kind in KINDS {
            let faults = (0..3).map(|nth| Fault {
                on: On::Call(call, nth),
                kind,
            });
            let (world, all) = many(5).await;
            let function = failing(&world, faults.collect());
            interrupt(&world, &all);
            let _ = world.run_for(&function, 600).await;
            assert!(!function.cloud.struck().is_empty(), "{call} {kind:?}");
            settle(&world, &crate::support::function(&world)).await;
            assert_all_whole(&world, &all);
        }
    }
}

/// The same for those it has received itself: nothing was done for them, so they are not deleted.
#[tokio::test]
async fn a_message_that_could_not_be_handled_stays_in_the_queue() {
    let (world, all) = many(6).await;
    interrupt(&world, &all);
    let before = world.look(|it| it.queue.messages.len());
    let unreadable = [On::Every("DescribeInstances"), On::Every("SendMessage")];
    let faults = unreadable.map(|on| Fault {
        on,
        kind: Kind::Code("InternalError"),
    });
    let function = failing(&world, faults.to_vec());
    let _ = world.run_for(&function, 1).await;
    let after = world.look(|it| it.queue.messages.len());
    assert_eq!(after, before, "{}", journal(&world));
    settle(&world, &crate::support::function(&world)).await;
    assert_all_whole(&world, &all);
}

/// TRAP 41: with a window, Lambda may wait twenty seconds for a quiet queue to fill a batch.
#[tokio::test]
async fn a_batching_window_costs_a_single_warning_twenty_seconds() {
    for seconds in [0, 20] {
        let (world, all) = many(7).await;
        world.change(|it| it.config.fills_for_seconds = seconds);
        let function = function(&world);
        interrupt(&world, &all[..1]);
        let left = |world: &World| count(world, |it| matches!(it, Action::Deregister { .. })) > 0;
        if seconds > 0 {
            let _ = world.run_for(&function, seconds - 1).await;
            assert!(!left(&world), "{}", journal(&world));
        }
        let _ = world.run_for(&function, i64::from(seconds > 0)).await;
        assert!(left(&world), "{}", journal(&world));
    }
}

/// A receipt is good until its message is received again.
#[tokio::test]
async fn an_old_receipt_deletes_nothing() {
    let (world, all) = many(8).await;
    interrupt(&world, &all[..1]);
    let mut received = Vec::new();
    while received.is_empty() {
        received = world.receive().await.unwrap();
    }
    let receipts: Vec<_> = received.into_iter().map(|it| it.receipt).collect();
    world.advance(31);
    while world.receive().await.unwrap().is_empty() {}
    let before = world.look(|it| it.queue.messages.len());
    world.delete(&receipts[..1]).await.unwrap();
    assert_eq!(world.look(|it| it.queue.messages.len()), before);
    assert!(world.delete(&[]).await.is_err());
}
