//! Wire JSON -> [`Trigger`], or why the event is ignored.
//!
//! Only this module knows what events look like on the wire. The key is the pair (source,
//! detail-type), as in `EventBridge` itself; each pair has one file, one parser and real samples in
//! `events/`. `resources` is never read: in Spot warnings its ARN carries the Availability Zone
//! where other ARNs have the Region, in others it is a bare string (TRAP 1, TRAP 39).
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ec2.html>

pub mod interruption;
pub mod own;
pub mod risk;
pub mod scaling;
pub mod sets;
pub mod snapshot;
pub mod state_change;
pub mod tombstone;

pub use interruption::NOTICE;
pub use own::{Glance, Memory, Proof, Wake};
pub use risk::Risk;
pub use sets::Sets;

use crate::clock::{self, Timestamp};
use crate::id::{InstanceId, SnapshotId};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A hint that something may have to be done. The world is re-read before anything is.
#[expect(
    clippy::large_enum_variant,
    reason = "a batch holds a hundred at most, and most of them are wakes"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// EC2 is about to take the instance.
    Interruption(Interruption),
    /// The instance has entered another state.
    StateChange {
        instance: InstanceId,
        state: InstanceState,
    },
    /// Instances that may be taken soon, or have a date on which they will be changed.
    AtRisk { risks: Vec<Risk> },
    /// An Auto Scaling group has launched it.
    Launched { instance: InstanceId },
    /// Snapshots completed or failed; only their ids are known.
    Snapshots { snapshots: Vec<SnapshotId> },
    /// Look again: our own delayed message.
    Wake(Wake),
    /// The schedule: finish whatever is unfinished.
    Sweep,
}

/// An interruption of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interruption {
    pub instance: InstanceId,
    pub action: InstanceAction,
    /// The event's own time, not the time we saw it: the two minutes count from here. For warnings that come earlier,
    /// two minutes before the end that they name, which is still to come.
    pub at: Timestamp,
}

impl Interruption {
    /// Begun by the function itself: EC2 sends no warning of it.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.action == InstanceAction::Return
    }
}

/// The two minutes are not over.
#[must_use]
pub fn is_recent(interrupted: Timestamp, now: Timestamp) -> bool {
    now - interrupted < time::Duration::seconds(120)
}

/// What EC2 is going to do to the instance.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/interruption-behavior.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InstanceAction {
    /// Not EC2's but our own: an On-Demand stand-in gives way to Spot. No event announces it.
    Return,
    Terminate,
    Stop,
    Hibernate,
}

/// The states of an instance.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InstanceState {
    Pending,
    Running,
    Stopping,
    Stopped,
    ShuttingDown,
    Terminated,
}

/// An event that leads to nothing: acknowledged, with one line that says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// The message is not what it claims to be.
    #[error("malformed event ignored: {0}")]
    Malformed(String),
    /// A well-formed event of a kind that is not read here.
    #[error("event ignored: no parser for detail-type {detail_type:?} from {source_name:?}")]
    Unknown {
        source_name: String,
        detail_type: String,
    },
}

/// The part of an `EventBridge` event every parser needs.
#[derive(Debug, Deserialize)]
pub struct Envelope<'a> {
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow, rename = "detail-type")]
    detail_type: Cow<'a, str>,
    time: Option<String>,
    /// Its shape is each parser's own.
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
    /// Present on our own messages.
    #[serde(default, borrow)]
    seal: Option<Cow<'a, str>>,
}

type Parser = fn(&Envelope) -> Result<Trigger, String>;

/// Every event this function reads.
pub const PARSERS: &[(&str, &str, Parser)] = &[
    (
        interruption::SOURCE,
        interruption::SPOT,
        interruption::parse,
    ),
    (
        interruption::SOURCE,
        interruption::CAPACITY_RESERVATION,
        interruption::parse,
    ),
    (
        state_change::SOURCE,
        state_change::DETAIL_TYPE,
        state_change::parse,
    ),
    (risk::SOURCE, risk::REBALANCE, risk::parse_rebalance),
    (risk::HEALTH_SOURCE, risk::HEALTH, risk::parse_health),
    (scaling::SOURCE, scaling::LAUNCHED, scaling::parse),
    (scaling::SOURCE, scaling::LAUNCH_HOOK, scaling::parse),
    (snapshot::SOURCE, snapshot::SINGLE, snapshot::parse_single),
    (
        snapshot::SOURCE,
        snapshot::MULTI_VOLUME,
        snapshot::parse_multi_volume,
    ),
    (own::SOURCE, own::WAKE, own::parse_wake),
    (own::SOURCE, own::SWEEP, own::parse_sweep),
];

/// Reads one event, raw or wrapped once by SNS.
pub fn parse(json: &str) -> Result<Trigger, Ignored> {
    // Nearly all are events as they stand: read once, and only what is needed.
    if let Ok(envelope) = serde_json::from_str(json) {
        return read(&envelope);
    }
    let value = serde_json::from_str(json).map_err(|error| malformed("not JSON", &error))?;
    let wrapped = unwrap_sns(&value)?;
    let (what, event) = wrapped.map_or(("not an event", json), |message| {
        ("SNS Message is not an event", message)
    });
    let envelope = serde_json::from_str(event).map_err(|error| malformed(what, &error))?;
    read(&envelope)
}

fn read(envelope: &Envelope) -> Result<Trigger, Ignored> {
    let known = |&&(source, detail_type, _): &&(&str, &str, Parser)| {
        source == envelope.source && detail_type == envelope.detail_type
    };
    let Some((_, detail_type, parser)) = PARSERS.iter().find(known) else {
        return Err(Ignored::Unknown {
            source_name: excerpt(&envelope.source),
            detail_type: excerpt(&envelope.detail_type),
        });
    };
    parser(envelope).map_err(|what| Ignored::Malformed(format!("{detail_type}: {what}")))
}

/// SNS without raw message delivery puts the event into `Message`, as a string.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>
fn unwrap_sns(value: &Value) -> Result<Option<&str>, Ignored> {
    if value.get("Type").and_then(Value::as_str) != Some("Notification") {
        return Ok(None);
    }
    let message = value.get("Message").and_then(Value::as_str);
    let missing = || Ignored::Malformed("an SNS notification without a Message".to_owned());
    message.ok_or_else(missing).map(Some)
}

fn malformed(what: &str, error: &serde_json::Error) -> Ignored {
    Ignored::Malformed(format!("{what}: {}", excerpt(&error.to_string())))
}

/// Text from outside is cut in log lines: a message may have a megabyte.
fn excerpt(text: &str) -> String {
    text.chars().take(160).collect()
}

impl<'a> Envelope<'a> {
    /// When it happened. Without it neither deadline nor age is known, so it is required.
    fn time(&self) -> Result<Timestamp, String> {
        let text = self.time.as_deref().ok_or("time is missing")?;
        clock::parse(text).map_err(|error| format!("time {:?}: {error}", excerpt(text)))
    }

    /// The detail in the shape a parser expects.
    fn detail<T: Deserialize<'a>>(&self) -> Result<T, String> {
        serde_json::from_str(self.detail.map_or("null", RawValue::get))
            .map_err(|error| format!("detail: {}", excerpt(&error.to_string())))
    }
}

impl InstanceAction {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Return => "return",
            Self::Terminate => "terminate",
            Self::Stop => "stop",
            Self::Hibernate => "hibernate",
        }
    }

    /// What EC2 says.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Terminate, Self::Stop, Self::Hibernate]
            .into_iter()
            .find(|it| it.as_str() == text)
    }

    /// What we wrote down.
    #[must_use]
    pub fn recorded(text: &str) -> Option<Self> {
        Self::parse(text).or_else(|| (text == Self::Return.as_str()).then_some(Self::Return))
    }

    /// The instance will be no more.
    #[must_use]
    pub fn ends(self) -> bool {
        matches!(self, Self::Return | Self::Terminate)
    }
}

impl InstanceState {
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Running,
        Self::Stopping,
        Self::Stopped,
        Self::ShuttingDown,
        Self::Terminated,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

impl fmt::Display for InstanceAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for InstanceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
