//! The tombstone: writes the interruption on the instance and into the record.

use crate::event::{InstanceAction, InstanceState, Interruption, is_recent};
use crate::plan::draft::Plan;
use crate::plan::facts::breaker;
use crate::plan::lineage::Lineage;
use crate::plan::marks::{missed, own, room};
use crate::policy::PrivateIp;
use crate::record::{
    history_tags, interface_tags, interfaces_of, interruption_from, interruption_text, volume_tags,
    volumes_of,
};
use crate::situation::Instance;
use crate::step::{Action, Step};
use crate::tags::{self, Tags};

/// The step that writes an interruption into the record.
pub const REMEMBER: &str = "remember the interruption";

/// Tags the instance as interrupted; an instance that was not prepared also gets the user's flags. True if it had no
/// such tag before.
///
/// It runs beside the other steps, not before them: if it fails alone, a volume keeps `DeleteOnTermination=false`
/// afterwards, which loses nothing.
pub fn set(
    lineage: &Lineage,
    instance: &Instance,
    interruption: &Interruption,
    plan: &mut Plan,
) -> bool {
    let text = interruption_text(interruption);
    let standing = instance.tags.get(tags::INTERRUPTED_AT);
    let known = standing.and_then(|it| interruption_from(it));
    // An interruption by EC2 replaces one of our own, whatever their times.
    let ours = |it: &Interruption| it.action == InstanceAction::Return;
    let news = known.is_none_or(|it| it.at < interruption.at || (ours(&it) && !ours(interruption)));
    if !news || instance.state == InstanceState::Terminated {
        return false;
    }
    let mut marks = own::own(lineage);
    marks.insert(tags::INTERRUPTED_AT.to_owned(), text);
    let flagged = instance.devices.iter().any(|it| it.delete_on_termination);
    // Without a flag set, the user has set none, or we have switched them off and must not record that as the user's.
    if !instance.tags.contains_key(tags::PREPARED) && standing.is_none() && flagged {
        marks.extend(volume_tags(&volumes_of(instance)));
        let with_primary = lineage.policy.private_ip.value == PrivateIp::Keep;
        marks.extend(interface_tags(&interfaces_of(instance, with_primary)));
    }
    // Without room for it the tombstone is on the record only.
    let Some(marks) = room::for_tombstone(lineage, instance, marks) else {
        return false;
    };
    let action = Action::Tag {
        resources: vec![instance.id.to_string()],
        tags: marks,
    };
    plan.step(Step::new(format!("tombstone {}", instance.id), action));
    true
}

/// Writes the interruption into the record, which outlives the instance.
pub fn remember(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) {
    let Some(template) = lineage.template() else {
        return;
    };
    let standing = template.tags.get(tags::INTERRUPTED_AT);
    let same = |text: &String| {
        interruption_from(text).is_some_and(|it| it.instance == interruption.instance)
    };
    let known = standing.is_some_and(same);
    let elsewhere = is_told_elsewhere(lineage, interruption);
    if !known && (elsewhere || missed::is_unclear(lineage, interruption)) {
        return;
    }
    let mut tags = history_tags(&breaker::history(lineage));
    if known && own::holds(&template.tags, &tags) {
        return;
    }
    // A successor was interrupted in turn: only the history is longer.
    let step = if known { "remember one more" } else { REMEMBER };
    if !known {
        let text = interruption_text(interruption);
        tags.insert(tags::INTERRUPTED_AT.to_owned(), text);
    }
    let resources = vec![template.id.to_string()];
    plan.step(Step::new(step, Action::Tag { resources, tags }));
}

/// A recent warning of EC2 is not in this invocation: the invocation with the warning writes down more than this one.
fn is_told_elsewhere(lineage: &Lineage, interruption: &Interruption) -> bool {
    let mut notices = lineage.inputs.notices.iter();
    let at_hand = notices.any(|it| it.instance == interruption.instance);
    let tombstone = lineage.member(&interruption.instance);
    let tombstone = tombstone.and_then(|it| it.tags.get(tags::INTERRUPTED_AT));
    let now = lineage.now;
    !at_hand && tombstone.is_some() && !interruption.is_ours() && is_recent(interruption.at, now)
}

/// Writes the interruption into a record that cannot be read, but has a known id: EC2 stops showing the instance and
/// its tombstone an hour after the end.
pub fn remember_unread(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) {
    // More than this has been written already, or is carried by the chain of wakes.
    let listed = &lineage.inputs.listed;
    if listed.contains(&interruption.instance) || is_told_elsewhere(lineage, interruption) {
        return;
    }
    let owner = lineage.owner.map(|it| &it.id);
    let Some(template) = lineage
        .template_id()
        .filter(|_| owner == Some(&interruption.instance))
    else {
        return;
    };
    let text = interruption_text(interruption);
    let action = Action::Tag {
        resources: vec![template.to_string()],
        tags: Tags::from([(tags::INTERRUPTED_AT.to_owned(), text)]),
    };
    plan.step(Step::new(REMEMBER, action));
}
