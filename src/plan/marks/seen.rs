//! The first looks at an interruption write down what the owner has, before EC2 stops showing it: the record is as old
//! as the last sweep.

pub mod over;
pub mod unread;

use crate::clock::INVOCATION;
use crate::event::Interruption;
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::kept;
use crate::plan::marks::room::record;
use crate::record::{
    Record, RecordedVolume, address_tags, interface_tags, left_tags, target_tags, volume_tags,
};
use crate::situation::{Target, Template, Volume};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use std::collections::BTreeSet;

pub const STEP: &str = "note what was seen";

const FORGET: &str = "forget what was taken away";

/// Writes down what differs from the record, and a summary for the outcome. Then the first look is over.
pub fn note(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) {
    let (Some(template), Some(head)) = (lineage.template(), &lineage.record.head) else {
        return;
    };
    let before = Record::from_tags(&template.tags);
    if before.head.as_ref() != Some(head) {
        return;
    }
    if is_uncertain(lineage, &before) {
        let what = "the user's flags, which another look has just recorded, to be visible";
        plan.wait(5, what);
        differences(lineage, template, &before, &added(lineage, &before), plan);
        return;
    }
    let now = noted(lineage, &before);
    differences(lineage, template, &before, &now, plan);
    over::end(lineage, template, interruption, plan);
}

fn differences(
    lineage: &Lineage,
    template: &Template,
    before: &Record,
    now: &Record,
    plan: &mut Plan,
) {
    let (lists, present) = (lists(now), lists(before));
    let stale: Vec<String> = { present.keys() }
        .filter(|it| !lists.contains_key(*it))
        .cloned()
        .collect();
    let differs = |(key, value): &(String, String)| template.tags.get(key) != Some(value);
    let tags: Tags = lists.into_iter().filter(differs).collect();
    let mut tags = record::onto_record(&tags, template);
    if tags.is_empty() && stale.is_empty() {
        return;
    }
    detached(lineage, &before.volumes, &now.volumes, plan);
    tags.extend(changed(before, now));
    before_it_leaves(lineage, before, plan);
    write(template, &tags, stale, plan);
}

fn write(template: &Template, tags: &Tags, stale: Vec<String>, plan: &mut Plan) {
    let resources = vec![template.id.to_string()];
    let action = Action::Tag {
        resources: resources.clone(),
        tags: record::onto_record(tags, template),
    };
    plan.steps.insert(0, Step::new(STEP, action));
    if !stale.is_empty() {
        let keys = stale;
        let action = Action::Untag { resources, keys };
        plan.step(Step::new(FORGET, action).after(STEP));
    }
}

/// The record after this look. Without the warning itself a rescue may have moved things already: then only targets are
/// added.
fn noted(lineage: &Lineage, before: &Record) -> Record {
    let now = &lineage.record;
    let mut notices = lineage.inputs.notices.iter();
    if notices.any(|it| Some(&it.instance) == now.head.as_ref()) {
        return now.clone();
    }
    added(lineage, before)
}

/// Adds new targets. No call of ours deregisters them before they are on record.
fn added(lineage: &Lineage, before: &Record) -> Record {
    let new = |it: &&Target| !before.targets.contains(it);
    let new = lineage.record.targets.iter().filter(new).cloned();
    let mut record = before.clone();
    record.targets.extend(new);
    record.left_targets.clone_from(&lineage.record.left_targets);
    record
}

/// A new target is deregistered only after it is on record: after a crash it could not be told from one that its user
/// has deregistered. If AWS refuses to write the record, the chain of wakes carries it and the deregistration does not
/// wait.
fn before_it_leaves(lineage: &Lineage, before: &Record, plan: &mut Plan) {
    if !lineage.inputs.unwritten.is_empty() {
        return;
    }
    let new = |it: &Target| !before.targets.contains(it);
    for step in &mut plan.steps {
        if let Action::Deregister { targets, .. } = &step.action
            && targets.iter().any(new)
        {
            step.after.push(STEP.to_owned());
        }
    }
}

/// The flags were off before this look, and a volume is new: the invocation that switched them off knows the user's
/// flag and has just written it down.
fn is_uncertain(lineage: &Lineage, before: &Record) -> bool {
    let known = |it: &RecordedVolume| before.volumes.iter().any(|b| b.volume == it.volume);
    let new = !lineage.record.volumes.iter().all(known);
    let shown = lineage.owner.map(|it| it.devices.as_slice());
    let shown = shown.unwrap_or_default();
    let switched = before.volumes.iter().any(|it| it.delete_on_termination)
        && shown.iter().all(|it| !it.delete_on_termination)
        && !lineage
            .inputs
            .flagged
            .iter()
            .any(|it| it.starts_with("vol-"));
    let mut notices = lineage.inputs.notices.iter();
    let young = notices.any(|it| it.action.ends() && lineage.now - it.at < INVOCATION);
    new && switched && young
}

/// Tags volumes that the user has detached as the user's: they never get an expiry date.
pub fn detached(
    lineage: &Lineage,
    before: &[RecordedVolume],
    now: &[RecordedVolume],
    plan: &mut Plan,
) {
    let volumes = lineage.facts.volumes.known();
    let volumes = volumes.map(Vec::as_slice).unwrap_or_default();
    let gone = before
        .iter()
        .filter(|it| now.iter().all(|now| now.volume != it.volume));
    let free = |it: &&RecordedVolume| {
        let mut found = volumes.iter().filter(|found| found.id == it.volume);
        found.any(|it| it.is_free() && is_marked(it))
    };
    for it in gone.filter(free) {
        plan.step(kept::to_its_user(&it.volume));
    }
}

/// The volume has our tag, and no tag says whether it expires or stays.
fn is_marked(volume: &Volume) -> bool {
    volume.tags.contains_key(tags::RESCUE) && !kept::is_decided(volume)
}

fn lists(record: &Record) -> Tags {
    let mut all = volume_tags(&record.volumes);
    all.extend(target_tags(&record.targets));
    all.extend(left_tags(&record.left_targets));
    all.extend(address_tags(&record.addresses));
    all.extend(interface_tags(&record.interfaces));
    all.extend(tags::pack(tags::SECONDARY, &record.secondary));
    all
}

/// For the outcome: what the owner has gained (`+`) and lost (`-`) since the last sweep, in all looks together.
fn changed(before: &Record, now: &Record) -> Tags {
    let (had, has) = (names(before), names(now));
    let come = has.difference(&had).map(|it| format!("+{it}"));
    let gone = had.difference(&has).map(|it| format!("-{it}"));
    let new: BTreeSet<String> = come.chain(gone).collect();
    if new.is_empty() {
        return Tags::new();
    }
    let all: BTreeSet<String> = before.changed.iter().cloned().chain(new).collect();
    let mut tags = tags::pack(tags::CHANGED, all);
    // A person reads this: a few names are enough.
    while tags.len() > 2 {
        tags.pop_last();
    }
    tags
}

fn names(record: &Record) -> BTreeSet<String> {
    let volumes = record.volumes.iter().map(|it| it.volume.to_string());
    let targets = record.targets.iter().map(ToString::to_string);
    let addresses = { record.addresses.iter() }.map(|it| it.allocation.to_string());
    let interfaces = { record.interfaces.iter() }.map(|it| it.interface.to_string());
    let all = volumes.chain(targets).chain(addresses).chain(interfaces);
    all.collect()
}
