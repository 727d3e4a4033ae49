//! The queue, if its policy ever let an attacker in.

use super::Attacker;
use crate::clock::{self, Timestamp};
use crate::event::{InstanceAction, own};
use crate::id::InstanceId;
use serde_json::{Value, json};

impl Attacker {
    /// Any text at all.
    pub fn send(&self, body: &str) {
        self.world.message(body);
    }

    /// A message that was in the queue once, as it was.
    pub fn send_again(&self, body: &str) {
        self.world.message(body);
    }

    /// A wake with every memory there is, without a seal or with that of another wake.
    pub fn forge_wake(&self, of: &InstanceId, confirm: &str, at: Timestamp, seal: Option<&str>) {
        let at = clock::format(at);
        let detail = json!({
            "instance-id": of,
            "attempt": 39,
            "interruptions": [],
            "suspected": { confirm: "2020-01-01T00:00:00Z" },
            "deregistered": { of.as_str(): at },
            "unseen": { of.as_str(): at },
            "launched": { of.as_str(): "token" },
            "unwritten": { "spot-rescue:head": of },
            "sent": at,
        });
        let body = json!({
            "source": own::SOURCE,
            "detail-type": own::WAKE,
            "detail": detail,
            "seal": seal.map_or(Value::Null, Value::from),
        });
        self.world.message(&body.to_string());
    }

    /// EC2's own warning, which it never sent, or sent long ago.
    pub fn forge_warning(&self, of: &InstanceId, action: InstanceAction, at: Timestamp) {
        self.world.warn(of, action, at);
    }
}
