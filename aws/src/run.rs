//! `RunInstances`, only to launch on a network interface that exists, which no fleet takes. Synchronous; what a fleet
//! tells in its answer is an error here.
//!
//! AWS does not document whether interfaces and tags of the call replace those of the launch template or add to them.
//! So the template says nothing of the network, and the call says everything: the interface, which has its security
//! groups and addresses already, and all tags, those of the template as well (TRAP 58). A subnet may not be named
//! beside an interface (TRAP 10).
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceSpecification.html>

use super::{error::failed, tags::tagged, timeouts::unhurried, versions};
use aws_sdk_ec2::config::interceptors::InterceptorContext;
use aws_sdk_ec2::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_ec2::error::ProvideErrorMetadata;
use aws_sdk_ec2::operation::RequestId;
use aws_sdk_ec2::operation::run_instances::RunInstancesError;
use aws_sdk_ec2::operation::run_instances::builders::RunInstancesFluentBuilder;
use aws_sdk_ec2::types::{
    InstanceInterruptionBehavior, InstanceMarketOptionsRequest,
    InstanceNetworkInterfaceSpecification, InstanceType, LaunchTemplateSpecification, MarketType,
    ResourceType, SpotInstanceType, SpotMarketOptions, TagSpecification,
};
use spot_rescue::cloud::{Class, CloudError, classify};
use spot_rescue::id::{InterfaceId, TemplateId};
use spot_rescue::situation::Market;
use spot_rescue::step::{InstanceTypes, Launch};
use spot_rescue::tags::Tags;
use std::collections::BTreeMap;

const CALL: &str = "RunInstances";

/// EC2 answers it with HTTP 500, which the SDK would take for a passing fault and repeat; the next way to launch must
/// not wait for that.
#[derive(Debug)]
struct NoCapacityIsAnAnswer;

impl ClassifyRetry for NoCapacityIsAnAnswer {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let answer = context.output_or_error();
        let error = answer.and_then(Result::err);
        let error = error.and_then(|it| it.as_operation_error());
        let error = error.and_then(|it| it.downcast_ref::<RunInstancesError>());
        match error.and_then(ProvideErrorMetadata::code) {
            Some(code) if classify(CALL, code) == Class::Capacity => RetryAction::RetryForbidden,
            Some(_) | None => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "no capacity is an answer"
    }
}

pub async fn launch(
    ec2: &aws_sdk_ec2::Client,
    launch: &Launch,
    interface: &InterfaceId,
) -> Result<String, CloudError> {
    let (id, number) = versions::of(&launch.template, CALL)?;
    let tags = versions::tags(ec2, id, &number).await?;
    let request = ec2
        .run_instances()
        .min_count(1)
        .max_count(1)
        .launch_template(template(id, number))
        .set_instance_type(only_type(&launch.instance_types))
        .set_image_id(launch.image.as_ref().map(ToString::to_string))
        .set_instance_market_options(options(launch.market))
        .network_interfaces(primary(interface))
        .set_tag_specifications(Some(all_tags(tags, &launch.tags)))
        .client_token(&launch.token);
    let request = request
        .customize()
        .config_override(unhurried(ec2).retry_classifier(NoCapacityIsAnAnswer));
    let answer = request.send().await.map_err(failed(CALL))?;
    let mut ids = answer.instances().iter().filter_map(|it| it.instance_id());
    let id = ids.find(|it| !it.is_empty()).map(str::to_owned);
    id.ok_or_else(|| nothing(answer.request_id()))
}

/// The launch that a fleet makes in the caller's name, as a dry run. Where the launch template describes a network
/// interface, subnet and groups are inside one (TRAP 10), and all its fields are given, since fields left out may not
/// be merged.
pub fn rehearsal(
    ec2: &aws_sdk_ec2::Client,
    launch: &Launch,
    interface: Option<&[String]>,
) -> Result<RunInstancesFluentBuilder, CloudError> {
    let (id, number) = versions::of(&launch.template, CALL)?;
    let request = ec2
        .run_instances()
        .min_count(1)
        .max_count(1)
        .launch_template(template(id, number))
        .set_instance_type(only_type(&launch.instance_types))
        .set_instance_market_options(options(launch.market))
        .tag_specifications(tagged(ResourceType::Instance, &launch.tags))
        .client_token(&launch.token)
        .dry_run(true);
    Ok(match interface {
        None => request.subnet_id(launch.subnet.as_str()),
        Some(groups) => request.network_interfaces(
            InstanceNetworkInterfaceSpecification::builder()
                .device_index(0)
                .subnet_id(launch.subnet.as_str())
                .set_groups(Some(groups.to_vec()).filter(|it| !it.is_empty()))
                .build(),
        ),
    })
}

/// It may have been launched all the same: the next look sends the same request again.
fn nothing(request_id: Option<&str>) -> CloudError {
    CloudError {
        class: Class::Transient,
        ..CloudError::new(CALL, "Empty", "the answer names no instance", request_id)
    }
}

fn template(id: &TemplateId, number: String) -> LaunchTemplateSpecification {
    LaunchTemplateSpecification::builder()
        .launch_template_id(id.as_str())
        .version(number)
        .build()
}

/// The template's and ours, each key once.
fn all_tags(mut of_template: BTreeMap<String, Tags>, ours: &Tags) -> Vec<TagSpecification> {
    let instance = ResourceType::Instance.as_str().to_owned();
    of_template
        .entry(instance)
        .or_default()
        .extend(ours.clone());
    let all = of_template.iter();
    all.map(|(of, tags)| tagged(ResourceType::from(of.as_str()), tags))
        .collect()
}

/// The template has the original's type; attributes are for fleets.
fn only_type(types: &InstanceTypes) -> Option<InstanceType> {
    match types {
        InstanceTypes::Named(names) => names.first().map(|it| InstanceType::from(it.as_str())),
        InstanceTypes::Like(_) => None,
    }
}

/// As a fleet launches: one-time, and ended at an interruption.
fn options(market: Market) -> Option<InstanceMarketOptionsRequest> {
    let spot = SpotMarketOptions::builder()
        .spot_instance_type(SpotInstanceType::OneTime)
        .instance_interruption_behavior(InstanceInterruptionBehavior::Terminate);
    let options = InstanceMarketOptionsRequest::builder()
        .market_type(MarketType::Spot)
        .spot_options(spot.build());
    match market {
        Market::Spot => Some(options.build()),
        Market::OnDemand => None,
    }
}

fn primary(interface: &InterfaceId) -> InstanceNetworkInterfaceSpecification {
    InstanceNetworkInterfaceSpecification::builder()
        .device_index(0)
        .network_interface_id(interface.as_str())
        .build()
}
