//! `CreateReplaceRootVolumeTask`: a running instance gets another root volume and reboots.
//!
//! - "The specified volume must be in the same Availability Zone as the instance, must be in the `available`
//!   state, and must not be attached to an instance. If the original root volume is encrypted, the
//!   specified volume must also be encrypted."
//!   <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateReplaceRootVolumeTask.html>
//! - "The AMI must have the same product code, billing information, architecture type, and
//!   virtualization type as that of the instance"; all metal instances but Macs are not supported; the root
//!   volume of the image must not be smaller than the original.
//!   <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html>
//!
//! Not verified on AWS: which error each refusal is; whether a volume of another lineage is taken.

use super::State;
use super::agenda::Due;
use super::error::refused;
use super::tagging::check_tags;
use crate::cloud::CloudError;
use crate::event::InstanceState;
use crate::id::{ImageId, InstanceId, VolumeId};
use crate::situation::{Image, ImageState, RootTask, RootTaskState, VolumeState};
use crate::step::{ReplaceRoot, RootSource};
use crate::tags::Tags;

const CALL: &str = "CreateReplaceRootVolumeTask";

/// A task, and what it is about.
#[derive(Debug, Clone)]
pub struct SimRootTask {
    pub facts: RootTask,
    pub tags: Tags,
    pub volume: VolumeId,
    pub image: Option<ImageId>,
    ends: RootTaskState,
}

impl State {
    pub(super) fn replace_root(&mut self, replace: &ReplaceRoot) -> Result<String, CloudError> {
        let parameters = format!("{replace:?}");
        let never = |_: &CloudError| false;
        self.once(CALL, &replace.token, parameters, never, |world| {
            world.begin_replacing(replace)
        })
    }

    fn begin_replacing(&mut self, replace: &ReplaceRoot) -> Result<String, CloudError> {
        check_tags(CALL, &replace.tags)?;
        self.may_lose_its_root(&replace.instance)?;
        let (volume, image) = match &replace.by {
            RootSource::Volume(volume) => {
                self.may_become_root(volume, &replace.instance)?;
                (volume.clone(), None)
            }
            RootSource::Image(image) => (
                self.root_of_image(image, &replace.instance)?,
                Some(image.clone()),
            ),
        };
        let id = self.new_id::<InstanceId>("i-").to_string();
        let id = id.replacen("i-", "replacevol-", 1);
        let ends = self.root_task_ends.pop();
        let task = SimRootTask {
            facts: RootTask {
                id: id.clone(),
                instance: replace.instance.clone(),
                state: RootTaskState::Underway,
            },
            tags: replace.tags.clone(),
            volume,
            image,
            ends: ends.unwrap_or(RootTaskState::Succeeded),
        };
        self.root_tasks.insert(id.clone(), task);
        let seconds = self.config.swap_seconds;
        self.schedule(seconds / 2, Due::RootDetached(id.clone()));
        self.schedule(seconds, Due::RootReplaced(id.clone()));
        Ok(id)
    }

    fn may_lose_its_root(&self, id: &InstanceId) -> Result<(), CloudError> {
        let instance = self
            .instance(id)
            .ok_or_else(|| refused(CALL, "InvalidInstanceID.NotFound", id.as_str()))?;
        let facts = &instance.facts;
        if facts.state != InstanceState::Running {
            return Err(refused(CALL, "IncorrectInstanceState", id.as_str()));
        }
        if facts.instance_type.contains(".metal") {
            return Err(refused(CALL, "UnsupportedOperation", &facts.instance_type));
        }
        if facts.root().is_none() {
            return Err(refused(
                CALL,
                "InvalidParameterValue",
                "no root is attached",
            ));
        }
        let underway = |it: &SimRootTask| {
            it.facts.instance == *id && it.facts.state == RootTaskState::Underway
        };
        if self.root_tasks.values().any(underway) {
            let message = "a replacement of its root is under way";
            return Err(refused(CALL, "IncorrectState", message));
        }
        Ok(())
    }

    fn may_become_root(&self, id: &VolumeId, of: &InstanceId) -> Result<(), CloudError> {
        let invalid = |message: &str| refused(CALL, "InvalidParameterValue", message);
        if let Some(code) = self.no_root_swaps {
            return Err(refused(CALL, code, "not with a volume"));
        }
        let volume = self
            .volumes
            .get(id)
            .ok_or_else(|| refused(CALL, "InvalidVolume.NotFound", id.as_str()))?;
        let volume = &volume.facts;
        if !volume.is_free() {
            return Err(invalid("the volume is not available"));
        }
        let instance = self.instances.get(of).map(|it| &it.facts);
        if instance.is_some_and(|it| it.availability_zone != volume.availability_zone) {
            return Err(invalid("the volume is in another Availability Zone"));
        }
        let present = instance.and_then(|it| self.volumes.get(&it.root()?.volume));
        let encrypted = present.is_some_and(|it| it.facts.settings.encrypted);
        if encrypted && !volume.settings.encrypted {
            return Err(invalid("the original root volume is encrypted"));
        }
        Ok(())
    }

    fn root_of_image(&mut self, id: &ImageId, of: &InstanceId) -> Result<VolumeId, CloudError> {
        let image = self.images.get(id).cloned();
        let image = image.ok_or_else(|| refused(CALL, "InvalidAMIID.NotFound", id.as_str()))?;
        let invalid = |message: &str| Err(refused(CALL, "InvalidParameterValue", message));
        if image.state != ImageState::Available {
            return Err(refused(CALL, "InvalidAMIID.Unavailable", id.as_str()));
        }
        let facts = self.instances.get(of).map(|it| it.facts.clone());
        let (Some(facts), Some(present)) = (
            facts.clone(),
            facts.and_then(|it| self.volumes.get(&it.root()?.volume).cloned()),
        ) else {
            return invalid("no root is attached");
        };
        let alike = |a: &crate::situation::Boot| {
            (
                a.architecture.clone(),
                a.virtualization.clone(),
                a.platform.clone(),
                a.product_codes.clone(),
            )
        };
        if alike(&image.boot) != alike(&facts.boot) {
            return invalid("the image differs from the instance's");
        }
        let volume = self.volume_of_image(&image, &facts.availability_zone);
        if let Some(volume) = self.volumes.get_mut(&volume) {
            volume.facts.settings = present.facts.settings;
        }
        Ok(volume)
    }

    /// A root volume as an image makes it: with the content of its snapshot, if it has one.
    pub(super) fn volume_of_image(&mut self, image: &Image, zone: &str) -> VolumeId {
        let id = self.blank_volume(zone, super::fleet::general_purpose());
        let snapshot = image.root_snapshot.as_ref();
        let content = snapshot.and_then(|it| Some(self.snapshots.get(it)?.content.clone()));
        if let Some(volume) = self.volumes.get_mut(&id) {
            volume.root = true;
            volume.facts.snapshot = snapshot.cloned();
            if let Some(content) = content {
                volume.content = content;
                self.writes.remove(&id);
            }
        }
        id
    }

    /// The original volume is detached. In a failing task it stays, or is detached as well.
    pub(super) fn root_detached(&mut self, id: &str) {
        let Some(task) = self.root_tasks.get(id).cloned() else {
            return;
        };
        if task.ends == RootTaskState::Failed || !self.is_up(&task.facts.instance) {
            return;
        }
        let Some(instance) = self.instances.get_mut(&task.facts.instance) else {
            return;
        };
        let Some(root) = instance.facts.root().cloned() else {
            return;
        };
        instance.facts.devices.retain(|it| it.name != root.name);
        if let Some(old) = self.volumes.get_mut(&root.volume) {
            old.facts.attachments.clear();
            old.facts.state = VolumeState::Available;
        }
        if task.ends == RootTaskState::Succeeded {
            // "The replacement root volume gets the same … delete on termination attributes."
            let delete = root.delete_on_termination;
            let instance = &task.facts.instance;
            self.put(&task.volume, instance, &root.name, delete, false);
            // The root comes first, as EC2 lists it.
            if let Some(instance) = self.instances.get_mut(instance) {
                instance.facts.devices.rotate_right(1);
            }
        }
    }

    /// The instance is available again, with the one or the other root.
    pub(super) fn root_replaced(&mut self, id: &str) {
        let Some(task) = self.root_tasks.get_mut(id) else {
            return;
        };
        let task = {
            task.facts.state = task.ends;
            task.clone()
        };
        if !self.is_up(&task.facts.instance) {
            return;
        }
        self.attached(&task.volume, &task.facts.instance);
        let instance = self.instances.get_mut(&task.facts.instance);
        if let (Some(instance), Some(image)) = (instance, task.image)
            && task.ends == RootTaskState::Succeeded
        {
            instance.facts.image = Some(image);
        }
    }

    fn is_up(&self, id: &InstanceId) -> bool {
        let instance = self.instances.get(id);
        instance.is_some_and(|it| it.facts.state == InstanceState::Running)
    }

    pub(super) fn read_root_tasks(
        &mut self,
        ids: &[InstanceId],
    ) -> Result<Vec<RootTask>, CloudError> {
        self.admit("DescribeReplaceRootVolumeTasks")?;
        let tasks = self.root_tasks.values().map(|it| &it.facts);
        let wanted = tasks.filter(|it| ids.contains(&it.instance));
        Ok(wanted.cloned().collect())
    }
}
