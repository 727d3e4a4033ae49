//! Our own messages, in the form of events so that one parser reads everything: `Wake` (the delayed
//! message that stands in for waiting) and `Sweep` (the schedule's constant input).

use super::{Envelope, InstanceAction, Interruption, Trigger};
use crate::clock::{self, Timestamp};
use crate::id::InstanceId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const SOURCE: &str = "spot-rescue";
pub const WAKE: &str = "Wake";
pub const SWEEP: &str = "Sweep";

/// Look again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wake {
    /// The lineage.
    pub instance: InstanceId,
    pub attempt: u32,
    /// The warnings that began it. Describes are eventually consistent: five seconds later the
    /// tombstone may not be visible yet, and the instance would look as if all were well.
    pub interruptions: Vec<Interruption>,
    /// What was seen a minute before, and is to be seen again before it is believed.
    pub confirm: Option<String>,
    /// Instances that AWS has deregistered wherever they were registered, and when they were interrupted.
    pub deregistered: BTreeMap<InstanceId, Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Detail {
    instance_id: InstanceId,
    #[serde(default)]
    attempt: u32,
    #[serde(default)]
    interruptions: Vec<Notice>,
    /// Anything but text says nothing: a wake that is under way while the function is updated must not be
    /// lost.
    #[serde(default)]
    confirm: Value,
    #[serde(default)]
    deregistered: BTreeMap<InstanceId, String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Notice {
    instance_id: InstanceId,
    instance_action: String,
    time: String,
}

pub(super) fn parse_wake(envelope: &Envelope) -> Result<Trigger, String> {
    let Detail {
        instance_id,
        attempt,
        interruptions,
        confirm,
        deregistered,
    } = envelope.detail()?;
    let deregistered = deregistered.into_iter();
    let deregistered = deregistered.filter_map(|(id, at)| Some((id, clock::parse(&at).ok()?)));
    Ok(Trigger::Wake(Wake {
        instance: instance_id,
        attempt,
        interruptions: interruptions.into_iter().filter_map(read).collect(),
        confirm: confirm.as_str().map(str::to_owned),
        deregistered: deregistered.collect(),
    }))
}

/// A notice that is not understood is left out: the tombstone says the same.
fn read(notice: Notice) -> Option<Interruption> {
    Some(Interruption {
        instance: notice.instance_id,
        action: InstanceAction::parse(&notice.instance_action)?,
        at: clock::parse(&notice.time).ok()?,
    })
}

fn written(interruption: &Interruption) -> Notice {
    Notice {
        instance_id: interruption.instance.clone(),
        instance_action: interruption.action.to_string(),
        time: clock::format(interruption.at),
    }
}

/// A sweep has no detail: the scheduler may even send it as the string `"{}"` (TRAP 39).
#[expect(clippy::unnecessary_wraps, reason = "the parsers share one type")]
pub(super) fn parse_sweep(_: &Envelope) -> Result<Trigger, String> {
    Ok(Trigger::Sweep)
}

/// The body of a wake message.
#[must_use]
pub fn wake(wake: &Wake) -> String {
    let Wake {
        instance,
        attempt,
        interruptions,
        confirm,
        deregistered,
    } = wake;
    let interruptions: Vec<Notice> = interruptions.iter().map(written).collect();
    let deregistered = deregistered.iter();
    let deregistered: BTreeMap<_, _> = deregistered
        .map(|(id, at)| (id, clock::format(*at)))
        .collect();
    json!({
        "source": SOURCE,
        "detail-type": WAKE,
        "detail": {
            "instance-id": instance,
            "attempt": attempt,
            "interruptions": interruptions,
            "confirm": confirm,
            "deregistered": deregistered,
        },
    })
    .to_string()
}
