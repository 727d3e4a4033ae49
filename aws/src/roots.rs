//! Root volumes and the images made of them.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateReplaceRootVolumeTask.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html>

use super::read::FILTER_VALUES;
use super::{error::failed, tags::tagged};
use aws_sdk_ec2::types::{
    ArchitectureValues, BlockDeviceMapping, BootModeValues, EbsBlockDevice, Filter,
    ImdsSupportValues, ReplaceRootVolumeTask, ResourceType, TpmSupportValues, VolumeType,
};
use spot_rescue::cloud::{Class, CloudError};
use spot_rescue::id::{ImageId, InstanceId};
use spot_rescue::situation::{RootTask, RootTaskState};
use spot_rescue::step::{RegisterImage, ReplaceRoot, RootDevice, RootSource};

/// The root that was replaced stays: it has been marked, and expires like everything else.
pub async fn replace(
    ec2: &aws_sdk_ec2::Client,
    replace: &ReplaceRoot,
) -> Result<String, CloudError> {
    let ReplaceRoot {
        instance,
        by,
        tags,
        token,
    } = replace;
    let request = ec2
        .create_replace_root_volume_task()
        .instance_id(instance.as_str())
        .delete_replaced_root_volume(false)
        .client_token(token)
        .tag_specifications(tagged(ResourceType::ReplaceRootVolumeTask, tags));
    let request = match by {
        RootSource::Volume(volume) => request.volume_id(volume.as_str()),
        RootSource::Image(image) => request.image_id(image.as_str()),
    };
    let answer = request.send().await;
    let answer = answer.map_err(failed("CreateReplaceRootVolumeTask"))?;
    let task = answer.replace_root_volume_task();
    let id = task.and_then(|it| it.replace_root_volume_task_id());
    Ok(id.unwrap_or_default().to_owned())
}

pub async fn tasks(
    ec2: &aws_sdk_ec2::Client,
    ids: &[InstanceId],
) -> Result<Vec<RootTask>, CloudError> {
    let mut found = Vec::new();
    for ids in ids.chunks(FILTER_VALUES) {
        let filter = Filter::builder()
            .name("instance-id")
            .set_values(Some(ids.iter().map(ToString::to_string).collect()))
            .build();
        let request = ec2.describe_replace_root_volume_tasks().filters(filter);
        let mut pages = request.max_results(50).into_paginator().items().send();
        while let Some(task) = pages.next().await {
            let task = task.map_err(failed("DescribeReplaceRootVolumeTasks"))?;
            found.extend(root_task(&task));
        }
    }
    Ok(found)
}

/// An unknown state counts as not over.
fn root_task(it: &ReplaceRootVolumeTask) -> Option<RootTask> {
    let state = it.task_state().map_or("", |it| it.as_str());
    Some(RootTask {
        id: it.replace_root_volume_task_id()?.to_owned(),
        instance: it.instance_id()?.parse().ok()?,
        state: match state {
            "succeeded" => RootTaskState::Succeeded,
            "failed" => RootTaskState::Failed,
            "failed-detached" => RootTaskState::FailedDetached,
            _ => RootTaskState::Underway,
        },
    })
}

/// All fields are given: those left out become i386, paravirtual and without enhanced networking (TRAP 12). "If you
/// specify an Amazon EBS volume using the ID of an Amazon EBS snapshot, you can't specify the encryption state of the
/// volume": it is the snapshot's.
pub async fn register(
    ec2: &aws_sdk_ec2::Client,
    register: &RegisterImage,
) -> Result<String, CloudError> {
    let RegisterImage {
        name,
        snapshot: _,
        root: RootDevice { device, .. },
        boot,
        uefi_data_of,
        tags,
    } = register;
    let uefi_data = match uefi_data_of {
        Some(instance) => uefi_data(ec2, instance).await?,
        None => None,
    };
    let request = ec2
        .register_image()
        .name(name)
        .description("spot-rescue: the root of an interrupted instance")
        .architecture(ArchitectureValues::from(boot.architecture.as_str()))
        .virtualization_type(&boot.virtualization)
        .set_boot_mode(boot.mode.as_deref().map(BootModeValues::from))
        .ena_support(boot.ena)
        .set_sriov_net_support(boot.sriov.then(|| "simple".to_owned()))
        .set_tpm_support(boot.tpm.then_some(TpmSupportValues::V20))
        .set_imds_support(boot.imds.then_some(ImdsSupportValues::V20))
        .set_uefi_data(uefi_data)
        .root_device_name(device)
        .block_device_mappings(root_mapping(register))
        .tag_specifications(tagged(ResourceType::Image, tags));
    let answer = request.send().await.map_err(failed("RegisterImage"))?;
    Ok(answer.image_id().unwrap_or_default().to_owned())
}

fn root_mapping(register: &RegisterImage) -> BlockDeviceMapping {
    let RootDevice {
        device,
        settings,
        delete_on_termination,
    } = &register.root;
    let ebs = EbsBlockDevice::builder()
        .snapshot_id(register.snapshot.as_str())
        .volume_type(VolumeType::from(settings.volume_type.as_str()))
        .volume_size(settings.size)
        .set_iops(settings.iops)
        .set_throughput(settings.throughput)
        .delete_on_termination(*delete_on_termination);
    BlockDeviceMapping::builder()
        .device_name(device)
        .ebs(ebs.build())
        .build()
}

/// Keys for Secure Boot and the boot order. Where EC2 returns none, the image is registered without.
async fn uefi_data(
    ec2: &aws_sdk_ec2::Client,
    instance: &InstanceId,
) -> Result<Option<String>, CloudError> {
    let request = ec2.get_instance_uefi_data().instance_id(instance.as_str());
    let answer = request.send().await.map_err(failed("GetInstanceUefiData"));
    match answer {
        Ok(answer) => Ok(answer.uefi_data().map(str::to_owned)),
        Err(error) if error.class == Class::Transient => Err(error),
        Err(error) => {
            tracing::warn!(%error, "the image gets no UEFI data");
            Ok(None)
        }
    }
}

pub async fn deregister(ec2: &aws_sdk_ec2::Client, image: &ImageId) -> Result<String, CloudError> {
    let request = ec2.deregister_image().image_id(image.as_str());
    request.send().await.map_err(failed("DeregisterImage"))?;
    Ok(String::new())
}
