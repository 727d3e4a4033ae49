//! Auto Scaling: the groups as facts, and the three calls a rescue makes of them.
//!
//! - <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingGroups.html>
//! - <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeLifecycleHooks.html>

use super::error::failed;
use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types as sdk;
use futures_util::future::try_join_all;
use spot_rescue::cloud::CloudError;
use spot_rescue::situation::{AutoScalingGroup, Lifecycle, Member, TargetGroup};
use spot_rescue::step::{GroupChange, GroupVerb};
use spot_rescue::tags;
use std::collections::BTreeSet;

/// "By default, you can only specify up to 50 names."
const NAMES: usize = 50;
const LAUNCHING: &str = "autoscaling:EC2_INSTANCE_LAUNCHING";

/// A group is answered with its instances, so no call is needed for a single member.
pub async fn groups(
    client: &Client,
    names: &[String],
) -> Result<Vec<AutoScalingGroup>, CloudError> {
    let mut found = Vec::new();
    for names in names.chunks(NAMES) {
        let request = client
            .describe_auto_scaling_groups()
            .set_auto_scaling_group_names(Some(names.to_vec()));
        let mut pages = request.into_paginator().items().send();
        while let Some(group) = pages.next().await {
            let group = group.map_err(failed("DescribeAutoScalingGroups"))?;
            found.extend(convert(&group));
        }
    }
    try_join_all(found.into_iter().map(|it| with_hooks(client, it))).await
}

/// Hooks are asked for only where an instance waits in one.
async fn with_hooks(
    client: &Client,
    group: AutoScalingGroup,
) -> Result<AutoScalingGroup, CloudError> {
    let waits = |it: &Member| it.lifecycle == Lifecycle::PendingWait;
    if !group.members.iter().any(waits) {
        return Ok(group);
    }
    let request = client
        .describe_lifecycle_hooks()
        .auto_scaling_group_name(&group.name);
    let answer = request
        .send()
        .await
        .map_err(failed("DescribeLifecycleHooks"))?;
    let hooks = answer.lifecycle_hooks().iter();
    let launching = hooks.filter(|it| it.lifecycle_transition() == Some(LAUNCHING));
    let names = launching.filter_map(sdk::LifecycleHook::lifecycle_hook_name);
    Ok(AutoScalingGroup {
        launch_hooks: names.map(str::to_owned).collect(),
        ..group
    })
}

fn convert(it: &sdk::AutoScalingGroup) -> Option<AutoScalingGroup> {
    let tagged = it.tags().iter();
    let pair = |it: &sdk::TagDescription| {
        Some((
            it.key()?.to_owned(),
            it.value().unwrap_or_default().to_owned(),
        ))
    };
    let opt_in = |it: &sdk::TagDescription| {
        let is_on = it.key() == Some(tags::OPT_IN) && it.value() == Some("on");
        is_on && it.propagate_at_launch() == Some(true)
    };
    let suspended = it.suspended_processes().iter();
    Some(AutoScalingGroup {
        name: it.auto_scaling_group_name()?.to_owned(),
        min_size: it.min_size()?,
        max_size: it.max_size()?,
        desired_capacity: it.desired_capacity()?,
        availability_zones: it.availability_zones().iter().cloned().collect(),
        capacity_rebalance: it.capacity_rebalance().unwrap_or(false),
        // The field is set only while a deletion is under way.
        deleting: it.status().is_some(),
        weighted: it
            .instances()
            .iter()
            .any(|it| it.weighted_capacity().is_some()),
        suspended_processes: suspended
            .filter_map(|it| it.process_name().map(str::to_owned))
            .collect(),
        members: it.instances().iter().filter_map(member).collect(),
        traffic_sources: traffic_sources(it),
        launch_hooks: Vec::new(),
        tags: tagged.clone().filter_map(pair).collect(),
        propagates_opt_in: { tagged }.any(opt_in),
    })
}

fn member(it: &sdk::Instance) -> Option<Member> {
    Some(Member {
        instance: it.instance_id()?.parse().ok()?,
        lifecycle: Lifecycle::parse(it.lifecycle_state()?.as_str()),
    })
}

/// Target groups are listed as such, or as traffic sources, or as both.
fn traffic_sources(it: &sdk::AutoScalingGroup) -> BTreeSet<TargetGroup> {
    let groups = it.target_group_arns().iter().map(|it| it.as_str().into());
    let classic = it.load_balancer_names().iter().map(|it| it.as_str().into());
    let others = it.traffic_sources().iter().filter_map(|it| {
        let identifier = it.identifier()?;
        Some(match it.r#type() {
            Some("elb") => TargetGroup::Classic(identifier.into()),
            Some("vpc-lattice") => TargetGroup::Lattice(identifier.into()),
            None if identifier.contains(":vpc-lattice:") => TargetGroup::Lattice(identifier.into()),
            Some(_) | None => TargetGroup::Elb(identifier.into()),
        })
    });
    let groups = groups.map(TargetGroup::Elb);
    let classic = classic.map(TargetGroup::Classic);
    groups.chain(classic).chain(others).collect()
}

/// - <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DetachInstances.html>
/// - <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AttachInstances.html>
/// - <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CompleteLifecycleAction.html>
pub async fn change(client: &Client, change: &GroupChange) -> Result<String, CloudError> {
    let GroupChange {
        group,
        instance,
        verb,
    } = change;
    let instance = instance.as_str();
    match verb {
        GroupVerb::Detach { decrement } => {
            let request = client.detach_instances().auto_scaling_group_name(group);
            let request = request
                .instance_ids(instance)
                .should_decrement_desired_capacity(*decrement);
            request.send().await.map_err(failed("DetachInstances"))?;
        }
        GroupVerb::Attach => {
            let request = client.attach_instances().auto_scaling_group_name(group);
            let answer = request.instance_ids(instance).send().await;
            answer.map_err(failed("AttachInstances"))?;
        }
        // By instance id: the token is in the event only, and a later look does not have it.
        GroupVerb::CompleteLaunch { hook } => {
            let request = client
                .complete_lifecycle_action()
                .auto_scaling_group_name(group)
                .lifecycle_hook_name(hook)
                .instance_id(instance)
                .lifecycle_action_result("CONTINUE");
            let answer = request.send().await;
            answer.map_err(failed("CompleteLifecycleAction"))?;
        }
    }
    Ok(String::new())
}
