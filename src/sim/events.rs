//! The events AWS sends, in their wire form, by way of the queue: lost, doubled and late as
//! [`EventQuality`](super::EventQuality) has it.

use super::State;
use crate::clock::{self, Timestamp};
use crate::event::{
    InstanceAction, InstanceState, interruption, risk, scaling, snapshot, state_change,
};
use crate::id::{InstanceId, SnapshotId};
use serde_json::{Value, json};

const REGION: &str = "eu-west-1";
const ACCOUNT: &str = "123456789012";

impl State {
    /// The warning. Its ARN has the zone where others have the Region, and no account (TRAP 1).
    pub(super) fn emit_warning(&mut self, id: &InstanceId, action: InstanceAction, at: Timestamp) {
        let zone = self
            .instances
            .get(id)
            .map(|it| it.facts.availability_zone.clone());
        let arn = format!("arn:aws:ec2:{}:instance/{id}", zone.unwrap_or_default());
        let detail = json!({ "instance-id": id, "instance-action": action.as_str() });
        self.emit(interruption::SPOT, at, &arn, &detail);
    }

    /// That of a Capacity Block: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-blocks-monitor.html>
    pub(super) fn emit_block_warning(&mut self, id: &InstanceId, ends: Timestamp) {
        let arn = format!("arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{id}");
        let detail = json!({
            "instance-id": id, "instance-action": "terminate",
            "instance-termination-time": clock::format(ends),
            "availability-zone-id": "euw1-az1", "instance-lifecycle": "capacity-block",
        });
        self.emit(interruption::CAPACITY_RESERVATION, self.now, &arn, &detail);
    }

    /// "An elevated risk of interruption", in its own words.
    pub(super) fn emit_rebalance(&mut self, id: &InstanceId) {
        let arn = format!("arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{id}");
        let detail = json!({ "instance-id": id });
        self.emit(risk::REBALANCE, self.now, &arn, &detail);
    }

    pub(super) fn emit_state_change(&mut self, id: &InstanceId, state: InstanceState) {
        if !state_change::FORWARDED.contains(&state) {
            return;
        }
        let arn = format!("arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{id}");
        let detail = json!({ "instance-id": id, "state": state.as_str() });
        self.emit(state_change::DETAIL_TYPE, self.now, &arn, &detail);
    }

    /// One snapshot and a set of them have different detail-types (TRAP 28).
    pub(super) fn emit_snapshots(&mut self, set: &[SnapshotId], succeeded: bool) {
        let arn = |id: &SnapshotId| format!("arn:aws:ec2::{REGION}:snapshot/{id}");
        let result = if succeeded { "succeeded" } else { "failed" };
        let (kind, detail) = match set {
            [one] => {
                let detail = json!({ "event": "createSnapshot", "result": result, "cause": "",
                    "snapshot_id": arn(one) });
                (snapshot::SINGLE, detail)
            }
            many => {
                let status = if succeeded { "completed" } else { "error" };
                let member = |id| json!({ "snapshot_id": arn(id), "status": status });
                let members: Vec<Value> = many.iter().map(member).collect();
                let detail = json!({ "event": "createSnapshots", "result": result, "cause": "",
                    "snapshots": members });
                (snapshot::MULTI_VOLUME, detail)
            }
        };
        let resource = set.first().map(arn).unwrap_or_default();
        self.emit(kind, self.now, &resource, &detail);
    }

    /// A launch hook holds it: `Pending:Wait`.
    pub(super) fn emit_launch_hook(&mut self, group: &str, hook: &str, id: &InstanceId) {
        let detail = json!({
            "LifecycleActionToken": "87654321-4321-4321-4321-210987654321",
            "AutoScalingGroupName": group, "LifecycleHookName": hook, "EC2InstanceId": id,
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
            "Origin": "EC2", "Destination": "AutoScalingGroup",
        });
        self.emit_scaling(scaling::LAUNCH_HOOK, group, &detail);
    }

    /// It is in service. The keys of `Details` have spaces (TRAP 39).
    pub(super) fn emit_launched(&mut self, group: &str, id: &InstanceId) {
        let detail = json!({
            "StatusCode": "InProgress", "AutoScalingGroupName": group, "EC2InstanceId": id,
            "ActivityId": "87654321-4321-4321-4321-210987654321",
            "Details": { "Availability Zone": "eu-west-1a", "Subnet ID": "subnet-12345678" },
            "Cause": "At 2026-11-23T10:00:00Z an instance was started in response to a difference",
        });
        self.emit_scaling(scaling::LAUNCHED, group, &detail);
    }

    fn emit_scaling(&mut self, detail_type: &str, group: &str, detail: &Value) {
        let arn = format!(
            "arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:x:autoScalingGroupName/{group}"
        );
        self.emit_from(scaling::SOURCE, detail_type, self.now, &arn, detail);
    }

    fn emit(&mut self, detail_type: &str, at: Timestamp, resource: &str, detail: &Value) {
        self.emit_from(interruption::SOURCE, detail_type, at, resource, detail);
    }

    fn emit_from(
        &mut self,
        source: &str,
        detail_type: &str,
        at: Timestamp,
        resource: &str,
        detail: &Value,
    ) {
        let event = json!({
            "version": "0", "id": format!("event-{}", self.queue.sent), "account": ACCOUNT,
            "source": source, "detail-type": detail_type, "region": REGION,
            "time": clock::format(at), "resources": [resource], "detail": detail,
        });
        self.put_event(&event);
    }

    fn put_event(&mut self, event: &Value) {
        let quality = self.config.events;
        if self.rng.percent(quality.lost_percent) {
            return;
        }
        self.deliver(event, quality.late_seconds);
        if self.rng.percent(quality.doubled_percent) {
            self.deliver(event, quality.late_seconds);
        }
    }

    fn deliver(&mut self, event: &Value, late: u64) {
        let delay = i64::try_from(self.rng.below(late.saturating_add(1))).unwrap_or(0);
        self.send(event.to_string(), delay.min(900)).ok();
    }
}
