//! An action as it is sent: with its tokens, seals and descriptions added.

use super::Key;
use super::marks::{Which, seal};
use super::message;
use crate::clock::Timestamp;
use crate::step::{
    Action, CopyVolume, CreateVolume, Launch, RegisterImage, Rehearsal, WriteTemplate,
};
use crate::tags::{self, Tags};

/// With salted tokens, sealed marks and descriptions.
pub fn finish(key: &Key, action: &Action, now: Timestamp) -> Action {
    let mut action = action.clone();
    match &mut action {
        Action::Launch(it) => {
            let launched = launched(key, &it.token, &it.tags);
            it.tags.insert(tags::LAUNCHED.to_owned(), launched);
            it.token = key.salted(&it.token);
        }
        Action::CreateVolume(it) => it.token = key.salted(&it.token),
        Action::CopyVolume(it) => it.token = key.salted(&it.token),
        Action::ReplaceRoot(it) => it.token = key.salted(&it.token),
        Action::WriteTemplate(it) => {
            it.token = key.salted(&it.token);
            // What is created has one version, the first.
            it.tags.insert(tags::VERSION.to_owned(), "1".to_owned());
            it.tags = seal(key, &it.name, Which::All, &it.tags);
        }
        Action::SnapshotInstance { description, .. }
        | Action::SnapshotVolume { description, .. } => {
            *description = described(key, description);
        }
        Action::RegisterImage(it) => {
            it.name = named(key, &it.name);
            it.tags = seal(key, &it.name, Which::Own, &it.tags);
        }
        Action::Wake { wake, .. } => *wake = message::seal(key, wake, now),
        Action::Wakes(wakes) => {
            let wakes = wakes.iter_mut();
            wakes.for_each(|(it, _)| *it = message::seal(key, it, now));
        }
        Action::Untag { keys, .. } => *keys = super::marks::with_proofs(keys),
        Action::Tag { .. }
        | Action::Deregister { .. }
        | Action::Register { .. }
        | Action::SetDeleteOnTermination { .. }
        | Action::DeleteTemplate { .. }
        | Action::TrimTemplate { .. }
        | Action::RestoreFromBin { .. }
        | Action::Attach { .. }
        | Action::DeregisterImage { .. }
        | Action::Network(_)
        | Action::PointName(_)
        | Action::Group(_)
        | Action::DeleteVolume { .. }
        | Action::DeleteSnapshot { .. }
        | Action::Terminate { .. }
        | Action::CancelRequest { .. } => {}
        Action::Rehearse(rehearsal) => rehearsed(key, rehearsal, now),
    }
    action
}

/// As a warning would send it: the role's conditions on a request apply to a dry run as well.
fn rehearsed(key: &Key, rehearsal: &mut Rehearsal, now: Timestamp) {
    match rehearsal {
        Rehearsal::Launch { launch, .. } => {
            let sent = finish(key, &Action::Launch(launch.clone()), now);
            if let Action::Launch(sent) = sent {
                *launch = sent;
            }
        }
        Rehearsal::Call(action) => **action = finish(key, action, now),
        Rehearsal::Volume { .. }
        | Rehearsal::Address { .. }
        | Rehearsal::KeyPair(_)
        | Rehearsal::SecurityGroups(_)
        | Rehearsal::Type { .. } => {}
    }
}

/// Whether it contains anything to be sealed: the steps that protect most must not wait for a key.
pub fn needs_key(action: &Action) -> bool {
    match action {
        Action::Deregister { .. }
        | Action::Register { .. }
        | Action::SetDeleteOnTermination { .. }
        | Action::DeleteTemplate { .. }
        | Action::TrimTemplate { .. }
        | Action::RestoreFromBin { .. }
        | Action::Attach { .. }
        | Action::DeregisterImage { .. }
        | Action::Network(_)
        | Action::PointName(_)
        | Action::Group(_)
        | Action::DeleteVolume { .. }
        | Action::DeleteSnapshot { .. }
        | Action::Terminate { .. }
        | Action::CancelRequest { .. } => false,
        Action::Tag { .. }
        | Action::Untag { .. }
        | Action::SnapshotInstance { .. }
        | Action::SnapshotVolume { .. }
        | Action::Launch(_)
        | Action::WriteTemplate(WriteTemplate { .. })
        | Action::CreateVolume(_)
        | Action::CopyVolume(_)
        | Action::ReplaceRoot(_)
        | Action::RegisterImage(RegisterImage { .. })
        | Action::Rehearse(_)
        | Action::Wake { .. }
        | Action::Wakes(_) => true,
    }
}

/// The marks that are to be sealed on what the call has made, once its id is known.
pub fn marks_of(action: &Action) -> Option<Tags> {
    if let Action::Launch(Launch { tags, .. }) = action {
        // `launched` is set at a launch and never afterwards: the role does not allow it.
        let marks = [
            (tags::RESCUE, tags::RESCUE),
            (tags::REPLACES, tags::LAUNCHED),
        ];
        let said = |(mark, by): (&str, &str)| Some((mark.to_owned(), tags.get(by)?.clone()));
        Some(marks.into_iter().filter_map(said).collect())
    } else if let Action::CreateVolume(CreateVolume { tags, .. })
    | Action::CopyVolume(CopyVolume { tags, .. }) = action
    {
        // Tags copied from the user's are not sealed; the role may set them only when it creates a resource.
        let own = tags.iter().filter(|(key, _)| tags::is_own(key));
        Some(
            own.map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        )
    } else {
        None
    }
}

fn described(key: &Key, text: &str) -> String {
    format!("{text} @{}", key.code(&["description", text]))
}

/// A launched resource bears a code that cannot be known before it exists, and in the same tag the instance it
/// replaces: of fifty tags a launch takes two.
fn launched(key: &Key, token: &str, tags: &Tags) -> String {
    let replaces = mark(tags, tags::LAUNCHED);
    let code = key.code(&launch_parts(token, mark(tags, tags::RESCUE), replaces));
    format!("{token} {replaces} @{code}")
}

/// The instance that it replaces, if it has all the marks of one of our launches, or a copy of them.
pub fn replaces<'a>(key: &Key, tags: &'a Tags) -> Option<&'a str> {
    let (plain, code) = tags.get(tags::LAUNCHED)?.rsplit_once(" @")?;
    // Earlier versions gave the replaced instance in a tag of its own.
    let beside = || (plain, mark(tags, tags::REPLACES));
    let (token, replaces) = plain.split_once(' ').unwrap_or_else(beside);
    let parts = launch_parts(token, mark(tags, tags::RESCUE), replaces);
    key.fits(&parts, code).then_some(replaces)
}

fn mark<'a>(tags: &'a Tags, key: &str) -> &'a str {
    tags.get(key).map_or("", String::as_str)
}

fn launch_parts<'a>(token: &'a str, rescue: &'a str, replaces: &'a str) -> [&'a str; 4] {
    ["launched", token, rescue, replaces]
}

/// A description of ours, without its seal.
pub fn description<'a>(key: &Key, text: &'a str) -> Option<&'a str> {
    let (plain, code) = text.rsplit_once(" @")?;
    key.fits(&["description", plain], code).then_some(plain)
}

/// Names of images are unique: a name that cannot be guessed cannot be taken beforehand.
fn named(key: &Key, name: &str) -> String {
    format!("{name}-{}", key.code(&["image", name]))
}

/// A name of ours, without its seal.
pub fn name<'a>(key: &Key, text: &'a str) -> Option<&'a str> {
    let (plain, code) = text.split_at_checked(text.len().checked_sub(16)?)?;
    let plain = plain.strip_suffix('-')?;
    key.fits(&["image", plain], code).then_some(plain)
}
