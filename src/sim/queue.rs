//! The queue: events and wakes, delayed, hidden while an invocation works on them, dead after too many tries.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>

use super::{State, error::refused};
use crate::clock::Timestamp;
use crate::cloud::{self, CloudError};
use crate::event::{Wake, own};
use std::collections::BTreeSet;
use time::Duration;

/// SQS delays a message by fifteen minutes at most.
const MOST_DELAY: i64 = 900;
/// And hands out so many in one call.
const MOST_RECEIVED: u64 = 10;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    pub body: String,
    pub visible_at: Timestamp,
    pub receives: u32,
}

#[derive(Debug, Clone, Default)]
pub struct Queue {
    pub messages: Vec<Message>,
    pub dead: Vec<Message>,
    pub sent: u64,
}

impl Message {
    /// Good until it is received again.
    fn receipt(&self) -> String {
        format!("{}@{}", self.id, self.receives)
    }
}

impl Queue {
    fn oldest(&self) -> Option<Timestamp> {
        self.messages.iter().map(|it| it.visible_at).min()
    }

    /// Done with these.
    pub(super) fn delete(&mut self, ids: &BTreeSet<String>) {
        self.messages.retain(|it| !ids.contains(&it.id));
    }
}

impl State {
    pub(super) fn send(&mut self, body: String, delay: i64) -> Result<String, CloudError> {
        if !(0..=MOST_DELAY).contains(&delay) {
            return Err(refused(
                "SendMessage",
                "InvalidParameterValue",
                "DelaySeconds",
            ));
        }
        self.queue.sent += 1;
        let id = format!("message-{}", self.queue.sent);
        self.queue.messages.push(Message {
            id: id.clone(),
            body,
            visible_at: self.now + Duration::seconds(delay),
            receives: 0,
        });
        Ok(id)
    }

    /// Up to ten in one call.
    pub(super) fn send_together(&mut self, wakes: &[(Wake, u16)]) -> Result<String, CloudError> {
        if wakes.is_empty() || wakes.len() as u64 > MOST_RECEIVED {
            let code = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest";
            return Err(refused("SendMessage", code, "Entries"));
        }
        let sent = wakes.iter();
        let sent = sent.map(|(it, delay)| self.send(own::wake(it), i64::from(*delay)));
        let ids: Result<Vec<String>, CloudError> = sent.collect();
        Ok(ids?.join(" "))
    }

    /// When the mapping takes the next message at the latest.
    pub(super) fn next_message(&self) -> Option<Timestamp> {
        Some(self.queue.oldest()? + Duration::seconds(self.config.fills_for_seconds))
    }

    /// What the mapping takes: so many of those visible now.
    pub(super) fn poll(&mut self, most: usize) -> Vec<Message> {
        let visible = |it: &&Message| it.visible_at <= self.now;
        let visible = self.queue.messages.iter().filter(visible).count();
        let waits = self.next_message().is_none_or(|it| it > self.now);
        if waits && visible < self.config.batch {
            return Vec::new();
        }
        self.receive(most)
    }

    /// What the function takes by itself: short polling asks a part of SQS's servers.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html>
    pub(super) fn poll_shortly(&mut self) -> Vec<cloud::Message> {
        let most = self.rng.below(MOST_RECEIVED + 1);
        let received = self
            .receive(usize::try_from(most).unwrap_or_default())
            .into_iter()
            .map(|it| cloud::Message {
                receipt: it.receipt(),
                id: it.id,
                body: it.body,
            });
        received.collect()
    }

    pub(super) fn delete_received(&mut self, receipts: &[String]) -> Result<(), CloudError> {
        if receipts.is_empty() || receipts.len() as u64 > MOST_RECEIVED {
            let code = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest";
            return Err(refused("DeleteMessageBatch", code, "Entries"));
        }
        let messages = &mut self.queue.messages;
        messages.retain(|it| !receipts.contains(&it.receipt()));
        Ok(())
    }

    /// In an order of the seed's choosing: a standard queue keeps none.
    pub(super) fn receive(&mut self, most: usize) -> Vec<Message> {
        let now = self.now;
        let hidden_until = now + Duration::seconds(self.config.visibility_seconds);
        let receives = self.config.max_receives;
        let spent = |it: &Message| it.visible_at <= now && it.receives >= receives;
        let (dead, alive) = self.queue.messages.drain(..).partition(spent);
        self.queue.messages = alive;
        self.queue.dead.extend::<Vec<Message>>(dead);
        let messages = self.queue.messages.iter_mut();
        let mut visible: Vec<_> = messages.filter(|it| it.visible_at <= now).collect();
        self.rng.shuffle(&mut visible);
        let taken = visible.into_iter().take(most).map(|it| {
            it.receives += 1;
            it.visible_at = hidden_until;
            it.clone()
        });
        taken.collect()
    }
}
