//! The three services that send traffic: how each lists, registers and deregisters.
//!
//! - <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html>
//! - <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_DescribeLoadBalancers.html>
//! - <https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_ListTargets.html>

use super::{convert, error::failed};
use aws_sdk_elasticloadbalancing::types::{Instance, LoadBalancerDescription};
use aws_sdk_elasticloadbalancingv2::types::{TargetDescription, TargetGroup, TargetTypeEnum};
use aws_sdk_vpclattice::types::{
    Target as LatticeTarget, TargetFailure, TargetGroupSummary, TargetGroupType,
};
use aws_types::SdkConfig;
use spot_rescue::cloud::CloudError;
use spot_rescue::situation::{
    Balancing, ListedGroup, Listing, Registration, Target, TargetGroup as Group,
};

pub struct Balancers {
    elb: aws_sdk_elasticloadbalancingv2::Client,
    classic: aws_sdk_elasticloadbalancing::Client,
    lattice: aws_sdk_vpclattice::Client,
}

impl Balancers {
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            elb: aws_sdk_elasticloadbalancingv2::Client::new(config),
            classic: aws_sdk_elasticloadbalancing::Client::new(config),
            lattice: aws_sdk_vpclattice::Client::new(config),
        }
    }

    pub async fn groups(&self, of: Balancing) -> Result<Listing, CloudError> {
        let groups = match of {
            Balancing::Elb => self.elb_groups().await?,
            Balancing::Classic => self.load_balancers().await?,
            Balancing::Lattice => self.lattice_groups().await?,
        };
        Ok(Listing { groups })
    }

    pub async fn targets(&self, group: &Group) -> Result<Vec<Registration>, CloudError> {
        match group {
            Group::Elb(arn) => self.elb_targets(arn).await,
            Group::Classic(name) => self.load_balancer(name).await,
            Group::Lattice(arn) => self.lattice_targets(arn).await,
        }
    }

    pub async fn register(&self, group: &Group, targets: &[Target]) -> Result<String, CloudError> {
        match group {
            Group::Elb(arn) => {
                let request = self.elb.register_targets().target_group_arn(&**arn);
                let request = request.set_targets(Some(descriptions(targets)));
                request.send().await.map_err(failed("RegisterTargets"))?;
            }
            Group::Classic(name) => {
                let request = self.classic.register_instances_with_load_balancer();
                let request = request.load_balancer_name(&**name);
                let request = request.set_instances(Some(instances(targets)));
                let done = request.send().await;
                done.map_err(failed("RegisterInstancesWithLoadBalancer"))?;
            }
            Group::Lattice(arn) => {
                const CALL: &str = "vpc-lattice:RegisterTargets";
                let request = self
                    .lattice
                    .register_targets()
                    .target_group_identifier(&**arn);
                let request = request.set_targets(Some(lattice_targets(targets)?));
                let answer = request.send().await.map_err(failed(CALL))?;
                all_done(CALL, answer.unsuccessful())?;
            }
        }
        Ok(String::new())
    }

    pub async fn deregister(
        &self,
        group: &Group,
        targets: &[Target],
    ) -> Result<String, CloudError> {
        match group {
            Group::Elb(arn) => {
                let request = self.elb.deregister_targets().target_group_arn(&**arn);
                let request = request.set_targets(Some(descriptions(targets)));
                request.send().await.map_err(failed("DeregisterTargets"))?;
            }
            Group::Classic(name) => {
                let request = self.classic.deregister_instances_from_load_balancer();
                let request = request.load_balancer_name(&**name);
                let request = request.set_instances(Some(instances(targets)));
                let done = request.send().await;
                done.map_err(failed("DeregisterInstancesFromLoadBalancer"))?;
            }
            Group::Lattice(arn) => {
                const CALL: &str = "vpc-lattice:DeregisterTargets";
                let request = self.lattice.deregister_targets();
                let request = request.target_group_identifier(&**arn);
                let request = request.set_targets(Some(lattice_targets(targets)?));
                let answer = request.send().await.map_err(failed(CALL))?;
                all_done(CALL, answer.unsuccessful())?;
            }
        }
        Ok(String::new())
    }

    /// Groups of type `instance` and `ip`.
    async fn elb_groups(&self) -> Result<Vec<ListedGroup>, CloudError> {
        let request = self.elb.describe_target_groups().page_size(400);
        let pages = request.into_paginator().items().send();
        let all: Result<Vec<TargetGroup>, _> = pages.collect().await;
        let all = all.map_err(failed("DescribeTargetGroups"))?;
        Ok(all.iter().filter_map(elb_group).collect())
    }

    /// Without the `Targets` filter: it lists every port an instance is registered on (TRAP 19).
    async fn elb_targets(&self, arn: &str) -> Result<Vec<Registration>, CloudError> {
        let request = self.elb.describe_target_health().target_group_arn(arn);
        let answer = request.send().await;
        let answer = answer.map_err(failed("DescribeTargetHealth"))?;
        let all = answer.target_health_descriptions().iter();
        Ok(all
            .filter_map(|it| convert::registration(arn, it))
            .collect())
    }

    /// One paged call names all load balancers and their instances.
    async fn load_balancers(&self) -> Result<Vec<ListedGroup>, CloudError> {
        let request = self.classic.describe_load_balancers().page_size(400);
        let pages = request.into_paginator().items().send();
        let all: Result<Vec<LoadBalancerDescription>, _> = pages.collect().await;
        let all = all.map_err(failed("DescribeLoadBalancers"))?;
        Ok(all.iter().filter_map(convert::load_balancer).collect())
    }

    async fn load_balancer(&self, name: &str) -> Result<Vec<Registration>, CloudError> {
        let request = self.classic.describe_load_balancers();
        let answer = request.load_balancer_names(name).send().await;
        let answer = answer.map_err(failed("DescribeLoadBalancers"))?;
        let all = answer.load_balancer_descriptions().iter();
        let found = all.filter_map(convert::load_balancer);
        Ok(found
            .flat_map(|it| it.registrations.unwrap_or_default())
            .collect())
    }

    async fn lattice_groups(&self) -> Result<Vec<ListedGroup>, CloudError> {
        let request = self.lattice.list_target_groups().max_results(100);
        let pages = request.into_paginator().items().send();
        let all: Result<Vec<TargetGroupSummary>, _> = pages.collect().await;
        let all = all.map_err(failed("vpc-lattice:ListTargetGroups"))?;
        Ok(all.iter().filter_map(lattice_group).collect())
    }

    async fn lattice_targets(&self, arn: &str) -> Result<Vec<Registration>, CloudError> {
        let request = self.lattice.list_targets().target_group_identifier(arn);
        let mut pages = request.max_results(100).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(target) = pages.next().await {
            let target = target.map_err(failed("vpc-lattice:ListTargets"))?;
            found.extend(convert::lattice_registration(arn, &target));
        }
        Ok(found)
    }
}

fn elb_group(it: &TargetGroup) -> Option<ListedGroup> {
    let ours = matches!(
        it.target_type()?,
        TargetTypeEnum::Instance | TargetTypeEnum::Ip
    );
    ours.then_some(ListedGroup {
        group: Group::Elb(it.target_group_arn()?.into()),
        vpc: it.vpc_id().map(str::to_owned),
        port: it.port().and_then(|it| u16::try_from(it).ok()),
        registrations: None,
    })
}

fn lattice_group(it: &TargetGroupSummary) -> Option<ListedGroup> {
    let ours = matches!(
        it.r#type()?,
        TargetGroupType::Instance | TargetGroupType::Ip
    );
    ours.then_some(ListedGroup {
        group: Group::Lattice(it.arn()?.into()),
        vpc: it.vpc_identifier().map(str::to_owned),
        port: it.port().and_then(|it| u16::try_from(it).ok()),
        registrations: None,
    })
}

/// The port is always named: without it a target registered with a port override stays (TRAP 19).
fn descriptions(targets: &[Target]) -> Vec<TargetDescription> {
    let description = |it: &Target| {
        TargetDescription::builder()
            .id(&it.id)
            .set_port(it.port.map(i32::from))
            .build()
    };
    targets.iter().map(description).collect()
}

fn instances(targets: &[Target]) -> Vec<Instance> {
    let instance = |it: &Target| Instance::builder().instance_id(&it.id).build();
    targets.iter().map(instance).collect()
}

fn lattice_targets(targets: &[Target]) -> Result<Vec<LatticeTarget>, CloudError> {
    let target = |it: &Target| {
        LatticeTarget::builder()
            .id(&it.id)
            .set_port(it.port.map(i32::from))
            .build()
    };
    let all: Result<Vec<_>, _> = targets.iter().map(target).collect();
    all.map_err(|error| CloudError::new("vpc-lattice", "Construction", &error.to_string(), None))
}

/// The answer is a success even if nothing was done: failed targets are listed in it.
fn all_done(operation: &'static str, failures: &[TargetFailure]) -> Result<(), CloudError> {
    let Some(first) = failures.first() else {
        return Ok(());
    };
    let said = |it: &TargetFailure| {
        let why = it.failure_message().unwrap_or("no message");
        format!("{}: {why}", it.id().unwrap_or("a target"))
    };
    let all: Vec<String> = failures.iter().map(said).collect();
    let code = first.failure_code().unwrap_or("Unsuccessful");
    Err(CloudError::new(operation, code, &all.join("; "), None))
}
