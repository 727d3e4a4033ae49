//! Tags, from an attacker that may write them anywhere.

use super::{ids, instances};
use crate::play::{Play, at};
use spot_rescue::clock::Clock;
use spot_rescue::tags;

const KEYS: [&str; 26] = [
    tags::RESCUE,
    tags::HEAD,
    tags::VERSION,
    tags::PLACE,
    tags::ATTEMPTS,
    tags::FINGERPRINT,
    tags::REQUEST,
    tags::SHAPE,
    tags::INTERRUPTED_AT,
    tags::PROGRESS,
    tags::PREPARED,
    tags::REPLACES,
    tags::LAUNCHED,
    tags::DEVICE,
    tags::VOLUME,
    tags::COPY_OF,
    tags::EXPIRES_AT,
    tags::RESTORE,
    tags::SET,
    tags::GROUP,
    tags::TAKEN_BY,
    tags::AT_RISK,
    "spot-rescue:volume-1",
    "spot-rescue:target-1",
    "spot-rescue:address-1",
    "spot-rescue:private-address-1",
];

pub fn copy_tags(play: &Play, which: u16, other: u16) {
    let ids = ids(&play.world);
    if let (Some(from), Some(to)) = (at(which, &ids), at(other, &ids))
        && from != to
    {
        // What the user's tags say of another instance, they do not say of this one.
        let seen = play.attacker.seen().into_iter().filter(|it| it.0 == *from);
        for (_, key, value) in seen {
            play.attacker.put_back(to, key, value);
        }
    }
}

/// On the very resource, of whatever age.
pub fn put_back(play: &Play, which: u16, other: u16) {
    let ids = ids(&play.world);
    let Some(id) = at(which, &ids) else {
        return;
    };
    let seen = play.attacker.seen().into_iter().filter(|it| it.0 == *id);
    let seen: Vec<_> = seen.collect();
    if let Some((_, key, value)) = at(other, &seen) {
        play.attacker.put_back(id, key, value);
    }
}

pub fn junk(play: &Play, which: u16, other: u16) {
    let key = KEYS[usize::from(other) % KEYS.len()];
    if let Some(id) = at(which, &ids(&play.world)) {
        play.attacker.tag(id, &[(key, "junk")]);
    }
}

pub fn junk_seal(play: &Play, which: u16, other: u16) {
    let key = tags::proof_of(KEYS[usize::from(other) % KEYS.len()]);
    if let Some(id) = at(which, &ids(&play.world)) {
        play.attacker.tag(id, &[(&key, "junk")]);
    }
}

pub fn expire(play: &Play, which: u16, other: u16) {
    let (ids, known) = (ids(&play.world), instances(&play.world));
    if let (Some(id), Some(lineage)) = (at(which, &ids), at(other, &known)) {
        let marks = [
            (tags::RESCUE, lineage.as_str()),
            (tags::LAUNCHED, "yes"),
            (tags::EXPIRES_AT, "2020-01-01T00:00:00Z"),
        ];
        play.attacker.tag(id, &marks);
    }
}

pub fn tombstone(play: &Play, which: u16, other: u16) {
    let known = instances(&play.world);
    let action = ["terminate", "stop", "hibernate", "return"][usize::from(other) % 4];
    if let Some(id) = at(which, &known) {
        let now = spot_rescue::clock::format(play.world.now());
        let text = format!("{id} {now} {action}");
        play.attacker
            .tag(id.as_str(), &[(tags::INTERRUPTED_AT, &text)]);
    }
}

pub fn index(play: &Play, which: u16, other: u16) {
    let (ids, known) = (ids(&play.world), instances(&play.world));
    if let (Some(id), Some(lineage)) = (at(which, &ids), at(other, &known)) {
        play.attacker.tag(id, &[(tags::RESCUE, lineage.as_str())]);
    }
}
