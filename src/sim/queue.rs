//! The queue: events and wakes, delayed, hidden while somebody works on them, dead after too many
//! tries.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>

use super::{State, state::refused};
use crate::clock::Timestamp;
use crate::cloud::CloudError;
use std::collections::BTreeSet;
use time::Duration;

/// SQS delays a message by fifteen minutes at most.
const MOST_DELAY: i64 = 900;

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

impl Queue {
    pub(super) fn next(&self) -> Option<Timestamp> {
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

    /// All that is visible now, in an order of the seed's choosing: a standard queue keeps none.
    pub(super) fn receive(&mut self) -> Vec<Message> {
        let now = self.now;
        let hidden_until = now + Duration::seconds(self.config.visibility_seconds);
        let most = self.config.max_receives;
        let spent = |it: &Message| it.visible_at <= now && it.receives >= most;
        let (dead, alive) = self.queue.messages.drain(..).partition(spent);
        self.queue.messages = alive;
        self.queue.dead.extend::<Vec<Message>>(dead);
        let mut received = Vec::new();
        for message in &mut self.queue.messages {
            if message.visible_at <= now {
                message.receives += 1;
                message.visible_at = hidden_until;
                received.push(message.clone());
            }
        }
        self.rng.shuffle(&mut received);
        received
    }
}
