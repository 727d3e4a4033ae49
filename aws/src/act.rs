//! One call per action; nothing is decided here.

use super::tags::{ec2_tags, tagged};
use super::{
    Aws, autoscaling, bin, error::failed, fleet, inbox, network, roots, run, template, versions,
};
use aws_sdk_ec2::operation::copy_volumes::builders::CopyVolumesFluentBuilder;
use aws_sdk_ec2::operation::create_snapshots::builders::CreateSnapshotsFluentBuilder;
use aws_sdk_ec2::types::{
    CopyTagsFromSource, EbsInstanceBlockDeviceSpecification,
    InstanceBlockDeviceMappingSpecification, InstanceSpecification, ResourceType, Tag, VolumeType,
};
use spot_rescue::cloud::CloudError;
use spot_rescue::event::{Wake, own};
use spot_rescue::id::{InstanceId, SnapshotId, VolumeId};
use spot_rescue::step::{Action, CopyVolume, CreateVolume, Except};
use spot_rescue::tags::Tags;
use std::collections::BTreeMap;

impl Aws {
    pub(super) async fn dispatch(&self, action: &Action) -> Result<String, CloudError> {
        match action {
            Action::Tag { resources, tags } => self.tag(resources, tags).await,
            Action::Untag { resources, keys } => self.untag(resources, keys).await,
            Action::Deregister { group, targets } => {
                self.balancers.deregister(group, targets).await
            }
            Action::Register { group, targets } => self.balancers.register(group, targets).await,
            Action::SetDeleteOnTermination { instance, devices } => {
                self.set_delete_on_termination(instance, devices).await
            }
            Action::SnapshotInstance {
                instance,
                description,
                tags,
                copy_tags,
                except,
            } => {
                let request = self.snapshots(instance, description, tags, *copy_tags, except);
                let answer = request.send().await.map_err(failed("CreateSnapshots"))?;
                let ids = answer.snapshots().iter().filter_map(|it| it.snapshot_id());
                Ok(ids.collect::<Vec<_>>().join(" "))
            }
            Action::SnapshotVolume {
                volume,
                description,
                tags,
            } => self.snapshot_volume(volume, description, tags).await,
            Action::Launch(launch) => match &launch.interface {
                Some(interface) => run::launch(&self.ec2, launch, interface).await,
                None => fleet::launch(&self.ec2, launch).await,
            },
            // By far the largest future: without a box, each of the others would be as large.
            Action::WriteTemplate(write) => Box::pin(template::write(&self.ec2, write)).await,
            Action::DeleteTemplate { template } => template::delete(&self.ec2, template).await,
            Action::TrimTemplate {
                template,
                default,
                versions,
            } => versions::trim(&self.ec2, template, *default, versions).await,
            Action::CreateVolume(create) => self.create_volume(create).await,
            Action::CopyVolume(copy) => self.copy_volume(copy).await,
            Action::RestoreFromBin { volume } => bin::restore(&self.ec2, volume).await,
            Action::Attach {
                volume,
                instance,
                device,
            } => self.attach(volume, instance, device).await,
            Action::ReplaceRoot(replace) => roots::replace(&self.ec2, replace).await,
            Action::RegisterImage(register) => roots::register(&self.ec2, register).await,
            Action::DeregisterImage { image } => roots::deregister(&self.ec2, image).await,
            Action::PointName(point) => self.names.point(point).await,
            Action::Network(change) => network::change(&self.ec2, change).await,
            Action::Group(change) => autoscaling::change(&self.autoscaling, change).await,
            Action::DeleteVolume { volume } => self.delete_volume(volume).await,
            Action::DeleteSnapshot { snapshot } => self.delete_snapshot(snapshot).await,
            Action::Terminate { instance } => self.terminate(instance).await,
            Action::CancelRequest { request } => self.cancel(request.as_str()).await,
            Action::Rehearse(rehearsal) => Box::pin(self.rehearse(rehearsal)).await,
            Action::Wake {
                wake,
                delay_seconds,
            } => self.wake(wake, *delay_seconds).await,
            Action::Wakes(wakes) => inbox::wake(&self.sqs, self.queue_url()?, wakes).await,
        }
    }

    async fn tag(&self, resources: &[String], tags: &Tags) -> Result<String, CloudError> {
        let request = self
            .ec2
            .create_tags()
            .set_resources(Some(resources.to_vec()));
        let request = request.set_tags(Some(ec2_tags(tags)));
        request.send().await.map_err(failed("CreateTags"))?;
        Ok(String::new())
    }

    async fn untag(&self, resources: &[String], keys: &[String]) -> Result<String, CloudError> {
        let tags = keys
            .iter()
            .map(|key| Tag::builder().key(key).build())
            .collect();
        let request = self
            .ec2
            .delete_tags()
            .set_resources(Some(resources.to_vec()));
        request
            .set_tags(Some(tags))
            .send()
            .await
            .map_err(failed("DeleteTags"))?;
        Ok(String::new())
    }

    /// Several devices in one call; the flag is always sent, an omitted one means true (TRAP 15).
    async fn set_delete_on_termination(
        &self,
        instance: &InstanceId,
        devices: &BTreeMap<String, bool>,
    ) -> Result<String, CloudError> {
        let mapping = |(device, flag): (&String, &bool)| {
            let ebs = EbsInstanceBlockDeviceSpecification::builder().delete_on_termination(*flag);
            InstanceBlockDeviceMappingSpecification::builder()
                .device_name(device)
                .ebs(ebs.build())
                .build()
        };
        let mappings = devices.iter().map(mapping).collect();
        let request = self
            .ec2
            .modify_instance_attribute()
            .instance_id(instance.as_str());
        let request = request.set_block_device_mappings(Some(mappings));
        request
            .send()
            .await
            .map_err(failed("ModifyInstanceAttribute"))?;
        Ok(String::new())
    }

    /// Each snapshot gets the tags of its volume, where there is room for them: they say what the volume was.
    pub(super) fn snapshots(
        &self,
        instance: &InstanceId,
        description: &str,
        tags: &Tags,
        copy_tags: bool,
        except: &Except,
    ) -> CreateSnapshotsFluentBuilder {
        let Except { root, volumes } = except;
        let volumes = volumes.iter().map(ToString::to_string).collect::<Vec<_>>();
        let source = InstanceSpecification::builder()
            .instance_id(instance.as_str())
            .set_exclude_boot_volume(root.then_some(true))
            .set_exclude_data_volume_ids(Some(volumes).filter(|it| !it.is_empty()))
            .build();
        self.ec2
            .create_snapshots()
            .instance_specification(source)
            .set_copy_tags_from_source(copy_tags.then_some(CopyTagsFromSource::Volume))
            .description(description)
            .tag_specifications(tagged(ResourceType::Snapshot, tags))
    }

    async fn snapshot_volume(
        &self,
        volume: &VolumeId,
        description: &str,
        tags: &Tags,
    ) -> Result<String, CloudError> {
        let request = self
            .ec2
            .create_snapshot()
            .volume_id(volume.as_str())
            .description(description)
            .tag_specifications(tagged(ResourceType::Snapshot, tags));
        let answer = request.send().await.map_err(failed("CreateSnapshot"))?;
        Ok(answer.snapshot_id().unwrap_or_default().to_owned())
    }

    async fn create_volume(&self, create: &CreateVolume) -> Result<String, CloudError> {
        let CreateVolume {
            snapshot,
            availability_zone,
            settings,
            initialization_rate,
            tags,
            token,
        } = create;
        let request = self
            .ec2
            .create_volume()
            .snapshot_id(snapshot.as_str())
            .availability_zone(availability_zone)
            .volume_type(VolumeType::from(settings.volume_type.as_str()))
            .size(settings.size)
            .set_iops(settings.iops)
            .set_throughput(settings.throughput)
            .set_encrypted(settings.encrypted.then_some(true))
            .set_kms_key_id(settings.kms_key.clone())
            .set_multi_attach_enabled(settings.multi_attach.then_some(true))
            .set_volume_initialization_rate(*initialization_rate)
            .client_token(token)
            .tag_specifications(tagged(ResourceType::Volume, tags));
        let answer = request.send().await.map_err(failed("CreateVolume"))?;
        Ok(answer.volume_id().unwrap_or_default().to_owned())
    }

    async fn copy_volume(&self, copy: &CopyVolume) -> Result<String, CloudError> {
        let request = self.copy(copy);
        let answer = request.send().await.map_err(failed("CopyVolumes"))?;
        let ids = answer.volumes().iter().filter_map(|it| it.volume_id());
        Ok(ids.collect::<Vec<_>>().join(" "))
    }

    /// Type, size and speed are given: the type's default is gp2 (TRAP 33). So is the key: without one, an encrypted
    /// copy would have the account's default key.
    pub(super) fn copy(&self, copy: &CopyVolume) -> CopyVolumesFluentBuilder {
        let CopyVolume {
            source,
            settings,
            tags,
            token,
        } = copy;
        self.ec2
            .copy_volumes()
            .source_volume_id(source.as_str())
            .volume_type(VolumeType::from(settings.volume_type.as_str()))
            .size(settings.size)
            .set_iops(settings.iops)
            .set_throughput(settings.throughput)
            .set_encrypted(settings.encrypted.then_some(true))
            .set_kms_key_id(settings.kms_key.clone())
            .set_multi_attach_enabled(settings.multi_attach.then_some(true))
            .client_token(token)
            .tag_specifications(tagged(ResourceType::Volume, tags))
    }

    async fn attach(
        &self,
        volume: &VolumeId,
        instance: &InstanceId,
        device: &str,
    ) -> Result<String, CloudError> {
        let request = self.ec2.attach_volume().volume_id(volume.as_str());
        let request = request.instance_id(instance.as_str()).device(device);
        request.send().await.map_err(failed("AttachVolume"))?;
        Ok(String::new())
    }

    async fn delete_volume(&self, volume: &VolumeId) -> Result<String, CloudError> {
        let request = self.ec2.delete_volume().volume_id(volume.as_str());
        request.send().await.map_err(failed("DeleteVolume"))?;
        Ok(String::new())
    }

    async fn delete_snapshot(&self, snapshot: &SnapshotId) -> Result<String, CloudError> {
        let request = self.ec2.delete_snapshot().snapshot_id(snapshot.as_str());
        request.send().await.map_err(failed("DeleteSnapshot"))?;
        Ok(String::new())
    }

    /// Idempotent: an instance that has ended stays so.
    async fn terminate(&self, instance: &InstanceId) -> Result<String, CloudError> {
        let request = self.ec2.terminate_instances();
        let request = request.instance_ids(instance.as_str());
        request.send().await.map_err(failed("TerminateInstances"))?;
        Ok(String::new())
    }

    /// Idempotent: a request that is cancelled stays so.
    async fn cancel(&self, request: &str) -> Result<String, CloudError> {
        let call = self.ec2.cancel_spot_instance_requests();
        let call = call.spot_instance_request_ids(request);
        call.send()
            .await
            .map_err(failed("CancelSpotInstanceRequests"))?;
        Ok(String::new())
    }

    fn queue_url(&self) -> Result<&String, CloudError> {
        let message = "SPOT_RESCUE_QUEUE_URL is not set, so no later look can be scheduled; set it";
        let missing = || CloudError::new("SendMessage", "NoQueue", message, None);
        self.stack.queue_url.as_ref().ok_or_else(missing)
    }

    async fn wake(&self, wake: &Wake, delay_seconds: u16) -> Result<String, CloudError> {
        let queue_url = self.queue_url()?;
        let request = self
            .sqs
            .send_message()
            .queue_url(queue_url)
            .message_body(own::wake(wake))
            .delay_seconds(i32::from(delay_seconds));
        let answer = request.send().await.map_err(failed("SendMessage"))?;
        Ok(answer.message_id().unwrap_or_default().to_owned())
    }
}
