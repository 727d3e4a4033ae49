//! Fifty tags a resource, the user's among them: what has no room is known before it is sent, and told when a rescue is
//! prepared. What finds no place on a resource is remembered by its id in the record.

use super::{Lineage, Plan};
use crate::policy::{PrivateIp, Rebalance};
use crate::situation::{Instance, Template, Volume};
use crate::tags::limits::{self, MOST, by_rank, fit, number, places_on_record};
use crate::tags::{self, Tags, proof_of};

/// A launch gives two of ours.
const LAUNCHED_WITH: usize = 2;
/// What a rescue writes into the record as it goes: its tombstone, attempts, pools, progress, what is owed.
pub const RESERVED_ON_RECORD: usize = 12;
/// Of a volume that is made anew: our marks with their seals, whose it becomes, and when it may go.
const OF_A_COPY: usize = 9;

/// The user's tags for what is made for him, the policy first: as many as leave room for ours, always the same ones.
/// And the keys of those that are left out.
pub fn of_user(tags: &Tags, most: usize) -> (Tags, Vec<String>) {
    let reserved = |key: &str| !limits::is_counted(key) || tags::is_own(key);
    let user = tags.iter().filter(|(key, _)| !reserved(key));
    let user: Tags = user
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let ranked = by_key(user, |key| usize::from(!key.starts_with(tags::OPT_IN)));
    fit(ranked, most)
}

fn by_key(tags: Tags, rank: impl Fn(&str) -> usize) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = tags.into_iter().collect();
    all.sort_by_cached_key(|(key, _)| rank(key));
    all
}

/// For a replacement.
pub fn for_replacement(lineage: &Lineage, tags: &Tags) -> (Tags, Vec<String>) {
    of_user(tags, MOST - LAUNCHED_WITH - spare(lineage))
}

/// For a volume that stands for another one.
pub fn for_copy(tags: &Tags, plan: &mut Plan, what: &str) -> Tags {
    let (user, left) = of_user(tags, MOST - OF_A_COPY);
    if !left.is_empty() {
        plan.note(format!(
            "{what} does not get all its user's tags: {} have no room",
            left.join(" ")
        ));
    }
    user
}

/// What is written on an instance that may be a spare one day, or have one: its end, and that it is at risk.
fn spare(lineage: &Lineage) -> usize {
    let policy = &lineage.policy;
    match (policy.return_to_spot.value, policy.rebalance.value) {
        (Some(_), _) => 2,
        (None, Rebalance::Replace) => 1,
        (None, Rebalance::Ignore | Rebalance::Snapshot) => 0,
    }
}

/// Free for a tombstone, and for what becomes of spares.
fn reserved(lineage: &Lineage) -> usize {
    1 + spare(lineage)
}

/// Written when something happens: places are kept for them.
fn is_passing(key: &str) -> bool {
    [tags::INTERRUPTED_AT, tags::AT_RISK, tags::EXPIRES_AT].contains(&key)
}

/// Whether a replacement has no room to be marked, prepared and buried: it is a member by the record alone.
#[must_use]
pub fn is_tight(lineage: &Lineage, instance: &Instance) -> bool {
    const MARKS: [&str; 3] = [tags::RESCUE, tags::REPLACES, tags::PREPARED];
    let ours = |key: &str| MARKS.contains(&key) || is_passing(key) || is_listed(key);
    let launched = instance.tags.contains_key(tags::LAUNCHED);
    // The first of them with its seal.
    launched && limits::free_on(instance, ours) < MARKS.len() + 1 + reserved(lineage)
}

/// Copies of what the record says, or of what it is about.
fn is_listed(key: &str) -> bool {
    let lists = [tags::TARGETS, tags::ADDRESSES, tags::HISTORY];
    [tags::PLACE, tags::SHAPE, tags::GROUP].contains(&key)
        || lists.iter().any(|it| tags::is_numbered(key, it))
}

/// What an owner says of itself, as far as there is room, and what has none.
pub struct Marks {
    pub wanted: Tags,
    pub left: Vec<String>,
    /// There, and not to be there.
    pub stale: Vec<String>,
}

/// Of these, what the owner bears. One that is tight keeps the mark it was launched with, without a seal.
pub fn on_owner(lineage: &Lineage, owner: &Instance, mut all: Tags) -> Marks {
    let tight = is_tight(lineage, owner);
    if tight {
        all.remove(tags::RESCUE);
    }
    let ours = |key: &str| {
        let mark =
            [tags::PREPARED, tags::RESCUE].contains(&key) || (tight && key == tags::REPLACES);
        mark || is_listed(key)
    };
    let free = limits::free_on(owner, |key| ours(key) || is_passing(key));
    let free = free.saturating_sub(reserved(lineage) + usize::from(tight));
    let (wanted, left) = fit(by_rank(all, rank), free);
    let present = owner
        .tags
        .keys()
        .filter(|key| ours(key) && !wanted.contains_key(*key));
    // Of one that is tight they go together, below.
    let stays = |key: &String| tight && [tags::RESCUE, tags::REPLACES].contains(&key.as_str());
    let mut stale: Vec<String> = present.filter(|it| !stays(it)).cloned().collect();
    if tight && owner.sealed {
        stale.extend(seals());
    }
    Marks {
        wanted,
        left,
        stale,
    }
}

/// What one that is tight does without, once the record says that it is a member. Its launch says the rest.
#[must_use]
pub fn seals() -> Vec<String> {
    vec![proof_of(tags::RESCUE), tags::REPLACES.to_owned()]
}

/// What counts most on an instance has the smallest.
fn rank(key: &str) -> usize {
    const RANKS: [&str; 5] = [
        tags::PREPARED,
        tags::RESCUE,
        tags::GROUP,
        tags::PLACE,
        tags::SHAPE,
    ];
    const LISTS: [&str; 3] = [tags::TARGETS, tags::ADDRESSES, tags::HISTORY];
    let alone = RANKS.iter().position(|it| *it == key);
    let listed = || LISTS.iter().position(|it| tags::is_numbered(key, it));
    alone
        .or_else(|| listed().map(|it| RANKS.len() + it))
        .unwrap_or(usize::MAX)
}

/// What of a tombstone and what comes with it an instance takes, if it takes the tombstone.
#[must_use]
pub fn for_tombstone(lineage: &Lineage, instance: &Instance, mut marks: Tags) -> Option<Tags> {
    if is_tight(lineage, instance) {
        marks.remove(tags::RESCUE);
    }
    let free = limits::free_on(instance, |key| marks.contains_key(key));
    let rank = |key: &str| match key {
        tags::INTERRUPTED_AT => 0,
        tags::RESCUE => 2,
        _ => 1,
    };
    let (fitting, _) = fit(by_rank(marks, rank), free);
    fitting
        .contains_key(tags::INTERRUPTED_AT)
        .then_some(fitting)
}

/// Whether an instance has room to say which rescue is prepared for it.
#[must_use]
pub fn takes_mark(lineage: &Lineage, instance: &Instance) -> bool {
    let free = limits::free_on(instance, |key| key == tags::PREPARED || is_passing(key));
    free > reserved(lineage)
}

/// Whether an instance takes this tag beside all it has.
#[must_use]
pub fn takes(instance: &Instance, key: &str) -> bool {
    limits::free_on(instance, |it| it == key) > 0
}

/// The same of several.
#[must_use]
pub fn takes_all(instance: &Instance, tags: &Tags) -> bool {
    let needed: usize = tags
        .iter()
        .map(|(key, value)| limits::places(key, value))
        .sum();
    limits::free_on(instance, |it| tags.contains_key(it)) >= needed
}

/// The marks of a volume, as far as there is room: its expiry is to find a place, too. Where the seal of the first has
/// none, the role still asks for the mark, so it is there without.
#[must_use]
pub fn on_volume(volume: &Volume, marks: &Tags) -> Tags {
    let ours = |key: &str| marks.contains_key(key) || key == tags::EXPIRES_AT;
    let free = limits::free(&volume.tags, &volume.unproven, ours);
    let rank = |key: &str| match key {
        tags::RESCUE => 0,
        tags::VOLUME => 1,
        _ => 2,
    };
    let (fitting, _) = fit(by_rank(marks.clone(), rank), free.saturating_sub(1));
    match marks.get(tags::RESCUE) {
        Some(_) if fitting.contains_key(tags::RESCUE) => fitting,
        Some(rescue) if free > 0 => Tags::from([
            (tags::RESCUE.to_owned(), rescue.clone()),
            (proof_of(tags::RESCUE), String::new()),
        ]),
        Some(_) | None => Tags::new(),
    }
}

/// It has all of these already.
#[must_use]
pub fn has(volume: &Volume, marks: &Tags) -> bool {
    let bare = |key: &String| volume.unproven.contains(key) && marks.contains_key(&proof_of(key));
    let mut marks_of = marks.iter().filter(|(key, _)| !tags::is_proof(key));
    marks_of.all(|(key, value)| volume.tags.get(key) == Some(value) || bare(key))
}

/// Whether it takes an expiry, and what tells that it is to get one.
#[must_use]
pub fn may_expire(volume: &Volume) -> bool {
    let told = volume.tags.contains_key(tags::VOLUME) && volume.tags.contains_key(tags::RESCUE);
    told && limits::free(&volume.tags, &volume.unproven, |it| it == tags::EXPIRES_AT) > 0
}

/// Whether a snapshot that gets the volume's tags has room for ours: a mark with its seal, device, settings, set, expiry,
/// attempts to restore it.
#[must_use]
pub fn copies(volume: &Volume) -> bool {
    const OURS: usize = 7;
    let marks = [tags::RESCUE, tags::DEVICE, tags::VOLUME];
    limits::free(&volume.tags, &volume.unproven, |it| marks.contains(&it)) >= OURS
}

/// The record, as far as a launch template takes it and a rescue's own notes: what can be found again goes first, but
/// nothing that is there. And the keys of what has no room.
#[must_use]
pub fn on_record(wanted: Tags, template: Option<&Template>) -> (Tags, Vec<String>) {
    let others = template.map(|it| others(&it.tags)).unwrap_or_default();
    let there = |key: &str| template.is_some_and(|it| it.tags.contains_key(key));
    shed(
        wanted,
        MOST.saturating_sub(RESERVED_ON_RECORD + others),
        there,
    )
}

/// The same of what is written in a rescue, beside all that is there.
#[must_use]
pub fn onto_record(written: Tags, template: &Template) -> Tags {
    let mut all = template.tags.clone();
    all.extend(written.clone());
    let most = MOST.saturating_sub(others(&all));
    let (kept, _) = shed(all, most, |key| template.tags.contains_key(key));
    kept.into_iter()
        .filter(|(key, _)| written.contains_key(key))
        .collect()
}

/// Somebody else's tags on a launch template of ours.
fn others(tags: &Tags) -> usize {
    limits::count(tags.keys().filter(|it| !it.starts_with(tags::OPT_IN)))
}

fn shed(mut all: Tags, most: usize, stays: impl Fn(&str) -> bool) -> (Tags, Vec<String>) {
    all.retain(|key, _| key.starts_with(tags::OPT_IN));
    let taken = |all: &Tags| {
        all.iter()
            .map(|(key, value)| places_on_record(key, value))
            .sum::<usize>()
    };
    let mut left = Vec::new();
    while taken(&all) > most {
        let goes = all.keys().filter(|key| !stays(key));
        let goes = goes.filter_map(|key| Some((findable(key)?, number(key), key)));
        let Some(key) = goes.max().map(|(_, _, key)| key.clone()) else {
            break;
        };
        all.remove(&key);
        left.push(key);
    }
    (all, left)
}

/// How easily it is found again: the largest goes first. None is never left out.
fn findable(key: &str) -> Option<usize> {
    const LISTS: [&str; 4] = [
        tags::TARGETS,
        tags::OWED,
        tags::SERVED,
        tags::PRIVATE_ADDRESSES,
    ];
    if key == tags::SHAPE {
        return Some(LISTS.len() + 1);
    }
    if tags::is_numbered(key, tags::HISTORY) && number(key) > 1 {
        return Some(LISTS.len() + 2);
    }
    if tags::is_numbered(key, tags::SECONDARY) {
        return Some(LISTS.len());
    }
    LISTS.iter().position(|it| tags::is_numbered(key, it))
}

/// While there is time: whose tags leave no room for what.
pub fn tell(
    lineage: &Lineage,
    owner: &Instance,
    record: &[String],
    marks: &[String],
    plan: &mut Plan,
) {
    let id = &owner.id;
    let (_, left) = for_replacement(lineage, &owner.tags);
    if !left.is_empty() {
        plan.note(format!(
            "a replacement of {id} is launched without its tags {}: an instance has {MOST}, and some are the function's",
            left.join(" ")
        ));
    }
    if !marks.is_empty() {
        plan.note(format!(
            "{id} has no room for {}: a rescue reads it in the record first; fewer tags make it faster",
            marks.join(" ")
        ));
    }
    if !record.is_empty() {
        plan.note(format!(
            "the record of {id} has no room for {}: a rescue is without",
            record.join(" ")
        ));
    }
    for volume in lineage.situation.volumes.known().into_iter().flatten() {
        if volume.attached_to(id) {
            volume_told(volume, plan);
        }
    }
    let private = lineage.policy.private_ip.value == PrivateIp::Keep;
    let interfaces = lineage.situation.interfaces.known().into_iter().flatten();
    let held = |it: &&crate::situation::NetworkInterface| {
        owner
            .interfaces
            .iter()
            .any(|own| own.id == it.id && (private || !own.slot.is_primary()))
    };
    for interface in interfaces.filter(held) {
        if !is_markable(&interface.tags) {
            plan.note(format!("{} has no room for the function's mark, without which its role may not move it: take two tags away", interface.id));
        }
    }
}

/// Whether there is room for the mark with its seal.
#[must_use]
pub fn is_markable(tags: &Tags) -> bool {
    limits::free(tags, &[], |it| it == tags::RESCUE) >= 2
}

/// What the role asks of a volume: a mark to attach it, an expiry to delete it.
fn volume_told(volume: &Volume, plan: &mut Plan) {
    let ours =
        |key: &str| [tags::RESCUE, tags::DEVICE, tags::VOLUME, tags::EXPIRES_AT].contains(&key);
    let id = &volume.id;
    match limits::free(&volume.tags, &volume.unproven, ours) {
        0 => plan.note(format!("{id} has no room for the function's mark, without which its role may not attach it: take a tag away")),
        1 => plan.note(format!("{id} has no room for an expiry, without which the function's role may not delete it once a copy has taken its place: take a tag away")),
        _ if !copies(volume) => plan.note(format!("snapshots of {id} are taken without its user's tags: with them there is no room for the function's")),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(keys: impl IntoIterator<Item = String>) -> Tags {
        keys.into_iter().map(|it| (it, "v".to_owned())).collect()
    }

    #[test]
    fn the_policy_stays_and_the_last_by_name_go() {
        let mut all = tags((0..49).map(|n| format!("a-{n:02}")));
        all.extend(tags(["spot-rescue".to_owned()]));
        let (kept, left) = of_user(&all, 48);
        assert!(kept.len() == 48 && kept.contains_key("spot-rescue"));
        assert_eq!(left, ["a-47", "a-48"]);
    }

    #[test]
    fn what_can_be_found_again_goes_first_and_the_rest_never() {
        let targets = (1..=31).map(|n| format!("{}-{n}", tags::TARGETS));
        let others = [
            "history-1",
            "history-2",
            "shape",
            "secondary-1",
            "private-address-1",
            "head",
            "place",
        ];
        let others = others.map(|it| format!("{}{it}", tags::PREFIX));
        let (kept, left) = on_record(tags(targets.chain(others)), None);
        assert_eq!(kept.len(), MOST - RESERVED_ON_RECORD);
        assert!(left.is_empty());
        let targets = (1..=40).map(|n| format!("{}-{n}", tags::TARGETS));
        let others = [
            "history-1",
            "history-2",
            "shape",
            "secondary-1",
            "private-address-1",
            "head",
            "place",
        ];
        let others = others.map(|it| format!("{}{it}", tags::PREFIX));
        let (kept, left) = on_record(tags(targets.chain(others)), None);
        assert_eq!(kept.len(), MOST - RESERVED_ON_RECORD);
        let first: Vec<&str> = left.iter().map(String::as_str).take(5).collect();
        let expected = [
            "history-2",
            "shape",
            "secondary-1",
            "private-address-1",
            "target-40",
        ];
        assert_eq!(first, expected.map(|it| format!("{}{it}", tags::PREFIX)));
        assert!(kept.contains_key(tags::HEAD) && kept.contains_key(tags::PLACE));
    }
}
