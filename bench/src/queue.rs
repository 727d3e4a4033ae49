//! The queue in front of the function, and Lambda's event source mapping that empties it.

use crate::function::Function;
use crate::pace::Pace;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Debug, Clone)]
pub struct Message {
    pub id: String,
    pub body: String,
    /// AWS's second.
    visible_at: f64,
    receives: u32,
}

/// A standard queue. Clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct Inbox {
    messages: Arc<Mutex<(u64, Vec<Message>)>>,
    pace: Pace,
    visibility: Duration,
}

/// How the queue is emptied: `template.yaml`'s settings.
#[derive(Debug, Clone, Copy)]
pub struct Mapping {
    pub batch_size: usize,
    pub window: Duration,
    pub concurrency: usize,
    pub visibility: Duration,
    pub timeout: Duration,
}

/// "Lambda scales up to 5 concurrent invocations at first and adds up to 300 per minute":
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
const AT_FIRST: f64 = 5.0;
const MORE_PER_SECOND: f64 = 5.0;

/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
const LONG_POLL: f64 = 20.0;

/// What an invocation handles at most: it takes more from the queue than the mapping gives it.
pub const TOGETHER: usize = 100;

/// The second at which so many invocations can all have begun.
pub fn begun_after(invocations: usize) -> f64 {
    ((invocations as f64 - AT_FIRST) / MORE_PER_SECOND).max(0.0)
}

impl Inbox {
    pub fn new(pace: Pace, visibility: Duration) -> Self {
        let messages = Arc::default();
        Self {
            messages,
            pace,
            visibility,
        }
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Vec<Message>)> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn send(&self, body: String, delay_seconds: u64) -> String {
        let mut lock = self.lock();
        lock.0 += 1;
        let id = format!("00000000-0000-4000-8000-{:012}", lock.0);
        let visible_at = self.pace.seconds() + delay_seconds as f64;
        lock.1.push(Message {
            id: id.clone(),
            body,
            visible_at,
            receives: 0,
        });
        id
    }

    /// What the mapping takes: nothing before a batch is full or its window over, which may take Lambda's
    /// twenty seconds whatever the window says.
    fn poll(&self, mapping: &Mapping) -> Vec<Message> {
        let now = self.pace.seconds();
        let waits = if mapping.window.is_zero() {
            0.0
        } else {
            LONG_POLL
        };
        let (visible, first) = {
            let lock = self.lock();
            let at = lock.1.iter().map(|it| it.visible_at);
            (
                at.clone().filter(|it| *it <= now).count(),
                at.reduce(f64::min),
            )
        };
        if visible < mapping.batch_size && first.is_none_or(|it| it + waits > now) {
            return Vec::new();
        }
        self.receive(mapping.batch_size)
    }

    /// The oldest visible ones, hidden for a while.
    pub fn receive(&self, most: usize) -> Vec<Message> {
        let now = self.pace.seconds();
        let hidden = now + self.visibility.as_secs_f64();
        let mut lock = self.lock();
        lock.1.sort_by(|a, b| a.visible_at.total_cmp(&b.visible_at));
        let visible = lock.1.iter_mut().filter(|it| it.visible_at <= now);
        let batch = visible.take(most).map(|it| {
            it.visible_at = hidden;
            it.receives += 1;
            it.clone()
        });
        batch.collect()
    }

    pub fn delete(&self, ids: &BTreeSet<String>) {
        self.lock().1.retain(|it| !ids.contains(&it.id));
    }
}

/// Invokes until `over` says so. Functions are started when they are first needed.
pub async fn map(
    inbox: Inbox,
    mapping: Mapping,
    start: impl Fn() -> std::io::Result<Function>,
    over: impl Fn() -> bool,
) -> std::io::Result<Vec<Arc<Function>>> {
    let began = inbox.pace.seconds();
    let mut functions: Vec<Arc<Function>> = Vec::new();
    while !over() {
        let idle = functions.iter().find(|it| it.is_idle()).cloned();
        let allowed = AT_FIRST + (inbox.pace.seconds() - began) * MORE_PER_SECOND;
        let busy = functions.iter().filter(|it| !it.is_idle()).count();
        let may_run = (busy as f64) < allowed && busy < mapping.concurrency;
        let batch = if may_run {
            inbox.poll(&mapping)
        } else {
            Vec::new()
        };
        if batch.is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
            continue;
        }
        let function = if let Some(function) = idle {
            function
        } else {
            let new = Arc::new(start()?);
            functions.push(new.clone());
            new
        };
        let reply = function.invoke(event(&batch), mapping.timeout);
        let inbox = inbox.clone();
        tokio::spawn(async move {
            let answer = reply.await.ok();
            inbox.delete(&handled(&batch, answer.as_deref()));
        });
    }
    Ok(functions)
}

fn event(batch: &[Message]) -> String {
    let record = |it: &Message| {
        json!({
            "messageId": it.id, "receiptHandle": "bench", "body": it.body, "md5OfBody": "",
            "attributes": {
                "ApproximateReceiveCount": it.receives.to_string(),
                "SentTimestamp": "1700000000000", "SenderId": "bench",
                "ApproximateFirstReceiveTimestamp": "1700000000000",
            },
            "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "eu-west-1",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:bench",
        })
    };
    json!({ "Records": batch.iter().map(record).collect::<Vec<_>>() }).to_string()
}

/// An SQS event with one message.
pub fn single(body: &str) -> String {
    let message = Message {
        id: "00000000-0000-4000-8000-000000000000".to_owned(),
        body: body.to_owned(),
        visible_at: 0.0,
        receives: 1,
    };
    event(&[message])
}

/// All but those the answer names; none if there was no answer.
fn handled(batch: &[Message], answer: Option<&str>) -> BTreeSet<String> {
    let answer: Option<Value> = answer.and_then(|it| serde_json::from_str(it).ok());
    let Some(answer) = answer else {
        return BTreeSet::new();
    };
    let failures = answer["batchItemFailures"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let failed: BTreeSet<&str> = failures
        .iter()
        .filter_map(|it| it["itemIdentifier"].as_str())
        .collect();
    let ids = batch.iter().map(|it| it.id.clone());
    ids.filter(|it| !failed.contains(it.as_str())).collect()
}
