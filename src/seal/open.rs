//! Each kind of resource as AWS shows it, without the tags that have no right seal.

use super::finish::{description, name, replaces};
use super::marks::{Which, close, open};
use super::{Key, Seal};
use crate::id::TemplateId;
use crate::situation::{Image, Instance, Snapshot, Template};
use crate::step::described;
use crate::tags::{self, Tags, lineage_of};

/// Instances that were launched from one of these templates belong to its lineage.
pub fn place(
    all: &mut [Instance],
    templates: &[Template],
    unplaced: impl Fn(&Instance) -> Option<TemplateId>,
) {
    for template in templates {
        let Some(rescue) = template.tags.get(tags::RESCUE) else {
            continue;
        };
        let of_it = |it: &&mut Instance| unplaced(it).as_ref() == Some(&template.id);
        for it in all.iter_mut().filter(of_it) {
            it.tags.insert(tags::RESCUE.to_owned(), rescue.clone());
            it.placed = true;
        }
    }
}

pub fn template(key: &Key, seal: &Seal, it: &mut Template) {
    let unproven = open(key, &[it.id.as_str(), &it.name], Which::All, &mut it.tags);
    // A prepared rescue, which has our fingerprint, has the lineage in its name as well; a claim has not.
    if it.tags.contains_key(tags::FINGERPRINT)
        && let Some(lineage) = lineage_of(&it.name)
    {
        let rescue = lineage.to_string();
        it.tags.entry(tags::RESCUE.to_owned()).or_insert(rescue);
    }
    let marked = it.tags.contains_key(tags::RESCUE);
    it.ours = marked && !seal.is_foreign(it.created_by.as_deref());
    if !it.ours {
        it.tags.clear();
    }
    tell(it.id.as_str(), &unproven);
    it.unproven = unproven;
}

/// Until its marks are sealed, those of its launch say which instance it replaces; whether it is ours only the
/// launch's answer tells.
pub fn instance(key: &Key, it: &mut Instance) {
    let launched = replaces(key, &it.tags).map(str::to_owned);
    it.unproven = open(key, &[it.id.as_str()], Which::Own, &mut it.tags);
    it.sealed = it.tags.contains_key(tags::REPLACES);
    match launched {
        Some(replaces) => drop(it.tags.entry(tags::REPLACES.to_owned()).or_insert(replaces)),
        None if it.sealed => {}
        None => drop(it.tags.remove(tags::LAUNCHED)),
    }
}

/// The mark of a launch is sealed together with the lineage. If that was overwritten, it is checked again with the
/// lineage that EC2's own tag leads to.
pub fn launched(key: &Key, it: &mut Instance, launched: Option<String>) {
    let Some(launched) = launched.filter(|_| it.placed) else {
        return;
    };
    let mut tags = it.tags.clone();
    tags.insert(tags::LAUNCHED.to_owned(), launched);
    if let Some(replaces) = replaces(key, &tags).map(str::to_owned) {
        tags.entry(tags::REPLACES.to_owned()).or_insert(replaces);
        it.tags = tags;
    }
}

/// Its own seals, those copied from its volume's tags, and the words of its description, which was given when it was
/// taken and cannot be changed.
pub fn snapshot(key: &Key, it: &mut Snapshot) {
    const OF_VOLUME: [&str; 3] = [tags::RESCUE, tags::DEVICE, tags::VOLUME];
    let mut copied = it.tags.clone();
    open(key, &[it.volume.as_str()], Which::Own, &mut copied);
    open(key, &[it.id.as_str()], Which::Own, &mut it.tags);
    copied.retain(|key, _| OF_VOLUME.contains(&key.as_str()));
    let said = description(key, &it.description).map(described);
    for (key, value) in said.unwrap_or_default().into_iter().chain(copied) {
        it.tags.entry(key).or_insert(value);
    }
}

pub fn image(key: &Key, it: &mut Image) {
    open(key, &[&it.name], Which::Own, &mut it.tags);
    match name(key, &it.name).map(str::to_owned) {
        Some(plain) => it.name = plain,
        None => close(Which::Own, &mut it.tags),
    }
}

/// Another caller has written them, or they could not be sealed yet.
fn tell(id: &str, unproven: &[String]) {
    if !unproven.is_empty() {
        tracing::info!(
            id,
            keys = unproven.join(" "),
            "tags without our seal are not believed"
        );
    }
}

/// Opens each, or closes all while there is no key.
pub fn each<T>(
    all: &mut [T],
    key: Option<&Key>,
    open: impl Fn(&Key, &mut T),
    tags: impl Fn(&mut T) -> &mut Tags,
) {
    for it in all {
        match key {
            Some(key) => open(key, it),
            None => close(Which::Own, tags(it)),
        }
    }
}
