//! `DetachVolume`, which the function never calls.
//! <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-detaching-volume.html>

use super::agenda::Due;
use super::error::refused;
use super::{FailingCloud, State, World};
use crate::cloud::CloudError;
use crate::event::InstanceState;
use crate::id::{InstanceId, VolumeId};
use crate::restore::Hands;
use async_trait::async_trait;

const CALL: &str = "DetachVolume";

#[async_trait]
impl Hands for World {
    async fn detach(&self, volume: &VolumeId, from: &InstanceId) -> Result<String, CloudError> {
        self.call().await;
        self.change(|it| it.detach_volume(volume, from))
    }
}

#[async_trait]
impl<C: Hands> Hands for FailingCloud<C> {
    async fn detach(&self, volume: &VolumeId, from: &InstanceId) -> Result<String, CloudError> {
        self.change(CALL, || self.inner.detach(volume, from)).await
    }
}

impl State {
    /// A volume that a running instance writes to is not let go: it stays `detaching`. A second call is refused.
    fn detach_volume(&mut self, id: &VolumeId, from: &InstanceId) -> Result<String, CloudError> {
        self.admit(CALL)?;
        let Some(volume) = self.volumes.get_mut(id) else {
            return Err(refused(CALL, "InvalidVolume.NotFound", id.as_str()));
        };
        let held = { volume.facts.attachments.iter_mut() }.find(|it| it.instance == *from);
        let Some(attachment) = held.filter(|it| it.settled) else {
            let message = format!("Volume '{id}' is in the 'available' or 'detaching' state.");
            return Err(refused(CALL, "IncorrectState", &message));
        };
        let holder = self.instances.get(from).map(|it| &it.facts);
        let runs = holder.is_some_and(|it| it.state == InstanceState::Running);
        if runs && holder.is_some_and(|it| it.is_root(&attachment.device)) {
            let message = format!("Unable to detach root volume '{id}' from instance '{from}'");
            return Err(refused(CALL, "OperationNotPermitted", &message));
        }
        attachment.settled = false;
        if !runs {
            let due = Due::Detached(id.clone(), from.clone());
            self.schedule(self.config.attach_seconds, due);
        }
        Ok(String::new())
    }

    pub(super) fn detached(&mut self, id: &VolumeId, from: &InstanceId) {
        if let Some(holder) = self.instances.get_mut(from) {
            holder.facts.devices.retain(|it| it.volume != *id);
        }
        self.released(id, from);
    }
}
