//! Tags with their seals.
//!
//! A seal stands behind the value (`<value> @<code>`). Where AWS is filtered by the value of a tag, or the value
//! leaves no room, the seal is a tag of its own beside it ([`proof_of`]).

use super::Key;
use crate::tags::limits::{INDEXES, SEAL as LENGTH, is_sealed_beside};
use crate::tags::{self, Tags, proof_of};

/// They only keep a resource from being deleted, so they are believed without a seal.
const PROTECTIVE: [&str; 2] = [tags::KEPT, tags::RAN_AGAIN];

/// The first is sealed when the launch is known, the other is compared by AWS.
const UNSEALED: [&str; 2] = [tags::LAUNCHED, tags::RECYCLE];

/// Which tags of a resource are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that only the function writes.
    Own,
    /// Also the copy of the user's policy: every `spot-rescue` tag of a prepared rescue is the function's.
    All,
}

impl Which {
    fn covers(self, key: &str) -> bool {
        let own = tags::is_own(key) && !UNSEALED.contains(&key);
        own || (self == Self::All && key.starts_with(tags::OPT_IN))
    }
}

/// The tags with their seals, to be written on this resource.
#[must_use]
pub fn seal(key: &Key, on: &str, which: Which, tags: &Tags) -> Tags {
    let mut sealed = Tags::new();
    // A mark without room for its seal: AWS and the role see it, the function does not believe it.
    let bare = |name: &str| tags.get(&proof_of(name)).is_some_and(String::is_empty);
    for (name, value) in tags {
        if !which.covers(name) || bare(name) {
            sealed.insert(name.clone(), value.clone());
            continue;
        }
        if value.is_empty() && tags::is_proof(name) {
            continue;
        }
        let code = key.code(&["tag", on, name, value]);
        if is_sealed_beside(name, value) {
            sealed.insert(proof_of(name), code);
            sealed.insert(name.clone(), value.clone());
        } else {
            sealed.insert(name.clone(), format!("{value} @{code}"));
        }
    }
    sealed
}

/// The same, by the id of a resource that exists: on a prepared rescue every tag of ours is sealed.
#[must_use]
pub fn sealed(key: &Key, id: &str, tags: &Tags) -> Tags {
    let template = id.starts_with("lt-");
    let which = if template { Which::All } else { Which::Own };
    seal(key, id, which, tags)
}

/// The keys to remove with these.
#[must_use]
pub fn with_proofs(keys: &[String]) -> Vec<String> {
    let beside = keys.iter().filter(|it| INDEXES.contains(&it.as_str()));
    let beside = beside.map(|it| proof_of(it));
    keys.iter().cloned().chain(beside).collect()
}

/// Removes tags without a right seal, and the seals of the others. Returns the keys that were not believed. `on` are
/// the names that the resource has had: when a launch template is created, its id is not known.
pub fn open(key: &Key, on: &[&str], which: Which, tags: &mut Tags) -> Vec<String> {
    let mut unproven = Vec::new();
    let present = std::mem::take(tags);
    for (name, value) in &present {
        if !which.covers(name) {
            tags.insert(name.clone(), value.clone());
        } else if let Some(plain) = proven(key, on, name, value, &present) {
            tags.insert(name.clone(), plain.to_owned());
        } else if PROTECTIVE.contains(&name.as_str()) {
            tags.insert(name.clone(), "said by an unknown hand".to_owned());
        } else if !is_proof(name, &present) {
            unproven.push(name.clone());
        }
    }
    unproven
}

/// The value without its seal, right or wrong: for readers without the key.
#[must_use]
pub fn plain(value: &str) -> &str {
    let sealed = value.rsplit_once(" @");
    sealed
        .filter(|(_, code)| code.len() == LENGTH - 2)
        .map_or(value, |it| it.0)
}

/// Without a key no tag is believed.
pub fn close(which: Which, tags: &mut Tags) {
    tags.retain(|name, _| !which.covers(name) || PROTECTIVE.contains(&name.as_str()));
}

fn proven<'a>(key: &Key, on: &[&str], name: &str, value: &'a str, all: &Tags) -> Option<&'a str> {
    let fits = |plain: &str, code: &str| {
        let mut on = on.iter();
        on.any(|on| key.fits(&["tag", on, name, plain], code))
    };
    // Both are looked at: an attacker may put a proof beside a tag that has its seal in its value.
    let beside = all.get(&proof_of(name));
    if beside.is_some_and(|code| fits(value, code)) {
        return Some(value);
    }
    let (plain, code) = value.rsplit_once(" @")?;
    fits(plain, code).then_some(plain)
}

/// The seal of a tag that is there.
fn is_proof(name: &str, all: &Tags) -> bool {
    all.keys().any(|it| proof_of(it) == *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> Key {
        Key::new("a secret for tests, and for tests alone").unwrap()
    }

    fn pair(name: &str, value: &str) -> Tags {
        Tags::from([(name.to_owned(), value.to_owned())])
    }

    /// Tags, where they stand, and whether they are believed there.
    #[test]
    fn a_seal_holds_for_one_value_of_one_key_on_one_resource() {
        let sealed = seal(&key(), "i-1", Which::Own, &pair(tags::DEVICE, "/dev/sdf"));
        let value = sealed[tags::DEVICE].as_str();
        for (on, name, value, believed) in [
            ("i-1", tags::DEVICE, value, true),
            ("i-2", tags::DEVICE, value, false),
            ("i-1", tags::COPY_OF, value, false),
            ("i-1", tags::DEVICE, "/dev/sdf", false),
            ("i-1", tags::DEVICE, &value.replace("sdf", "sdg"), false),
            ("i-1", tags::DEVICE, "", false),
            ("i-1", tags::DEVICE, " @", false),
        ] {
            let mut tags = pair(name, value);
            let unproven = open(&key(), &[on], Which::Own, &mut tags);
            assert_eq!(!tags.is_empty(), believed, "{on} {name} {value}");
            assert_eq!(unproven.is_empty(), believed, "{on} {name} {value}");
        }
    }

    #[test]
    fn index_values_and_long_values_stay_as_they_are() {
        let long = "x".repeat(250);
        let tags = Tags::from(
            [
                (tags::RESCUE, "i-0123456789abcdef0"),
                (tags::GROUP, "web"),
                ("spot-rescue:subnets", long.as_str()),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        let mut sealed = seal(&key(), "lt", Which::All, &tags);
        assert_eq!(sealed.len(), 6);
        assert!(tags.iter().all(|(name, value)| sealed[name] == *value));
        let mut forged = sealed.clone();
        assert!(open(&key(), &["id", "lt"], Which::All, &mut sealed).is_empty());
        assert_eq!(sealed, tags);
        forged.insert(tags::RESCUE.to_owned(), "i-0badbadbadbadbad0".to_owned());
        let unproven = open(&key(), &["lt"], Which::All, &mut forged);
        assert_eq!(unproven, [tags::RESCUE]);
        assert!(!forged.contains_key(tags::RESCUE));
    }

    /// A user's own tags need no seal, nor do marks that only protect.
    #[test]
    fn only_our_own_tags_are_opened() {
        let mut tags = pair("spot-rescue", "on");
        tags.extend(pair("spot-rescue:data", "none"));
        tags.extend(pair(tags::LAUNCHED, "yes"));
        tags.extend(pair(tags::KEPT, "mine"));
        let before: Vec<String> = tags.keys().cloned().collect();
        assert!(open(&key(), &["i-1"], Which::Own, &mut tags).is_empty());
        assert_eq!(tags.keys().cloned().collect::<Vec<_>>(), before);
    }

    proptest! {
        /// No value makes it panic, and none but a sealed one is believed.
        #[test]
        fn whatever_is_planted_is_not_believed(value in ".{0,300}", name in "[a-z@ -]{0,20}") {
            let name = format!("spot-rescue:{name}");
            let mut tags = pair(tags::INTERRUPTED_AT, &value);
            tags.insert(name, value);
            open(&key(), &["i-1"], Which::Own, &mut tags);
            prop_assert!(!tags.contains_key(tags::INTERRUPTED_AT));
        }
    }
}
