//! The launch template: `GetLaunchTemplateData` describes the instance as it is, old addresses and all (TRAP 9); here
//! that becomes a description of its replacement.
//!
//! Dropped: network interfaces (ids, addresses and subnet of the old one; the fleet names the
//! subnet), market options (a fleet has its own and refuses others'), zone and host, empty strings,
//! the instance's volumes, its capacity reservation, shutdown behaviour `stop` (the default).
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetLaunchTemplateData.html>

use super::{
    error::failed,
    options::{self, Options},
    tags::{ec2_tags, tagged},
    versions,
};
use aws_sdk_ec2::types as ec2;
use aws_sdk_ec2::types::{RequestLaunchTemplateData, ResourceType, ResponseLaunchTemplateData};
use spot_rescue::cloud::CloudError;
use spot_rescue::id::TemplateId;
use spot_rescue::situation::PublicAddress;
use spot_rescue::step::{RootDevice, TemplateSpec, WriteTemplate};
use spot_rescue::tags::Tags;

const CREATE: &str = "CreateLaunchTemplate";
const ADD: &str = "CreateLaunchTemplateVersion";

pub async fn write(ec2: &aws_sdk_ec2::Client, write: &WriteTemplate) -> Result<String, CloudError> {
    let WriteTemplate {
        source,
        name,
        existing,
        extends,
        image,
        spec,
        tags,
        token,
    } = write;
    if *extends {
        return extend(ec2, existing.as_ref(), token, spec).await;
    }
    let request = ec2.get_launch_template_data().instance_id(source.as_str());
    let answer = request
        .send()
        .await
        .map_err(failed("GetLaunchTemplateData"))?;
    let Some(shown) = answer.launch_template_data() else {
        let message = "the answer has no launch template data";
        return Err(CloudError::new(
            "GetLaunchTemplateData",
            "Empty",
            message,
            None,
        ));
    };
    let options = options::fitting(ec2, shown, spec).await?;
    let mut data = data(shown, spec, &options);
    if let Some(image) = image {
        data.image_id = Some(image.to_string());
    }
    if let Some((template, _)) = existing {
        return add(ec2, template, None, token, data).await;
    }
    let request = ec2
        .create_launch_template()
        .launch_template_name(name)
        .launch_template_data(data)
        .client_token(token)
        .tag_specifications(tagged(ResourceType::LaunchTemplate, tags));
    let answer = request.send().await.map_err(failed(CREATE))?;
    let made = answer.launch_template();
    let id = made.and_then(|it| it.launch_template_id());
    let number = made.and_then(|it| it.latest_version_number());
    versions::written(id, number, CREATE)
}

/// "The new version inherits the same launch parameters as the source version, except for parameters that you
/// specify".
async fn extend(
    ec2: &aws_sdk_ec2::Client,
    existing: Option<&(TemplateId, Option<u64>)>,
    token: &str,
    spec: &TemplateSpec,
) -> Result<String, CloudError> {
    let Some((template, Some(after))) = existing else {
        let message = "no version is named that the new one is to be made of";
        return Err(CloudError::new(ADD, "NoVersion", message, None));
    };
    let tags = tags_of_both(ec2, template, *after, spec).await?;
    let builder = RequestLaunchTemplateData::builder().set_tag_specifications(tags);
    add(
        ec2,
        template,
        Some(*after),
        token,
        network(spec, builder).build(),
    )
    .await
}

/// The tags of the source version and those of the interface, where there are any: what a version says of tags takes
/// the place of all that its source says of them. A source that cannot be read keeps its own.
async fn tags_of_both(
    ec2: &aws_sdk_ec2::Client,
    template: &TemplateId,
    source: u64,
    spec: &TemplateSpec,
) -> Result<Option<Vec<ec2::LaunchTemplateTagSpecificationRequest>>, CloudError> {
    if spec.interface_tags.is_empty() {
        return Ok(None);
    }
    let mut all = versions::tags(ec2, template, &source.to_string()).await?;
    if all.is_empty() {
        return Ok(None);
    }
    let interface = ResourceType::NetworkInterface.as_str().to_owned();
    all.insert(interface, spec.interface_tags.clone());
    let all = all.iter();
    Ok(Some(all.map(|(of, tags)| given(of, tags)).collect()))
}

fn given(of: &str, tags: &Tags) -> ec2::LaunchTemplateTagSpecificationRequest {
    ec2::LaunchTemplateTagSpecificationRequest::builder()
        .resource_type(ResourceType::from(of))
        .set_tags(Some(ec2_tags(tags)))
        .build()
}

async fn add(
    ec2: &aws_sdk_ec2::Client,
    template: &TemplateId,
    source: Option<u64>,
    token: &str,
    data: RequestLaunchTemplateData,
) -> Result<String, CloudError> {
    let request = ec2
        .create_launch_template_version()
        .launch_template_id(template.as_str())
        .set_source_version(source.map(|it| it.to_string()))
        .client_token(token)
        .launch_template_data(data);
    let answer = request.send().await.map_err(failed(ADD))?;
    let made = answer.launch_template_version();
    let number = made.and_then(|it| it.version_number());
    versions::written(Some(template.as_str()), number, ADD)
}

pub async fn delete(ec2: &aws_sdk_ec2::Client, id: &TemplateId) -> Result<String, CloudError> {
    let request = ec2.delete_launch_template().launch_template_id(id.as_str());
    request
        .send()
        .await
        .map_err(failed("DeleteLaunchTemplate"))?;
    Ok(String::new())
}

/// The settings that are kept, as a request.
fn data(
    shown: &ResponseLaunchTemplateData,
    spec: &TemplateSpec,
    options: &Options,
) -> RequestLaunchTemplateData {
    let builder = RequestLaunchTemplateData::builder()
        .set_image_id(shown.image_id().map(str::to_owned))
        .set_instance_type(shown.instance_type().cloned())
        .set_key_name(filled(shown.key_name()))
        .set_kernel_id(filled(shown.kernel_id()))
        .set_ram_disk_id(filled(shown.ram_disk_id()))
        .set_user_data(filled(shown.user_data()))
        .set_ebs_optimized(shown.ebs_optimized())
        .set_iam_instance_profile(shown.iam_instance_profile().and_then(profile))
        .set_monitoring(shown.monitoring().map(monitoring))
        .set_placement(shown.placement().and_then(placement))
        .set_metadata_options(metadata_options(shown, spec))
        .set_private_dns_name_options(shown.private_dns_name_options().map(private_dns))
        .set_maintenance_options(shown.maintenance_options().map(maintenance))
        .set_license_specifications(licenses(shown))
        .set_block_device_mappings(Some(devices(spec)))
        .set_tag_specifications(Some(user_tags(spec)))
        .set_credit_specification(options.credits.clone())
        .set_cpu_options(options.cpu.clone())
        .set_network_performance_options(options.network.clone());
    enclave_and_shutdown(shown, network(spec, builder)).build()
}

type Builder = ec2::builders::RequestLaunchTemplateDataBuilder;

/// Security groups are given beside the interfaces or inside one, never both (TRAP 10); inside, a public address can
/// be asked for or declined (TRAP 53). A version for launches on an existing interface has no network settings: the
/// launch gives them all (TRAP 58).
fn network(spec: &TemplateSpec, builder: Builder) -> Builder {
    if spec.bare {
        return builder;
    }
    let groups = Some(spec.security_groups.clone()).filter(|it| !it.is_empty());
    let public = spec.public_address.map(|it| it == PublicAddress::Given);
    let interface = ec2::LaunchTemplateInstanceNetworkInterfaceSpecificationRequest::builder()
        .device_index(0)
        .set_associate_public_ip_address(public)
        .set_groups(groups);
    builder.network_interfaces(interface.build())
}

fn enclave_and_shutdown(shown: &ResponseLaunchTemplateData, builder: Builder) -> Builder {
    let enclave = shown
        .enclave_options()
        .and_then(|it| it.enabled())
        .filter(|it| *it);
    let enclave = enclave.map(|it| {
        ec2::LaunchTemplateEnclaveOptionsRequest::builder()
            .enabled(it)
            .build()
    });
    let terminate = Some(ec2::ShutdownBehavior::Terminate);
    let shutdown = shown.instance_initiated_shutdown_behavior().cloned();
    builder
        .set_enclave_options(enclave)
        .set_instance_initiated_shutdown_behavior(
            shutdown.filter(|_| shown.instance_initiated_shutdown_behavior() == terminate.as_ref()),
        )
}

/// The root like the original's; every other device empty.
fn devices(spec: &TemplateSpec) -> Vec<ec2::LaunchTemplateBlockDeviceMappingRequest> {
    let mapping = ec2::LaunchTemplateBlockDeviceMappingRequest::builder;
    let empty = spec.empty_devices.iter();
    let empty = empty.map(|it| mapping().device_name(it).no_device("").build());
    let root = spec
        .root
        .iter()
        .map(|it| mapping().device_name(&it.device).ebs(root(it)).build());
    root.chain(empty).collect()
}

fn root(root: &RootDevice) -> ec2::LaunchTemplateEbsBlockDeviceRequest {
    let RootDevice {
        device: _,
        settings,
        delete_on_termination,
    } = root;
    ec2::LaunchTemplateEbsBlockDeviceRequest::builder()
        .volume_type(ec2::VolumeType::from(settings.volume_type.as_str()))
        .volume_size(settings.size)
        .set_iops(settings.iops)
        .set_throughput(settings.throughput)
        .set_encrypted(settings.encrypted.then_some(true))
        .set_kms_key_id(settings.kms_key.clone())
        .delete_on_termination(*delete_on_termination)
        .build()
}

/// Tags for the resources that a launch makes, and only where there are any: tags for resources that it does not make
/// fail it, and so do tags for a Spot request in an On-Demand launch (TRAP 54).
fn user_tags(spec: &TemplateSpec) -> Vec<ec2::LaunchTemplateTagSpecificationRequest> {
    let all = [
        (ResourceType::Instance, &spec.instance_tags),
        (ResourceType::Volume, &spec.volume_tags),
        (ResourceType::NetworkInterface, &spec.interface_tags),
    ];
    let filled = all.into_iter().filter(|(_, tags)| !tags.is_empty());
    let request = |(of, tags): (ResourceType, &Tags)| given(of.as_str(), tags);
    filled.map(request).collect()
}

/// By ARN or by name, not both.
fn profile(
    it: &ec2::LaunchTemplateIamInstanceProfileSpecification,
) -> Option<ec2::LaunchTemplateIamInstanceProfileSpecificationRequest> {
    let arn = filled(it.arn());
    let name = filled(it.name()).filter(|_| arn.is_none());
    let request = ec2::LaunchTemplateIamInstanceProfileSpecificationRequest::builder();
    (arn.is_some() || name.is_some()).then(|| request.set_arn(arn).set_name(name).build())
}

fn monitoring(it: &ec2::LaunchTemplatesMonitoring) -> ec2::LaunchTemplatesMonitoringRequest {
    ec2::LaunchTemplatesMonitoringRequest::builder()
        .set_enabled(it.enabled())
        .build()
}

/// Tenancy, placement group and partition; never the zone or the host. The group is named by its id, as a group
/// shared by another account has to be, or else by its name: "If you specify `GroupId`, you can't specify
/// `GroupName`".
fn placement(it: &ec2::LaunchTemplatePlacement) -> Option<ec2::LaunchTemplatePlacementRequest> {
    let id = filled(it.group_id());
    let name = filled(it.group_name()).filter(|_| id.is_none());
    let grouped = id.is_some() || name.is_some();
    // Partitions are counted from one.
    let partition = it.partition_number().filter(|it| grouped && *it > 0);
    let dedicated = it
        .tenancy()
        .filter(|it| **it == ec2::Tenancy::Dedicated)
        .cloned();
    let said = grouped || dedicated.is_some();
    let request = ec2::LaunchTemplatePlacementRequest::builder()
        .set_group_id(id)
        .set_group_name(name)
        .set_partition_number(partition)
        .set_tenancy(dedicated);
    said.then(|| request.build())
}

/// As they are, or stricter: an account that enforces `HttpTokens=required` refuses launches without (TRAP 51).
fn metadata_options(
    shown: &ResponseLaunchTemplateData,
    spec: &TemplateSpec,
) -> Option<ec2::LaunchTemplateInstanceMetadataOptionsRequest> {
    let shown = shown.metadata_options().map(metadata);
    if !spec.plain {
        return shown.map(MetadataOptions::build);
    }
    let required = ec2::LaunchTemplateHttpTokensState::Required;
    Some(shown.unwrap_or_default().http_tokens(required).build())
}

type MetadataOptions = ec2::builders::LaunchTemplateInstanceMetadataOptionsRequestBuilder;

fn metadata(it: &ec2::LaunchTemplateInstanceMetadataOptions) -> MetadataOptions {
    ec2::LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .set_http_tokens(it.http_tokens().cloned())
        .set_http_put_response_hop_limit(it.http_put_response_hop_limit())
        .set_http_endpoint(it.http_endpoint().cloned())
        .set_http_protocol_ipv6(it.http_protocol_ipv6().cloned())
        .set_instance_metadata_tags(it.instance_metadata_tags().cloned())
}

fn private_dns(
    it: &ec2::LaunchTemplatePrivateDnsNameOptions,
) -> ec2::LaunchTemplatePrivateDnsNameOptionsRequest {
    ec2::LaunchTemplatePrivateDnsNameOptionsRequest::builder()
        .set_hostname_type(it.hostname_type().cloned())
        .set_enable_resource_name_dns_a_record(it.enable_resource_name_dns_a_record())
        .set_enable_resource_name_dns_aaaa_record(it.enable_resource_name_dns_aaaa_record())
        .build()
}

fn maintenance(
    it: &ec2::LaunchTemplateInstanceMaintenanceOptions,
) -> ec2::LaunchTemplateInstanceMaintenanceOptionsRequest {
    ec2::LaunchTemplateInstanceMaintenanceOptionsRequest::builder()
        .set_auto_recovery(it.auto_recovery().cloned())
        .build()
}

fn licenses(
    shown: &ResponseLaunchTemplateData,
) -> Option<Vec<ec2::LaunchTemplateLicenseConfigurationRequest>> {
    let arns = shown
        .license_specifications()
        .iter()
        .filter_map(|it| it.license_configuration_arn());
    let request = |arn| {
        ec2::LaunchTemplateLicenseConfigurationRequest::builder()
            .license_configuration_arn(arn)
            .build()
    };
    let all: Vec<_> = arns.map(request).collect();
    (!all.is_empty()).then_some(all)
}

fn filled(text: Option<&str>) -> Option<String> {
    text.filter(|it| !it.is_empty()).map(str::to_owned)
}
