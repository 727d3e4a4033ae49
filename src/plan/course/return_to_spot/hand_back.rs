//! The hand-over itself: a Spot Instance waits, the stand-in has its tombstone. Volumes are kept and the
//! snapshot set is taken; when that is to be *seen*, traffic leaves; when that is seen, too, the stand-in
//! is ended, by a clean shutdown, which flushes its file systems. At a warning traffic leaves first; here
//! there is time, and what may be refused comes before it. Each look does what is missing, so a crash
//! between any two calls changes nothing.
//!
//! Until `TerminateInstances` is accepted there is a way back: if it is refused, if the Spot Instance is
//! gone, if the user has changed his mind, or if it takes too long, the stand-in gets back its targets
//! and its flags and goes on.

use crate::clock::{INVOCATION, seconds_between};
use crate::event::{InstanceState, Interruption};
use crate::id::InstanceId;
use crate::plan::course::{foreseen, progress, return_to_spot};
use crate::plan::draft::Plan;
use crate::plan::facts::{asked, milestone, stand_in};
use crate::plan::lineage::Lineage;
use crate::plan::marks::{expiry, tombstone};
use crate::plan::network::interfaces;
use crate::plan::traffic::{deregister, register};
use crate::plan::volumes::fate::{Fate, HandOver, Origin};
use crate::plan::volumes::{hand_over, protect, snapshot};
use crate::record::{Milestone, RecordedVolume};
use crate::situation::{Instance, Market};
use crate::step::{Action, Step};
use crate::tags;
use time::Duration;

/// Seconds from the deregistration to the end: requests under way may still be answered. The whole delay
/// (300 s, unless its user has set it) would be five minutes without service.
const GRACE: f64 = 30.0;

/// What is not ready by then will not be. Short, since traffic may be gone already, and the way back must
/// fit into the same chain of wakes.
const PATIENCE: Duration = Duration::minutes(3);

/// Seconds after the way back has begun: no invocation is left that could still end the instance. Until then nothing may
/// go with it.
const NOBODY_LEFT: f64 = 4.0 * INVOCATION.as_seconds_f64();

/// So many seconds a flag is tried: without it a volume outlives its instance, and nothing is lost.
const TRYING: f64 = 900.0;

const FORGET: &str = "forget that it was to end";

/// Whatever is still missing before the stand-in can be ended, and its end.
pub fn relieve(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    let Some(owner) = lineage.owner else {
        return plan;
    };
    if let Some(why) = hindrance(lineage, owner, interruption) {
        return_to_spot::keep_on(lineage, owner, interruption.at, why, &mut plan);
        plan.wait(5, format!("{} to be seen staying", owner.id));
        return plan;
    }
    plan.wait(10, format!("{} to give way to Spot", owner.id));
    if !is_kept(lineage, owner, interruption, &mut plan) {
        return plan;
    }
    deregister::found(lineage, &mut plan);
    progress::plan(lineage, interruption, &HandOver::default(), &mut plan);
    let silent = lineage
        .record
        .progress
        .contains_key(&Milestone::Deregistered);
    let since = milestone::since(Milestone::Deregistered, lineage, interruption);
    if silent && deregister::is_done(lineage) && since >= GRACE {
        let instance = owner.id.clone();
        let id = end_id(&instance);
        plan.step(Step::new(id, Action::Terminate { instance }));
    }
    plan
}

/// What protects it, as at a warning. True if all of it is to be seen.
fn is_kept(
    lineage: &Lineage,
    owner: &Instance,
    interruption: &Interruption,
    plan: &mut Plan,
) -> bool {
    protect::keep_volumes(owner, plan);
    interfaces::keep(lineage, owner, plan);
    interfaces::mark_all(lineage, owner, plan);
    tombstone::set(lineage, owner, interruption, plan);
    tombstone::remember(lineage, interruption, plan);
    protect::mark_volumes(lineage, plan);
    snapshot::warning(lineage, owner, interruption, plan);
    // The role may end nothing without it.
    if !owner.tags.contains_key(tags::EXPIRES_AT) {
        let now = lineage.situation.now;
        plan.step(expiry::expire_at(now, owner.id.to_string()));
    }
    let facts = &lineage.situation;
    let read = facts.volumes.known().is_some() && facts.snapshots.known().is_some();
    read && facts.interfaces.known().is_some() && plan.steps.is_empty()
}

fn end_id(instance: &InstanceId) -> String {
    format!("end {instance}")
}

/// Why the stand-in is not to be ended after all.
fn hindrance(
    lineage: &Lineage,
    owner: &Instance,
    interruption: &Interruption,
) -> Option<&'static str> {
    let ready = |it: &Instance| it.state == InstanceState::Running && it.market == Market::Spot;
    if lineage.situation.refused.contains(&end_id(&owner.id)) {
        Some("TerminateInstances was refused; see the code in the log, and allow it")
    } else if !lineage.successor.is_some_and(ready) {
        Some("the Spot Instance that was to take over is gone")
    } else if !stand_in::is_asked(lineage, owner) || !return_to_spot::is_due(lineage, owner) {
        Some("its tags ask for it no longer")
    } else if lineage.situation.now > interruption.at + PATIENCE {
        Some("not everything could be made ready within three minutes; see the log")
    } else {
        None
    }
}

/// The way back: traffic first, flags when nobody can end the instance any more, then the tombstone.
pub fn stay(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    let (Some(owner), Some(stay)) = (lineage.owner, &lineage.record.stays) else {
        return plan;
    };
    foreseen::give_back(lineage, &mut plan);
    let trying = seconds_between(stay.at, lineage.situation.now);
    let serves = register::plan(lineage, owner, trying, &mut plan);
    let released = trying > NOBODY_LEFT && is_released(lineage, owner, &mut plan);
    if serves && (released || trying > TRYING) {
        let template = lineage.template().map(|it| it.id.to_string());
        let resources = template.into_iter().chain([owner.id.to_string()]).collect();
        let keys = [tags::INTERRUPTED_AT, tags::PROGRESS, tags::EXPIRES_AT];
        let keys = keys.map(str::to_owned).to_vec();
        plan.step(Step::new(FORGET, Action::Untag { resources, keys }));
    }
    let began = crate::clock::format(interruption.at);
    plan.wait(30, format!("{} to be as before {began}", owner.id));
    plan
}

/// The flags the user had, on volumes and interfaces.
pub fn is_released(lineage: &Lineage, owner: &Instance, plan: &mut Plan) -> bool {
    let kept = |it: &RecordedVolume| {
        let fate = Fate::Attached {
            volume: it.volume.clone(),
            from: Origin::Moved,
        };
        (it.clone(), fate)
    };
    // EC2 refuses the whole for a device that its user has detached.
    let shown = |it: &&RecordedVolume| owner.devices.iter().any(|held| held.volume == it.volume);
    let volumes = lineage.record.volumes.iter().filter(shown);
    let all = HandOver {
        volumes: volumes.map(kept).collect(),
        known: true,
    };
    let flagged =
        asked::keeps_volumes_always(lineage) || hand_over::delete_flags(&all, owner, plan);
    interfaces::release(lineage, owner, plan) && flagged
}
