//! Target groups. The key of a registration is (id, port); leaving takes minutes; removing what is
//! not there succeeds and proves nothing (TRAP 19, TRAP 21).
//!
//! - <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html>
//! - <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html>

use super::agenda::Due;
use super::state::refused;
use super::{Drain, Group, GroupType, State};
use crate::cloud::CloudError;
use crate::event::InstanceState;
use crate::situation::Target;
use time::Duration;

impl State {
    pub(super) fn group(
        &mut self,
        call: &'static str,
        arn: &str,
    ) -> Result<&mut Group, CloudError> {
        let group = self.groups.get_mut(arn);
        group.ok_or_else(|| refused(call, "TargetGroupNotFound", arn))
    }

    /// Instances must run; what is registered already stays as it is, what drains comes back.
    pub(super) fn register(&mut self, arn: &str, targets: &[Target]) -> Result<String, CloudError> {
        const CALL: &str = "RegisterTargets";
        let kind = self.group(CALL, arn)?.kind;
        let absent = targets
            .iter()
            .find(|it| kind == GroupType::Instance && !self.runs(&it.id));
        if let Some(target) = absent {
            let message = format!("{} is not a valid target: it does not run", target.id);
            return Err(refused(CALL, "InvalidTarget", &message));
        }
        let group = self.group(CALL, arn)?;
        for target in targets {
            group.targets.insert(named(arn, target), Drain::No);
        }
        Ok(String::new())
    }

    fn runs(&self, id: &str) -> bool {
        let mut running = self
            .instances
            .values()
            .filter(|it| it.facts.state == InstanceState::Running);
        running.any(|it| it.facts.id.as_str() == id)
    }

    pub(super) fn deregister(
        &mut self,
        arn: &str,
        targets: &[Target],
    ) -> Result<String, CloudError> {
        let until = self.now + Duration::seconds(self.config.drain_seconds);
        let group = self.group("DeregisterTargets", arn)?;
        let mut leaving = Vec::new();
        for target in targets {
            let target = named(arn, target);
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
        if let Some(group) = self.groups.get_mut(&target.target_group_arn) {
            let due = |drain: &Drain| matches!(drain, Drain::Until(at) if *at <= now);
            if group.targets.get(target).is_some_and(due) {
                group.targets.remove(target);
            }
        }
    }
}

/// The call names the group once, for all targets.
fn named(arn: &str, target: &Target) -> Target {
    Target {
        target_group_arn: arn.to_owned(),
        ..target.clone()
    }
}
