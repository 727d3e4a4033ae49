//! What is known of a lineage before anything has been read, or when nothing can be.

use crate::clock::Timestamp;
use crate::event::Memory;
use crate::id::InstanceId;
use crate::situation::{Fact, Instance, Rehearsing, Situation};
use crate::tags::Tags;
use std::collections::{BTreeMap, BTreeSet};

/// What the first round trip of a warning knows: the instance alone.
#[must_use]
pub fn brief(instance: Instance, memory: &Memory, defaults: &Tags, now: Timestamp) -> Situation {
    let mut situation = unread(instance.lineage(), memory, defaults, now);
    situation.instances = vec![instance];
    situation
}

/// Nothing has been read.
#[must_use]
pub fn unread(lineage: InstanceId, memory: &Memory, defaults: &Tags, now: Timestamp) -> Situation {
    Situation {
        now,
        lineage,
        notices: memory.interruptions.clone(),
        risks: Vec::new(),
        defaults: defaults.clone(),
        pass: 0,
        suspected: BTreeMap::new(),
        refused: BTreeSet::new(),
        remembered: Tags::new(),
        deregistered: BTreeSet::new(),
        launched: BTreeSet::new(),
        unseen: BTreeMap::new(),
        flagged: memory.flagged.clone(),
        listed: memory.listed.clone(),
        late: false,
        unwritten: memory.unwritten.clone(),
        instances: Vec::new(),
        part_of: None,
        template: Fact::NotRead,
        template_name: None,
        volumes: Fact::NotRead,
        snapshots: Fact::NotRead,
        registrations: Fact::NotRead,
        addresses: Fact::NotRead,
        interfaces: Fact::NotRead,
        images: Fact::NotRead,
        group: Fact::NotRead,
        fleets: Fact::NotRead,
        shapes: Fact::NotRead,
        requests: Fact::NotRead,
        root_tasks: Fact::NotRead,
        lookup: Fact::NotRead,
        locked: Fact::NotRead,
        default_key: Fact::NotRead,
        rehearsing: Rehearsing::default(),
    }
}
