//! Which of our tags have room on a resource: AWS allows fifty, the user's included. Tags without room are left out
//! before the call, and noted when a rescue is prepared; a replacement without room is on record by its id.

pub mod record;
pub mod told;
pub mod volume;

use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::policy::Rebalance;
use crate::situation::Instance;
use crate::tags::limits::{self, MOST, by_rank, fit};
use crate::tags::{self, Rule, Tags, proof_of};

/// A launch writes two of our tags.
const LAUNCHED_WITH: usize = 2;

/// Our tags on a new volume, with their seals, the instance it is given to, and its expiry date.
const OF_A_COPY: usize = 9;

/// The user's tags for a new resource, the policy first: always the same ones, and as many as leave room for ours. The
/// second value lists the keys that are left out.
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

/// The user's tags for a replacement.
pub fn for_replacement(lineage: &Lineage, tags: &Tags) -> (Tags, Vec<String>) {
    of_user(tags, MOST - LAUNCHED_WITH - spare(lineage))
}

/// The user's tags for a root volume or an interface that a launch creates.
pub fn for_fresh(tags: &Tags) -> (Tags, Vec<String>) {
    of_user(tags, MOST - OF_A_COPY)
}

/// The user's tags for a copy of a volume.
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

/// The free places of an instance, if the tags in question are not counted. Of the tag that a launch writes, a second
/// one is derived when it is read, which takes no place.
fn free_on(instance: &Instance, question: impl Fn(&str) -> bool) -> usize {
    let said = !instance.sealed && instance.tags.contains_key(tags::LAUNCHED);
    let question = |key: &str| (said && key == tags::REPLACES) || question(key);
    limits::free(&instance.tags, &instance.unproven, question)
}

/// The places for tags of spares: the expiry date of a spare, and the risk of an owner with a spare.
fn spare(lineage: &Lineage) -> usize {
    let policy = &lineage.policy;
    match (policy.return_to_spot.value, policy.rebalance.value) {
        (Some(_), _) => 2,
        (None, Rebalance::Replace) => 1,
        (None, Rebalance::Ignore | Rebalance::Snapshot) => 0,
    }
}

/// The places kept free for a tombstone and for the tags of spares.
fn reserved(lineage: &Lineage) -> usize {
    1 + spare(lineage)
}

/// A tag that is written at an event, and for which a place is kept free.
fn is_passing(key: &str) -> bool {
    tags::rule(key, |it| (it == Rule::Passing).then_some(())).is_some()
}

/// Whether a replacement has no room for its tags, its prepared rescue and a tombstone: it is a member by the record
/// alone.
#[must_use]
pub fn is_tight(lineage: &Lineage, instance: &Instance) -> bool {
    const MARKS: [&str; 3] = [tags::RESCUE, tags::REPLACES, tags::PREPARED];
    let ours = |key: &str| MARKS.contains(&key) || is_passing(key) || is_listed(key);
    let launched = instance.tags.contains_key(tags::LAUNCHED);
    // One more for the seal of the first.
    launched && free_on(instance, ours) < MARKS.len() + 1 + reserved(lineage)
}

/// A tag that repeats a part of the record.
fn is_listed(key: &str) -> bool {
    tags::rule(key, |it| matches!(it, Rule::Repeats(_)).then_some(())).is_some()
}

/// The tags of an owner: those with room, and those without.
pub struct Marks {
    pub wanted: Tags,
    pub left: Vec<String>,
    /// Present, and to be removed.
    pub stale: Vec<String>,
}

/// Which of these tags the owner gets. An owner without room keeps the tag it was launched with, without a seal.
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
    let free = free_on(owner, |key| ours(key) || is_passing(key));
    let free = free.saturating_sub(reserved(lineage) + usize::from(tight));
    let (wanted, left) = fit(by_rank(all, rank), free);
    let present = owner
        .tags
        .keys()
        .filter(|key| ours(key) && !wanted.contains_key(*key));
    // An owner without room loses these together, below.
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

/// The tags that are removed from a replacement without room, once the record names it as a member. The tag of its
/// launch says the same.
#[must_use]
pub fn seals() -> Vec<String> {
    vec![proof_of(tags::RESCUE), tags::REPLACES.to_owned()]
}

/// The more important a tag is on an instance, the smaller its rank.
fn rank(key: &str) -> usize {
    let rank = tags::rule(key, |it| match it {
        Rule::Mark(rank) | Rule::Repeats(rank) => Some(rank),
        Rule::Passing | Rule::Shed(_) | Rule::ShedBeyondFirst(_) | Rule::Guarded => None,
    });
    rank.unwrap_or(usize::MAX)
}

/// The tombstone and the tags that come with it, as far as there is room. None without room for the tombstone.
#[must_use]
pub fn for_tombstone(lineage: &Lineage, instance: &Instance, mut marks: Tags) -> Option<Tags> {
    if is_tight(lineage, instance) {
        marks.remove(tags::RESCUE);
    }
    let free = free_on(instance, |key| marks.contains_key(key));
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

/// Whether an instance has room for the tag that names its prepared rescue.
#[must_use]
pub fn takes_mark(lineage: &Lineage, instance: &Instance) -> bool {
    let free = free_on(instance, |key| key == tags::PREPARED || is_passing(key));
    free > reserved(lineage)
}

/// Whether an instance has room for this tag.
#[must_use]
pub fn takes(instance: &Instance, key: &str) -> bool {
    free_on(instance, |it| it == key) > 0
}

/// Whether an instance has room for all of these tags.
#[must_use]
pub fn takes_all(instance: &Instance, tags: &Tags) -> bool {
    let needed: usize = tags
        .iter()
        .map(|(key, value)| limits::places(key, value))
        .sum();
    free_on(instance, |it| tags.contains_key(it)) >= needed
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
}
