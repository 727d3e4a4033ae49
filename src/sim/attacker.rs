//! An attacker in the same account, with too many rights of their own and none over what belongs to others: may
//! describe everything, create, tag and run things of their own, launch from any launch template, add versions to it,
//! own an Auto Scaling group, and send to the queue and receive from it. Deletes and ends nothing, and passes no
//! role.
//!
//! Tags that an attacker overwrites are remembered: the world is judged as if that had not happened
//! ([`State::honest`]).

#![allow(
    clippy::must_use_candidate,
    reason = "what an attacker has made need not be looked at"
)]

mod launches;
mod messages;
mod storage;
mod verdict;

pub use verdict::{deleted_others, nothing_stolen};

use super::tagging::check_tags;
use super::{State, World};
use crate::tags::{self, Tags};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The principal that EC2 names as the creator of what the attacker creates.
pub const OUTSIDER: &str = "arn:aws:sts::123456789012:assumed-role/developer/mallory";

/// Remembers every tag of ours that was ever visible, and where, and every message.
#[derive(Debug)]
pub struct Attacker {
    world: World,
    seen: BTreeSet<(String, String, String)>,
    heard: BTreeSet<String>,
}

impl World {
    #[must_use]
    pub fn attacker(&self) -> Attacker {
        Attacker {
            world: self.clone(),
            seen: BTreeSet::new(),
            heard: BTreeSet::new(),
        }
    }
}

impl Attacker {
    /// Describes everything there is, and receives what is in the queue without deleting it.
    pub fn look(&mut self) {
        let (seen, heard) = self.world.look(|it| {
            let bodies = it.queue.messages.iter().map(|it| it.body.clone());
            (it.all_marks(), bodies.collect::<Vec<_>>())
        });
        self.seen.extend(seen);
        self.heard.extend(heard);
    }

    /// What stood there at any time: resource, key, value.
    #[must_use]
    pub fn seen(&self) -> Vec<&(String, String, String)> {
        self.seen.iter().collect()
    }

    #[must_use]
    pub fn heard(&self) -> Vec<&String> {
        self.heard.iter().collect()
    }

    /// `CreateTags`, on anything. False if EC2 refuses.
    pub fn tag(&self, id: &str, tags: &[(&str, &str)]) -> bool {
        self.put(id, &owned(tags))
    }

    /// All that another resource has now.
    pub fn copy_tags(&self, from: &str, to: &str) -> bool {
        let tags = self.world.change(|it| it.shown(from));
        self.put(to, &tags)
    }

    /// A value that stood there earlier, its seal included.
    pub fn put_back(&self, id: &str, key: &str, value: &str) -> bool {
        self.tag(id, &[(key, value)])
    }

    /// `aws:` keys are left out: EC2 would refuse the whole.
    fn put(&self, id: &str, tags: &Tags) -> bool {
        let usable = tags.iter().filter(|(key, _)| !key.starts_with("aws:"));
        let usable = usable.map(|(key, value)| (key.clone(), value.clone()));
        let usable: Tags = usable.collect();
        self.world.change(|it| it.write_over(id, &usable))
    }

    /// Belongs to the attacker from now on, and its tags count as the attacker's.
    fn own(&self, id: &str) {
        self.world.change(|it| it.owned_by_attacker(id));
    }
}

fn owned(tags: &[(&str, &str)]) -> Tags {
    let tags = tags.iter();
    tags.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

impl State {
    /// The tags without the attacker's changes.
    #[must_use]
    pub fn honest<'a>(&self, id: &str, tags: &'a Tags) -> Cow<'a, Tags> {
        let Some(overwritten) = self.overwritten.get(id) else {
            return Cow::Borrowed(tags);
        };
        let mut honest = tags.clone();
        for (key, before) in overwritten {
            match before {
                Some(value) => honest.insert(key.clone(), value.clone()),
                None => honest.remove(key),
            };
        }
        Cow::Owned(honest)
    }

    pub(super) fn is_written_over(&self, id: &str) -> bool {
        let overwritten = self.overwritten.get(id);
        overwritten.is_some_and(|it| !it.is_empty())
    }

    /// The function or a user has written these tags: the attacker's writes to them no longer count.
    pub(super) fn written<'a>(
        &mut self,
        ids: &[String],
        keys: impl IntoIterator<Item = &'a String>,
    ) {
        let keys: BTreeSet<&String> = keys.into_iter().collect();
        for id in ids {
            if let Some(overwritten) = self.overwritten.get_mut(id) {
                overwritten.retain(|key, _| !keys.contains(key));
            }
        }
    }

    fn write_over(&mut self, id: &str, tags: &Tags) -> bool {
        if check_tags("CreateTags", tags).is_err() {
            return false;
        }
        let before = self.shown(id);
        let known = self.overwritten.get(id).cloned();
        let image = id.parse().ok().and_then(|it| self.images.get_mut(&it));
        if let Some(image) = image {
            image.tags.extend(tags.clone());
        } else if self.tag(&[id.to_owned()], tags).is_err() {
            return false;
        }
        let mut overwritten = known.unwrap_or_default();
        for key in tags.keys().filter(|it| is_ours(it)) {
            let value = before.get(key).cloned();
            overwritten.entry(key.clone()).or_insert(value);
        }
        self.overwritten.insert(id.to_owned(), overwritten);
        true
    }

    /// Tags as a describe shows them now.
    fn shown(&mut self, id: &str) -> Tags {
        let now = self.now;
        let image = id.parse().ok().and_then(|it| self.images.get(&it));
        let of_image = image.map(|it| it.tags.clone());
        let of_other = || self.tags_of(id).map(|it| it.seen(now).clone());
        of_image.or_else(of_other).unwrap_or_default()
    }

    fn owned_by_attacker(&mut self, id: &str) {
        self.attackers.insert(id.to_owned());
        let tags = self.shown(id);
        let of_attacker = tags.into_keys().filter(|it| is_ours(it));
        let of_attacker = of_attacker.map(|key| (key, None)).collect();
        self.overwritten.insert(id.to_owned(), of_attacker);
    }

    fn all_marks(&self) -> Vec<(String, String, String)> {
        let mut all: Vec<(&str, &Tags)> = Vec::new();
        let now = self.now;
        let instances = self.instances.values();
        all.extend(instances.map(|it| (it.facts.id.as_str(), it.tags.seen(now))));
        let volumes = self.volumes.values();
        all.extend(volumes.map(|it| (it.facts.id.as_str(), it.tags.seen(now))));
        let snapshots = self.snapshots.values();
        all.extend(snapshots.map(|it| (it.facts.id.as_str(), it.tags.seen(now))));
        let templates = self.templates.values();
        all.extend(templates.map(|it| (it.facts.id.as_str(), it.tags.seen(now))));
        let interfaces = self.interfaces.values();
        all.extend(interfaces.map(|it| (it.facts.id.as_str(), it.tags.seen(now))));
        all.extend(self.images.values().map(|it| (it.id.as_str(), &it.tags)));
        let marks = all.into_iter().flat_map(|(id, tags)| {
            let ours = tags.iter().filter(|(key, _)| is_ours(key));
            ours.map(move |(key, value)| (id.to_owned(), key.clone(), value.clone()))
        });
        marks.collect()
    }
}

/// Only the tags that the function alone writes are judged, not the user's own.
fn is_ours(key: &str) -> bool {
    tags::is_own(key)
}
