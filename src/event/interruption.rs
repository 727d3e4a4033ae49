//! The warning: EC2 takes the instance back, two minutes from the event's time (at once for
//! hibernate). Emitted on a best-effort basis: it may be late, double, or never come.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html>
//! - interruptible Capacity Reservations send the same with another detail-type

use super::{Envelope, InstanceAction, Interruption, Trigger};
use crate::id::InstanceId;
use serde::Deserialize;

pub const SOURCE: &str = "aws.ec2";
pub const SPOT: &str = "EC2 Spot Instance Interruption Warning";
pub const CAPACITY_RESERVATION: &str = "EC2 Capacity Reservation Instance Interruption Warning";

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Detail {
    instance_id: InstanceId,
    instance_action: String,
}

pub(super) fn parse(envelope: &Envelope) -> Result<Trigger, String> {
    let Detail {
        instance_id,
        instance_action,
    } = envelope.detail()?;
    let action = InstanceAction::parse(&instance_action).ok_or_else(|| {
        format!(
            "instance-action {:?} is none of terminate, stop, hibernate",
            super::excerpt(&instance_action)
        )
    })?;
    Ok(Trigger::Interruption(Interruption {
        instance: instance_id,
        action,
        at: envelope.time()?,
    }))
}
