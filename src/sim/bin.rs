//! The Recycle Bin for volumes: what is deleted and has the mark of its rule comes back with its id, its data and its tags.
//! <https://docs.aws.amazon.com/ebs/latest/userguide/recycle-bin.html>
//!
//! Whether what EC2 deletes with its instance gets there is not documented; nor how soon it is listed.

use super::error::refused;
use super::{SimVolume, State};
use crate::clock::Timestamp;
use crate::cloud::CloudError;
use crate::id::VolumeId;
use crate::situation::VolumeState;
use crate::tags;
use std::collections::{BTreeMap, BTreeSet};
use time::Duration;

/// A rule of the account's, and what it has kept.
#[derive(Debug, Default)]
pub struct Bin {
    /// There is a rule.
    pub rule: bool,
    /// What is deleted with its instance is not kept.
    pub not_with_instance: bool,
    /// Seconds after which a volume is listed.
    pub late_seconds: i64,
    kept: BTreeMap<VolumeId, (Timestamp, SimVolume)>,
}

impl State {
    /// Out of sight; in the bin, if there is a rule for it.
    pub(super) fn discard(&mut self, id: &VolumeId, with_instance: bool) {
        let Some(mut volume) = self.volumes.remove(id) else {
            return;
        };
        let marked = volume.tags.current().get(tags::RECYCLE);
        let kept = self.bin.rule && !(with_instance && self.bin.not_with_instance);
        if kept && marked.is_some_and(|it| it == "on") {
            volume.facts.attachments.clear();
            let listed = self.now + Duration::seconds(self.bin.late_seconds);
            self.bin.kept.insert(id.clone(), (listed, volume));
        }
    }

    pub(super) fn read_bin(&mut self) -> Result<BTreeSet<VolumeId>, CloudError> {
        self.admit("ListVolumesInRecycleBin")?;
        let listed = self.bin.kept.iter();
        let listed = listed.filter(|(_, (since, _))| *since <= self.now);
        Ok(listed.map(|(id, _)| id.clone()).collect())
    }

    /// What is in the bin, listed or not.
    #[must_use]
    pub fn binned(&self) -> Vec<&VolumeId> {
        self.bin.kept.keys().collect()
    }

    pub(super) fn restore_from_bin(&mut self, id: &VolumeId) -> Result<String, CloudError> {
        let Some((_, mut volume)) = self.bin.kept.remove(id) else {
            let call = "RestoreVolumeFromRecycleBin";
            return Err(refused(call, "InvalidVolume.NotFound", id.as_str()));
        };
        volume.facts.state = VolumeState::Available;
        volume.visible_from = self.seen_from();
        self.volumes.insert(id.clone(), volume);
        self.deleted_with_instance.retain(|it| it != id);
        Ok(String::new())
    }
}
