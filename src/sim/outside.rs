//! Changes from outside: EC2, users, other programs, and time.

use super::agenda::Due;
use super::instances::{BY_SPOT, BY_USER};
use super::pools::pool;
use super::{State, Supply, World};
use crate::clock::{Clock, Timestamp};
use crate::event::{InstanceAction, InstanceState, own};
use crate::id::{InstanceId, SnapshotId, VolumeId};
use crate::seal::{Key, sealed};
use crate::situation::{Market, Target};
use crate::tags::Tags;
use serde_json::json;
use time::Duration;

impl World {
    /// Lets time pass; messages pile up meanwhile.
    pub fn advance(&self, seconds: i64) {
        self.change(|it| it.advance_to(it.now + Duration::seconds(seconds)));
    }

    /// EC2 interrupts a Spot Instance, with a warning: two minutes before, at once for hibernation.
    pub fn interrupt(&self, id: &InstanceId, action: InstanceAction) {
        self.warn(id, action, self.now());
        self.change(|it| it.group_is_warned(id));
        self.interrupt_silently(id, action);
    }

    /// The same, but the warning is never sent: they are "emitted on a best effort basis".
    pub fn interrupt_silently(&self, id: &InstanceId, action: InstanceAction) {
        self.change(|it| it.doom(id, action));
    }

    /// The end of a Capacity Block, which has another warning and says when it ends its instances (TRAP 60).
    pub fn end_block(&self, id: &InstanceId, seconds: i64) {
        self.change(|it| {
            it.emit_block_warning(id, it.now + Duration::seconds(seconds));
            it.doom_in(id, InstanceAction::Terminate, seconds);
        });
    }

    /// EC2 recommends to rebalance; often nothing follows.
    pub fn recommend_rebalance(&self, id: &InstanceId) {
        self.change(|it| it.emit_rebalance(id));
    }

    /// The warning alone: doubled, late, or about something that never happens.
    pub fn warn(&self, id: &InstanceId, action: InstanceAction, at: Timestamp) {
        self.change(|it| it.emit_warning(id, action, at));
    }

    /// EC2 has capacity again: a stopped or hibernated instance comes back by itself.
    pub fn resume(&self, id: &InstanceId) {
        self.change(|it| {
            let stopped = it
                .instances
                .get(id)
                .is_some_and(|it| it.facts.state == InstanceState::Stopped);
            if stopped {
                let new = !it.config.resume_keeps_launch_time;
                it.start(id, new);
            }
        });
    }

    /// The user ends it.
    pub fn terminate(&self, id: &InstanceId) {
        self.change(|it| it.end_from_outside(id, BY_USER));
    }

    /// A stopped instance that never gets its capacity back, or has its request cancelled.
    pub fn give_up(&self, id: &InstanceId) {
        self.change(|it| it.end_from_outside(id, BY_SPOT));
    }

    /// The user stops it.
    pub fn stop(&self, id: &InstanceId) {
        self.change(|it| {
            let runs = it
                .instances
                .get(id)
                .is_some_and(|it| it.facts.state == InstanceState::Running);
            if runs {
                it.stop(id, BY_USER);
            }
        });
    }

    /// The user changes tags.
    pub fn retag(&self, id: &str, tags: &[(&str, &str)]) {
        let tags: Tags = tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        self.change(|it| {
            let now = it.now;
            if let Some(present) = it.tags_of(id) {
                present.change(now, now, |it| it.extend(tags.clone()));
                it.written(&[id.to_owned()], tags.keys());
            }
        });
    }

    /// As if the function itself had marked it.
    ///
    /// # Panics
    ///
    /// If the world has no secret.
    pub fn mark(&self, id: &str, tags: &[(&str, &str)]) {
        let secret = self.look(|it| it.secret.clone()).ok();
        let key = secret.and_then(|it| Key::new(&it)).expect("a secret");
        let tags = tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let sealed = sealed(&key, id, &tags.collect());
        let pairs = sealed
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        self.retag(id, &pairs.collect::<Vec<_>>());
    }

    /// The user, or another tool, takes a snapshot; it counts towards the limits (TRAP 5).
    #[must_use]
    pub fn snapshot(&self, volume: &VolumeId) -> Option<SnapshotId> {
        let made = self.change(|it| it.snapshot_volume(volume, "by hand", &Tags::new()));
        made.ok()?.parse().ok()
    }

    /// The user deletes a free volume.
    pub fn delete_volume(&self, id: &VolumeId) {
        self.change(|it| {
            if it
                .volumes
                .get(id)
                .is_some_and(|it| it.facts.attachments.is_empty())
            {
                it.volumes.remove(id);
            }
        });
    }

    /// The user attaches a free volume to some instance, past all rules.
    pub fn give_away(&self, volume: &VolumeId, to: &InstanceId, device: &str) {
        self.change(|it| {
            it.put(volume, to, device, false, false);
            it.schedule(
                it.config.attach_seconds,
                Due::Attached(volume.clone(), to.clone()),
            );
        });
    }

    /// The user attaches one more volume, which is to go with its instance.
    #[must_use]
    pub fn flagged_volume(&self, to: &InstanceId, device: &str) -> VolumeId {
        self.attach_new(to, device, true)
    }

    /// The user takes a target out.
    pub fn deregister(&self, target: &Target) {
        let group = target.group.clone();
        self.change(|it| it.deregister(&group, std::slice::from_ref(target)).ok());
    }

    /// What a pool has from now on.
    pub fn supply(&self, instance_type: &str, zone: &str, market: Market, supply: Supply) {
        let pool = pool(instance_type, zone, market);
        self.change(|it| it.supplies.insert(pool, supply));
    }

    /// The schedule's message.
    pub fn sweep(&self) {
        let body = json!({ "source": own::SOURCE, "detail-type": own::SWEEP, "detail": {} });
        self.change(|it| it.send(body.to_string(), 0).ok());
    }

    /// Any message at all.
    pub fn message(&self, body: &str) {
        self.change(|it| it.send(body.to_owned(), 0).ok());
    }
}

impl State {
    fn end_from_outside(&mut self, id: &InstanceId, reason: &str) {
        if self.instances.get(id).is_some_and(|it| it.facts.is_alive()) {
            self.shut_down(id, reason);
            if reason == BY_USER {
                self.reopen(id);
            }
        }
    }
}
