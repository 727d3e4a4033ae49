//! What instance types are, and "one like this" as a fleet is asked for it.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html>
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceRequirementsRequest.html>

use super::error::failed;
use super::read::FILTER_VALUES;
use aws_sdk_ec2::types::{
    AcceleratorCountRequest, BareMetal, BurstablePerformance, Filter, InstanceGeneration,
    InstanceRequirementsRequest, InstanceType, InstanceTypeInfo, LocalStorage, MemoryMiBRequest,
    VCpuCountRangeRequest,
};
use spot_rescue::cloud::CloudError;
use spot_rescue::situation::Shape;

/// By filter, so that a type that does not exist does not fail the others (TRAP 35).
pub async fn shapes(
    ec2: &aws_sdk_ec2::Client,
    instance_types: &[String],
) -> Result<Vec<Shape>, CloudError> {
    let mut found = Vec::new();
    for names in instance_types.chunks(FILTER_VALUES) {
        let filter = Filter::builder()
            .name("instance-type")
            .set_values(Some(names.to_vec()))
            .build();
        let request = ec2.describe_instance_types().filters(filter);
        let mut pages = request.into_paginator().items().send();
        while let Some(it) = pages.next().await {
            found.extend(shape(&it.map_err(failed("DescribeInstanceTypes"))?));
        }
    }
    Ok(found)
}

/// What EC2 says of one type; none if there is no such.
pub async fn type_info(
    ec2: &aws_sdk_ec2::Client,
    name: &InstanceType,
) -> Result<Option<InstanceTypeInfo>, CloudError> {
    let filter = Filter::builder()
        .name("instance-type")
        .values(name.as_str());
    let request = ec2.describe_instance_types().filters(filter.build());
    let answer = request.send().await;
    let answer = answer.map_err(failed("DescribeInstanceTypes"))?;
    Ok(answer.instance_types().first().cloned())
}

fn shape(it: &InstanceTypeInfo) -> Option<Shape> {
    let architectures = it.processor_info()?.supported_architectures();
    Some(Shape {
        instance_type: it.instance_type()?.as_str().to_owned(),
        vcpus: it.v_cpu_info()?.default_v_cpus()?,
        memory_mib: it.memory_info()?.size_in_mib()?.try_into().ok()?,
        architectures: architectures
            .iter()
            .map(|it| it.as_str().to_owned())
            .collect(),
        current_generation: it.current_generation().unwrap_or(false),
        burstable: it.burstable_performance_supported().unwrap_or(false),
        bare_metal: it.bare_metal().unwrap_or(false),
        local_storage: it.instance_storage_supported().unwrap_or(false),
        accelerated: it.gpu_info().is_some()
            || it.fpga_info().is_some()
            || it.inference_accelerator_info().is_some()
            || it.neuron_info().is_some(),
    })
}

/// As many vCPUs, no less memory, no accelerators; of a kind EC2 would leave out (burstable, bare metal,
/// previous generations) only if the original is of it. The architecture is the image's: "instances will
/// be launched with a compatible CPU architecture based on the Amazon Machine Image".
pub fn requirements(like: &Shape) -> InstanceRequirementsRequest {
    let vcpus = VCpuCountRangeRequest::builder()
        .min(like.vcpus)
        .max(like.vcpus);
    let memory = MemoryMiBRequest::builder().min(like.memory_mib);
    let accelerators = AcceleratorCountRequest::builder().max(0);
    let mut generations = vec![InstanceGeneration::Current];
    generations.extend((!like.current_generation).then_some(InstanceGeneration::Previous));
    let burstable = if like.burstable {
        BurstablePerformance::Included
    } else {
        BurstablePerformance::Excluded
    };
    let bare_metal = if like.bare_metal {
        BareMetal::Included
    } else {
        BareMetal::Excluded
    };
    let local_storage = if like.local_storage {
        LocalStorage::Required
    } else {
        LocalStorage::Included
    };
    InstanceRequirementsRequest::builder()
        .v_cpu_count(vcpus.build())
        .memory_mib(memory.build())
        .accelerator_count(accelerators.build())
        .set_instance_generations(Some(generations))
        .burstable_performance(burstable)
        .bare_metal(bare_metal)
        .local_storage(local_storage)
        .build()
}
