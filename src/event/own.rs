//! Our own messages, in the form of events so that one parser reads everything: `Wake` (the delayed
//! message that stands in for waiting) and `Sweep` (the schedule's constant input).

use super::sets::Sets;
use super::tombstone::{FirstLook, interruption_from};
use super::{Envelope, InstanceAction, Interruption, Trigger};
use crate::clock::{self, Timestamp};
use crate::id::{InstanceId, VolumeId};
use crate::tags::{self, Tags};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

pub const SOURCE: &str = "spot-rescue";
pub const WAKE: &str = "Wake";
pub const SWEEP: &str = "Sweep";

/// Look again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wake {
    /// The lineage.
    pub instance: InstanceId,
    pub attempt: u32,
    /// Seconds that the wakes of this chain have waited so far.
    pub waited: u32,
    pub memory: Memory,
    pub sent: Option<Timestamp>,
    pub proof: Option<Proof>,
}

/// What one look hands to the next: what AWS does not show yet, or does not accept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    /// The warnings that started the rescue. Describes are eventually consistent: five seconds later the tombstone
    /// may not be visible yet, and the instance would look as if all were well.
    pub interruptions: Vec<Interruption>,
    /// Suspicions, which count only after a minute, and since when each was seen.
    pub suspected: BTreeMap<String, Timestamp>,
    /// Instances that AWS has deregistered from all their target groups, and when they were interrupted.
    pub deregistered: BTreeMap<InstanceId, Timestamp>,
    /// Instances that launches of this rescue have returned, and the token of each launch.
    pub launched: BTreeMap<InstanceId, String>,
    /// Those of them that are not visible, and since when.
    pub unseen: BTreeMap<InstanceId, Timestamp>,
    /// Volumes and interfaces with `DeleteOnTermination` at the warning: the flags seen since then are ours.
    pub flagged: BTreeSet<String>,
    /// Instances for which every target group has been asked since their warning.
    pub listed: BTreeSet<InstanceId>,
    /// Record tags that AWS did not accept.
    pub unwritten: Tags,
    /// What is known of snapshots where they cannot be listed.
    pub sets: Sets,
    /// What the last look saw, if it found nothing to do but to wait for instances.
    pub glance: Option<Glance>,
    /// This lineage's rescue is to be rehearsed by this look.
    pub rehearses: bool,
    /// When AWS last had too many tags to write.
    pub scarce: Option<Timestamp>,
}

/// State of instances and volumes: as long as it is unchanged, everything else is taken as unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// When everything was last read.
    pub at: Timestamp,
    /// The state of each instance, in a short word.
    pub seen: BTreeMap<InstanceId, String>,
    /// The state of the volumes that are to be released.
    pub held: BTreeMap<VolumeId, String>,
}

impl Memory {
    /// Tokens of launches that have returned an instance that is not visible.
    #[must_use]
    pub fn unseen_tokens(&self) -> BTreeMap<String, Timestamp> {
        let unseen = self.unseen.iter();
        unseen
            .filter_map(|(id, since)| Some((self.launched.get(id)?.clone(), *since)))
            .collect()
    }

    /// Values that the record has by now, from whichever invocation, and values meant for another head than the
    /// record names, are no longer to be written.
    pub fn settle(&mut self, record: &Tags) {
        let unwritten = &mut self.unwritten;
        let taken = unwritten.get(tags::INTERRUPTED_AT);
        let taken = taken.and_then(|it| it.split(' ').next());
        let of = unwritten.get(tags::HEAD).map(String::as_str).or(taken);
        let head = record.get(tags::HEAD).map(String::as_str);
        if of.is_some() && head.is_some() && of != head {
            unwritten.clear();
        }
        unwritten.retain(|key, value| !record.get(key).is_some_and(|it| says(it, key, value)));
        if { unwritten.keys() }.all(|it| it == tags::HEAD) {
            unwritten.clear();
        }
    }

    /// Merges what another message remembers. What only one of them saw does not count for both.
    pub fn merge(&mut self, other: &Self) {
        self.interruptions
            .extend(other.interruptions.iter().cloned());
        self.suspected.extend(other.suspected.clone());
        self.deregistered.extend(other.deregistered.clone());
        self.launched.extend(other.launched.clone());
        self.unseen.extend(other.unseen.clone());
        self.flagged.extend(other.flagged.clone());
        self.listed.extend(other.listed.clone());
        self.unwritten.extend(other.unwritten.clone());
        self.sets.merge(&other.sets);
        self.glance = None;
        self.rehearses |= other.rehearses;
        self.scarce = self.scarce.max(other.scarce);
    }
}

/// The record says the same, or tells more of the same interruption.
fn says(recorded: &str, key: &str, wanted: &str) -> bool {
    let same =
        || interruption_from(recorded).is_some_and(|it| Some(it) == interruption_from(wanted));
    let more = || FirstLook::of(recorded) >= FirstLook::of(wanted);
    recorded == wanted || (key == tags::INTERRUPTED_AT && same() && more())
}

/// The seal of a message, and the text that was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub code: String,
    pub over: String,
}

impl Wake {
    /// A wake for this lineage without a memory.
    #[must_use]
    pub fn look(instance: InstanceId) -> Self {
        Self {
            instance,
            attempt: 0,
            waited: 0,
            memory: Memory::default(),
            sent: None,
            proof: None,
        }
    }
}

/// Parts that are not understood are ignored: a wake that is under way during an update of the function must not be
/// lost.
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
    #[serde(default)]
    suspected: Value,
    #[serde(default)]
    deregistered: Value,
    #[serde(default)]
    launched: Value,
    #[serde(default)]
    unseen: Value,
    #[serde(default)]
    flagged: Value,
    #[serde(default)]
    listed: Value,
    #[serde(default)]
    unwritten: Value,
    #[serde(default)]
    taken: Value,
    #[serde(default)]
    unlisted: Value,
    #[serde(default)]
    seen: Value,
    #[serde(default)]
    held: Value,
    #[serde(default)]
    rehearses: Value,
    #[serde(default)]
    scarce: Option<String>,
    #[serde(default)]
    read: Option<String>,
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
    let detail: Detail = envelope.detail()?;
    let memory = Memory {
        interruptions: detail.interruptions.into_iter().filter_map(read).collect(),
        suspected: times(&detail.suspected),
        deregistered: times(&detail.deregistered),
        launched: words(&detail.launched),
        unseen: times(&detail.unseen),
        flagged: list(&detail.flagged),
        listed: ids(&detail.listed),
        unwritten: words(&detail.unwritten),
        sets: Sets::read(&detail.taken, &detail.unlisted),
        glance: glance(detail.read.as_deref(), &detail.seen, &detail.held),
        rehearses: detail.rehearses == Value::Bool(true),
        scarce: { detail.scarce.as_deref() }.and_then(|it| clock::parse(it).ok()),
    };
    Ok(Trigger::Wake(Wake {
        instance: detail.instance_id,
        attempt: detail.attempt,
        waited: detail.waited,
        memory,
        sent: detail.sent.and_then(|it| clock::parse(&it).ok()),
        proof: envelope.seal.as_deref().map(|code| Proof {
            code: code.to_owned(),
            over: envelope.detail.map_or("", RawValue::get).to_owned(),
        }),
    }))
}

fn glance(read: Option<&str>, seen: &Value, held: &Value) -> Option<Glance> {
    Some(Glance {
        at: clock::parse(read?).ok()?,
        seen: words(seen),
        held: words(held),
    })
}

fn ids(value: &Value) -> BTreeSet<InstanceId> {
    let all = list(value).into_iter();
    all.filter_map(|it| it.parse().ok()).collect()
}

fn list(value: &Value) -> BTreeSet<String> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A map of names to texts.
fn words<K: FromStr + Ord>(value: &Value) -> BTreeMap<K, String> {
    let entries = value.as_object().into_iter().flatten();
    let entry =
        |(key, value): (&String, &Value)| Some((key.parse().ok()?, value.as_str()?.to_owned()));
    entries.filter_map(entry).collect()
}

/// A map of names to times.
fn times<K: FromStr + Ord>(value: &Value) -> BTreeMap<K, Timestamp> {
    let entries = words(value).into_iter();
    entries
        .filter_map(|(key, text)| Some((key, clock::parse(&text).ok()?)))
        .collect()
}

fn written_times<K: ToString>(times: &BTreeMap<K, Timestamp>) -> BTreeMap<String, String> {
    let entries = times.iter();
    entries
        .map(|(key, at)| (key.to_string(), clock::format(*at)))
        .collect()
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

/// The text of a wake that its seal is made over.
#[must_use]
pub fn text(wake: &Wake) -> String {
    let Wake {
        instance,
        attempt,
        waited,
        memory,
        sent,
        proof: _,
    } = wake;
    let interruptions: Vec<Notice> = memory.interruptions.iter().map(written).collect();
    let glance = memory.glance.as_ref();
    json!({
        "instance-id": instance,
        "attempt": attempt,
        "waited": waited,
        "interruptions": interruptions,
        "suspected": written_times(&memory.suspected),
        "deregistered": written_times(&memory.deregistered),
        "launched": memory.launched,
        "unseen": written_times(&memory.unseen),
        "flagged": memory.flagged,
        "listed": memory.listed,
        "unwritten": memory.unwritten,
        "taken": memory.sets.taken,
        "unlisted": memory.sets.unlisted,
        "seen": glance.map(|it| &it.seen),
        "held": glance.map(|it| &it.held),
        "read": glance.map(|it| clock::format(it.at)),
        "rehearses": memory.rehearses.then_some(true),
        "scarce": memory.scarce.map(clock::format),
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
