//! What the owner has when it is interrupted is written down by the first looks, before anything can vanish: the
//! record is as old as the last sweep.

use super::{Lineage, Plan};
use crate::record::{
    Record, RecordedVolume, address_tags, interface_tags, target_tags, volume_tags,
};
use crate::situation::Volume;
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use std::collections::BTreeSet;

pub const STEP: &str = "note what was seen";
const FORGET: &str = "forget what was taken away";

/// What differs from the record, and in a few words, how.
pub fn note(lineage: &Lineage, plan: &mut Plan) {
    let (Some(template), Some(head)) = (lineage.template(), &lineage.record.head) else {
        return;
    };
    let lists = lists(&lineage.record);
    let before = Record::from_tags(&template.tags);
    let present = self::lists(&before);
    if lists == present || before.head.as_ref() != Some(head) {
        return;
    }
    let stale: Vec<String> = { present.keys() }
        .filter(|it| !lists.contains_key(*it))
        .cloned()
        .collect();
    let mut tags = lists;
    tags.retain(|key, value| template.tags.get(key) != Some(value));
    tags.extend(changed(&before, &lineage.record));
    // Whose it is, should it have to be kept until AWS takes it.
    tags.insert(tags::HEAD.to_owned(), head.to_string());
    detached(lineage, &before.volumes, &lineage.record.volumes, plan);
    let resources = vec![template.id.to_string()];
    let action = Action::Tag {
        resources: resources.clone(),
        tags,
    };
    plan.step(Step::new(STEP, action));
    if !stale.is_empty() {
        let keys = stale;
        let action = Action::Untag { resources, keys };
        plan.step(Step::new(FORGET, action).after(STEP));
    }
}

/// What its user has detached is the user's alone: no expiry of ours comes to it.
pub fn detached(
    lineage: &Lineage,
    before: &[RecordedVolume],
    now: &[RecordedVolume],
    plan: &mut Plan,
) {
    let volumes = lineage.situation.volumes.known();
    let volumes = volumes.map(Vec::as_slice).unwrap_or_default();
    let gone = before
        .iter()
        .filter(|it| now.iter().all(|now| now.volume != it.volume));
    let free = |it: &&RecordedVolume| {
        let mut found = volumes.iter().filter(|found| found.id == it.volume);
        found.any(|it| it.is_free() && is_marked(it))
    };
    for it in gone.filter(free) {
        let why = "its user has detached it".to_owned();
        let action = Action::Tag {
            resources: vec![it.volume.to_string()],
            tags: Tags::from([(tags::KEPT.to_owned(), why)]),
        };
        plan.step(Step::new(
            format!("leave {} to its user", it.volume),
            action,
        ));
    }
}

/// Ours, and nothing has been decided about it.
fn is_marked(volume: &Volume) -> bool {
    let decided = [tags::EXPIRES_AT, tags::KEPT];
    volume.tags.contains_key(tags::RESCUE)
        && !decided.iter().any(|it| volume.tags.contains_key(*it))
}

fn lists(record: &Record) -> Tags {
    let mut all = volume_tags(&record.volumes);
    all.extend(target_tags(&record.targets));
    all.extend(address_tags(&record.addresses));
    all.extend(interface_tags(&record.interfaces));
    all.extend(tags::pack(tags::SECONDARY, &record.secondary));
    all
}

/// For the outcome: what has come since the last sweep (`+`), and what has gone (`-`).
fn changed(before: &Record, now: &Record) -> Tags {
    let (before, now) = (names(before), names(now));
    let come = now.difference(&before).map(|it| format!("+{it}"));
    let gone = before.difference(&now).map(|it| format!("-{it}"));
    let all: Vec<String> = come.chain(gone).collect();
    if all.is_empty() {
        return Tags::new();
    }
    let mut tags = tags::pack(tags::CHANGED, all);
    // It is for a person: a few say enough.
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
