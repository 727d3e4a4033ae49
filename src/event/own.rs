//! Our own messages, in the form of events so that one parser reads everything: `Wake` (the delayed
//! message that stands in for waiting) and `Sweep` (the schedule's constant input).

use super::{Envelope, Trigger};
use crate::id::InstanceId;
use serde::Deserialize;
use serde_json::json;

pub const SOURCE: &str = "spot-rescue";
pub const WAKE: &str = "Wake";
pub const SWEEP: &str = "Sweep";

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Detail {
    instance_id: InstanceId,
    #[serde(default)]
    attempt: u32,
}

pub(super) fn parse_wake(envelope: &Envelope) -> Result<Trigger, String> {
    let Detail {
        instance_id,
        attempt,
    } = envelope.detail()?;
    Ok(Trigger::Wake {
        instance: instance_id,
        attempt,
    })
}

/// A sweep has no detail: the scheduler may even send it as the string `"{}"` (TRAP 39).
#[expect(clippy::unnecessary_wraps, reason = "the parsers share one type")]
pub(super) fn parse_sweep(_: &Envelope) -> Result<Trigger, String> {
    Ok(Trigger::Sweep)
}

/// The body of a wake message.
#[must_use]
pub fn wake(instance: &InstanceId, attempt: u32) -> String {
    json!({
        "source": SOURCE,
        "detail-type": WAKE,
        "detail": { "instance-id": instance, "attempt": attempt },
    })
    .to_string()
}
