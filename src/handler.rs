//! Payload in, batch response out: which messages count as handled is decided here and only here.
//!
//! A message that cannot be understood is acknowledged with one line that says why: delivering it again would not
//! help. One that is handled is acknowledged. If its lineage could not be looked at and no wake could be sent for it,
//! the message is left to SQS, and to the dead-letter queue in the end.

mod more;

use crate::clock::Clock;
use crate::cloud::Cloud;
use crate::event::{self, Trigger};
use crate::reconcile::{Context, Reconciled, Retry, reconcile};
use crate::seal::{Seal, Sealed, believed};
use crate::tags::Tags;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// Kept free at the end of the invocation, for the wake messages and the answer.
const RESERVE: Duration = Duration::from_millis(1500);

/// What is built once per process.
pub struct Handler<C, K> {
    pub cloud: C,
    pub clock: K,
    /// The policy defaults of the stack.
    pub defaults: Tags,
    /// What proves that something is the function's own.
    pub seal: Seal,
    /// Where log lines go: [`crate::report::print`], or nowhere in tests.
    pub print: fn(&str),
}

/// An invocation that Lambda must repeat.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandlerError {
    #[error("the SQS batch cannot be read: {0}")]
    Batch(String),
    #[error("the event was not handled and will be delivered again: {0}")]
    NotHandled(String),
}

impl<C: Cloud, K: Clock> Handler<C, K> {
    /// One invocation. `remaining` is what Lambda leaves us.
    pub async fn handle(&self, payload: Value, remaining: Duration) -> Result<Value, HandlerError> {
        let ends = Instant::now() + remaining.saturating_sub(RESERVE);
        if payload.get("Records").is_some_and(Value::is_array) {
            self.batch(payload, ends).await
        } else {
            self.raw(&payload, ends).await
        }
    }

    /// The default wiring: an SQS batch with partial responses.
    async fn batch(&self, payload: Value, ends: Instant) -> Result<Value, HandlerError> {
        let batch: SqsEvent = serde_json::from_value(payload)
            .map_err(|error| HandlerError::Batch(error.to_string()))?;
        let delivered = batch.records.into_iter().map(|it| {
            let id = it.message_id.unwrap_or_default();
            (id, it.body.unwrap_or_default())
        });
        let mut messages: Vec<(String, String)> = delivered.collect();
        let delivered = messages.len();
        let received = more::receive(&self.cloud, delivered).await;
        messages.extend(received.iter().map(|it| (it.id.clone(), it.body.clone())));
        let failed = self.messages(&messages, ends).await;
        more::delete(&self.cloud, &received, &failed).await;
        let mut response = SqsBatchResponse::default();
        let delivered = messages.into_iter().take(delivered).map(|(id, _)| id);
        response.batch_item_failures = delivered
            .filter(|it| failed.contains(it))
            .map(failure)
            .collect();
        Ok(serde_json::to_value(response).unwrap_or_default())
    }

    /// Ids of the messages that are to be delivered again.
    async fn messages(&self, all: &[(String, String)], ends: Instant) -> BTreeSet<String> {
        let understood = all
            .iter()
            .filter_map(|(id, body)| Some((id.as_str(), understood(id, body)?)));
        let (ids, triggers): (Vec<&str>, Vec<Trigger>) = understood.unzip();
        let retries = self.reconcile(&triggers, ends).await.retries;
        let failed = retries.into_iter().map(|(position, Retry { why })| {
            let message_id = ids.get(position).copied().unwrap_or_default();
            tracing::warn!(message_id, why, "not handled; left to be delivered again");
            message_id.to_owned()
        });
        failed.collect()
    }

    /// A direct target of a rule, or an invocation by hand.
    async fn raw(&self, payload: &Value, ends: Instant) -> Result<Value, HandlerError> {
        let Some(trigger) = understood("direct invocation", &payload.to_string()) else {
            return Ok(Value::Null);
        };
        let mut retries = self.reconcile(&[trigger], ends).await.retries;
        match retries.pop_first() {
            Some((_, Retry { why })) => Err(HandlerError::NotHandled(why)),
            None => Ok(Value::Null),
        }
    }

    async fn reconcile(&self, triggers: &[Trigger], ends: Instant) -> Reconciled {
        let sealed = Sealed::new(&self.cloud, &self.seal, self.clock.now());
        let triggers = &self.believed(&sealed, triggers).await;
        let context = Context {
            cloud: &sealed,
            clock: &self.clock,
            defaults: &self.defaults,
            deadline: ends,
        };
        let reconciled = reconcile(&context, triggers).await;
        let unprotected = reconciled.unprotected.iter();
        unprotected.for_each(|it| (self.print)(&it.line()));
        for (lineage, report) in reconciled.reports.iter().filter(|(_, it)| !it.is_empty()) {
            (self.print)(&report.line(lineage));
            for outcome in &report.outcomes {
                (self.print)(&outcome.line());
            }
        }
        reconciled
    }
}

impl<C: Cloud, K: Clock> Handler<C, K> {
    /// Our own messages come through a queue that others may write to.
    async fn believed(&self, sealed: &Sealed<'_>, triggers: &[Trigger]) -> Vec<Trigger> {
        let mut all = triggers.to_vec();
        let wakes = all.iter_mut().filter_map(|it| match it {
            Trigger::Wake(wake) => Some(wake),
            Trigger::Interruption(_)
            | Trigger::StateChange { .. }
            | Trigger::AtRisk { .. }
            | Trigger::Launched { .. }
            | Trigger::Snapshots { .. }
            | Trigger::Sweep => None,
        });
        let wakes: Vec<_> = wakes.collect();
        if !wakes.is_empty() {
            let key = sealed.key().await;
            for wake in wakes {
                *wake = believed(key, wake, self.clock.now());
            }
        }
        all
    }
}

fn failure(id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = id;
    failure
}

/// The trigger in a message, or one warning line that says what was wrong.
fn understood(message_id: &str, body: &str) -> Option<Trigger> {
    event::parse(body)
        .inspect_err(|ignored| tracing::warn!(message_id, "{ignored}"))
        .ok()
}

impl HandlerError {
    /// What metric filters see.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Batch(_) => "UnreadableBatch",
            Self::NotHandled(_) => "NotHandled",
        }
    }
}
