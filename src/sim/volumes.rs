//! Volumes: made, attached, released late, deleted.
//!
//! - <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-attaching-volume.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html>

use super::agenda::Due;
use super::error::refused;
use super::tagging::check_tags;
use super::{Lagged, SimVolume, State};
use crate::cloud::CloudError;
use crate::event::InstanceState;
use crate::id::{InstanceId, VolumeId};
use crate::situation::{Attachment, Device, SnapshotState, Volume, VolumeSettings, VolumeState};
use crate::step::CreateVolume;
use crate::tags::{self, Tags};
use std::collections::BTreeMap;

/// So many instances may share a Multi-Attach volume.
const MULTI_ATTACH: usize = 16;

impl State {
    /// An empty volume, available at once.
    pub(super) fn blank_volume(&mut self, zone: &str, settings: VolumeSettings) -> VolumeId {
        let id: VolumeId = self.new_id("vol-");
        let content = self.blank(&id);
        let volume = SimVolume {
            facts: Volume {
                id: id.clone(),
                state: VolumeState::Available,
                availability_zone: zone.to_owned(),
                created: self.now,
                snapshot: None,
                source: None,
                attachments: Vec::new(),
                settings,
                tags: Tags::new(),
                unproven: Vec::new(),
            },
            tags: Lagged::default(),
            visible_from: self.seen_from(),
            content,
            root: false,
        };
        self.volumes.insert(id.clone(), volume);
        id
    }

    pub(super) fn create_volume(&mut self, create: &CreateVolume) -> Result<String, CloudError> {
        let CreateVolume {
            snapshot,
            availability_zone,
            settings,
            initialization_rate,
            tags,
            token,
        } = create;
        let wanted = (settings, initialization_rate, tags);
        let parameters = format!("{snapshot} {availability_zone} {wanted:?}");
        let never = |_: &CloudError| false;
        self.once("CreateVolume", token, parameters, never, |world| {
            world.volume_from(create)
        })
    }

    /// A pending snapshot cannot be used (TRAP 4); a key is looked at later (TRAP 36).
    pub(super) fn volume_from(&mut self, create: &CreateVolume) -> Result<String, CloudError> {
        const CALL: &str = "CreateVolume";
        check_tags(CALL, &create.tags)?;
        let snapshot = self
            .snapshots
            .get(&create.snapshot)
            .ok_or_else(|| refused(CALL, "InvalidSnapshot.NotFound", create.snapshot.as_str()))?;
        if snapshot.facts.state != SnapshotState::Completed {
            let message = format!("Snapshot '{}' is not 'completed'.", create.snapshot);
            return Err(refused(CALL, "IncorrectState", &message));
        }
        // "The sum of all rates" is a quota of the account; its error code is not documented.
        if create.initialization_rate.is_some() && self.no_initialization_rate {
            let code = "VolumeInitializationRateLimitExceeded";
            return Err(refused(CALL, code, create.snapshot.as_str()));
        }
        if create.settings.size < snapshot.size {
            let message = "the volume is smaller than the snapshot";
            return Err(refused(CALL, "InvalidParameterValue", message));
        }
        let content = snapshot.content.clone();
        let id = self.blank_volume(&create.availability_zone, create.settings.clone());
        self.writes.remove(&id);
        if let Some(volume) = self.volumes.get_mut(&id) {
            volume.content = content;
            volume.tags = Lagged::new(create.tags.clone());
            volume.facts.state = VolumeState::Creating;
            volume.facts.snapshot = Some(create.snapshot.clone());
        }
        self.schedule(self.config.volume_seconds, Due::VolumeReady(id.clone()));
        Ok(id.to_string())
    }

    pub(super) fn volume_ready(&mut self, id: &VolumeId) {
        let Some(volume) = self.volumes.get_mut(id) else {
            return;
        };
        if volume.facts.state == VolumeState::Creating {
            let key = volume.facts.settings.kms_key.as_ref();
            let failed = self.fail_clones && volume.facts.source.is_some();
            let usable = !failed && key.is_none_or(|it| !self.broken_keys.contains(it));
            if !usable && self.keys_vanish {
                self.volumes.remove(id);
                return;
            }
            volume.facts.state = if usable {
                VolumeState::Available
            } else {
                VolumeState::Error
            };
        }
    }

    /// Same zone, a volume that is available, an instance that runs or is stopped, a free device
    /// (TRAP 17).
    pub(super) fn attach(
        &mut self,
        volume: &VolumeId,
        instance: &InstanceId,
        device: &str,
    ) -> Result<String, CloudError> {
        self.may_attach(volume, instance, device)
            .map_err(|(code, message)| refused("AttachVolume", code, &message))?;
        self.put(volume, instance, device, false, false);
        let due = Due::Attached(volume.clone(), instance.clone());
        self.schedule(self.config.attach_seconds, due);
        Ok(String::new())
    }

    fn may_attach(
        &self,
        volume: &VolumeId,
        instance: &InstanceId,
        device: &str,
    ) -> Result<(), (&'static str, String)> {
        let volume = self
            .volumes
            .get(volume)
            .ok_or(("InvalidVolume.NotFound", volume.to_string()))?;
        let instance = self
            .instance(instance)
            .ok_or(("InvalidInstanceID.NotFound", instance.to_string()))?;
        let (volume, instance) = (&volume.facts, &instance.facts);
        if volume.availability_zone != instance.availability_zone {
            let (here, there) = (&volume.availability_zone, &instance.availability_zone);
            let message = format!("the volume is in {here}, the instance in {there}");
            return Err(("InvalidVolume.ZoneMismatch", message));
        }
        let shares = volume.settings.multi_attach
            && volume.attachments.len() < MULTI_ATTACH
            && volume.attachment(&instance.id).is_none();
        if !volume.attachments.is_empty() && !shares {
            return Err(("VolumeInUse", format!("{} is already attached", volume.id)));
        }
        if volume.attachments.is_empty() && volume.state != VolumeState::Available {
            return Err((
                "IncorrectState",
                format!("{} is not 'available'", volume.id),
            ));
        }
        if !matches!(
            instance.state,
            InstanceState::Running | InstanceState::Stopped
        ) {
            let message = format!("Instance '{}' is not 'running'", instance.id);
            return Err(("IncorrectState", message));
        }
        if instance.devices.len() + instance.interfaces.len() >= self.config.most_attachments {
            let message = format!("{} takes no more", instance.instance_type);
            return Err(("AttachmentLimitExceeded", message));
        }
        if instance.devices.iter().any(|it| it.name == device) {
            return Err((
                "InvalidParameterValue",
                format!("{device} is already in use"),
            ));
        }
        Ok(())
    }

    /// Both sides of an attachment.
    pub(super) fn put(
        &mut self,
        volume: &VolumeId,
        instance: &InstanceId,
        device: &str,
        delete_on_termination: bool,
        settled: bool,
    ) {
        if let Some(volume) = self.volumes.get_mut(volume) {
            volume.facts.state = VolumeState::InUse;
            volume.facts.attachments.push(Attachment {
                instance: instance.clone(),
                device: device.to_owned(),
                settled,
                delete_on_termination,
            });
        }
        if let Some(instance) = self.instances.get_mut(instance) {
            instance.facts.devices.push(Device {
                name: device.to_owned(),
                volume: volume.clone(),
                delete_on_termination,
            });
        }
    }

    pub(super) fn attached(&mut self, id: &VolumeId, to: &InstanceId) {
        if let Some(attachment) = self.attachment(id, to) {
            attachment.settled = true;
        }
    }

    fn attachment(&mut self, id: &VolumeId, to: &InstanceId) -> Option<&mut Attachment> {
        let volume = &mut self.volumes.get_mut(id)?.facts;
        volume.attachments.iter_mut().find(|it| it.instance == *to)
    }

    /// The instance has ended: the volume goes with it, or is released a little later. One that
    /// several have goes with the last of them.
    pub(super) fn part(&mut self, device: &Device, instance: &InstanceId) {
        let id = &device.volume;
        let held = self.volumes.get(id).map(|it| it.facts.attachments.len());
        if device.delete_on_termination && held.is_none_or(|it| it <= 1) {
            self.note_deletion(id);
            self.discard(id, true);
            return;
        }
        if let Some(attachment) = self.attachment(id, instance) {
            attachment.settled = false;
        }
        self.schedule(
            self.config.release_seconds,
            Due::Released(id.clone(), instance.clone()),
        );
    }

    pub(super) fn released(&mut self, id: &VolumeId, from: &InstanceId) {
        let Some(volume) = self.volumes.get_mut(id) else {
            return;
        };
        volume.facts.attachments.retain(|it| it.instance != *from);
        if volume.facts.attachments.is_empty() && volume.facts.state == VolumeState::InUse {
            volume.facts.state = VolumeState::Available;
        }
    }

    fn note_deletion(&mut self, id: &VolumeId) {
        let ours = self
            .volumes
            .get(id)
            .is_some_and(|it| !it.root && it.tags.current().contains_key(tags::RESCUE));
        if ours {
            self.deleted_with_instance.push(id.clone());
        }
    }

    pub(super) fn delete_volume(&mut self, id: &VolumeId) -> Result<String, CloudError> {
        const CALL: &str = "DeleteVolume";
        let volume = self
            .volumes
            .get(id)
            .ok_or_else(|| refused(CALL, "InvalidVolume.NotFound", id.as_str()))?;
        if !volume.facts.attachments.is_empty() {
            return Err(refused(CALL, "VolumeInUse", id.as_str()));
        }
        let known_gap = self.was_cloned(id);
        if let Some(clone) = self.clone_in_the_making(id) {
            let message = format!("{id} was deleted while {clone} is still made of it");
            self.violations.push(message);
        }
        if !volume.root && !known_gap && !self.is_elsewhere(id) {
            self.violations
                .push(format!("{id} was deleted while it was the only copy"));
        }
        self.discard(id, false);
        Ok(String::new())
    }

    /// Refused once the instance is shutting down.
    pub(super) fn set_delete_on_termination(
        &mut self,
        id: &InstanceId,
        devices: &BTreeMap<String, bool>,
    ) -> Result<String, CloudError> {
        const CALL: &str = "ModifyInstanceAttribute";
        let instance = self
            .instances
            .get_mut(id)
            .ok_or_else(|| refused(CALL, "InvalidInstanceID.NotFound", id.as_str()))?;
        let instance = &mut instance.facts;
        if !instance.is_alive() {
            return Err(refused(CALL, "IncorrectInstanceState", id.as_str()));
        }
        let has = |device: &String| instance.devices.iter().any(|it| it.name == *device);
        if let Some(device) = devices.keys().find(|it| !has(it)) {
            let message = format!("no device is currently mapped at {device}");
            return Err(refused(CALL, "InvalidInstanceAttributeValue", &message));
        }
        for device in &mut instance.devices {
            let Some(flag) = devices.get(&device.name) else {
                continue;
            };
            device.delete_on_termination = *flag;
            let volume = self.volumes.get_mut(&device.volume);
            let attachments = volume.into_iter().flat_map(|it| &mut it.facts.attachments);
            for attachment in attachments.filter(|it| it.instance == *id) {
                attachment.delete_on_termination = *flag;
            }
        }
        Ok(String::new())
    }
}
