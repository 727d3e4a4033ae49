//! Invariants, as sentences about the world: each function returns what breaks its sentence.

use super::summary::lineage;
use super::{Drain, Entry, SimInstance, SimSnapshot, State};
use crate::clock;
use crate::id::InstanceId;
use crate::record::{Expiring, expiring_from};
use crate::seal::plain;
use crate::situation::Target;
use crate::step::Action;
use crate::tags::{self, On, Tags};
use std::collections::{BTreeMap, BTreeSet};

/// Invariants of every moment.
#[must_use]
pub fn always(state: &State) -> Vec<String> {
    [
        one_launched(state),
        no_foreign(state),
        same_zone(state),
        completed_only(state),
        own_volumes(state),
        super::nothing_stolen(state),
    ]
    .concat()
}

/// Invariants of a world at rest, and the violations found on the way.
#[must_use]
pub fn at_quiescence(state: &State) -> Vec<String> {
    let mut all = state.violations.clone();
    all.extend(always(state));
    all.extend(one_replacement(state, |_| true));
    all.extend(tags_in_place(state));
    all.extend(targets_live(state));
    all.extend(nothing_left_over(state));
    all.extend(nothing_dead(state));
    all.extend(nothing_beside(state));
    all.dedup();
    all
}

/// Counts our own launches. Of a group's launches two may be claimed for a moment, while tags are seen late: one is
/// let go again.
#[must_use]
pub fn one_launched(state: &State) -> Vec<String> {
    one_replacement(state, |it| it.contains_key(tags::LAUNCHED))
}

/// At most one replacement per lineage lives without being interrupted. An owner at risk was a replacement once: it
/// may have a spare beside it.
fn one_replacement(state: &State, counts: impl Fn(&Tags) -> bool) -> Vec<String> {
    let mut lineages: BTreeMap<InstanceId, Vec<&InstanceId>> = BTreeMap::new();
    let replacement = |it: &&SimInstance| {
        let tags = &*state.honest(it.facts.id.as_str(), it.tags.current());
        replaces(tags)
            && counts(tags)
            && !it.doomed
            && it.facts.is_alive()
            && !is_tombstoned(it, tags)
            && !is_unheard(state, tags)
            && !tags.contains_key(tags::AT_RISK)
    };
    for instance in state.instances.values().filter(replacement) {
        let members = lineages.entry(lineage(state, instance)).or_default();
        members.push(&instance.facts.id);
    }
    let several = lineages
        .into_iter()
        .filter(|(_, members)| members.len() > 1);
    several
        .map(|(id, members)| format!("{id} has more than one replacement: {members:?}"))
        .collect()
}

/// Its launch was never answered, and the launch template has been deleted meanwhile: then the same request cannot be
/// made again, and nothing else proves that it is ours. It is reported as a stranger.
fn is_unheard(state: &State, tags: &Tags) -> bool {
    let from = tags.get(tags::LAUNCHED_FROM);
    let gone = from.is_some_and(|it| state.templates.keys().all(|id| id.as_str() != it));
    gone && !tags.contains_key(tags::REPLACES)
}

/// By its launch, or marked since.
fn replaces(tags: &Tags) -> bool {
    tags.contains_key(tags::REPLACES) || tags.contains_key(tags::LAUNCHED)
}

fn is_tombstoned(instance: &SimInstance, tags: &Tags) -> bool {
    let text = tags.get(tags::INTERRUPTED_AT);
    text.is_some_and(|it| it.starts_with(instance.facts.id.as_str()))
}

/// No instance is given the volumes of two lineages: what our tags say of a volume, they say of its holder.
#[must_use]
pub fn own_volumes(state: &State) -> Vec<String> {
    let done = state.journal.iter().filter(|it| it.outcome.is_ok());
    let attached = done.filter_map(|it| {
        let Action::Attach {
            volume, instance, ..
        } = &it.action
        else {
            return None;
        };
        Some((volume, instance))
    });
    let mut lineages: BTreeMap<&InstanceId, BTreeSet<String>> = BTreeMap::new();
    for (volume, instance) in attached {
        let volume = state.volumes.get(volume);
        let tags = volume.map(|it| state.honest(it.facts.id.as_str(), it.tags.current()));
        let rescue = tags.and_then(|it| it.get(tags::RESCUE).cloned());
        lineages.entry(instance).or_default().extend(rescue);
    }
    let several = lineages.into_iter().filter(|(_, of)| of.len() > 1);
    several
        .map(|(id, of)| format!("{id} has been given volumes of {of:?}"))
        .collect()
}

/// Tags stand where the table of keys says.
#[must_use]
pub fn tags_in_place(state: &State) -> Vec<String> {
    let mut found = Vec::new();
    for entry in &state.journal {
        let Action::Tag { resources, tags } = &entry.action else {
            continue;
        };
        let own = tags.keys().filter_map(|it| tags::of(it));
        let misplaced = own.flat_map(|key| {
            let elsewhere = resources.iter().filter(|it| {
                let on = On::of_id(it);
                on.is_some_and(|on| !key.on.contains(&on))
            });
            elsewhere.map(|it| format!("{} does not belong on {it}", key.name))
        });
        found.extend(misplaced);
    }
    found
}

/// No opt-in, no mutation.
#[must_use]
pub fn no_foreign(state: &State) -> Vec<String> {
    let foreign = state.journal.iter().filter(|it| !it.foreign.is_empty());
    foreign
        .map(|it| format!("touched what is not ours: {it}"))
        .collect()
}

/// No call tries to attach a volume across zones.
#[must_use]
pub fn same_zone(state: &State) -> Vec<String> {
    let across = |it: &&Entry| is_refused(it, "AttachVolume", "InvalidVolume.ZoneMismatch");
    let across = state.journal.iter().filter(across);
    across
        .map(|it| format!("attached across zones: {it}"))
        .collect()
}

/// No call tries to restore from a snapshot that is pending or has failed (TRAP 4).
#[must_use]
pub fn completed_only(state: &State) -> Vec<String> {
    let early = |it: &&Entry| {
        let calls = ["CreateVolume", "RegisterImage"].iter();
        calls
            .clone()
            .any(|call| is_refused(it, call, "IncorrectState"))
    };
    let early = state.journal.iter().filter(early);
    early
        .map(|it| format!("restored from what is not completed: {it}"))
        .collect()
}

fn is_refused(entry: &Entry, operation: &str, code: &str) -> bool {
    matches!(&entry.outcome, Err(error) if error.operation == operation && error.code == code)
}

/// Every target that gets traffic has a living instance behind it.
#[must_use]
pub fn targets_live(state: &State) -> Vec<String> {
    let alive = |target: &Target| {
        let mut instances = state.instances.values().map(|it| &it.facts);
        instances.any(|it| it.is_alive() && it.answers_to(target))
    };
    let targets = state.groups.values().flat_map(|it| it.targets.iter());
    let dead = targets.filter(|(it, drain)| **drain == Drain::No && !alive(it));
    dead.map(|(it, _)| format!("a dead target is registered: {it:?}"))
        .collect()
}

/// Nothing of ours is left over: free resources have an expiry. Where no instance lives, everything is kept for its
/// user.
#[must_use]
pub fn nothing_left_over(state: &State) -> Vec<String> {
    let now = state.now;
    // Marks that an attacker has overwritten may stay: that loses nothing.
    let kept = |id: &str, tags: &Tags| {
        let expiry = tags.get(tags::EXPIRES_AT);
        let dated = expiry.is_some_and(|it| clock::parse(plain(it)).is_ok_and(|it| it >= now));
        let kept = tags.contains_key(tags::KEPT);
        let lineage = tags.get(tags::RESCUE);
        state.is_written_over(id) || dated || kept || lineage.is_none_or(|it| !lives(state, it))
    };
    let volumes = state.volumes.values();
    // A volume that takes no tag has its expiry on record.
    let records = state
        .templates
        .values()
        .flat_map(|it| expiring_from(it.tags.current()));
    let recorded: Vec<Expiring> = records.filter(|it| it.at >= now).collect();
    let free = volumes.filter(|it| {
        let recorded = recorded.iter().any(|dated| dated.volume == it.facts.id);
        let kept = recorded || kept(it.facts.id.as_str(), it.tags.current());
        it.facts.attachments.is_empty() && !kept
    });
    let snapshots = state.snapshots.values();
    // Backups go by their retention.
    let backup = |it: &SimSnapshot| it.tags.current().contains_key(tags::CONSISTENCY);
    let kept_snapshot =
        |it: &SimSnapshot| kept(it.facts.id.as_str(), it.tags.current()) || backup(it);
    let snapshots = snapshots.filter(|it| it.own && !kept_snapshot(it));
    let images = state.images.values();
    let images = images.filter(|it| !kept(it.id.as_str(), &it.tags));
    free.map(|it| it.facts.id.to_string())
        .chain(snapshots.map(|it| it.facts.id.to_string()))
        .chain(images.map(|it| it.id.to_string()))
        .map(|it| format!("{it} is left over without an expiry"))
        .collect()
}

fn lives(state: &State, id: &str) -> bool {
    let mut alive = state.instances.values().filter(|it| it.facts.is_alive());
    alive.any(|it| lineage(state, it).as_str() == id)
}

/// EC2 launches nothing by itself beside a replacement of ours.
#[must_use]
pub fn nothing_beside(state: &State) -> Vec<String> {
    let replaced = |first: &InstanceId| {
        let mut all = state.instances.values().filter(|it| it.facts.is_alive());
        all.any(|it| it.facts.id != *first && lineage(state, it) == *first)
    };
    let requests = state.requests.values().filter(|it| replaced(&it.first));
    let beside = requests.filter_map(|it| Some((it, state.beside(it)?)));
    beside
        .map(|(it, beside)| {
            format!(
                "{} has launched {beside} beside the replacement",
                it.facts.id
            )
        })
        .collect()
}

/// No message ends in the dead-letter queue.
#[must_use]
pub fn nothing_dead(state: &State) -> Vec<String> {
    let dead = state.queue.dead.iter();
    dead.map(|it| format!("in the dead-letter queue: {}", it.body))
        .collect()
}
