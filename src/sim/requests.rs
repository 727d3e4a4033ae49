//! Spot Instance requests: what EC2 does by itself.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-request-status.html>: at the notice a
//!   persistent request is open again, two minutes before its instance ends (TRAP 25, TRAP 26)
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/interruption-behavior.html>: cancelling the
//!   request ends the instance that is stopped, not the one that runs

use super::agenda::Due;
use super::error::refused;
use super::instances::{BY_SPOT, BY_USER};
use super::pools::pool;
use super::{Lagged, State, Supply};
use crate::cloud::CloudError;
use crate::event::{InstanceAction, InstanceState};
use crate::id::{InstanceId, RequestId};
use crate::situation::{Instance, Market, RequestEnd, SpotRequest};
use crate::tags::Tags;

/// How often EC2 looks for capacity again: enough for tests, and the world comes to rest.
const TRIES: u32 = 3;
/// How long an ended request is shown.
const SHOWN: time::Duration = time::Duration::hours(48);

#[derive(Debug, Clone)]
pub struct SimRequest {
    pub facts: SpotRequest,
    pub tags: Lagged<Tags>,
    /// The instance it launched first, before any interruption.
    pub first: InstanceId,
    tries: u32,
}

impl State {
    /// The request behind an instance that has just been made.
    pub(super) fn request_for(
        &mut self,
        instance: &InstanceId,
        persistent: bool,
        behaviour: InstanceAction,
    ) {
        let id: RequestId = self.new_id("sir-");
        let facts = SpotRequest {
            id: id.clone(),
            persistent,
            behaviour,
            live: true,
            disabled: false,
            instance: Some(instance.clone()),
            end: None,
            tags: Tags::new(),
        };
        let request = SimRequest {
            facts,
            tags: Lagged::new(Tags::new()),
            first: instance.clone(),
            tries: 0,
        };
        self.requests.insert(id.clone(), request);
        if let Some(it) = self.instances.get_mut(instance) {
            it.facts.request = Some(id);
        }
    }

    pub(super) fn read_requests(
        &mut self,
        ids: &[RequestId],
    ) -> Result<Vec<SpotRequest>, CloudError> {
        self.admit("DescribeSpotInstanceRequests")?;
        let found = ids.iter().filter_map(|id| self.requests.get(id));
        let ended = |it: &SpotRequest| it.end.as_ref().and_then(|it| it.at);
        let found = found.filter(|it| ended(&it.facts).is_none_or(|at| self.now - at < SHOWN));
        let shown = found.map(|it| SpotRequest {
            tags: it.tags.seen(self.now).clone(),
            disabled: it.facts.live
                && it
                    .facts
                    .instance
                    .as_ref()
                    .is_some_and(|it| self.is_stopped(it)),
            ..it.facts.clone()
        });
        Ok(shown.collect())
    }

    /// By the key of a tag, as it is written.
    pub(super) fn read_tagged_requests(
        &mut self,
        key: &str,
    ) -> Result<Vec<SpotRequest>, CloudError> {
        let now = self.now;
        let tagged = |it: &&SimRequest| it.tags.seen(now).contains_key(key) && it.facts.live;
        let ids = self.requests.values().filter(tagged);
        let ids: Vec<RequestId> = ids.map(|it| it.facts.id.clone()).collect();
        self.read_requests(&ids)
    }

    /// The status of the request says how its instance has ended.
    pub(super) fn request_ends(&mut self, instance: &InstanceId) {
        let Some(ended) = self.instances.get(instance) else {
            return;
        };
        let code = match ended.facts.state_reason.as_deref() {
            Some(BY_USER) => "instance-terminated-by-user",
            Some(BY_SPOT) => "instance-terminated-no-capacity",
            _ => return,
        };
        let request = ended.facts.request.clone();
        let request = request.and_then(|it| self.requests.get_mut(&it));
        if let Some(it) = request.filter(|it| it.facts.instance.as_ref() == Some(instance)) {
            it.facts.end = RequestEnd::of(code, Some(self.now));
        }
    }

    fn is_stopped(&self, id: &InstanceId) -> bool {
        let state = self.instances.get(id).map(|it| it.facts.state);
        matches!(
            state,
            Some(InstanceState::Stopping | InstanceState::Stopped)
        )
    }

    pub(super) fn cancel_request(&mut self, id: &RequestId) -> Result<String, CloudError> {
        const CALL: &str = "CancelSpotInstanceRequests";
        let request = self
            .requests
            .get_mut(id)
            .ok_or_else(|| refused(CALL, "InvalidSpotInstanceRequestID.NotFound", id.as_str()))?;
        request.facts.live = false;
        let instance = request.facts.instance.clone();
        if let Some(instance) = instance.filter(|it| self.is_stopped(it)) {
            let what = format!("{instance} was stopped and was ended by cancelling {id}");
            self.violations.push(what);
            self.shut_down(&instance, BY_USER);
        }
        Ok(String::new())
    }

    /// The instance is being interrupted, or its user ends it: a persistent request is open again.
    pub(super) fn reopen(&mut self, instance: &InstanceId) {
        let id = self
            .instances
            .get(instance)
            .and_then(|it| it.facts.request.clone());
        let request = id.and_then(|it| self.requests.get(&it));
        let Some(request) = request.filter(|it| it.facts.persistent && it.facts.live) else {
            return;
        };
        let id = request.facts.id.clone();
        self.schedule(self.config.relaunch_seconds, Due::Relaunched(id));
    }

    /// From the old specification: an empty instance, without a tag.
    pub(super) fn relaunched(&mut self, id: &RequestId) {
        let Some(request) = self.requests.get_mut(id).filter(|it| it.facts.live) else {
            return;
        };
        request.tries += 1;
        let again = request.tries < TRIES;
        let last = request.facts.instance.clone();
        let Some(old) = last.and_then(|it| self.instances.get(&it)).cloned() else {
            return;
        };
        let (kind, zone) = (&old.facts.instance_type, &old.facts.availability_zone);
        let left = self.supplies.get(&pool(kind, zone, Market::Spot));
        if !matches!(left, None | Some(Supply::Left(1..))) {
            if again {
                self.schedule(self.config.relaunch_seconds, Due::Relaunched(id.clone()));
            }
            return;
        }
        let subnet = self.subnets.iter().find(|(_, it)| *it == zone);
        let subnet = subnet.map(|it| it.0.clone());
        let facts = Instance {
            id: self.new_id("i-"),
            launch_time: self.now,
            subnet,
            devices: Vec::new(),
            private_addresses: Vec::new(),
            ..old.facts.clone()
        };
        let new = facts.id.clone();
        self.add_instance(facts, Tags::new());
        if let Some(request) = self.requests.get_mut(id) {
            request.facts.instance = Some(new.clone());
            request.facts.end = None;
        }
        self.start(&new, true);
    }

    /// EC2 has launched an instance for a request that we have replaced the instance of.
    #[must_use]
    pub(super) fn beside(&self, request: &SimRequest) -> Option<InstanceId> {
        let now = request.facts.instance.as_ref()?;
        let alive = self.instances.get(now)?.facts.is_alive();
        (alive && *now != request.first).then(|| now.clone())
    }
}
