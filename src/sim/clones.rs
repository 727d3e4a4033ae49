//! `CopyVolumes`: a copy at once, in the zone of its source, that EC2 fills in the background.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyVolumes.html>
//! - <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copying-volume.html>: "During initialization,
//!   the data blocks are copied from the source volume and written to the volume copy in the
//!   background". Whether the source may be deleted before that is not documented: here it may not.

use super::agenda::Due;
use super::error::refused;
use super::tagging::check_tags;
use super::{Lagged, State};
use crate::cloud::CloudError;
use crate::id::VolumeId;
use crate::situation::{VolumeSettings, VolumeState};
use crate::step::CopyVolume;
use time::Duration;

const CALL: &str = "CopyVolumes";
/// What a clone is filled with at the least, in MiB/s.
const BASELINE: i64 = 125;

impl State {
    pub(super) fn copy_volume(&mut self, copy: &CopyVolume) -> Result<String, CloudError> {
        let CopyVolume {
            source,
            settings,
            tags,
            token,
        } = copy;
        let parameters = format!("{source} {settings:?} {tags:?}");
        let never = |_: &CloudError| false;
        self.once(CALL, token, parameters, never, |world| world.copied(copy))
    }

    pub(super) fn copied(&mut self, copy: &CopyVolume) -> Result<String, CloudError> {
        check_tags(CALL, &copy.tags)?;
        let source = self
            .volumes
            .get(&copy.source)
            .ok_or_else(|| refused(CALL, "InvalidVolume.NotFound", copy.source.as_str()))?;
        if let Some(code) = self.clone_refusal {
            return Err(refused(CALL, code, copy.source.as_str()));
        }
        if !source.facts.is_usable() || source.facts.state == VolumeState::Creating {
            return Err(refused(CALL, "IncorrectState", copy.source.as_str()));
        }
        if copy.settings.size < source.facts.settings.size {
            let message = "the copy is smaller than its source";
            return Err(refused(CALL, "InvalidParameterValue", message));
        }
        let (zone, content) = (
            source.facts.availability_zone.clone(),
            source.content.clone(),
        );
        let settings = VolumeSettings {
            // "If the source volume is encrypted, the service always encrypts the copy."
            encrypted: copy.settings.encrypted || source.facts.settings.encrypted,
            ..copy.settings.clone()
        };
        let id = self.blank_volume(&zone, settings);
        self.writes.remove(&id);
        let filled = i64::from(copy.settings.size) * 1024 / BASELINE;
        self.initializing
            .insert(id.clone(), self.now + Duration::seconds(filled));
        if let Some(volume) = self.volumes.get_mut(&id) {
            volume.content = content;
            volume.tags = Lagged::new(copy.tags.clone());
            volume.facts.state = VolumeState::Creating;
            volume.facts.source = Some(copy.source.clone());
        }
        self.schedule(self.config.volume_seconds, Due::VolumeReady(id.clone()));
        Ok(id.to_string())
    }

    /// A clone that EC2 is still copying from this volume.
    pub(super) fn clone_in_the_making(&self, source: &VolumeId) -> Option<&VolumeId> {
        let mut clones = self.initializing.iter();
        let unfinished = clones.find(|(id, until)| {
            let clone = self.volumes.get(*id).map(|it| &it.facts);
            **until > self.now && clone.is_some_and(|it| it.source.as_ref() == Some(source))
        });
        unfinished.map(|(id, _)| id)
    }

    /// The user preferred a clone of this volume: what was written after the copy is only here, as documented.
    pub(super) fn was_cloned(&self, id: &VolumeId) -> bool {
        let mut all = self.volumes.values();
        all.any(|it| it.facts.source.as_ref() == Some(id))
    }
}
