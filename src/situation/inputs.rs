//! What an invocation knows by itself about one lineage: what led to it, and what this look and those before it have learnt.

use super::Rehearsing;
use crate::clock::Timestamp;
use crate::event::{Interruption, Memory, Risk};
use crate::id::InstanceId;
use crate::tags::Tags;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inputs {
    /// The warnings that led to this look, if any.
    pub notices: Vec<Interruption>,
    /// The risks that led to this look, if any.
    pub risks: Vec<Risk>,
    /// The stack's policy defaults.
    pub defaults: Tags,
    /// How many looks this invocation has made before.
    pub pass: u32,
    /// Suspicions, which count only after a minute, and since when each was seen.
    pub suspected: BTreeMap<String, Timestamp>,
    /// Steps that AWS has refused for good in this invocation, by id: another way is tried.
    pub refused: BTreeSet<String>,
    /// What this invocation wrote into the record when launches failed: reads show it only later.
    pub unread_writes: Tags,
    /// Instances that launches of this rescue have returned.
    pub launched: BTreeSet<InstanceId>,
    /// Tokens of launches with an instance that is not visible, and since when.
    pub unseen: BTreeMap<String, Timestamp>,
    /// Volumes and interfaces with `DeleteOnTermination` when their instance was warned.
    pub flagged: BTreeSet<String>,
    /// Record tags that AWS has not accepted so far.
    pub unwritten: Tags,
    /// Instances for which every target group has been asked since their warning.
    pub listed: BTreeSet<InstanceId>,
    /// Three looks have passed since the warning: what they could not read is not waited for.
    pub late: bool,
    pub rehearsing: Rehearsing,
}

impl Inputs {
    /// What the looks before this one have handed on.
    #[must_use]
    pub fn of(memory: &Memory) -> Self {
        Self {
            notices: memory.interruptions.clone(),
            suspected: memory.suspected.clone(),
            launched: memory.launched.keys().cloned().collect(),
            unseen: memory.unseen_tokens(),
            flagged: memory.flagged.clone(),
            unwritten: memory.unwritten.clone(),
            listed: memory.listed.clone(),
            ..Self::default()
        }
    }
}
