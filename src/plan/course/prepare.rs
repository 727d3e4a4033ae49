//! Prepares the rescue of an instance before it is interrupted. A launch template says how to launch, its tags hold the
//! record, volumes are tagged with their role, and the instance's own tags name its targets, so that first aid needs
//! one `DescribeInstances` only.

pub mod instance;

use crate::event::InstanceState;
use crate::id::TemplateId;
use crate::plan::capacity::{limits, requests, template, types};
use crate::plan::course::{
    caveats, current, foreseen, keep, owed, pause, rehearsal, return_to_spot, tidy,
};
use crate::plan::draft::Plan;
use crate::plan::group::claim;
use crate::plan::lineage::Lineage;
use crate::plan::marks::room::{self, told};
use crate::plan::marks::{member, seen};
use crate::plan::network::interfaces;
use crate::plan::traffic::{dns, ports};
use crate::plan::volumes::protect;
use crate::record::{
    LeftOpen, Record, RecordedAddress, RecordedVolume, addresses_from, interfaces_from,
    targets_from, volumes_from,
};
use crate::situation::{Fact, Instance, Template};
use crate::step::{Action, Step, token};
use crate::tags::{self, Rule, Tags};

const FORGET: &str = "forget what is past";

/// The owner runs: its prepared rescue is kept up to date, and what the last rescue left is cleaned up.
pub fn plan(lineage: &Lineage) -> Plan {
    let mut plan = Plan::default();
    let Some(owner) = lineage.owner else {
        return plan;
    };
    if return_to_spot::is_relieved(lineage, owner) {
        return_to_spot::relief(lineage, owner, &mut plan);
        return plan;
    }
    if let Some(idle) = lineage.idle().next()
        && lineage.risk(owner).is_none()
    {
        // A replacement runs although no interruption is visible: EC2 shows changes late. The owner's present state,
        // its flags above all, may come from a rescue, so it is not recorded. If this is still so a minute later, the
        // owner runs on and the replacement is given back.
        let what = format!("the interruption that {} is for to be visible", idle.id);
        if plan.confirmed(lineage, format!("{} is idle", idle.id), what) {
            foreseen::give_back(lineage, &mut plan);
        }
        return plan;
    }
    if claim::offer_to_open_rescue(lineage, owner, &mut plan) {
        return plan;
    }
    // A spare waits for hours, so a tag or the record must prove that it is ours.
    for spare in lineage.idle().filter(|it| room::is_tight(lineage, it)) {
        member::seal(lineage, spare, &mut plan);
    }
    if owner.state == InstanceState::Running {
        let before = plan.steps.len();
        let record = current::current(lineage, owner);
        let wanted = template::template_tags(lineage, owner, &record);
        let what = "recorded resources that AWS no longer shows to be missing for a minute";
        let missing = forgotten(lineage, &record, &wanted);
        if missing.is_none_or(|it| plan.confirmed(lineage, it, what)) {
            types::check(lineage, &mut plan);
            detached(lineage, &record, &mut plan);
            rehearsal::tell(lineage, &record.rehearsed, &mut plan);
            template(lineage, owner, wanted, &mut plan);
            let left = instance::plan(lineage, owner, &record, &mut plan);
            owed::plan(lineage, owner, FORGET, &mut plan);
            if template::is_planned(&plan) {
                caveats::tell(lineage, owner, &mut plan);
                limits::tell(lineage, owner, &record.targets, &mut plan);
                ports::tell(lineage, owner, &record.left_targets, &mut plan);
                let record = template::without_room(lineage, owner, &record);
                told::tell(lineage, owner, &record, &left, &mut plan);
            }
        }
        requests::prepare(lineage, owner, &mut plan);
        pause::foretell(lineage, owner, &mut plan);
        dns::foretell(lineage, owner, &mut plan);
        protect::mark_volumes(lineage, &mut plan);
        interfaces::mark_all(lineage, owner, &mut plan);
        let recorded = keep::always(lineage, owner, &mut plan);
        if recorded {
            plan.can_wait(before);
        }
    }
    foreseen::plan(lineage, owner, &mut plan);
    return_to_spot::plan(lineage, owner, &mut plan);
    pause::late(lineage, &mut plan);
    let before = plan.steps.len();
    tidy::after(lineage, &mut plan);
    plan.can_wait(before);
    if owner.state == InstanceState::Running {
        rehearsal::plan(lineage, owner, &mut plan);
    }
    plan
}

fn detached(lineage: &Lineage, now: &Record, plan: &mut Plan) {
    let before = { lineage.template() }.map(|it| volumes_from(&it.tags));
    seen::detached(lineage, &before.unwrap_or_default(), &now.volumes, plan);
}

/// Names what the new record would drop, so that it is dropped only when still missing a minute later. EC2 shows tags
/// late, and an instance in the middle of a rescue, seen without its tombstone, has no targets, address and flags.
fn forgotten(lineage: &Lineage, now: &Record, wanted: &Tags) -> Option<String> {
    let before = &lineage.template()?.tags;
    let stays = |(key, value): (&String, &String)| wanted.get(key) == Some(value) || !is_kept(key);
    if before.iter().all(stays) {
        return None;
    }
    let (volumes, targets) = (volumes_from(before), targets_from(before));
    let (addresses, interfaces) = (addresses_from(before), interfaces_from(before));
    let flagged = |it: &RecordedVolume| (it.volume.clone(), it.delete_on_termination);
    let kept: Vec<_> = now.volumes.iter().map(flagged).collect();
    let volumes = volumes.iter().filter(|it| it.delete_on_termination);
    let volumes = volumes.filter(|it| !kept.contains(&flagged(it)));
    let targets = targets.iter().filter(|it| !now.targets.contains(it));
    let has = |it: &RecordedAddress| {
        let mut kept = now.addresses.iter();
        kept.any(|kept| kept.allocation == it.allocation)
    };
    let addresses = addresses.iter().filter(|it| !has(it));
    let interfaces = interfaces.iter().filter(|it| !now.interfaces.contains(it));
    let mut all: Vec<String> = volumes.map(|it| it.volume.to_string()).collect();
    all.extend(targets.map(ToString::to_string));
    all.extend(addresses.map(|it| it.allocation.to_string()));
    all.extend(interfaces.map(|it| it.interface.to_string()));
    let group = before.get(tags::GROUP);
    all.extend(group.filter(|it| now.group.as_ref() != Some(it)).cloned());
    if all.is_empty() {
        return None;
    }
    all.extend(now.head.as_ref().map(ToString::to_string));
    Some(token(&all.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// The tags that are compared before they are changed.
fn is_kept(key: &str) -> bool {
    tags::rule(key, |it| (it == Rule::Guarded).then_some(())).is_some()
}

fn template(lineage: &Lineage, owner: &Instance, wanted: Tags, plan: &mut Plan) {
    match &lineage.facts.template {
        Fact::Known(None) => match template::write(lineage, owner, wanted, None) {
            Some(step) => plan.step(step),
            None => plan.note(template::names_taken(lineage)),
        },
        Fact::Known(Some(template)) => refresh(lineage, owner, wanted, template, plan),
        Fact::Unavailable { .. } | Fact::NotRead => {
            plan.wait(30, "the prepared rescue to be readable");
        }
    }
}

fn refresh(
    lineage: &Lineage,
    owner: &Instance,
    mut wanted: Tags,
    template: &Template,
    plan: &mut Plan,
) {
    let facts = lineage.facts;
    let interfaces = facts.interfaces.known().is_some();
    if facts.volumes.known().is_none() || facts.images.known().is_none() || !interfaces {
        plan.wait(
            30,
            "volumes, interfaces and image to be readable, to compare the prepared rescue with",
        );
        return;
    }
    let present = template.tags.get(tags::FINGERPRINT);
    // During an interruption not everything is read: the fingerprint is compared afterwards.
    let whole = template::primary(lineage, owner).is_some() || owner.interfaces.is_empty();
    if let Some(present) = present.filter(|_| !whole) {
        wanted.insert(tags::FINGERPRINT.to_owned(), present.clone());
    }
    let versions = template.versions();
    let foreign = versions.is_none_or(|(current, _)| template.latest > current);
    if foreign {
        plan.note(format!(
            "{} has a version that the function has not made: it is not launched, and written over",
            template.id
        ));
    }
    let changed = foreign || present != wanted.get(tags::FINGERPRINT);
    if changed && let Some(step) = template::write(lineage, owner, wanted.clone(), Some(template)) {
        plan.step(step);
        // The fingerprint is written after the version: a version that AWS refused is written at the next look.
        let noted = wanted.remove_entry(tags::FINGERPRINT);
        let action = Action::Tag {
            resources: vec![template.id.to_string()],
            tags: noted.into_iter().collect(),
        };
        plan.step(Step::new("note the version", action).after(template::STEP));
        wanted.extend(present.map(|it| (tags::FINGERPRINT.to_owned(), it.clone())));
        // Until then the version before is launched, which may have no network.
        if LeftOpen::from_tags(&wanted).is_none()
            && let Some(open) = &lineage.record.left_open
        {
            wanted.extend(open.to_tags());
        }
    }
    trim(template, plan);
    let version = template.tags.get_key_value(tags::VERSION);
    wanted.extend(version.map(|(key, value)| (key.clone(), value.clone())));
    correct(&template.id, &template.tags, &wanted, plan);
}

/// One call deletes at most so many versions.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html>
const MOST_TRIMMED: u64 = 200;

/// Versions contain the instance's user data, readable with permission to describe them. Two are kept: the one to be
/// launched, and the one before, which the instance's tag may still name. Older ones exist if the default version is
/// not the current one.
fn trim(template: &Template, plan: &mut Plan) {
    let Some((current, before)) = template.versions() else {
        return;
    };
    if template.default == current {
        return;
    }
    let kept = |it: &u64| *it == current || Some(*it) == before;
    let oldest = current.saturating_sub(MOST_TRIMMED).max(1);
    let action = Action::TrimTemplate {
        template: template.id.clone(),
        default: current,
        versions: (oldest..=current).filter(|it| !kept(it)).collect(),
    };
    plan.step(Step::new("delete old versions", action));
}

/// Writes tags that differ and removes those that are no longer wanted.
fn correct(template: &TemplateId, present: &Tags, wanted: &Tags, plan: &mut Plan) {
    let differs = |(key, value): &(&String, &String)| present.get(*key) != Some(*value);
    let changed: Tags = wanted
        .iter()
        .filter(differs)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let stale = |key: &&String| key.starts_with(tags::OPT_IN) && !wanted.contains_key(*key);
    let keys: Vec<String> = present.keys().filter(stale).cloned().collect();
    let resources = vec![template.to_string()];
    if !changed.is_empty() {
        let action = Action::Tag {
            resources: resources.clone(),
            tags: changed,
        };
        plan.step(Step::new("correct the record", action));
    }
    if !keys.is_empty() {
        let action = Action::Untag { resources, keys };
        plan.step(Step::new(FORGET, action));
    }
}
