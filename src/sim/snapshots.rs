//! Snapshots: fixed at the moment of the call, usable only when the upload is through, limited per
//! volume, and in sets that fail as a whole.
//!
//! - <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-creating-snapshot.html>
//! - `SnapshotCreationPerVolumeRateExceeded`: boto3 issue 1698 (TRAP 5)

use super::agenda::Due;
use super::error::refused;
use super::tagging::check_tags;
use super::{Lagged, SimSnapshot, State};
use crate::cloud::CloudError;
use crate::id::{InstanceId, SnapshotId, VolumeId};
use crate::situation::{Instance, Snapshot, SnapshotState};
use crate::step::Except;
use crate::tags::Tags;

/// One snapshot request per volume in so many seconds.
const RATE_SECONDS: i64 = 15;

/// "If you specify the ID of the root volume, the request fails."
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceSpecification.html>
fn in_set(instance: &Instance, except: &Except) -> Result<Vec<VolumeId>, CloudError> {
    let root = instance.root().map(|it| &it.volume);
    let held = instance.devices.iter().map(|it| &it.volume);
    let data: Vec<&VolumeId> = held.clone().filter(|it| Some(*it) != root).collect();
    if let Some(other) = except.volumes.iter().find(|it| !data.contains(it)) {
        let code = "InvalidParameterValue";
        return Err(refused("CreateSnapshots", code, other.as_str()));
    }
    let is_left_out =
        |it: &VolumeId| (except.root && Some(it) == root) || except.volumes.contains(it);
    Ok(held.filter(|it| !is_left_out(it)).cloned().collect())
}

impl State {
    /// `CreateSnapshots`: all volumes at one moment, with the volumes' own tags if that is asked for.
    pub(super) fn snapshot_instance(
        &mut self,
        id: &InstanceId,
        description: &str,
        tags: &Tags,
        copy_tags: bool,
        except: &Except,
    ) -> Result<String, CloudError> {
        const CALL: &str = "CreateSnapshots";
        check_tags(CALL, tags)?;
        let instance = self
            .instance(id)
            .ok_or_else(|| refused(CALL, "InvalidInstanceID.NotFound", id.as_str()))?;
        if instance.facts.hibernation {
            let message = "snapshots of instances enabled for hibernation are not supported";
            return Err(refused(CALL, "InvalidParameterValue", message));
        }
        if !instance.facts.is_alive() {
            return Err(refused(CALL, "IncorrectInstanceState", id.as_str()));
        }
        let volumes = in_set(&instance.facts, except)?;
        for volume in &volumes {
            self.may_snapshot(CALL, volume)?;
            self.check_twice(volume, tags, copy_tags)?;
            check_tags(CALL, &self.snapshot_tags(volume, tags, copy_tags))?;
        }
        let set = self.take(&volumes, description, tags, copy_tags);
        Ok(set
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" "))
    }

    /// The service's volumes among those that the set would take, for the refusal.
    pub(super) fn taken_by(&self, id: &InstanceId, except: &Except) -> Vec<String> {
        let instance = self.instance(id);
        let volumes = instance.and_then(|it| in_set(&it.facts, except).ok());
        let volumes = volumes.into_iter().flatten();
        volumes.map(|it| it.to_string()).collect()
    }

    fn check_twice(&self, volume: &VolumeId, given: &Tags, copied: bool) -> Result<(), CloudError> {
        let own = self.volumes.get(volume).filter(|_| copied);
        let own = own.map(|it| it.tags.current());
        let twice = given
            .keys()
            .find(|key| own.is_some_and(|it| it.contains_key(*key)));
        match twice.filter(|_| self.tags_once) {
            None => Ok(()),
            Some(key) => {
                let message = format!("Duplicate tag key '{key}' specified.");
                Err(refused(
                    "CreateSnapshots",
                    "InvalidParameterValue",
                    &message,
                ))
            }
        }
    }

    /// `CreateSnapshot`: of any volume that exists, without its tags.
    pub(super) fn snapshot_volume(
        &mut self,
        volume: &VolumeId,
        description: &str,
        tags: &Tags,
    ) -> Result<String, CloudError> {
        const CALL: &str = "CreateSnapshot";
        check_tags(CALL, tags)?;
        self.may_snapshot(CALL, volume)?;
        let set = self.take(std::slice::from_ref(volume), description, tags, false);
        Ok(set.iter().map(ToString::to_string).collect())
    }

    fn may_snapshot(&self, call: &'static str, id: &VolumeId) -> Result<(), CloudError> {
        let volume = self
            .volumes
            .get(id)
            .ok_or_else(|| refused(call, "InvalidVolume.NotFound", id.as_str()))?;
        let of_volume = || self.snapshots.values().filter(|it| it.facts.volume == *id);
        let recent =
            |it: &SimSnapshot| (self.now - it.facts.started).whole_seconds() < RATE_SECONDS;
        if of_volume().any(recent) {
            let code = "SnapshotCreationPerVolumeRateExceeded";
            return Err(refused(call, code, id.as_str()));
        }
        let pending = of_volume().filter(|it| it.facts.state == SnapshotState::Pending);
        let slow = matches!(volume.facts.settings.volume_type.as_str(), "st1" | "sc1");
        let allowed = if slow { 1 } else { 5 };
        if pending.count() >= allowed {
            return Err(refused(
                call,
                "ConcurrentSnapshotLimitExceeded",
                id.as_str(),
            ));
        }
        Ok(())
    }

    /// Those given, and those of the volume but for EC2's own.
    fn snapshot_tags(&self, volume: &VolumeId, given: &Tags, copy_tags: bool) -> Tags {
        let volume = self.volumes.get(volume).filter(|_| copy_tags);
        let copied = volume.into_iter().flat_map(|it| it.tags.current());
        let copied = copied.filter(|(key, _)| !key.starts_with("aws:"));
        let copied = copied.map(|(key, value)| (key.clone(), value.clone()));
        copied.chain(given.clone()).collect()
    }

    fn take(
        &mut self,
        volumes: &[VolumeId],
        description: &str,
        tags: &Tags,
        copy_tags: bool,
    ) -> Vec<SnapshotId> {
        let set: Vec<SnapshotId> = volumes.iter().map(|_| self.new_id("snap-")).collect();
        let will_fail = self.snapshot_failures > 0;
        self.snapshot_failures = self.snapshot_failures.saturating_sub(1);
        for (id, volume) in set.iter().zip(volumes) {
            let Some(volume) = self.volumes.get(volume) else {
                continue;
            };
            let overwritten = self.overwritten.get(volume.facts.id.as_str());
            let overwritten = overwritten.filter(|_| copy_tags).cloned();
            let all = self.snapshot_tags(&volume.facts.id, tags, copy_tags);
            let snapshot = SimSnapshot {
                facts: Snapshot {
                    id: id.clone(),
                    volume: volume.facts.id.clone(),
                    state: SnapshotState::Pending,
                    started: self.now,
                    completed: None,
                    description: description.to_owned(),
                    tags: Tags::new(),
                },
                tags: Lagged::new(all),
                visible_from: self.seen_from(),
                content: volume.content.clone(),
                size: volume.facts.settings.size,
                own: true,
                set: set.clone(),
                will_fail,
            };
            self.snapshots.insert(id.clone(), snapshot);
            if let Some(overwritten) = overwritten {
                self.overwritten.insert(id.to_string(), overwritten);
                self.written(&[id.to_string()], tags.keys());
            }
        }
        self.schedule(
            self.config.snapshot_seconds,
            Due::SnapshotsSettle(set.clone()),
        );
        set
    }

    /// One that fails takes the set along (TRAP 28).
    pub(super) fn snapshots_settle(&mut self, set: &[SnapshotId]) {
        let failed = set
            .iter()
            .filter_map(|id| self.snapshots.get(id))
            .any(|it| it.will_fail);
        let state = if failed {
            SnapshotState::Unusable
        } else {
            SnapshotState::Completed
        };
        let completed = Some(self.now).filter(|_| !failed);
        for id in set {
            if let Some(snapshot) = self.snapshots.get_mut(id) {
                snapshot.facts.state = state;
                snapshot.facts.completed = completed;
            }
        }
        self.emit_snapshots(set, !failed);
    }

    pub(super) fn delete_snapshot(&mut self, id: &SnapshotId) -> Result<String, CloudError> {
        const CALL: &str = "DeleteSnapshot";
        if self.is_under_an_image(id) {
            return Err(refused(CALL, "InvalidSnapshot.InUse", id.as_str()));
        }
        let removed = self.snapshots.remove(id);
        removed
            .map(|_| String::new())
            .ok_or_else(|| refused(CALL, "InvalidSnapshot.NotFound", id.as_str()))
    }
}
