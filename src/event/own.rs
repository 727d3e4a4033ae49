//! Our own messages, in the form of events so that one parser reads everything: `Wake` (the delayed
//! message that stands in for waiting) and `Sweep` (the schedule's constant input).

use super::{Envelope, InstanceAction, Interruption, Trigger};
use crate::clock::{self, Timestamp};
use crate::id::InstanceId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub const SOURCE: &str = "spot-rescue";
pub const WAKE: &str = "Wake";
pub const SWEEP: &str = "Sweep";

/// Look again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wake {
    /// The lineage.
    pub instance: InstanceId,
    pub attempt: u32,
    /// Seconds that the wakes before it have waited, one after the other.
    pub waited: u32,
    /// The warnings that began it. Describes are eventually consistent: five seconds later the
    /// tombstone may not be visible yet, and the instance would look as if all were well.
    pub interruptions: Vec<Interruption>,
    /// What was seen a minute before, and is to be seen again before it is believed.
    pub confirm: Option<String>,
    /// Instances that AWS has deregistered wherever they were registered, and when they were interrupted.
    pub deregistered: BTreeMap<InstanceId, Timestamp>,
    /// What launches of this rescue have returned.
    pub launched: BTreeSet<InstanceId>,
    /// Since when one of them is not to be seen.
    pub unseen: Option<Timestamp>,
    pub sent: Option<Timestamp>,
    pub proof: Option<Proof>,
}

/// What is to prove that a message is ours, and the text that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub code: String,
    pub over: String,
}

impl Wake {
    /// To look at this lineage, and nothing else.
    #[must_use]
    pub fn look(instance: InstanceId) -> Self {
        Self {
            instance,
            attempt: 0,
            waited: 0,
            interruptions: Vec::new(),
            confirm: None,
            deregistered: BTreeMap::new(),
            launched: BTreeSet::new(),
            unseen: None,
            sent: None,
            proof: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Detail {
    instance_id: InstanceId,
    #[serde(default)]
    attempt: u32,
    #[serde(default)]
    waited: u32,
    #[serde(default)]
    interruptions: Vec<Notice>,
    /// Anything but text says nothing: a wake that is under way while the function is updated must not be
    /// lost.
    #[serde(default)]
    confirm: Value,
    #[serde(default)]
    deregistered: BTreeMap<InstanceId, String>,
    #[serde(default)]
    launched: BTreeSet<InstanceId>,
    #[serde(default)]
    unseen: Option<String>,
    #[serde(default)]
    sent: Option<String>,
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
        waited,
        interruptions,
        confirm,
        deregistered,
        launched,
        unseen,
        sent,
    } = envelope.detail()?;
    let deregistered = deregistered.into_iter();
    let deregistered = deregistered.filter_map(|(id, at)| Some((id, clock::parse(&at).ok()?)));
    Ok(Trigger::Wake(Wake {
        instance: instance_id,
        attempt,
        waited,
        interruptions: interruptions.into_iter().filter_map(read).collect(),
        confirm: confirm.as_str().map(str::to_owned),
        deregistered: deregistered.collect(),
        launched,
        unseen: unseen.and_then(|it| clock::parse(&it).ok()),
        sent: sent.and_then(|it| clock::parse(&it).ok()),
        proof: envelope.seal.as_deref().map(|code| Proof {
            code: code.to_owned(),
            over: envelope.detail.map_or("", RawValue::get).to_owned(),
        }),
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

/// What a wake says: its seal is made over this very text.
#[must_use]
pub fn text(wake: &Wake) -> String {
    let Wake {
        instance,
        attempt,
        waited,
        interruptions,
        confirm,
        deregistered,
        launched,
        unseen,
        sent,
        proof: _,
    } = wake;
    let interruptions: Vec<Notice> = interruptions.iter().map(written).collect();
    let deregistered = deregistered.iter();
    let deregistered: BTreeMap<_, _> = deregistered
        .map(|(id, at)| (id, clock::format(*at)))
        .collect();
    json!({
        "instance-id": instance,
        "attempt": attempt,
        "waited": waited,
        "interruptions": interruptions,
        "confirm": confirm,
        "deregistered": deregistered,
        "launched": launched,
        "unseen": unseen.map(clock::format),
        "sent": sent.map(clock::format),
    })
    .to_string()
}

/// The body of a wake message.
#[must_use]
pub fn wake(wake: &Wake) -> String {
    let seal = Value::from(wake.proof.as_ref().map(|it| it.code.as_str()));
    let detail = text(wake);
    format!(r#"{{"source":"{SOURCE}","detail-type":"{WAKE}","detail":{detail},"seal":{seal}}}"#)
}
