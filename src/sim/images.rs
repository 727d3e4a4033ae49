//! Images: named once, made of a completed snapshot; left out, their architecture is i386 and their virtualization
//! paravirtual (TRAP 12).
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSnapshot.html>: "You cannot delete a
//!   snapshot of the root device of an EBS volume used by a registered AMI."

use super::agenda::Due;
use super::error::refused;
use super::reads::{bad_filter, by_tag};
use super::tagging::check_tags;
use super::{State, World};
use crate::cloud::{CloudError, Query};
use crate::id::{ImageId, InstanceId, SnapshotId};
use crate::situation::{Boot, Image, ImageState, SnapshotState};
use crate::step::RegisterImage;
use crate::tags::Tags;

/// What an `m5.large` boots.
pub(super) fn usual_boot() -> Boot {
    Boot {
        architecture: "x86_64".to_owned(),
        virtualization: "hvm".to_owned(),
        mode: Some("uefi-preferred".to_owned()),
        ena: true,
        sriov: true,
        platform: "Linux/UNIX".to_owned(),
        ..Boot::default()
    }
}

impl World {
    /// Changes the boot settings of the instance and its image.
    pub fn boots(&self, id: &InstanceId, change: impl Fn(&mut Boot)) {
        self.change(|it| {
            let Some(instance) = it.instances.get_mut(id) else {
                return;
            };
            change(&mut instance.facts.boot);
            let image = instance.facts.image.clone();
            if let Some(image) = image.and_then(|id| it.images.get_mut(&id)) {
                change(&mut image.boot);
            }
        });
    }

    /// Its owner deregisters the image an instance was launched from.
    pub fn withdraw_image(&self, of: &InstanceId) {
        self.change(|it| {
            let image = it.instances.get(of).and_then(|it| it.facts.image.clone());
            image.and_then(|id| it.images.remove(&id))
        });
    }
}

impl State {
    pub(super) fn register_image(
        &mut self,
        register: &RegisterImage,
    ) -> Result<String, CloudError> {
        const CALL: &str = "RegisterImage";
        let RegisterImage {
            name,
            snapshot,
            root,
            boot,
            uefi_data_of: _,
            tags,
        } = register;
        check_tags(CALL, tags)?;
        if self.images.values().any(|it| it.name == *name) {
            return Err(refused(CALL, "InvalidAMIName.Duplicate", name));
        }
        let found = self
            .snapshots
            .get(snapshot)
            .ok_or_else(|| refused(CALL, "InvalidSnapshot.NotFound", snapshot.as_str()))?;
        if found.facts.state != SnapshotState::Completed {
            let message = format!("Snapshot '{snapshot}' is not 'completed'.");
            return Err(refused(CALL, "IncorrectState", &message));
        }
        let id: ImageId = self.new_id("ami-");
        let image = Image {
            id: id.clone(),
            name: name.clone(),
            state: ImageState::Pending,
            root_device: Some(root.device.clone()),
            root_snapshot: Some(snapshot.clone()),
            devices: vec![root.device.clone()],
            boot: with_defaults(boot),
            tags: tags.clone(),
        };
        self.images.insert(id.clone(), image);
        self.schedule(self.config.image_seconds, Due::ImageReady(id.clone()));
        Ok(id.to_string())
    }

    pub(super) fn image_ready(&mut self, id: &ImageId) {
        if let Some(image) = self.images.get_mut(id) {
            image.state = ImageState::Available;
        }
    }

    pub(super) fn deregister_image(&mut self, id: &ImageId) -> Result<String, CloudError> {
        let removed = self.images.remove(id);
        removed
            .map(|_| String::new())
            .ok_or_else(|| refused("DeregisterImage", "InvalidAMIID.NotFound", id.as_str()))
    }

    /// An image stands on it.
    pub(super) fn is_under_an_image(&self, snapshot: &SnapshotId) -> bool {
        let mut images = self.images.values();
        images.any(|it| it.root_snapshot.as_ref() == Some(snapshot))
    }

    pub(super) fn read_images(&mut self, query: &Query) -> Result<Vec<Image>, CloudError> {
        const CALL: &str = "DescribeImages";
        self.admit(CALL)?;
        let by_id = match query {
            Query::Images(ids) => Some(ids),
            Query::Tag { .. } | Query::TagKey(_) => None,
            Query::Instances(_)
            | Query::Names(_)
            | Query::Snapshots(_)
            | Query::Interfaces(_)
            | Query::PrivateAddresses(_)
            | Query::Volumes(_)
            | Query::Template(_) => {
                return Err(bad_filter(CALL));
            }
        };
        let wanted = |it: &&Image| match by_id {
            Some(ids) => ids.contains(&it.id),
            None => by_tag(query, &it.tags),
        };
        Ok(self.images.values().filter(wanted).cloned().collect())
    }
}

fn with_defaults(boot: &Boot) -> Boot {
    let or = |value: &str, default: &str| {
        let value = if value.is_empty() { default } else { value };
        value.to_owned()
    };
    Boot {
        architecture: or(&boot.architecture, "i386"),
        virtualization: or(&boot.virtualization, "paravirtual"),
        ..boot.clone()
    }
}

/// An image as a user has one.
pub(super) fn users_image(id: ImageId, root_device: &str, devices: Vec<String>) -> Image {
    Image {
        name: format!("image {id}"),
        id,
        state: ImageState::Available,
        root_device: Some(root_device.to_owned()),
        root_snapshot: None,
        devices,
        boot: usual_boot(),
        tags: Tags::new(),
    }
}
