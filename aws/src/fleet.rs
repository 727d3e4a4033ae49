//! `CreateFleet` of type `instant`: synchronous, one attempt. An HTTP 200 proves nothing: capacity errors are in
//! `Errors[]` (TRAP 8).
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFleet.html>

use super::{error::failed, shapes::requirements, tags::tagged, timeouts::unhurried, versions};
use aws_sdk_ec2::operation::RequestId;
use aws_sdk_ec2::operation::create_fleet::CreateFleetOutput;
use aws_sdk_ec2::operation::create_fleet::builders::CreateFleetFluentBuilder;
use aws_sdk_ec2::types::{
    CreateFleetError, DefaultTargetCapacityType, FleetLaunchTemplateConfigRequest,
    FleetLaunchTemplateOverridesRequest, FleetLaunchTemplateSpecificationRequest,
    FleetOnDemandAllocationStrategy, FleetType, InstanceType, OnDemandOptionsRequest, ResourceType,
    SpotAllocationStrategy, SpotOptionsRequest, TargetCapacitySpecificationRequest,
};
use spot_rescue::cloud::{Class, CloudError, classify};
use spot_rescue::situation::Market;
use spot_rescue::step::{InstanceTypes, Launch};
use std::collections::BTreeMap;

const CALL: &str = "CreateFleet";
/// The code of an empty pool, and of one that was not tried because three others had failed (TRAP 44).
const UNTRIED: &str = "UnfulfillableCapacity";

pub async fn launch(ec2: &aws_sdk_ec2::Client, launch: &Launch) -> Result<String, CloudError> {
    let request = request(ec2, launch)?;
    let request = request.customize().config_override(unhurried(ec2));
    let answer = request.send().await.map_err(failed(CALL))?;
    launched(&answer).ok_or_else(|| refused(&answer))
}

pub fn request(
    ec2: &aws_sdk_ec2::Client,
    launch: &Launch,
) -> Result<CreateFleetFluentBuilder, CloudError> {
    let request = ec2
        .create_fleet()
        // The default, `maintain`, would relaunch for ever.
        .r#type(FleetType::Instant)
        .launch_template_configs(config(launch)?)
        .target_capacity_specification(capacity(launch.market))
        .tag_specifications(tagged(ResourceType::Instance, &launch.tags))
        .tag_specifications(tagged(ResourceType::Fleet, &launch.tags))
        .client_token(&launch.token);
    Ok(match (launch.market, &launch.instance_types) {
        (Market::Spot, _) => request.spot_options(spot()),
        (Market::OnDemand, InstanceTypes::Named(_)) => request.on_demand_options(in_order()),
        // The lowest price, which is the default: requirements have no order.
        (Market::OnDemand, InstanceTypes::Like(_)) => request,
    })
}

/// The deepest pool at the best price. No strategy but `capacity-optimized-prioritized` knows priorities,
/// and that one does not look at the price.
fn spot() -> SpotOptionsRequest {
    let strategy = SpotAllocationStrategy::PriceCapacityOptimized;
    SpotOptionsRequest::builder()
        .allocation_strategy(strategy)
        .build()
}

/// The original's type first.
fn in_order() -> OnDemandOptionsRequest {
    let strategy = FleetOnDemandAllocationStrategy::Prioritized;
    OnDemandOptionsRequest::builder()
        .allocation_strategy(strategy)
        .build()
}

fn config(launch: &Launch) -> Result<FleetLaunchTemplateConfigRequest, CloudError> {
    let (id, number) = versions::of(&launch.template, CALL)?;
    let template = FleetLaunchTemplateSpecificationRequest::builder()
        .launch_template_id(id.as_str())
        .version(number);
    let config = FleetLaunchTemplateConfigRequest::builder()
        .launch_template_specification(template.build())
        .set_overrides(Some(overrides(launch)));
    Ok(config.build())
}

fn overrides(launch: &Launch) -> Vec<FleetLaunchTemplateOverridesRequest> {
    let pool = || {
        FleetLaunchTemplateOverridesRequest::builder()
            .set_image_id(launch.image.as_ref().map(ToString::to_string))
            .subnet_id(launch.subnet.as_str())
    };
    let named = |(name, priority): (&String, u32)| {
        let pool = pool().instance_type(InstanceType::from(name.as_str()));
        match launch.market {
            Market::Spot => pool.build(),
            Market::OnDemand => pool.priority(f64::from(priority)).build(),
        }
    };
    match &launch.instance_types {
        InstanceTypes::Named(types) => types.iter().zip(0..).map(named).collect(),
        InstanceTypes::Like(shape) => {
            vec![pool().instance_requirements(requirements(shape)).build()]
        }
    }
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

/// The instance, and the pools that were tried without success.
fn launched(answer: &CreateFleetOutput) -> Option<String> {
    let mut ids = answer.instances().iter().flat_map(|it| it.instance_ids());
    let id = ids.find(|it| !it.is_empty())?;
    let passed = passed_over(answer);
    Some(if passed.is_empty() {
        id.clone()
    } else {
        format!("{id} (not {})", passed.join("; not "))
    })
}

/// Each error once, with all the pools it was given for.
fn passed_over(answer: &CreateFleetOutput) -> Vec<String> {
    let mut pools: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for it in answer.errors() {
        let message = it.error_message().unwrap_or("no message");
        let said = format!("{}: {message}", code(it));
        pools.entry(said).or_default().extend(instance_type(it));
    }
    let text = |(said, names): (String, Vec<&str>)| match names.as_slice() {
        [] => said,
        names => format!("{}: {said}", names.join(", ")),
    };
    pools.into_iter().map(text).collect()
}

fn code(error: &CreateFleetError) -> &str {
    error.error_code().unwrap_or("Unknown")
}

fn instance_type(error: &CreateFleetError) -> Option<&str> {
    let pool = error.launch_template_and_overrides()?.overrides()?;
    pool.instance_type().map(InstanceType::as_str)
}

/// No instance. The code that allows another try goes first; all are reported.
fn refused(answer: &CreateFleetOutput) -> CloudError {
    let all = match passed_over(answer).join("; ") {
        nothing if nothing.is_empty() => "neither an instance nor an error".to_owned(),
        all => all,
    };
    let error = |code: &str| CloudError::new(CALL, code, &all, answer.request_id());
    let leading = answer.errors().iter().map(code).min_by_key(|it| rank(it));
    CloudError {
        refused: by_type(answer),
        ..error(leading.unwrap_or(UNTRIED))
    }
}

/// Want of capacity allows another try. Codes of pools that were not tried come after it.
fn rank(code: &str) -> u8 {
    match classify(CALL, code) {
        Class::Capacity if code != UNTRIED => 0,
        Class::Capacity => 1,
        Class::AlreadyDone | Class::Transient | Class::Denied | Class::Permanent => 2,
    }
}

/// Of several errors of one type, the most telling.
fn by_type(answer: &CreateFleetOutput) -> BTreeMap<String, String> {
    let mut codes: BTreeMap<String, String> = BTreeMap::new();
    for it in answer.errors() {
        let Some(name) = instance_type(it) else {
            continue;
        };
        let known = codes
            .entry(name.to_owned())
            .or_insert_with(|| UNTRIED.to_owned());
        if known == UNTRIED {
            code(it).clone_into(known);
        }
    }
    codes
}
