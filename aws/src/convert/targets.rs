//! Targets of the three services that send traffic to instances.

use aws_sdk_elasticloadbalancing::types as classic;
use aws_sdk_elasticloadbalancingv2::types as elb;
use aws_sdk_vpclattice::types as lattice;
use spot_rescue::situation::{ListedGroup, Registration, Target, TargetGroup};

/// A registration and whether it still gets traffic. `unused` with reason `Target.NotInUse` or `Target.InvalidState`
/// *is* registered (TRAP 20); only `Target.NotRegistered` is not. Zone `all` marks an address outside the group's
/// VPC: it is no instance of ours, even if one has the same address.
pub fn registration(arn: &str, it: &elb::TargetHealthDescription) -> Option<Registration> {
    let target = it.target()?;
    let health = it.target_health();
    let reason = health
        .and_then(|it| it.reason())
        .map_or("", |it| it.as_str());
    if reason == "Target.NotRegistered" || target.availability_zone() == Some("all") {
        return None;
    }
    let state = health
        .and_then(|it| it.state())
        .map_or("", |it| it.as_str());
    let target = Target {
        group: TargetGroup::Elb(arn.into()),
        id: target.id()?.to_owned(),
        port: Some(u16::try_from(target.port()?).ok()?),
    };
    Some(Registration {
        target,
        vpc: None,
        draining: state.ends_with("draining"),
        answering: matches!(state, "healthy" | "initial"),
    })
}

/// The listing shows neither the health of its instances nor which of them are being deregistered.
pub fn load_balancer(it: &classic::LoadBalancerDescription) -> Option<ListedGroup> {
    let group = TargetGroup::Classic(it.load_balancer_name()?.into());
    let vpc = it.vpc_id().map(str::to_owned);
    let ids = it.instances().iter().filter_map(|it| it.instance_id());
    let registrations = ids.map(|id| Registration {
        target: Target {
            group: group.clone(),
            id: id.to_owned(),
            port: None,
        },
        vpc: vpc.clone(),
        draining: false,
        answering: true,
    });
    let registrations = Some(registrations.collect());
    Some(ListedGroup {
        group,
        vpc,
        port: None,
        registrations,
    })
}

pub fn lattice_registration(arn: &str, it: &lattice::TargetSummary) -> Option<Registration> {
    let target = Target {
        group: TargetGroup::Lattice(arn.into()),
        id: it.id()?.to_owned(),
        port: Some(u16::try_from(it.port()?).ok()?),
    };
    let status = it.status().map_or("", |it| it.as_str());
    Some(Registration {
        target,
        vpc: None,
        draining: status == "DRAINING",
        answering: matches!(status, "HEALTHY" | "INITIAL"),
    })
}
