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
    /// Seconds that the wakes before it have waited, one after the other.
    pub waited: u32,
    pub memory: Memory,
    pub sent: Option<Timestamp>,
    pub proof: Option<Proof>,
}

/// What one look hands to the next: what AWS does not show yet, or will not take.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    /// The warnings that began it. Describes are eventually consistent: five seconds later the
    /// tombstone may not be visible yet, and the instance would look as if all were well.
    pub interruptions: Vec<Interruption>,
    /// What is not believed until it has been so for a minute, and since when it is.
    pub suspected: BTreeMap<String, Timestamp>,
    /// Instances that AWS has deregistered wherever they were registered, and when they were interrupted.
    pub deregistered: BTreeMap<InstanceId, Timestamp>,
    /// What launches of this rescue have returned, and by which token.
    pub launched: BTreeMap<InstanceId, String>,
    /// Since when some of them are not to be seen.
    pub unseen: BTreeMap<InstanceId, Timestamp>,
    /// Volumes and interfaces that were to go with their instance when it was warned: since then the flags are ours.
    pub flagged: BTreeSet<String>,
    /// Instances for which every target group has been asked since their warning.
    pub listed: BTreeSet<InstanceId>,
    /// What the record was to say, and AWS would not take.
    pub unwritten: Tags,
    /// What is known of snapshots where they cannot be listed.
    pub sets: Sets,
    /// The last look found nothing to do but to wait for instances.
    pub glance: Option<Glance>,
    /// It is its turn to ask what a warning would be refused.
    pub rehearses: bool,
}

/// What instances and volumes looked like: while they do, everything else is as it was, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// When everything was read.
    pub at: Timestamp,
    /// A short word for what matters of each.
    pub seen: BTreeMap<InstanceId, String>,
    /// Of the volumes that are to be released.
    pub held: BTreeMap<VolumeId, String>,
}

impl Memory {
    /// Tokens of launches that have returned what is not to be seen.
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

    /// Together with what another message remembers. What one of them saw alone does not count for both.
    pub fn learn(&mut self, other: &Self) {
        self.interruptions
            .extend(other.interruptions.iter().cloned());
        self.suspected.extend(other.suspected.clone());
        self.deregistered.extend(other.deregistered.clone());
        self.launched.extend(other.launched.clone());
        self.unseen.extend(other.unseen.clone());
        self.flagged.extend(other.flagged.clone());
        self.listed.extend(other.listed.clone());
        self.unwritten.extend(other.unwritten.clone());
        self.sets.learn(&other.sets);
        self.glance = None;
        self.rehearses |= other.rehearses;
    }
}

/// The record says the same, or of an interruption more.
fn says(recorded: &str, key: &str, wanted: &str) -> bool {
    let same =
        || interruption_from(recorded).is_some_and(|it| Some(it) == interruption_from(wanted));
    let more = || FirstLook::of(recorded) >= FirstLook::of(wanted);
    recorded == wanted || (key == tags::INTERRUPTED_AT && same() && more())
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
            memory: Memory::default(),
            sent: None,
            proof: None,
        }
    }
}

/// What is not understood says nothing: a wake that is under way while the function is updated must not be lost.
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

/// By name, each a text.
fn words<K: FromStr + Ord>(value: &Value) -> BTreeMap<K, String> {
    let entries = value.as_object().into_iter().flatten();
    let entry =
        |(key, value): (&String, &Value)| Some((key.parse().ok()?, value.as_str()?.to_owned()));
    entries.filter_map(entry).collect()
}

/// By name, each a moment.
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

/// What a wake says: its seal is made over this very text.
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
