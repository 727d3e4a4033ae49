//! Foreseen events: EC2's rebalance recommendation, and AWS Health's date for a change.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html>: "an elevated
//!   risk of interruption"; often nothing follows, and it may come together with the warning.
//! - <https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html>: the date is
//!   of RFC 1123, not of RFC 3339; it is sent again with every update, and once more when it is over.

use super::{Envelope, Trigger};
use crate::clock::{self, Timestamp};
use crate::id::InstanceId;
use serde::Deserialize;

pub const SOURCE: &str = "aws.ec2";
pub const REBALANCE: &str = "EC2 Instance Rebalance Recommendation";
pub const HEALTH_SOURCE: &str = "aws.health";
pub const HEALTH: &str = "AWS Health Event";

/// An instance that may be interrupted, or will be changed on a known day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Risk {
    pub instance: InstanceId,
    /// The event's own time.
    pub at: Timestamp,
    /// When it begins, if AWS has named a date.
    pub due: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Rebalance {
    instance_id: InstanceId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    service: String,
    event_type_category: String,
    start_time: Option<String>,
    status_code: Option<String>,
    #[serde(default)]
    affected_entities: Vec<Entity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entity {
    entity_value: String,
    status: Option<String>,
}

/// AWS Health's status of an event that is over, and of an entity that is no longer affected.
const CLOSED: &str = "closed";
const RESOLVED: &str = "RESOLVED";

pub(super) fn parse_rebalance(envelope: &Envelope) -> Result<Trigger, String> {
    let Rebalance { instance_id } = envelope.detail()?;
    let risk = Risk {
        instance: instance_id,
        at: envelope.time()?,
        due: None,
    };
    Ok(Trigger::AtRisk { risks: vec![risk] })
}

/// Entities may be volumes, subnets and others: only instances count, and not those already resolved.
pub(super) fn parse_health(envelope: &Envelope) -> Result<Trigger, String> {
    let Health {
        service,
        event_type_category,
        start_time,
        status_code,
        affected_entities,
    } = envelope.detail()?;
    if service != "EC2" || event_type_category != "scheduledChange" {
        let what = format!("{service} {event_type_category}");
        return Err(format!(
            "{:?} is no scheduled change of EC2's",
            super::excerpt(&what)
        ));
    }
    if status_code.as_deref() == Some(CLOSED) {
        return Err("is over: AWS has closed it".to_owned());
    }
    let at = envelope.time()?;
    // A date that cannot be read must not hide the rest of the event.
    let due = start_time.and_then(|it| clock::parse_rfc1123(&it));
    let entities = { affected_entities.iter() }.filter(|it| it.status.as_deref() != Some(RESOLVED));
    let instances = entities.filter_map(|it| it.entity_value.parse().ok());
    let risks: Vec<Risk> = instances
        .map(|instance| Risk { instance, at, due })
        .collect();
    if risks.is_empty() {
        return Err("names no instance that it still concerns".to_owned());
    }
    Ok(Trigger::AtRisk { risks })
}
