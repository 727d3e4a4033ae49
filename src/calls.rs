//! How changes are sent when many are wanted at once: together where AWS takes several in one call,
//! and no more of them than AWS has tokens for.
//!
//! - One `DeregisterTargets` (or `RegisterTargets`) per target group for all lineages of a batch:
//!   Elastic Load Balancing grants 4 a second, for the whole account.
//!   <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>
//! - The wakes of a batch, up to ten in one call.
//! - Of every other call few at first, more with each success. Once AWS answers that there were too
//!   many, the rest is not sent: it would only be refused, and the next look comes soon enough to
//!   find the tokens that have come in meanwhile. A bucket holds those of ten seconds.
//!   <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>
//!
//! Each API has a bucket of its own, so nothing waits for another kind of call.

mod gate;
mod gone;
mod wakes;

use crate::cloud::{Cloud, CloudError};
use crate::event::Wake;
use crate::situation::{Target, TargetGroup};
use crate::step::Action;
use gate::{Gate, Order};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;
use wakes::Wakes;

/// Targets in one call; the documentation names no limit, other controllers send as many.
const TARGETS: usize = 100;

/// Dry runs, asked for ahead of any warning.
const REHEARSALS: &str = "rehearsals";

type Answer = Result<String, CloudError>;

/// The calls of one invocation.
pub struct Calls<'a> {
    cloud: &'a dyn Cloud,
    gates: Mutex<BTreeMap<&'static str, Arc<Gate>>>,
    joint: Mutex<BTreeMap<(bool, TargetGroup), Joint>>,
    wakes: Wakes,
}

/// Targets that other lineages add to a call that is about to be sent.
#[derive(Debug, Default)]
struct Joint {
    targets: Vec<Target>,
    waiting: Vec<oneshot::Sender<Answer>>,
}

impl<'a> Calls<'a> {
    #[must_use]
    pub fn new(cloud: &'a dyn Cloud) -> Self {
        Self {
            cloud,
            gates: Mutex::default(),
            joint: Mutex::default(),
            wakes: Wakes::default(),
        }
    }

    /// Before another look: a call that was throttled may pass now.
    pub fn reopen(&self) {
        lock(&self.gates).values().for_each(|it| it.reopen());
    }

    pub async fn act(&self, action: &Action) -> Answer {
        if let Action::Deregister { group, targets } = action {
            self.merged(false, group, targets).await
        } else if let Action::Register { group, targets } = action {
            self.merged(true, group, targets).await
        } else if let Action::Wake {
            wake,
            delay_seconds,
        } = action
        {
            self.wake(action, wake, *delay_seconds).await
        } else {
            self.send(action).await
        }
    }

    /// With those of other lineages. What failed together is tried once more alone.
    async fn wake(&self, action: &Action, wake: &Wake, delay_seconds: u16) -> Answer {
        let send = async |it: &Action| self.send(it).await;
        match self.wakes.send(wake, delay_seconds, send).await {
            Some(answer) => answer,
            None => self.send(action).await,
        }
    }

    /// The first call sends for all calls that join it in time. One target may be to blame when a joint call is
    /// refused, so each call is then sent by itself.
    async fn merged(&self, register: bool, group: &TargetGroup, targets: &[Target]) -> Answer {
        let key = (register, group.clone());
        let answer = match self.join(&key, targets) {
            Some(answer) => answer.await.ok(),
            None => self.send_merged(key, targets).await,
        };
        match answer {
            Some(Ok(text)) => Ok(text),
            Some(Err(error)) if error.is_throttled() => Err(error),
            // The sender of the joint call was cut short, or one of the targets was refused.
            Some(Err(_)) | None => self.send(&targeting(register, group, targets)).await,
        }
    }

    /// The answer to come, if a call that is about to be sent was joined. None: this call is to be sent by us.
    fn join(
        &self,
        key: &(bool, TargetGroup),
        targets: &[Target],
    ) -> Option<oneshot::Receiver<Answer>> {
        let mut joint = lock(&self.joint);
        let Some(open) = joint.get_mut(key) else {
            joint.insert(key.clone(), Joint::default());
            return None;
        };
        let (sender, answer) = oneshot::channel();
        open.targets.extend_from_slice(targets);
        open.waiting.push(sender);
        Some(answer)
    }

    /// None if no other call has joined: this one is still to be sent.
    async fn send_merged(&self, key: (bool, TargetGroup), targets: &[Target]) -> Option<Answer> {
        // Other lineages of the batch get the chance to join.
        tokio::task::yield_now().await;
        let Joint {
            targets: others,
            waiting,
        } = lock(&self.joint).remove(&key).unwrap_or_default();
        if waiting.is_empty() {
            return None;
        }
        let (register, group) = key;
        let mut all = [targets, &others].concat();
        all.sort();
        all.dedup();
        let mut answer = Ok(String::new());
        for some in all.chunks(TARGETS) {
            answer = answer.and(self.send(&targeting(register, &group, some)).await);
        }
        for it in waiting {
            it.send(answer.clone()).ok();
        }
        Some(answer)
    }

    async fn send(&self, action: &Action) -> Answer {
        // Rehearsals have a queue of their own: throttling of rehearsals must not stop a rescue, nor the reverse.
        let call = if let Action::Rehearse(_) = action {
            REHEARSALS
        } else {
            action.call()
        };
        let gate = lock(&self.gates)
            .entry(call)
            .or_insert_with(|| Arc::new(Gate::new(order(call))))
            .clone();
        let permit = gate.permit().await;
        if let Some(refusal) = gate.refusal() {
            return Err(refusal);
        }
        let answer = self.cloud.act(action).await;
        let answer = gone::judge(self.cloud, action, answer).await;
        gate.record_answer(&answer);
        drop(permit);
        answer
    }
}

/// Under throttling `DeleteOnTermination` is served first come first, `CreateSnapshots` last come first, so that an
/// instance that misses one of them gets the other.
fn order(call: &str) -> Order {
    match call {
        "ec2:CreateSnapshots" => Order::LastCome,
        _ => Order::FirstCome,
    }
}

fn targeting(register: bool, group: &TargetGroup, targets: &[Target]) -> Action {
    let (group, targets) = (group.clone(), targets.to_vec());
    if register {
        Action::Register { group, targets }
    } else {
        Action::Deregister { group, targets }
    }
}

/// Nothing that holds one of these can panic halfway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, feature = "sim"))]
mod tests {
    use super::gate::AT_MOST;
    use super::*;
    use crate::sim::{GroupType, Limit, World};
    use crate::tags::Tags;
    use futures_util::future::join_all;

    #[tokio::test]
    async fn targets_of_one_group_leave_in_one_call() {
        let world = World::new(1);
        let group = world.target_group(GroupType::Instance);
        let targets: Vec<Target> = (0..20)
            .map(|n| world.register(&group, &format!("i-{n:017x}"), 80))
            .collect();
        let calls = Calls::new(&world);
        let each = targets.iter().map(|it| {
            let action = targeting(false, &group, std::slice::from_ref(it));
            let calls = &calls;
            async move { calls.act(&action).await }
        });
        assert!(join_all(each).await.iter().all(Result::is_ok));
        world.look(|it| {
            assert_eq!(it.calls["DeregisterTargets"], 1);
            let draining = it.groups[&group].targets.values();
            assert!(draining.clone().all(|it| *it != crate::sim::Drain::No));
        });
    }

    #[tokio::test]
    async fn a_call_that_would_be_throttled_is_not_sent() {
        let world = World::new(1);
        let volumes: Vec<_> = (0..100).map(|_| world.volume("eu-west-1a")).collect();
        let few = Limit {
            capacity: 10.0,
            per_second: 1.0,
        };
        world.change(|it| it.throttle("CreateTags", few));
        let calls = Calls::new(&world);
        let tag_all = async || {
            let each = volumes.iter().map(|it| {
                let action = Action::Tag {
                    resources: vec![it.to_string()],
                    tags: Tags::from([("a".to_owned(), "b".to_owned())]),
                };
                let calls = &calls;
                async move { calls.act(&action).await }
            });
            join_all(each).await
        };
        let sent = || world.look(|it| it.calls["CreateTags"]);
        let answers = tag_all().await;
        assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), 10);
        let refused = answers.iter().filter_map(|it| it.as_ref().err());
        assert!(refused.clone().all(CloudError::is_throttled));
        let before = sent();
        assert!(before < 10 + 2 * AT_MOST as u64);
        // One call shows whether tokens have come in meanwhile.
        calls.reopen();
        assert!(tag_all().await.iter().all(Result::is_err));
        assert_eq!(sent(), before + 1);
        world.advance(5);
        calls.reopen();
        let answers = tag_all().await;
        assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), 5);
    }
}
