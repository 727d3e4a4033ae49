//! How a rescue goes on: waiting is a delayed message to ourselves.

use super::context::{Context, Retry};
use super::work_item::WorkItem;
use crate::calls::Calls;
use crate::clock::{SWEEP_SECONDS, Timestamp};
use crate::cloud::{Class, CloudError};
use crate::event::{Memory, NOTICE, Trigger, Wake};
use crate::execute::{Done, execute};
use crate::plan::{Plan, REMEMBERED, REPLACED};
use crate::step::{Action, Step};
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::time::Duration;

/// Seconds until an unreadable warning is tried again, for as long as its two minutes last; then the queue redelivers
/// it at its own pace, and puts aside what cannot be handled at all.
const SOON: u16 = 3;
/// A chain of wakes lasts so many seconds: until the next sweep, which starts another one for whatever is unfinished.
const CHAIN: u32 = SWEEP_SECONDS;
const DAY: u32 = 24 * 3600;
/// A message is delayed by so many seconds at most.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html>
const LONGEST: u16 = 900;
/// From so many seconds on, the looks become rarer with the age of the rescue.
const URGENT: i64 = 180;
/// The next look comes when the rescue is older by such a part.
const PART: i64 = 20;

/// Sends the next wake: this invocation has finished with the lineage.
pub async fn leave(calls: &Calls<'_>, item: &mut WorkItem, now: Timestamp) {
    let failure = wake(calls, item, now).await;
    item.rescheduled = Some(failure.map_or(Ok(()), Err));
}

/// Sends a wake for the soonest moment that is worth a look. Returns why it could not be sent.
async fn wake(calls: &Calls<'_>, item: &mut WorkItem, now: Timestamp) -> Option<String> {
    let soonest = item.soonest_wait()?;
    if !item.owns_chain {
        return None;
    }
    let delay = delay(item, soonest, now);
    // Tags that AWS does not accept into the record are remembered only by the chain of wakes.
    let lasts = if item.memory.unwritten.is_empty() {
        CHAIN
    } else {
        DAY
    };
    // A longer delay than the queue has is left to the sweep, unless the sweep knows nothing of it.
    let delay = if lasts == DAY {
        delay.min(REMEMBERED)
    } else {
        delay
    };
    let waited = item.waited + u32::from(delay);
    if item.waited <= CHAIN && waited > CHAIN {
        item.tell_unnoted();
    }
    if waited > lasts {
        item.leave_to_sweep();
        return None;
    }
    let wake = Wake {
        attempt: item.attempt + 1,
        waited,
        memory: item.memory.clone(),
        ..Wake::look(item.lineage.clone())
    };
    send(calls, wake, delay).await
}

/// When a look makes sense, and not more often than is worth it.
fn delay(item: &WorkItem, soonest: u16, now: Timestamp) -> u16 {
    let slower = u16::try_from(1 + item.backoff).unwrap_or(u16::MAX);
    let age = item.since.map_or(0, |it| (now - it).whole_seconds());
    // After a launch the delays are those of a young rescue.
    let age = if item.has_launched() {
        age.min(i64::from(item.waited))
    } else {
        age
    };
    let rarely = if age < URGENT { 0 } else { age / PART };
    let rarely = u16::try_from(rarely).unwrap_or(u16::MAX);
    // A suspicion is to be confirmed soon, however old the rescue is.
    let rarely = if item.memory.suspected.is_empty() {
        rarely
    } else {
        rarely.min(soonest)
    };
    let wanted = soonest.saturating_mul(slower).min(LONGEST).max(rarely);
    wanted.min(untold(item, now).unwrap_or(wanted))
}

/// Seconds until the outcome `unreplaced` is due: that is not put off, whatever the plan waits for.
fn untold(item: &WorkItem, now: Timestamp) -> Option<u16> {
    let left = (item.since? + REPLACED - now).whole_seconds();
    u16::try_from(left).ok().map(|it| it.saturating_add(1))
}

/// Returns why it could not be sent.
async fn send(calls: &Calls<'_>, wake: Wake, delay_seconds: u16) -> Option<String> {
    let action = Action::Wake {
        wake,
        delay_seconds,
    };
    let plan = Plan {
        steps: vec![Step::new("wake", action)],
        ..Plan::default()
    };
    let reports = execute(&plan, calls, &mut Done::default(), Duration::from_secs(2)).await;
    let failed = reports.iter().find(|it| !it.outcome.succeeded());
    failed.map(ToString::to_string)
}

/// None of the lineages could be read. The queue delivers again after half a minute, which is a quarter of what a
/// warning has: urgent triggers come back by a wake instead.
pub async fn unread(
    context: &Context<'_>,
    triggers: &[Trigger],
    error: &CloudError,
) -> BTreeMap<usize, Retry> {
    let calls = &Calls::new(context.cloud);
    let each = triggers.iter().map(|trigger| async move {
        match retry_wake(trigger, context.clock.now()) {
            Some(wake) if error.class == Class::Transient => {
                send(calls, wake, SOON).await.is_none()
            }
            Some(_) | None => false,
        }
    });
    let sent = join_all(each).await.into_iter().enumerate();
    let why = error.to_string();
    sent.filter(|(_, sent)| !sent)
        .map(|(position, _)| (position, Retry { why: why.clone() }))
        .collect()
}

/// The wake that continues a rescue which has just begun.
fn retry_wake(trigger: &Trigger, now: Timestamp) -> Option<Wake> {
    let lasts = |it: &Wake| {
        let mut warnings = it.memory.interruptions.iter();
        warnings.any(|it| now - it.at < NOTICE)
    };
    match trigger {
        Trigger::Interruption(it) => Some(Wake {
            memory: Memory {
                interruptions: vec![it.clone()],
                ..Memory::default()
            },
            ..Wake::look(it.instance.clone())
        }),
        Trigger::Wake(it) if lasts(it) => Some(Wake {
            attempt: it.attempt + 1,
            ..it.clone()
        }),
        Trigger::Wake(_)
        | Trigger::StateChange { .. }
        | Trigger::AtRisk { .. }
        | Trigger::Launched { .. }
        | Trigger::Snapshots { .. }
        | Trigger::Sweep => None,
    }
}
