//! Tasks of an orchestrator: it chooses a port on the machine, and registers that for the task it has started there.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/networking-networkmode-bridge.html>: with a dynamic port
//! mapping, each task has a port of its own of the ephemeral range (TRAP 66)

use super::{State, World};
use crate::id::InstanceId;
use crate::situation::{Target, TargetGroup};

impl World {
    /// The orchestrator starts a task on this machine, and registers it.
    #[must_use]
    pub fn task(&self, group: &TargetGroup, on: &InstanceId, port: u16) -> Target {
        let target = self.register(group, on.as_str(), port);
        let tasks = target.clone();
        self.change(|it| it.tasks.entry(group.clone()).or_default().insert(tasks));
        target
    }
}

impl State {
    /// A violation: a target of an orchestrator's service was registered on a port without a task.
    pub(super) fn without_task(&mut self, target: &Target) {
        let tasks = self.tasks.get(&target.group);
        if tasks.is_some_and(|it| !it.contains(target)) {
            let what = format!("{target} is registered, and no task is there");
            self.violations.push(what);
        }
    }
}
