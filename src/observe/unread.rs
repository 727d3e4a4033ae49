//! What is known of a lineage before anything has been read, or when nothing can be.

use crate::clock::Timestamp;
use crate::event::Memory;
use crate::id::InstanceId;
use crate::situation::{Facts, Inputs, Instance, Situation};
use crate::tags::Tags;

/// What the first round trip of a warning knows: the instance alone.
#[must_use]
pub fn of_instance(
    instance: Instance,
    memory: &Memory,
    defaults: &Tags,
    now: Timestamp,
) -> Situation {
    let mut situation = unread(instance.lineage(), memory, defaults, now);
    situation.facts.instances = vec![instance];
    situation
}

/// Nothing has been read.
#[must_use]
pub fn unread(lineage: InstanceId, memory: &Memory, defaults: &Tags, now: Timestamp) -> Situation {
    Situation {
        lineage,
        now,
        inputs: Inputs {
            notices: memory.interruptions.clone(),
            defaults: defaults.clone(),
            flagged: memory.flagged.clone(),
            unwritten: memory.unwritten.clone(),
            listed: memory.listed.clone(),
            ..Inputs::default()
        },
        facts: Facts::default(),
    }
}
