//! A rescue that waits only for its instance to boot and for the old one to release its volumes looks at those alone.
//! Two calls serve a whole batch of such lineages, where a full look takes ten.
//!
//! Everything is read again once one of them has changed, at any event, and just before the two minutes are over.

use super::context::Context;
use super::work_item::WorkItem;
use crate::clock::Timestamp;
use crate::cloud::Query;
use crate::event::{Glance, InstanceState, Interruption, Memory, Trigger, Wake};
use crate::id::{InstanceId, VolumeId};
use crate::plan::{NOTED, Plan, pace};
use crate::report::StepReport;
use crate::situation::{Instance, Situation, Volume};
use crate::step::{Action, fingerprint};
use crate::tags;
use std::collections::BTreeSet;

/// From then on, before the instance ends, everything is read once more.
const LAST_LOOK: time::Duration = time::Duration::seconds(110);
/// From then on looks are rare anyway.
pub const YOUNG: time::Duration = time::Duration::minutes(5);

/// Only a wake remembers what the last look saw.
pub fn wake(trigger: &Trigger) -> Option<&Wake> {
    let Trigger::Wake(wake) = trigger else {
        return None;
    };
    Some(wake)
}

/// Instances to look at, besides the one that a trigger names.
pub fn watched(trigger: &Trigger) -> impl Iterator<Item = &InstanceId> {
    let memory = wake(trigger).map(|it| &it.memory);
    let glance = memory.and_then(|it| it.glance.as_ref());
    let seen = glance.into_iter().flat_map(|it| it.seen.keys());
    seen.chain(memory.into_iter().flat_map(|it| it.launched.keys()))
}

/// The volumes that are to be released. If they cannot be read, everything is read again.
pub async fn volumes(context: &Context<'_>, triggers: &[Trigger]) -> Vec<Volume> {
    let glances = triggers
        .iter()
        .filter_map(|it| wake(it)?.memory.glance.as_ref());
    let ids: BTreeSet<&VolumeId> = glances.flat_map(|it| it.held.keys()).collect();
    if ids.is_empty() {
        return Vec::new();
    }
    let query = Query::Volumes(ids.into_iter().cloned().collect());
    context.cloud.volumes(&query).await.unwrap_or_default()
}

/// Everything it waits for is unchanged, and the last full look was not long ago.
pub fn unchanged(
    trigger: &Trigger,
    visible: &[Instance],
    volumes: &[Volume],
    now: Timestamp,
) -> bool {
    let memory = wake(trigger).map(|it| &it.memory);
    let glance = memory.and_then(|it| it.glance.as_ref());
    let (Some(Glance { at, seen, held }), Some(warned)) = (glance, memory.and_then(warned)) else {
        return false;
    };
    let last = warned.at + LAST_LOOK;
    let counts = now - warned.at < YOUNG && now >= *at && (now < last || *at >= last);
    let waits = !held.is_empty();
    let is_as_it_was = |(id, word): (&InstanceId, &String)| {
        let mut visible = visible.iter().filter(|it| it.id == *id);
        visible.any(|it| looks(it, waits) == *word || (waits && is_over(it, warned)))
    };
    let is_held = |(id, word): (&VolumeId, &String)| {
        let mut volumes = volumes.iter().filter(|it| it.id == *id);
        volumes.any(|it| is_with(it) == *word)
    };
    counts && seen.iter().all(is_as_it_was) && held.iter().all(is_held)
}

/// Nothing else is read, unless another trigger concerns the lineage, too.
pub fn rest(item: &mut WorkItem, wake: &Wake, visible: &[Instance], now: Timestamp) {
    let (Some(glance), Some(warned)) = (&wake.memory.glance, warned(&wake.memory)) else {
        return;
    };
    if item.triggers.len() > 1 {
        return;
    }
    let mut watched = visible.iter().filter(|it| glance.seen.contains_key(&it.id));
    let boots = watched.any(|it| it.state == InstanceState::Pending);
    let seconds = pace::soonest(warned, boots, !glance.held.is_empty(), now);
    let what = "its instances, which have not changed";
    item.report.wait(seconds, what);
    item.memory.glance = Some(glance.clone());
    item.idle = true;
}

/// The interruption that is under way now.
fn warned(memory: &Memory) -> Option<&Interruption> {
    memory.interruptions.iter().max_by_key(|it| it.at)
}

/// What the next look is compared with. None if there was anything to do, or if the plan waits for something else.
pub fn of(item: &WorkItem, plan: &Plan, steps: &[StepReport]) -> Option<Glance> {
    let noted = |it: &StepReport| it.outcome.succeeded() && !leads_on(it, plan);
    let quiet = plan.steps.len() == steps.len()
        && steps.iter().all(noted)
        && plan.suspects.is_empty()
        && plan.outcome.is_none()
        && item.memory.unwritten.is_empty();
    item.seen.clone().filter(|_| quiet)
}

/// A step that makes another one possible at once. Notes in the record do not, and an attachment has to be seen
/// first.
pub fn leads_on(done: &StepReport, plan: &Plan) -> bool {
    let step = plan.steps.iter().find(|it| it.id == done.id);
    let waits = step.is_some_and(|it| matches!(it.action, Action::Attach { .. }));
    done.outcome.succeeded() && !waits && done.id != NOTED
}

/// The state of each instance and volume, in a short word.
pub fn seen(situation: &Situation, plan: &Plan, at: Timestamp) -> Option<Glance> {
    let awaited = plan.awaits()?;
    let waits = !awaited.is_empty();
    let instances = situation.facts.instances.iter();
    let volumes = situation.facts.volumes.known().into_iter().flatten();
    let held = volumes.filter(|it| awaited.contains(&it.id));
    Some(Glance {
        at,
        seen: instances
            .map(|it| (it.id.clone(), looks(it, waits)))
            .collect(),
        held: held.map(|it| (it.id.clone(), is_with(it))).collect(),
    })
}

/// Its state, and what a user may change meanwhile. While volumes are held, a replacement may boot or run.
fn looks(instance: &Instance, waits: bool) -> String {
    if waits && !instance.tags.contains_key(tags::INTERRUPTED_AT) {
        let word = if instance.is_alive() { "alive" } else { "over" };
        return word.to_owned();
    }
    let Instance {
        state,
        devices,
        interfaces,
        public_address,
        tags,
        ..
    } = instance;
    fingerprint(&format!(
        "{state:?} {devices:?} {interfaces:?} {public_address:?} {tags:?}"
    ))
}

/// It has ended, as its warning said: from then on its volumes are what matters.
fn is_over(instance: &Instance, warned: &Interruption) -> bool {
    instance.id == warned.instance && !instance.is_alive()
}

fn is_with(volume: &Volume) -> String {
    let holders = volume.attachments.iter().map(|it| it.instance.as_str());
    let holders: BTreeSet<&str> = holders.collect();
    format!("{:?} {holders:?}", volume.state)
}

#[cfg(all(test, feature = "sim"))]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::cloud::Cloud;
    use crate::event::InstanceAction;
    use crate::sim::World;
    use std::collections::BTreeMap;

    /// What a person may do to the instance in the two minutes: each leads to a full look.
    const CHANGES: [fn(&mut Instance); 6] = [
        |it| it.state = InstanceState::Stopping,
        |it| it.devices.clear(),
        |it| it.devices[0].delete_on_termination ^= true,
        |it| it.interfaces.clear(),
        |it| it.public_address = Some("198.51.100.7".to_owned()),
        |it| it.tags.clear(),
    ];

    #[tokio::test]
    async fn whatever_a_person_changes_on_an_instance_is_seen_at_a_glance() {
        let world = World::new(1);
        let id = world.protected_instance().instance;
        let query = Query::Instances(vec![id.clone()]);
        let visible = world.instances(&query).await.expect("it is read");
        let now = world.now();
        let warning = Interruption {
            instance: id.clone(),
            action: InstanceAction::Terminate,
            at: now,
        };
        let glance = Glance {
            at: now,
            seen: BTreeMap::from([(id.clone(), looks(&visible[0], false))]),
            held: BTreeMap::new(),
        };
        let memory = Memory {
            interruptions: vec![warning],
            glance: Some(glance),
            ..Memory::default()
        };
        let wake = Trigger::Wake(Wake {
            memory,
            ..Wake::look(id)
        });
        let soon = now + time::Duration::seconds(10);
        assert!(unchanged(&wake, &visible, &[], soon));
        for (n, change) in CHANGES.iter().enumerate() {
            let mut visible = visible.clone();
            change(&mut visible[0]);
            assert!(!unchanged(&wake, &visible, &[], soon), "{n}");
        }
        // It cannot be seen, the look is an old one, the two minutes are about to be over.
        assert!(!unchanged(&wake, &[], &[], soon));
        let late = now + time::Duration::minutes(6);
        assert!(!unchanged(&wake, &visible, &[], late));
        let last = now + time::Duration::seconds(111);
        assert!(!unchanged(&wake, &visible, &[], last));
    }
}
