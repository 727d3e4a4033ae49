//! The life of an instance, from pending to forgotten.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html>

use super::agenda::Due;
use super::{Drain, SimInstance, State, error::refused};
use crate::cloud::CloudError;
use crate::event::{InstanceAction, InstanceState};
use crate::id::InstanceId;
use crate::record::interruption_from;
use crate::seal::plain;
use crate::situation::Market;
use crate::tags;

pub const BY_SPOT: &str = "Server.SpotInstanceTermination";
pub const STOPPED_BY_SPOT: &str = "Server.SpotInstanceShutdown";
pub const BY_USER: &str = "Client.UserInitiatedShutdown";

impl State {
    /// The next state, its reason, and the event that tells of it.
    fn enter(&mut self, id: &InstanceId, state: InstanceState, reason: Option<&str>) {
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        instance.facts.state = state;
        if let Some(reason) = reason {
            instance.facts.state_reason = Some(reason.to_owned());
        }
        self.emit_state_change(id, state);
        match state {
            InstanceState::Running => self.member_runs(id),
            InstanceState::Stopping => self.member_ends(id),
            InstanceState::ShuttingDown => {
                self.member_ends(id);
                self.fleet_member_ends(id);
            }
            InstanceState::Pending | InstanceState::Stopped | InstanceState::Terminated => {}
        }
    }

    /// Takes its place in the world as pending; runs once it has booted.
    pub(super) fn start(&mut self, id: &InstanceId, is_new_life: bool) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        instance.life += 1;
        instance.doomed = false;
        instance.facts.state_reason = None;
        if is_new_life {
            instance.facts.launch_time = now;
        }
        let life = instance.life;
        self.enter(id, InstanceState::Pending, None);
        self.schedule(self.config.boot_seconds, Due::Booted(id.clone(), life));
    }

    /// A launch that EC2 accepted may still die while it boots: a key, a limit, a bad snapshot.
    pub(super) fn booted(&mut self, id: &InstanceId, life: u32) {
        if !self.is_in(id, life, &[InstanceState::Pending]) {
            return;
        }
        if let Some(reason) = self.dies_of() {
            self.enter(id, InstanceState::ShuttingDown, Some(reason));
            self.ended(id);
        } else {
            self.enter(id, InstanceState::Running, None);
        }
    }

    /// EC2 interrupts a Spot Instance, by its interruption behaviour.
    pub(super) fn reclaim(&mut self, id: &InstanceId, life: u32, action: InstanceAction) {
        let alive = [InstanceState::Pending, InstanceState::Running];
        if !self.is_in(id, life, &alive) {
            return;
        }
        match action {
            InstanceAction::Return | InstanceAction::Terminate => self.shut_down(id, BY_SPOT),
            InstanceAction::Stop | InstanceAction::Hibernate => self.stop(id, STOPPED_BY_SPOT),
        }
    }

    /// It keeps its volumes until it has ended (TRAP 17).
    pub(super) fn shut_down(&mut self, id: &InstanceId, reason: &str) {
        self.enter(id, InstanceState::ShuttingDown, Some(reason));
        self.schedule(self.config.shutdown_seconds, Due::Ended(id.clone()));
    }

    /// `TerminateInstances`: changes nothing of an instance that is already ending. "If you enable termination
    /// protection, you can't terminate the instance using the command line or API."
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_ChangingDisableAPITermination.html>
    pub(super) fn terminate(&mut self, id: &InstanceId) -> Result<String, CloudError> {
        const CALL: &str = "TerminateInstances";
        let instance = self
            .instance(id)
            .ok_or_else(|| refused(CALL, "InvalidInstanceID.NotFound", id.as_str()))?;
        let alive = instance.facts.is_alive();
        let why = self.must_not_end(instance);
        self.violations
            .extend(why.map(|why| format!("{id} was ended: {why}")));
        if self.termination_protected.contains(id) {
            let message = "may not be terminated; modify its 'disableApiTermination'";
            return Err(refused(CALL, "OperationNotPermitted", message));
        }
        if alive {
            self.shut_down(id, BY_USER);
        }
        Ok(String::new())
    }

    /// What breaks a promise: ending an instance that is not marked, or one that would take a user's disks along. A
    /// stand-in that gives way keeps them to its end, but no flag and no traffic.
    fn must_not_end(&self, instance: &SimInstance) -> Option<&'static str> {
        let facts = &instance.facts;
        let tags = self.honest(facts.id.as_str(), instance.tags.current());
        let ours = tags.contains_key(tags::LAUNCHED) && tags.contains_key(tags::EXPIRES_AT);
        let gives_way = tags.get(tags::INTERRUPTED_AT);
        let gives_way = gives_way
            .and_then(|it| interruption_from(plain(it)))
            .is_some_and(|it| it.instance == facts.id && it.action == InstanceAction::Return);
        let mut data = facts.devices.iter().filter(|it| !facts.is_root(&it.name));
        let mut flagged = facts.devices.iter().filter(|it| it.delete_on_termination);
        let mut targets = self.groups.values().flat_map(|it| &it.targets);
        if !ours {
            return Some("it is not marked as ours to end");
        }
        if !facts.is_alive() {
            return None;
        }
        if !gives_way {
            return data.next().map(|_| "it is no spare");
        }
        if flagged.next().is_some() {
            return Some("its volumes would go with it");
        }
        let serves = targets.any(|(it, drain)| *drain == Drain::No && facts.answers_to(it));
        serves.then_some("it still serves")
    }

    pub(super) fn read_lock(&mut self, id: &InstanceId) -> Result<bool, CloudError> {
        const CALL: &str = "DescribeInstanceAttribute";
        self.admit(CALL)?;
        let gone = || refused(CALL, "InvalidInstanceID.NotFound", id.as_str());
        self.instance(id).ok_or_else(gone)?;
        Ok(self.termination_protected.contains(id))
    }

    pub(super) fn stop(&mut self, id: &InstanceId, reason: &str) {
        self.enter(id, InstanceState::Stopping, Some(reason));
        let life = self.instances.get(id).map_or(0, |it| it.life);
        self.schedule(self.config.stop_seconds, Due::Stopped(id.clone(), life));
    }

    pub(super) fn stopped(&mut self, id: &InstanceId, life: u32) {
        if self.is_in(id, life, &[InstanceState::Stopping]) {
            self.enter(id, InstanceState::Stopped, None);
        }
    }

    /// Devices, addresses, subnet and groups go at once; tags and the entry later (TRAP 14).
    pub(super) fn ended(&mut self, id: &InstanceId) {
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        let facts = &mut instance.facts;
        let devices = std::mem::take(&mut facts.devices);
        facts.security_groups.clear();
        facts.vpc = None;
        facts.subnet = None;
        facts.auto_public_address = false;
        self.enter(id, InstanceState::Terminated, None);
        self.request_ends(id);
        for device in devices {
            self.part(&device, id);
        }
        self.release_interfaces(id);
        self.schedule(self.config.tags_gone_seconds, Due::LosesTags(id.clone()));
        self.schedule(self.config.entry_gone_seconds, Due::Vanishes(id.clone()));
    }

    pub(super) fn lose_tags(&mut self, id: &InstanceId) {
        let now = self.now;
        if let Some(instance) = self.instances.get_mut(id) {
            instance
                .tags
                .change(now, now, std::collections::BTreeMap::clear);
        }
    }

    /// The entry is removed, and with it the registrations by its id.
    pub(super) fn vanish(&mut self, id: &InstanceId) {
        self.instances.remove(id);
        for group in self.groups.values_mut() {
            group.targets.retain(|target, _| target.id != id.as_str());
        }
    }

    fn is_in(&self, id: &InstanceId, life: u32, states: &[InstanceState]) -> bool {
        let instance = self.instances.get(id);
        instance.is_some_and(|it| it.life == life && states.contains(&it.facts.state))
    }

    /// The instance a call names, as long as its entry exists.
    pub(super) fn instance(&self, id: &InstanceId) -> Option<&SimInstance> {
        self.instances.get(id)
    }

    /// Dooms a Spot Instance: the warning, if EC2 manages to send it, and the end.
    pub(super) fn doom(&mut self, id: &InstanceId, action: InstanceAction) {
        let notice = match action {
            InstanceAction::Return | InstanceAction::Terminate | InstanceAction::Stop => {
                self.config.notice_seconds
            }
            InstanceAction::Hibernate => 0,
        };
        self.doom_in(id, action, notice);
    }

    pub(super) fn doom_in(&mut self, id: &InstanceId, action: InstanceAction, notice: i64) {
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        instance.doomed = action == InstanceAction::Terminate;
        let life = instance.life;
        let ends = action == InstanceAction::Terminate;
        debug_assert_eq!(instance.facts.market, Market::Spot, "only Spot is taken");
        if ends {
            self.reopen(id);
        }
        if notice == 0 {
            self.reclaim(id, life, action);
        } else {
            self.schedule(notice, Due::Reclaimed(id.clone(), life, action));
        }
    }
}
