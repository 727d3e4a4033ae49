//! The Lambda service: takes messages from the queue, invokes the handler, believes its answer.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

use super::{Message, World};
use crate::clock::{Clock, Timestamp};
use crate::cloud::Cloud;
use crate::handler::{Handler, HandlerError};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// A world that is not quiet after so many invocations never will be.
const MOST: usize = 3000;
/// What Lambda gives an invocation, on the wall clock.
const REMAINING: std::time::Duration = std::time::Duration::from_mins(1);

/// Figures of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use = "a run that never got quiet proves nothing"]
pub struct Run {
    pub invocations: usize,
    pub messages: usize,
    pub crashes: usize,
    /// No message is left, and nothing is going to happen that sends one.
    pub quiet: bool,
}

impl World {
    /// Delivers and lets time pass until nothing happens any more.
    pub async fn run_until_quiet<C: Cloud, K: Clock>(&self, handler: &Handler<C, K>) -> Run {
        self.run(handler, None).await
    }

    /// The same for so many seconds.
    pub async fn run_for<C: Cloud, K: Clock>(&self, handler: &Handler<C, K>, seconds: i64) -> Run {
        let until = self.now() + time::Duration::seconds(seconds);
        self.run(handler, Some(until)).await
    }

    /// Delivers what is visible now, once.
    pub async fn deliver_due<C: Cloud, K: Clock>(&self, handler: &Handler<C, K>) -> Run {
        let mut run = Run::default();
        let due = self.change(|it| it.receive(usize::MAX));
        self.deliver(handler, due, &mut run).await;
        run
    }

    async fn run<C: Cloud, K: Clock>(
        &self,
        handler: &Handler<C, K>,
        until: Option<Timestamp>,
    ) -> Run {
        let mut run = Run::default();
        while run.invocations < MOST {
            let due =
                self.change(|it| it.poll(it.config.batch.max(1) * it.config.concurrency.max(1)));
            if !due.is_empty() {
                self.deliver(handler, due, &mut run).await;
            } else if let Some(at) = self.next_moment(until) {
                self.change(|it| it.advance_to(at));
            } else {
                run.quiet = self.next_moment(None).is_none();
                self.change(|it| it.advance_to(until.unwrap_or(it.now)));
                break;
            }
        }
        run
    }

    fn next_moment(&self, until: Option<Timestamp>) -> Option<Timestamp> {
        let moments = self.look(|it| [it.next_message(), it.agenda.next()]);
        let next = moments.into_iter().flatten().min()?;
        until.is_none_or(|it| next <= it).then_some(next)
    }

    async fn deliver<C: Cloud, K: Clock>(
        &self,
        handler: &Handler<C, K>,
        due: Vec<Message>,
        run: &mut Run,
    ) {
        let (batch, concurrency) =
            self.look(|it| (it.config.batch.max(1), it.config.concurrency.max(1)));
        run.messages += due.len();
        let batches: Vec<&[Message]> = due.chunks(batch).collect();
        for together in batches.chunks(concurrency) {
            let invocations = together.iter().map(|it| invoke(handler, it));
            for (messages, answer) in together.iter().zip(join_all(invocations).await) {
                run.invocations += 1;
                run.crashes += usize::from(answer.is_none());
                let done = handled(messages, answer);
                self.change(|it| it.queue.delete(&done));
            }
        }
    }
}

/// One invocation; none if the process died.
async fn invoke<C: Cloud, K: Clock>(
    handler: &Handler<C, K>,
    messages: &[Message],
) -> Option<Result<Value, HandlerError>> {
    let records: Vec<Value> = messages.iter().map(record).collect();
    let work = handler.handle(json!({ "Records": records }), REMAINING);
    survive(work).await
}

fn record(message: &Message) -> Value {
    let Message {
        id,
        body,
        visible_at: _,
        receives,
    } = message;
    json!({
        "messageId": id, "body": body, "eventSource": "aws:sqs",
        "attributes": { "ApproximateReceiveCount": receives.to_string() },
    })
}

/// The messages that are not delivered again: those not named in the answer (`ReportBatchItemFailures`).
fn handled(messages: &[Message], answer: Option<Result<Value, HandlerError>>) -> BTreeSet<String> {
    let Some(Ok(answer)) = answer else {
        return BTreeSet::new();
    };
    let failures = answer.get("batchItemFailures").and_then(Value::as_array);
    let failed: BTreeSet<&str> = failures
        .into_iter()
        .flatten()
        .filter_map(|it| it.get("itemIdentifier")?.as_str())
        .collect();
    let ids = messages.iter().map(|it| it.id.clone());
    ids.filter(|it| !failed.contains(it.as_str())).collect()
}

/// A panic is the end of the process: calls under way are never answered.
async fn survive<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Ready(value)) => Poll::Ready(Some(value)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(None),
        },
    )
    .await
}
