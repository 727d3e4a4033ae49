//! An Auto Scaling group has launched an instance: into service, or into a launch hook that waits.
//! Only the instance is believed, and looked up; keys are in Pascal case here.
//!
//! <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html>

use super::{Envelope, Trigger};
use crate::id::InstanceId;
use serde::Deserialize;

pub const SOURCE: &str = "aws.autoscaling";
pub const LAUNCHED: &str = "EC2 Instance Launch Successful";
pub const LAUNCH_HOOK: &str = "EC2 Instance-launch Lifecycle Action";

/// `Details` (its keys contain spaces) and `NotificationMetadata` (it may be absent) are not read (TRAP 39).
#[derive(Deserialize)]
struct Detail {
    #[serde(rename = "EC2InstanceId")]
    instance_id: InstanceId,
}

pub(super) fn parse(envelope: &Envelope) -> Result<Trigger, String> {
    let Detail { instance_id } = envelope.detail()?;
    Ok(Trigger::Launched {
        instance: instance_id,
    })
}
