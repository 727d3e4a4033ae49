//! Target groups, Classic Load Balancers and VPC Lattice. The key of a registration is (id, port);
//! leaving takes minutes; removing what is not there succeeds and proves nothing (TRAP 19, TRAP 21).
//!
//! - <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html>
//! - <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html>
//! - <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_DeregisterInstancesFromLoadBalancer.html>
//! - <https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_RegisterTargets.html>: what it
//!   refuses is listed as unsuccessful, the rest is done

use super::agenda::Due;
use super::error::refused;
use super::{Drain, Group, GroupType, SimInstance, State};
use crate::cloud::CloudError;
use crate::event::InstanceState;
use crate::id::InstanceId;
use crate::situation::{Balancing, Instance, ListedGroup, Listing, Registration};
use crate::situation::{Target, TargetGroup};
use time::Duration;

/// The names of a service's calls: two services have calls of the same name.
pub(super) struct Calls {
    pub list: &'static str,
    pub read: &'static str,
    pub register: &'static str,
    pub deregister: &'static str,
    gone: &'static str,
}

pub(super) fn calls(of: Balancing) -> Calls {
    match of {
        Balancing::Elb => Calls {
            list: "DescribeTargetGroups",
            read: "DescribeTargetHealth",
            register: "RegisterTargets",
            deregister: "DeregisterTargets",
            gone: "TargetGroupNotFound",
        },
        Balancing::Classic => Calls {
            list: "DescribeLoadBalancers",
            read: "DescribeLoadBalancers",
            register: "RegisterInstancesWithLoadBalancer",
            deregister: "DeregisterInstancesFromLoadBalancer",
            gone: "LoadBalancerNotFound",
        },
        Balancing::Lattice => Calls {
            list: "vpc-lattice:ListTargetGroups",
            read: "vpc-lattice:ListTargets",
            register: "vpc-lattice:RegisterTargets",
            deregister: "vpc-lattice:DeregisterTargets",
            gone: "ResourceNotFoundException",
        },
    }
}

impl State {
    fn group(&mut self, call: &'static str, name: &TargetGroup) -> Result<&mut Group, CloudError> {
        let gone = calls(name.balancing()).gone;
        let group = self.groups.get_mut(name);
        group.ok_or_else(|| refused(call, gone, name.as_str()))
    }

    pub(super) fn read_target_groups(&mut self, of: Balancing) -> Result<Listing, CloudError> {
        self.admit(calls(of).list)?;
        let ours = self
            .groups
            .iter()
            .filter(|(name, it)| name.balancing() == of && it.kind != GroupType::Other);
        let listed = ours.map(|(name, group)| ListedGroup {
            group: name.clone(),
            vpc: Some(group.vpc.clone()),
            port: (of != Balancing::Classic).then_some(group.port),
            registrations: (of == Balancing::Classic).then(|| self.registrations(group)),
        });
        Ok(Listing {
            groups: listed.collect(),
        })
    }

    /// Whatever its instance does, a target is registered until it is deregistered (TRAP 20).
    pub(super) fn read_targets(
        &mut self,
        name: &TargetGroup,
    ) -> Result<Vec<Registration>, CloudError> {
        let call = calls(name.balancing()).read;
        self.admit(call)?;
        let group = self.group(call, name)?.clone();
        Ok(self.registrations(&group))
    }

    fn registrations(&self, group: &Group) -> Vec<Registration> {
        let registration = |(target, drain): (&Target, &Drain)| Registration {
            target: target.clone(),
            vpc: None,
            draining: *drain != Drain::No,
            answering: self.runs(target, &group.vpc),
        };
        let shown = group.targets.iter().map(registration);
        // A Classic Load Balancer lists no instance that is leaving.
        let classic = |it: &Registration| it.target.port.is_some() || !it.draining;
        shown.filter(classic).collect()
    }

    /// Instances must run, in the group's VPC; what is registered already stays as it is, what drains
    /// comes back.
    pub(super) fn register(
        &mut self,
        name: &TargetGroup,
        targets: &[Target],
    ) -> Result<String, CloudError> {
        let call = calls(name.balancing()).register;
        let group = self.group(call, name)?.clone();
        let refusal = |it: &Target| group.refuses.or_else(|| self.invalid(&group, it));
        let (bad, good): (Vec<&Target>, Vec<&Target>) =
            targets.iter().partition(|it| refusal(it).is_some());
        let first = bad.first().map(|it| {
            let message = format!("{} is not a valid target", it.id);
            refused(call, refusal(it).unwrap_or_default(), &message)
        });
        // Elastic Load Balancing refuses the whole call.
        let accepted = first.is_none() || name.balancing() == Balancing::Lattice;
        for target in good.into_iter().filter(|_| accepted) {
            let target = named(name, target);
            self.without_task(&target);
            self.group(call, name)?.targets.insert(target, Drain::No);
        }
        first.map_or(Ok(String::new()), Err)
    }

    fn invalid(&self, group: &Group, target: &Target) -> Option<&'static str> {
        let code = match target.group.balancing() {
            Balancing::Elb => "InvalidTarget",
            Balancing::Classic => "InvalidInstance",
            Balancing::Lattice => "TargetNotRunning",
        };
        let bad = group.kind == GroupType::Instance && !self.runs(target, &group.vpc);
        bad.then_some(code)
    }

    fn runs(&self, target: &Target, vpc: &str) -> bool {
        let near = |it: &&Instance| it.vpc.as_deref() == Some(vpc);
        let runs = |it: &Instance| it.state == InstanceState::Running && it.answers_to(target);
        if target.is_instance() {
            let named = target.id.parse().ok();
            let named: Option<&SimInstance> =
                named.and_then(|it: InstanceId| self.instances.get(&it));
            return named.map(|it| &it.facts).filter(near).is_some_and(runs);
        }
        let mut all = self.instances.values().map(|it| &it.facts).filter(near);
        all.any(runs)
    }

    pub(super) fn deregister(
        &mut self,
        name: &TargetGroup,
        targets: &[Target],
    ) -> Result<String, CloudError> {
        let until = self.now + Duration::seconds(self.config.drain_seconds);
        let group = self.group(calls(name.balancing()).deregister, name)?;
        let mut leaving = Vec::new();
        for target in targets {
            let target = named(name, target);
            if let Some(drain @ Drain::No) = group.targets.get_mut(&target) {
                *drain = Drain::Until(until);
                leaving.push(target);
            }
        }
        for target in leaving {
            self.schedule(self.config.drain_seconds, Due::Drained(target));
        }
        Ok(String::new())
    }

    /// Unless it was registered again meanwhile.
    pub(super) fn drained(&mut self, target: &Target) {
        let now = self.now;
        if let Some(group) = self.groups.get_mut(&target.group) {
            let due = |drain: &Drain| matches!(drain, Drain::Until(at) if *at <= now);
            if group.targets.get(target).is_some_and(due) {
                group.targets.remove(target);
            }
        }
    }
}

/// The call names the group once, for all targets.
fn named(group: &TargetGroup, target: &Target) -> Target {
    Target {
        group: group.clone(),
        ..target.clone()
    }
}
