//! An interrupted instance holds its volumes until it has ended: events before that call for no look.

use super::glance::YOUNG;
use crate::clock::Timestamp;
use crate::event::{InstanceState, Trigger};
use crate::record::interruption_from;
use crate::situation::Instance;
use crate::tags;

/// It shuts down, as its warning said: that releases no volume. A rescue has wakes of its own, and another event
/// comes when the instance has ended.
pub fn leads_nowhere(instance: &Instance, trigger: &Trigger, now: Timestamp) -> bool {
    let Trigger::StateChange { state, .. } = trigger else {
        return false;
    };
    match state {
        InstanceState::ShuttingDown => still_holds(instance, now),
        InstanceState::Pending
        | InstanceState::Running
        | InstanceState::Stopping
        | InstanceState::Stopped
        | InstanceState::Terminated => false,
    }
}

/// EC2 is interrupting it, and has not ended it yet.
pub fn still_holds(instance: &Instance, now: Timestamp) -> bool {
    let tombstone = instance.tags.get(tags::INTERRUPTED_AT);
    let warned = tombstone.and_then(|it| interruption_from(it));
    let ends = warned.is_some_and(|it| {
        let fresh = now - it.at < YOUNG;
        it.instance == instance.id && it.action.ends() && !it.is_ours() && fresh
    });
    ends && instance.state != InstanceState::Terminated
}
