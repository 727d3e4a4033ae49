//! An instance has entered another state. Comes for every instance of the Region, Spot or not,
//! and says nothing about the reason: the instance is looked up before anything is believed.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html>

use super::{Envelope, InstanceState, Trigger};
use crate::id::InstanceId;
use serde::Deserialize;

pub const SOURCE: &str = "aws.ec2";
pub const DETAIL_TYPE: &str = "EC2 Instance State-change Notification";
/// States that the rule forwards: the others call for no action.
pub const FORWARDED: [InstanceState; 4] = [
    InstanceState::Running,
    InstanceState::ShuttingDown,
    InstanceState::Stopped,
    InstanceState::Terminated,
];

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Detail {
    instance_id: InstanceId,
    state: String,
}

pub(super) fn parse(envelope: &Envelope) -> Result<Trigger, String> {
    let Detail { instance_id, state } = envelope.detail()?;
    let state = InstanceState::parse(&state)
        .ok_or_else(|| format!("{:?} is not an instance state", super::excerpt(&state)))?;
    Ok(Trigger::StateChange {
        instance: instance_id,
        state,
    })
}
