//! Triggers in, the world put right as far as it goes now, a verdict per trigger out.
//!
//! A batch is reconciled together so that reads are shared; each lineage is planned and executed by
//! itself, so that a failing one never fails its neighbours.

mod answers;
mod batch;
mod blind;
mod context;
mod endings;
mod glance;
mod misspelt;
mod rehearsal;
mod sets;
mod sweep;
mod throttling;
mod wakes;
mod work_item;

use crate::calls::Calls;
use crate::clock::Timestamp;
use crate::cloud::Cloud;
use crate::event::Trigger;
use crate::execute::execute;
use crate::id::InstanceId;
use crate::observe;
use crate::plan::reads::Scope;
use crate::plan::{self, COUNT, Plan, REMEMBER};
use crate::reads::Reads;
use crate::report::{Report, StepReport, Unprotected};
use crate::step::Step;
use crate::tags::Tags;
use batch::Batch;
pub use context::{Context, Retry};
use context::{before_the_deadline, left};
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use work_item::WorkItem;

/// A rescue may need several looks in one invocation: each way to launch is one.
const MAX_PASSES: u32 = 6;
/// Less time than this is not enough for another look.
const ENOUGH: Duration = Duration::from_secs(3);
/// What came of a batch.
#[derive(Debug, Default)]
pub struct Reconciled {
    /// By the position of the trigger.
    pub retries: BTreeMap<usize, Retry>,
    pub reports: BTreeMap<InstanceId, Report>,
    pub unprotected: Vec<Unprotected>,
}

/// Does everything that can be done now for these triggers.
pub async fn reconcile(context: &Context<'_>, triggers: &[Trigger]) -> Reconciled {
    let mut reconciled = Reconciled::default();
    let reads = Reads::new(context.cloud);
    let cloud: &dyn Cloud = &reads;
    let whole = context;
    let context = &Context { cloud, ..*whole };
    let batch = match before_the_deadline(context, Box::pin(Batch::of(context, triggers))).await {
        Ok(batch) => batch,
        Err(error) => {
            let (unread, ()) = tokio::join!(
                wakes::unread(context, triggers, &error),
                blind::first_aid(context, triggers),
            );
            reconciled.retries.extend(unread);
            return reconciled;
        }
    };
    reconciled.unprotected.clone_from(&batch.unprotected);
    let taken = batch.taken.clone();
    rescue(context, batch, &mut reconciled).await;
    let told = misspelt::at_the_end(context, &taken).await;
    reconciled.unprotected.extend(told);
    // Work found by the schedule may wait; a warning of the same batch must not wait for it.
    for (position, _) in triggers
        .iter()
        .enumerate()
        .filter(|(_, it)| **it == Trigger::Sweep)
    {
        match sweep::sweep(whole).await {
            Ok(told) => reconciled.unprotected.extend(told),
            Err(error) => {
                let why = error.to_string();
                reconciled.retries.insert(position, Retry { why });
            }
        }
    }
    reconciled
}

async fn rescue(context: &Context<'_>, mut batch: Batch, reconciled: &mut Reconciled) {
    let calls = &Calls::new(context.cloud);
    first_aid(context, calls, &mut batch).await;
    let now = context.clock.now();
    for pass in 1..=MAX_PASSES {
        if !look_again(context, calls, &mut batch, pass, now).await {
            break;
        }
    }
    let left = batch
        .items
        .values_mut()
        .filter(|it| it.rescheduled.is_none());
    join_all(left.map(|it| wakes::leave(calls, it, now))).await;
    for item in batch.items.values() {
        if let Some(Err(why)) = &item.rescheduled {
            let triggers = item.triggers.iter();
            let retries = triggers.map(|it| (*it, Retry { why: why.clone() }));
            reconciled.retries.extend(retries);
        }
    }
    let reports = batch.items.into_iter().map(|(id, item)| (id, item.report));
    reconciled.reports.extend(reports);
}

/// Round trip two of a warning: sent before anything else is read.
async fn first_aid(context: &Context<'_>, calls: &Calls<'_>, batch: &mut Batch) {
    let now = context.clock.now();
    let newly_warned = batch.items.values_mut();
    let mut newly_warned: Vec<_> = newly_warned
        .filter(|it| !it.newly_warned.is_empty())
        .collect();
    // Calls of a kind are served in the order they are made: the instance with the earliest warning comes first.
    newly_warned.sort_by_key(|it| it.warned_at());
    let each = newly_warned.into_iter().map(|item| async move {
        for instance in item.warned() {
            let situation = observe::of_instance(instance, &item.memory, context.defaults, now);
            let plan = plan::first_aid(&situation);
            run(context, calls, item, plan).await;
        }
    });
    join_all(each).await;
}

/// Observes, plans, executes. True if another look may find more to do.
async fn look_again(
    context: &Context<'_>,
    calls: &Calls<'_>,
    batch: &mut Batch,
    pass: u32,
    now: Timestamp,
) -> bool {
    let active: BTreeSet<InstanceId> = batch.active().cloned().collect();
    if active.is_empty() || left(context) < ENOUGH {
        return false;
    }
    let scope = if pass == 1 && batch.is_new() {
        Scope::AllTargetGroups
    } else {
        Scope::Recorded
    };
    let named = batch.named();
    let out = batch.out(now, pass);
    let reading = observe::lineages(
        context.cloud,
        &active,
        &named,
        &out,
        batch.sets(),
        scope,
        context.defaults,
    );
    let read = match before_the_deadline(context, Box::pin(reading)).await {
        Ok(read) => read,
        Err(error) => {
            batch.read_failed(&error);
            return false;
        }
    };
    let read = &read;
    let calm = rehearsal::is_calm(&batch.items);
    let items = batch
        .items
        .iter_mut()
        .filter(|(id, _)| active.contains(*id));
    let planned = items.map(|(id, item)| {
        if let Some(record) = read.record(id) {
            item.memory.settle(record);
        }
        item.note_listed(read.lists_all());
        item.memory.sets.unlisted |= read.lists_no_snapshots();
        item.note_unseen(now, |it| read.shows(it));
        item.rehearsing.due = calm && item.memory.rehearses;
        // A situation is large, and no batch holds more than one: the plan is all that waits for AWS.
        let situation = read.situation(id, now, item.inputs(context.defaults, pass));
        let plan = plan::plan(&situation);
        item.memory.suspected.clone_from(&plan.suspects);
        item.seen = glance::seen(&situation, &plan, now);
        (item, plan)
    });
    let mut planned: Vec<_> = planned.collect();
    planned.sort_by_key(|(item, plan)| (throttling::priority(plan), item.warned_at()));
    // A throttled lineage is not planned again in this invocation: the count never goes down.
    let unprotected = { planned.iter() }.filter(|(_, it)| throttling::is_unprotected(it));
    batch.most_unprotected = batch.most_unprotected.max(unprotected.count());
    for (item, plan) in &mut planned {
        throttling::defer_contended(item.position(), batch.most_unprotected, plan);
        item.unprotected = batch.most_unprotected;
        throttling::put_off(item.position(), item.memory.scarce, now, plan);
    }
    calls.reopen();
    let each = planned.into_iter().map(|(item, plan)| async move {
        item.idle = !run(context, calls, item, plan).await;
        if item.idle {
            // Each lineage's wake is sent at once: the slowest of the batch holds up no other.
            wakes::leave(calls, item, now).await;
        }
    });
    join_all(each).await;
    true
}

/// Executes what is new in a plan. False if another look would find nothing to do now.
async fn run(
    context: &Context<'_>,
    calls: &Calls<'_>,
    item: &mut WorkItem,
    mut plan: Plan,
) -> bool {
    tracing::debug!(%plan, "planned");
    // An instance that has ended already takes no tombstone; then the record's tombstone marks the beginning.
    let begins = |it: &Step| it.id.starts_with("tombstone") || it.id == REMEMBER;
    item.owns_chain |= plan.steps.iter().any(begins) || !plan.suspects.is_empty();
    if !item.owns_chain {
        plan.leave_outcome();
    }
    let steps = execute(&plan, calls, &mut item.done, left(context)).await;
    item.note_deregistered(plan.leaves_for_good.take(), &plan.steps);
    item.note_unwritten(&plan.steps, &steps);
    item.memory
        .launched
        .extend(answers::launched(&plan, &steps));
    let taken = sets::taken(&plan, &steps);
    item.memory.sets.taken.extend(taken);
    rehearsal::note(item, &plan, &steps);
    let done = |id: &str| steps.iter().any(|it| it.id == id && it.outcome.succeeded());
    if done(COUNT) {
        // The next launch has another token.
        item.memory.launched.clear();
    }
    item.memory.glance = glance::of(item, &plan, &steps);
    let put_off = |it: &StepReport| throttling::is_put_off(&plan, it);
    let failed = { steps.iter() }.any(|it| !it.outcome.succeeded() && !put_off(it));
    let launches: Vec<Tags> = plan
        .steps
        .iter()
        .filter_map(|it| answers::refused_launch(it, &steps))
        .collect();
    let before = item.refused.len();
    item.refused
        .extend(steps.iter().filter_map(answers::refused));
    item.refused.extend(answers::mismatched(&plan, &steps));
    let refused = !launches.is_empty() || item.refused.len() > before;
    item.unread_writes.extend(launches.into_iter().flatten());
    // A step that failed now would fail again at once: only a step that was done, or another way to launch, calls for
    // another look.
    let news = refused || steps.iter().any(|it| glance::leads_on(it, &plan));
    let throttled = throttling::was_throttled(&plan, &steps);
    let slows_down = throttling::slows_down(item.unprotected > 0, &plan, &steps);
    let left_over = steps.iter().any(put_off);
    if throttling::are_scarce(&steps) {
        item.memory.scarce = Some(context.clock.now());
    }
    // What is to be asked for again is waited for by itself.
    if !throttled {
        item.slow_down();
    }
    let rest = throttling::rest(item.position());
    let soon = if throttled {
        throttling::retry_after(item.position(), item.unprotected > 0, &plan, &steps)
    } else {
        10
    };
    // A launch under way is looked at soon, however long the rescue has taken.
    item.since = plan.since.filter(|_| !answers::unheard(&plan, &steps));
    if let Some((noting, mut outcome)) = plan.outcome {
        outcome.because(&steps);
        if done(&noting) {
            item.report.outcomes.push(outcome);
        } else {
            item.untold = Some(outcome);
        }
    }
    let report = &mut item.report;
    report.steps.extend(steps);
    report.waits = plan.waits;
    if failed {
        report.wait(soon, "a step that was not done");
    }
    if left_over {
        report.wait(rest, "tags that nothing waits for");
    }
    if slows_down {
        let waits = report.waits.iter_mut();
        waits.for_each(|it| it.seconds = it.seconds.max(soon));
    }
    // Notes that are said once are said by the first of several looks.
    let warnings = plan.warnings.iter().map(ToString::to_string);
    for note in plan.notes.iter().cloned().chain(warnings) {
        if !report.notes.contains(&note) {
            report.notes.push(note);
        }
    }
    news && !throttled
}
