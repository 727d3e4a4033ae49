//! The metrics of an outcome: names, units and dimensions in one place.

use super::{Outcome, VolumeCounts};
use crate::clock::Timestamp;
use crate::record::Milestone;
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "SpotRescue";

/// Milestone -> metric, in seconds from the interruption's own time.
const SECONDS: [(Milestone, &str); 5] = [
    (Milestone::Deregistered, "SecondsToDeregistered"),
    (Milestone::SnapshotStarted, "SecondsToSnapshotStarted"),
    (Milestone::ReplacementRunning, "SecondsToReplacementRunning"),
    (Milestone::DataAttached, "SecondsToDataAttached"),
    (Milestone::BackInService, "SecondsToBackInService"),
];

/// The members to add to the outcome's log line: the values and the `_aws` block that names them.
/// The one dimension is the result, so that failures can be alarmed on.
pub fn metrics(outcome: &Outcome) -> Value {
    let VolumeCounts {
        moved,
        cloned,
        restored,
        lost,
        left: _,
    } = outcome.volumes;
    let mut values = Map::new();
    let mut definitions = Vec::new();
    let mut add = |name: &str, unit: &str, value: Value| {
        definitions.push(json!({ "Name": name, "Unit": unit }));
        values.insert(name.to_owned(), value);
    };
    for (milestone, name) in SECONDS {
        if let Some(seconds) = outcome.seconds.get(&milestone) {
            add(name, "Seconds", json!(seconds));
        }
    }
    add("VolumesMoved", "Count", json!(moved));
    add("VolumesCloned", "Count", json!(cloned));
    add("VolumesRestored", "Count", json!(restored));
    add("VolumesLost", "Count", json!(lost));
    let missing = outcome.targets_missing.len();
    add("TargetsMissing", "Count", json!(missing));
    add("Rescues", "Count", json!(1));
    values.insert("_aws".to_owned(), directive(outcome, &definitions));
    Value::Object(values)
}

/// Metrics that are plain counts, without a dimension.
pub fn counts(at: Timestamp, names: &[&str]) -> Value {
    let counted: Vec<(&str, &str)> = names.iter().map(|it| (*it, "Count")).collect();
    without_dimension(at, &counted)
}

/// By name and unit.
pub fn without_dimension(at: Timestamp, metrics: &[(&str, &str)]) -> Value {
    let definition = |(name, unit): &(&str, &str)| json!({ "Name": name, "Unit": unit });
    let definitions: Vec<Value> = metrics.iter().map(definition).collect();
    block(at, &json!([[]]), &definitions)
}

fn directive(outcome: &Outcome, definitions: &[Value]) -> Value {
    block(outcome.reported, &json!([["outcome"]]), definitions)
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
fn block(at: Timestamp, dimensions: &Value, definitions: &[Value]) -> Value {
    let milliseconds = i64::try_from(at.unix_timestamp_nanos() / 1_000_000);
    json!({
        "Timestamp": milliseconds.unwrap_or_default(),
        "CloudWatchMetrics": [{
            "Namespace": NAMESPACE,
            "Dimensions": dimensions,
            "Metrics": definitions,
        }],
    })
}
