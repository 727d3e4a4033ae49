//! The warning: EC2 takes the instance back, two minutes from the event's time (at once for
//! hibernate). Emitted on a best-effort basis: it may be late, double, or never come.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html>
//! - interruptible Capacity Reservations and Capacity Blocks send the same with another detail-type, and say when EC2 will
//!   end the instance: a block's ten minutes later (TRAP 60)
//!   <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-blocks-monitor.html>

use super::{Envelope, InstanceAction, Interruption, Trigger};
use crate::clock::{self, Timestamp};
use crate::id::InstanceId;
use serde::Deserialize;
use time::Duration;

pub const SOURCE: &str = "aws.ec2";
pub const SPOT: &str = "EC2 Spot Instance Interruption Warning";
pub const CAPACITY_RESERVATION: &str = "EC2 Capacity Reservation Instance Interruption Warning";

#[derive(Deserialize)]
struct Detail {
    #[serde(rename = "instance-id")]
    instance: InstanceId,
    #[serde(rename = "instance-action")]
    action: String,
    #[serde(rename = "instance-termination-time")]
    ends: Option<String>,
}

/// From the warning to the end, unless the event names another time.
pub const NOTICE: Duration = Duration::minutes(2);
/// Capacity Blocks announce their end up to forty minutes ahead; a later end is taken for a mistake in the event.
const LONGEST: Duration = Duration::HOUR;

pub(super) fn parse(envelope: &Envelope) -> Result<Trigger, String> {
    let Detail {
        instance,
        action,
        ends,
    } = envelope.detail()?;
    let ends = ends.and_then(|it| clock::parse(&it).ok());
    let action = InstanceAction::parse(&action).ok_or_else(|| {
        format!(
            "instance-action {:?} is none of terminate, stop, hibernate",
            super::excerpt(&action)
        )
    })?;
    Ok(Trigger::Interruption(Interruption {
        instance,
        action,
        at: counted_from(envelope.time()?, ends),
    }))
}

/// The two minutes before the end. An end that lies sooner than that changes nothing: everything is done at once anyway,
/// and a warning from before its instance's launch would not be believed.
fn counted_from(told: Timestamp, ends: Option<Timestamp>) -> Timestamp {
    let counted = ends.map(|it| it.saturating_sub(NOTICE));
    let counted = counted.filter(|it| *it - told <= LONGEST);
    counted.map_or(told, |it| it.max(told))
}
