//! `CreateFleet` of type `instant`: synchronous, one attempt, and an HTTP 200 that says nothing:
//! capacity errors are in `Errors[]` (TRAP 8).
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFleet.html>

use super::{act::tagged, error::failed};
use crate::cloud::{Class, CloudError};
use crate::situation::Market;
use crate::step::{Launch, LaunchTemplate};
use aws_sdk_ec2::operation::RequestId;
use aws_sdk_ec2::operation::create_fleet::CreateFleetOutput;
use aws_sdk_ec2::types::{
    DefaultTargetCapacityType, FleetLaunchTemplateConfigRequest,
    FleetLaunchTemplateOverridesRequest, FleetLaunchTemplateSpecificationRequest, FleetType,
    InstanceType, ResourceType, SpotAllocationStrategy, SpotOptionsRequest,
    TargetCapacitySpecificationRequest,
};

pub async fn launch(ec2: &aws_sdk_ec2::Client, launch: &Launch) -> Result<String, CloudError> {
    let request = ec2
        .create_fleet()
        // The default, `maintain`, would relaunch for ever.
        .r#type(FleetType::Instant)
        .launch_template_configs(config(launch))
        .target_capacity_specification(capacity(launch.market))
        .tag_specifications(tagged(ResourceType::Instance, &launch.tags))
        .tag_specifications(tagged(ResourceType::Fleet, &launch.tags))
        .client_token(&launch.token);
    let request = match launch.market {
        Market::Spot => {
            let strategy = SpotAllocationStrategy::PriceCapacityOptimized;
            request.spot_options(
                SpotOptionsRequest::builder()
                    .allocation_strategy(strategy)
                    .build(),
            )
        }
        Market::OnDemand => request,
    };
    let answer = request.send().await.map_err(failed("CreateFleet"))?;
    launched(&answer).ok_or_else(|| refused(&answer))
}

fn config(launch: &Launch) -> FleetLaunchTemplateConfigRequest {
    let template = FleetLaunchTemplateSpecificationRequest::builder().version("$Latest");
    let template = match &launch.template {
        LaunchTemplate::Id(id) => template.launch_template_id(id.as_str()),
        LaunchTemplate::Name(name) => template.launch_template_name(name),
    };
    let mut config =
        FleetLaunchTemplateConfigRequest::builder().launch_template_specification(template.build());
    for instance_type in &launch.instance_types {
        for subnet in &launch.subnets {
            let pool = FleetLaunchTemplateOverridesRequest::builder()
                .instance_type(InstanceType::from(instance_type.as_str()))
                .subnet_id(subnet.as_str());
            config = config.overrides(pool.build());
        }
    }
    config.build()
}

fn capacity(market: Market) -> TargetCapacitySpecificationRequest {
    let market = match market {
        Market::Spot => DefaultTargetCapacityType::Spot,
        Market::OnDemand => DefaultTargetCapacityType::OnDemand,
    };
    TargetCapacitySpecificationRequest::builder()
        .total_target_capacity(1)
        .default_target_capacity_type(market)
        .build()
}

fn launched(answer: &CreateFleetOutput) -> Option<String> {
    let mut ids = answer.instances().iter().flat_map(|it| it.instance_ids());
    ids.next().cloned()
}

/// No instance. The code that allows another try goes first, all are told.
fn refused(answer: &CreateFleetOutput) -> CloudError {
    let errors: Vec<(&str, &str)> = answer
        .errors()
        .iter()
        .map(|it| {
            (
                it.error_code().unwrap_or("Unknown"),
                it.error_message().unwrap_or(""),
            )
        })
        .collect();
    let error = |code: &str| {
        let all: Vec<String> = errors
            .iter()
            .map(|(code, message)| format!("{code}: {message}"))
            .collect();
        CloudError::new("CreateFleet", code, &all.join("; "), answer.request_id())
    };
    let of_capacity = errors
        .iter()
        .map(|(code, _)| error(code))
        .find(|it| it.class == Class::Capacity);
    let first = errors
        .first()
        .map_or("UnfulfillableCapacity", |(code, _)| code);
    of_capacity.unwrap_or_else(|| error(first))
}
