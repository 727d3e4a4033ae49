//! The hand-over from the stand-in to the waiting Spot Instance. Volumes are kept and the snapshot set is taken; once
//! EC2 *shows* that, the stand-in is deregistered; once that shows, too, it is terminated by a clean shutdown, which
//! flushes its file systems. At a warning the deregistration comes first; here there is time, and a call that AWS may
//! refuse comes before it. Each look adds the missing steps, so a crash between two calls changes nothing.
//!
//! Until `TerminateInstances` is accepted the hand-over can be undone: if the call is refused, if the Spot Instance is
//! gone, if the policy no longer asks for it, or if it takes too long, the stand-in gets back its targets and flags and
//! runs on.

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

/// Seconds between deregistration and termination, in which open requests are answered. The whole deregistration delay
/// (300 s by default) would be five minutes without service.
const GRACE: f64 = 30.0;

/// The hand-over is undone after so long. It is short, since traffic may have left already, and undoing it must fit
/// into the same chain of wakes.
const HANDED_OVER_WITHIN: Duration = Duration::minutes(3);

/// So many seconds after the hand-over was given up, no earlier invocation runs that could still terminate the
/// instance. Until then the flags stay off.
const INVOCATIONS_ENDED: f64 = 4.0 * INVOCATION.as_seconds_f64();

/// Putting back the flags is tried for so many seconds. With a flag off a volume outlives its instance, so nothing is
/// lost.
const TRYING: f64 = 900.0;

const FORGET: &str = "forget that it was to end";

/// The steps that are missing before the stand-in can be terminated, and its termination.
pub fn relieve(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    let Some(owner) = lineage.owner else {
        return plan;
    };
    if let Some(why) = hindrance(lineage, owner, interruption) {
        return_to_spot::keep_on(lineage, owner, interruption.at, why, &mut plan);
        plan.wait(
            5,
            format!("{} to be visible as staying On-Demand", owner.id),
        );
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

/// Protects the stand-in as at a warning. True if EC2 shows all of it.
fn is_kept(
    lineage: &Lineage,
    owner: &Instance,
    interruption: &Interruption,
    plan: &mut Plan,
) -> bool {
    protect::keep_volumes(owner, plan);
    interfaces::keep_all(lineage, owner, plan);
    interfaces::mark_all(lineage, owner, plan);
    tombstone::set(lineage, owner, interruption, plan);
    tombstone::remember(lineage, interruption, plan);
    protect::mark_volumes(lineage, plan);
    snapshot::warning(lineage, owner, interruption, plan);
    // The role may terminate only an instance with this tag.
    if !owner.tags.contains_key(tags::EXPIRES_AT) {
        let now = lineage.now;
        plan.step(expiry::expire_at(now, owner.id.to_string()));
    }
    let facts = lineage.facts;
    let read = facts.volumes.known().is_some() && facts.snapshots.known().is_some();
    read && facts.interfaces.known().is_some() && plan.steps.is_empty()
}

fn end_id(instance: &InstanceId) -> String {
    format!("end {instance}")
}

/// Why the hand-over is given up.
fn hindrance(
    lineage: &Lineage,
    owner: &Instance,
    interruption: &Interruption,
) -> Option<&'static str> {
    let ready = |it: &Instance| it.state == InstanceState::Running && it.market == Market::Spot;
    if lineage.inputs.refused.contains(&end_id(&owner.id)) {
        Some("TerminateInstances was refused; see the code in the log, and allow it")
    } else if !lineage.successor.is_some_and(ready) {
        Some("the Spot Instance that was to take over is gone")
    } else if !stand_in::is_asked(lineage, owner) || !return_to_spot::is_due(lineage, owner) {
        Some("its tags no longer ask for it")
    } else if lineage.now > interruption.at + HANDED_OVER_WITHIN {
        Some("not everything could be made ready within three minutes; see the log")
    } else {
        None
    }
}

/// The hand-over was given up: the stand-in gets back its targets, then its flags once no invocation can terminate it
/// any more, and then loses its tombstone.
pub fn stay(lineage: &Lineage, interruption: &Interruption) -> Plan {
    let mut plan = Plan::default();
    let (Some(owner), Some(stay)) = (lineage.owner, &lineage.record.stays) else {
        return plan;
    };
    foreseen::give_back(lineage, &mut plan);
    let trying = seconds_between(stay.at, lineage.now);
    let serves = register::plan(lineage, owner, trying, &mut plan);
    let released = trying > INVOCATIONS_ENDED && is_released(lineage, owner, &mut plan);
    if serves && (released || trying > TRYING) {
        let template = lineage.template().map(|it| it.id.to_string());
        let resources = template.into_iter().chain([owner.id.to_string()]).collect();
        let keys = [tags::INTERRUPTED_AT, tags::PROGRESS, tags::EXPIRES_AT];
        let keys = keys.map(str::to_owned).to_vec();
        plan.step(Step::new(FORGET, Action::Untag { resources, keys }));
    }
    let began = crate::clock::format(interruption.at);
    plan.wait(
        30,
        format!(
            "{} to have its targets and flags of before {began}",
            owner.id
        ),
    );
    plan
}

/// Puts back the user's flags on volumes and interfaces. True once EC2 shows them.
pub fn is_released(lineage: &Lineage, owner: &Instance, plan: &mut Plan) -> bool {
    let kept = |it: &RecordedVolume| {
        let fate = Fate::Attached {
            volume: it.volume.clone(),
            from: Origin::Moved,
        };
        (it.clone(), fate)
    };
    // EC2 refuses the whole call because of one device that has been detached.
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
