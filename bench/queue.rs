//! The queue in front of the function, and Lambda's event source mapping that empties it.

use crate::function::Function;
use crate::pace::Pace;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Debug, Clone)]
struct Message {
    id: String,
    body: String,
    /// AWS's second.
    visible_at: f64,
    receives: u32,
}

/// A standard queue. Clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct Inbox {
    messages: Arc<Mutex<(u64, Vec<Message>)>>,
    pace: Pace,
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

/// The second at which so many batches can all have begun.
pub fn begun_after(batches: usize) -> f64 {
    ((batches as f64 - AT_FIRST) / MORE_PER_SECOND).max(0.0)
}

impl Inbox {
    pub fn new(pace: Pace) -> Self {
        let messages = Arc::default();
        Self { messages, pace }
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

    /// The oldest visible ones, hidden for a while; none before a batch is full or its window over.
    fn receive(&self, mapping: &Mapping) -> Vec<Message> {
        let now = self.pace.seconds();
        let mut lock = self.lock();
        lock.1.sort_by(|a, b| a.visible_at.total_cmp(&b.visible_at));
        let visible = lock.1.iter().filter(|it| it.visible_at <= now).count();
        let first = lock.1.first().map(|it| it.visible_at);
        let waited = first.is_some_and(|it| it + mapping.window.as_secs_f64() <= now);
        if visible < mapping.batch_size && !waited {
            return Vec::new();
        }
        let hidden = now + mapping.visibility.as_secs_f64();
        let taken = visible.min(mapping.batch_size);
        let batch = lock.1.iter_mut().take(taken).map(|it| {
            it.visible_at = hidden;
            it.receives += 1;
            it.clone()
        });
        batch.collect()
    }

    fn delete(&self, ids: &BTreeSet<String>) {
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
            inbox.receive(&mapping)
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
