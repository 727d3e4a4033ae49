//! Settings that depend on the type: core counts, CPU credits, bandwidth weighting. A type that does not know them is
//! refused with them. So each is carried only where the type supports it, and where it differs from the type's
//! default (TRAP 50).
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VCpuInfo.html>
//! - "burstable": `BurstablePerformanceSupported`, not the first letter of the name: `trn1` begins with a t as well

use super::shapes::type_info;
use aws_sdk_ec2::types as ec2;
use aws_sdk_ec2::types::{InstanceTypeInfo, ResponseLaunchTemplateData};
use spot_rescue::cloud::{Class, CloudError};
use spot_rescue::step::TemplateSpec;

/// As a launch template has them.
#[derive(Default)]
pub struct Options {
    pub cpu: Option<ec2::LaunchTemplateCpuOptionsRequest>,
    pub credits: Option<ec2::CreditSpecificationRequest>,
    pub network: Option<ec2::LaunchTemplateNetworkPerformanceOptionsRequest>,
}

/// Settings of the instance that its type supports, if the replacement has that type. The type is read only where
/// there is something to decide.
pub async fn fitting(
    ec2: &aws_sdk_ec2::Client,
    shown: &ResponseLaunchTemplateData,
    spec: &TemplateSpec,
) -> Result<Options, CloudError> {
    let asks = shown.cpu_options().is_some() || shown.credit_specification().is_some();
    let name = shown.instance_type().filter(|_| spec.one_type);
    let Some(name) = name else {
        return Ok(Options::default());
    };
    let info = if asks { known(ec2, name).await? } else { None };
    Ok(Options {
        cpu: cpu(shown, info.as_ref()).filter(|_| !spec.plain),
        credits: credits(shown, info.as_ref()),
        network: bandwidth(shown),
    })
}

/// Where reading types is denied, these settings are left out: that is no reason to prepare nothing.
async fn known(
    ec2: &aws_sdk_ec2::Client,
    name: &ec2::InstanceType,
) -> Result<Option<InstanceTypeInfo>, CloudError> {
    match type_info(ec2, name).await {
        Err(error) if error.class == Class::Denied => {
            tracing::warn!(%error, "failed to read the instance type: {name} is prepared without CPU options and credits");
            Ok(None)
        }
        answer => answer,
    }
}

/// Settings that differ from the type's own. Of a type that is unknown by now none are given.
fn cpu(
    shown: &ResponseLaunchTemplateData,
    info: Option<&InstanceTypeInfo>,
) -> Option<ec2::LaunchTemplateCpuOptionsRequest> {
    let cpu = shown.cpu_options()?;
    let own = info?.v_cpu_info()?;
    // A type without a choice of cores does not accept the setting.
    let cores = { cpu.core_count() }.filter(|it| own.valid_cores().contains(it));
    let threads = { cpu.threads_per_core() }.filter(|it| own.valid_threads_per_core().contains(it));
    let differs = cores != own.default_cores() || threads != own.default_threads_per_core();
    let counts = (cores.zip(threads)).filter(|_| differs);
    let snp = { cpu.amd_sev_snp() }.filter(|it| **it == ec2::AmdSevSnpSpecification::Enabled);
    let nested = cpu.nested_virtualization();
    let nested = nested.filter(|it| **it == ec2::NestedVirtualizationSpecification::Enabled);
    let said = counts.is_some() || snp.is_some() || nested.is_some();
    let request = ec2::LaunchTemplateCpuOptionsRequest::builder()
        .set_core_count(counts.map(|it| it.0))
        .set_threads_per_core(counts.map(|it| it.1))
        .set_amd_sev_snp(snp.cloned())
        .set_nested_virtualization(nested.cloned());
    said.then(|| request.build())
}

/// Given even where it is the type's default: an account may have another default.
fn credits(
    shown: &ResponseLaunchTemplateData,
    info: Option<&InstanceTypeInfo>,
) -> Option<ec2::CreditSpecificationRequest> {
    let credits = shown.credit_specification()?.cpu_credits()?;
    let burstable = info?.burstable_performance_supported() == Some(true);
    let request = ec2::CreditSpecificationRequest::builder().cpu_credits(credits);
    burstable.then(|| request.build())
}

fn bandwidth(
    shown: &ResponseLaunchTemplateData,
) -> Option<ec2::LaunchTemplateNetworkPerformanceOptionsRequest> {
    let weighting = shown.network_performance_options()?.bandwidth_weighting()?;
    let request = ec2::LaunchTemplateNetworkPerformanceOptionsRequest::builder()
        .bandwidth_weighting(weighting.clone());
    (*weighting != ec2::InstanceBandwidthWeighting::Default).then(|| request.build())
}
