//! Which new member of the Auto Scaling group becomes the successor.
//!
//! It is claimed by a launch template with its name (`spot-rescue-<instance>`) and the lineage's tag. Names are unique,
//! so of two rescues that claim the same member only one gets it; nothing is attached before the claim is visible. A
//! member without a rescue to take over prepares its own rescue under the same name, so it is either claimed or has its
//! own. The sweep deletes claims that have served.
//!
//! Membership is told by Auto Scaling's own tag, which only Auto Scaling can set, and by its list. While one of *our*
//! launch lifecycle hooks holds the member (`Pending:Wait`), it gets its volumes before it serves; other hooks are left
//! to their owners.

use crate::event::{Memory, Wake};
use crate::id::InstanceId;
use crate::plan::capacity::template;
use crate::plan::draft::Plan;
use crate::plan::facts::ending;
use crate::plan::group::pairs;
use crate::plan::lineage::Lineage;
use crate::plan::marks::{own, room};
use crate::situation::{Fact, Group, Instance, Lifecycle};
use crate::step::{Action, GroupChange, GroupVerb, Step, token};
use crate::tags;

/// Launch lifecycle hooks with names that begin so are ours to complete.
const OUR_HOOKS: &str = "spot-rescue";

/// There is no successor yet: claims the group's new member, or waits for one. False if none is needed.
pub fn await_replacement(lineage: &Lineage, plan: &mut Plan) -> bool {
    let Fact::Known(Some(group)) = &lineage.facts.group else {
        return true;
    };
    let name = &group.scaling.name;
    if lineage.template().is_some() && pairs::hands_over_nothing(&lineage.record) {
        plan.note(format!(
            "it had nothing to hand over, and {name} replaces it"
        ));
        return false;
    }
    let owner = lineage.owner;
    let unannounced =
        owner.is_none_or(|it| !it.is_alive() && !it.tags.contains_key(tags::INTERRUPTED_AT));
    if let Some(member) = pairs::matched_member(lineage, unannounced) {
        claim(lineage, group, member, plan);
        return true;
    }
    if group.scaling.suspends("Launch") {
        plan.note(format!(
            "{name} launches nothing: its Launch process is suspended"
        ));
    }
    let left = owner.is_none_or(|it| group.scaling.lifecycle(&it.id).is_none());
    let seconds = if left { 5 } else { 15 };
    plan.wait(seconds, format!("{name} to launch a replacement"));
    true
}

fn claim(lineage: &Lineage, group: &Group, member: &Instance, plan: &mut Plan) {
    let id = format!("claim {}", member.id);
    let mut tags = own::own(lineage);
    tags.insert(tags::GROUP.to_owned(), group.scaling.name.clone());
    let rescue = lineage.id.as_str();
    let token = token(&["claim", rescue, member.id.as_str()]);
    let name = group.free_name(&member.id);
    let step = Step::new(id, template::named(lineage, member, name, tags, token));
    // The member has already prepared its own rescue.
    let step = if let Some(own) = group.template_of(member) {
        let release = format!("release {}", member.id);
        let template = own.id.clone();
        plan.step(Step::new(&release, Action::DeleteTemplate { template }));
        step.after(&release)
    } else {
        step
    };
    plan.step(step);
    plan.wait(5, format!("the claim to {} to be visible", member.id));
}

/// Tags the claimed member with its rescue. Once the tag is visible, other members that were claimed for this lineage
/// are released.
pub fn mark_claimed(lineage: &Lineage, plan: &mut Plan) {
    let Some(successor) = lineage.successor.filter(|it| lineage.is_claimed(it)) else {
        return;
    };
    let mut wanted = own::own(lineage);
    if let Some(head) = &lineage.record.head {
        wanted.insert(tags::REPLACES.to_owned(), head.to_string());
    }
    if own::holds(&successor.tags, &wanted) || !room::takes_all(successor, &wanted) {
        release_others(lineage, successor, plan);
        return;
    }
    let resources = vec![successor.id.to_string()];
    let id = format!("mark {}", successor.id);
    plan.step(Step::new(
        id,
        Action::Tag {
            resources,
            tags: wanted,
        },
    ));
}

/// Two invocations may claim one member each before either claim is visible. All then choose the same one; the other is
/// released. Its tags are removed first: while the claim exists it prepares no rescue of its own.
fn release_others(lineage: &Lineage, successor: &Instance, plan: &mut Plan) {
    let Fact::Known(Some(group)) = &lineage.facts.group else {
        return;
    };
    let holder = lineage.record.head.as_ref();
    let claimed = group.claimed(lineage.id).into_iter();
    let idle = claimed.filter(|it| {
        let well = it.is_alive() && lineage.interruption(it).is_none();
        it.id != successor.id && Some(&it.id) != holder && well && ending::is_empty(it)
    });
    for other in idle {
        let Some(claim) = group.template_of(&other) else {
            continue;
        };
        let unmark = format!("unmark {}", other.id);
        let resources = vec![other.id.to_string()];
        let keys = vec![tags::REPLACES.to_owned(), tags::RESCUE.to_owned()];
        plan.step(Step::new(&unmark, Action::Untag { resources, keys }));
        let template = claim.id.clone();
        let release = Step::new(
            format!("release {}", other.id),
            Action::DeleteTemplate { template },
        );
        plan.step(release.after(&unmark));
        plan.note(format!(
            "{} was claimed for the same rescue as well: its claim is removed",
            other.id
        ));
    }
}

/// Completes our launch hooks so that the member goes into service. True once it is in service, or if it is no member.
pub fn in_service(lineage: &Lineage, successor: &Instance, plan: &mut Plan) -> bool {
    if !lineage.is_claimed(successor) {
        return true;
    }
    let Fact::Known(Some(group)) = &lineage.facts.group else {
        return false;
    };
    complete_hooks(group, successor, plan);
    let lifecycle = group.scaling.lifecycle(&successor.id);
    let serves = lifecycle == Some(Lifecycle::InService);
    if !serves {
        plan.wait(5, format!("{} to go into service", successor.id));
    }
    serves
}

fn complete_hooks(group: &Group, instance: &Instance, plan: &mut Plan) {
    if group.scaling.lifecycle(&instance.id) != Some(Lifecycle::PendingWait) {
        return;
    }
    if !group.scaling.is_opted_in() {
        plan.note(not_opted_in(group));
        return;
    }
    let hooks = group.scaling.launch_hooks.iter();
    for hook in hooks.filter(|it| it.starts_with(OUR_HOOKS)) {
        let change = GroupChange {
            group: group.scaling.name.clone(),
            instance: instance.id.clone(),
            verb: GroupVerb::CompleteLaunch { hook: hook.clone() },
        };
        let id = format!("complete {hook} for {}", instance.id);
        plan.step(Step::new(id, Action::Group(change)));
    }
}

pub fn not_opted_in(group: &Group) -> String {
    format!(
        "{} is left alone: the group itself is not tagged {}=on",
        group.scaling.name,
        tags::OPT_IN
    )
}

/// A member that is not interrupted. If a rescue of its group waits for it, that rescue gets a wake, and the member
/// prepares none of its own: true. Otherwise our launch hook is completed.
pub fn offer_to_open_rescue(lineage: &Lineage, owner: &Instance, plan: &mut Plan) -> bool {
    let Some(_) = lineage.group_name() else {
        return false;
    };
    let group = match &lineage.facts.group {
        Fact::Known(Some(group)) => group,
        Fact::Known(None) => return false,
        Fact::Unavailable { .. } | Fact::NotRead => {
            let unprepared = lineage.template().is_none();
            if unprepared {
                plan.wait(5, "its Auto Scaling group to be readable");
            }
            return unprepared;
        }
    };
    let pairs = pairs::pairs(group, &lineage.inputs.defaults);
    let waits = pairs.iter().find(|(_, member)| **member == owner.id);
    if let Some((rescue, _)) = waits.filter(|_| pairs::is_free(group, owner)) {
        wake_rescue(rescue, lineage, plan);
        return true;
    }
    complete_hooks(group, owner, plan);
    false
}

/// Sends a wake to the lineage that this instance takes over for, with the warnings received here: a warning may come
/// before the claim is visible.
pub fn wake_rescue(rescue: &InstanceId, lineage: &Lineage, plan: &mut Plan) {
    let wake = Wake {
        memory: Memory {
            interruptions: lineage.inputs.notices.clone(),
            ..Memory::default()
        },
        ..Wake::look(rescue.clone())
    };
    let step = Action::Wake {
        wake,
        delay_seconds: 0,
    };
    plan.note(format!("it takes over for {rescue}"));
    plan.step(Step::new(format!("call {rescue}"), step));
}
