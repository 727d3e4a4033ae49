//! The events AWS sends, in their wire form, by way of the queue: lost, doubled and late as
//! [`EventQuality`](super::EventQuality) has it.

use super::State;
use crate::clock::{self, Timestamp};
use crate::event::{InstanceAction, InstanceState, interruption, risk, snapshot, state_change};
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

    /// "An elevated risk of interruption", in its own words.
    pub(super) fn emit_rebalance(&mut self, id: &InstanceId) {
        let arn = format!("arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{id}");
        let detail = json!({ "instance-id": id });
        self.emit(risk::REBALANCE, self.now, &arn, &detail);
    }

    pub(super) fn emit_state_change(&mut self, id: &InstanceId, state: InstanceState) {
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

    fn emit(&mut self, detail_type: &str, at: Timestamp, resource: &str, detail: &Value) {
        let event = json!({
            "version": "0", "id": format!("event-{}", self.queue.sent), "account": ACCOUNT,
            "source": interruption::SOURCE, "detail-type": detail_type, "region": REGION,
            "time": clock::format(at), "resources": [resource], "detail": detail,
        });
        let quality = self.config.events;
        if self.rng.percent(quality.lost_percent) {
            return;
        }
        self.deliver(&event, quality.late_seconds);
        if self.rng.percent(quality.doubled_percent) {
            self.deliver(&event, quality.late_seconds);
        }
    }

    fn deliver(&mut self, event: &Value, late: u64) {
        let delay = i64::try_from(self.rng.below(late.saturating_add(1))).unwrap_or(0);
        self.send(event.to_string(), delay.min(900)).ok();
    }
}
