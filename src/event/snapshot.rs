//! A snapshot, or a set of them, has completed or failed. Both lead to the same: look again.
//!
//! The snapshot's ARN has the Region where others have the account
//! (`arn:aws:ec2::us-west-2:snapshot/snap-…`): only what follows the last slash is read.
//! <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html>

use super::{Envelope, Trigger};
use crate::id::SnapshotId;
use serde::Deserialize;

pub const SOURCE: &str = "aws.ec2";
pub const SINGLE: &str = "EBS Snapshot Notification";
/// `CreateSnapshots` reports under another detail-type than `CreateSnapshot` (TRAP 28).
pub const MULTI_VOLUME: &str = "EBS Multi-Volume Snapshots Completion Status";

#[derive(Deserialize)]
struct Single {
    event: String,
    snapshot_id: String,
}

#[derive(Deserialize)]
struct MultiVolume {
    snapshots: Vec<Member>,
}

#[derive(Deserialize)]
struct Member {
    snapshot_id: String,
}

pub(super) fn parse_single(envelope: &Envelope) -> Result<Trigger, String> {
    let Single { event, snapshot_id } = envelope.detail()?;
    if event != "createSnapshot" {
        return Err(format!(
            "{:?} is not createSnapshot",
            super::excerpt(&event)
        ));
    }
    Ok(Trigger::Snapshots {
        snapshots: vec![id_of(&snapshot_id)?],
    })
}

pub(super) fn parse_multi_volume(envelope: &Envelope) -> Result<Trigger, String> {
    let MultiVolume { snapshots } = envelope.detail()?;
    let ids: Vec<SnapshotId> = snapshots
        .iter()
        .map(|it| id_of(&it.snapshot_id))
        .collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Err("names no snapshot".to_owned());
    }
    Ok(Trigger::Snapshots { snapshots: ids })
}

fn id_of(arn: &str) -> Result<SnapshotId, String> {
    let last = arn.rsplit('/').next().unwrap_or(arn);
    last.parse()
        .map_err(|error| format!("snapshot_id: {error}"))
}
