//! Corrects the record by the owner as EC2 shows it: the record is as old as the last sweep.
//!
//! Targets and volumes named in an instance's own tags never become part of the record: a user who may tag an instance
//! could name those of another. The tags only tell the flags of volumes that the instance has.

use crate::plan::lineage::{fleet, ports, shown, touched};
use crate::policy::Policy;
use crate::record::{Named, Place, Record};
use crate::situation::{Fact, Instance, Situation};

/// Corrects all parts of the record.
pub fn apply(
    record: &mut Record,
    owner: &Instance,
    situation: &Situation,
    members: &[&Instance],
    policy: &Policy,
) {
    record.head.get_or_insert_with(|| owner.id.clone());
    if let Some(group) = owner.group() {
        record.group = Some(group.to_owned());
    }
    shown::apply(record, owner, situation, members, policy);
    let touched = touched::touched(record, owner, situation);
    ports::live(record, owner, situation, touched);
    fleet::live(record, owner, situation);
    if !touched || record.private_addresses.is_empty() {
        private_addresses(record, owner);
    }
    if let Some(place) = place(record.place.take(), owner) {
        record.place = Some(place);
    }
    let name = policy.dns.value.clone();
    let before = record.named.take();
    record.named = name.map(|name| named(before, Named::of(name, owner), owner, touched));
}

/// A terminated instance shows no addresses, so the recorded ones stay.
fn private_addresses(record: &mut Record, owner: &Instance) {
    if !owner.private_addresses.is_empty() {
        record
            .private_addresses
            .clone_from(&owner.private_addresses);
    }
}

/// In a rescue the public address may have moved already, so the recorded one counts, and that its name was read.
fn named(before: Option<Named>, live: Named, owner: &Instance, touched: bool) -> Named {
    let same_name = before.filter(|it| it.name == live.name);
    let settled = touched::shows_everything(owner) && !touched;
    let kept = same_name.filter(|it| !settled || it.is_like(&live));
    kept.unwrap_or(live)
}

/// The Availability Zone and subnet are the owner's; the type stays the one that the user chose, or a rescue with
/// another type would make that one the first choice for ever.
fn place(recorded: Option<Place>, owner: &Instance) -> Option<Place> {
    let Some(live) = Place::of(owner) else {
        return recorded;
    };
    let instance_type = recorded.map_or(live.instance_type, |it| it.instance_type);
    Some(Place {
        instance_type,
        ..live
    })
}

/// Adds launches that this invocation has just recorded and that cannot be read yet. Until the prepared rescue has been
/// read, the owner's own tags tell what its launch depends on.
pub fn remember(record: &mut Record, situation: &Situation, owner: Option<&Instance>) {
    if !situation.inputs.unread_writes.is_empty() {
        let written = Record::from_tags(&situation.inputs.unread_writes);
        if record.attempts.merge(&written.attempts) {
            record.failed_pools = written.failed_pools;
        }
    }
    if let (Fact::NotRead, Some(owner)) = (&situation.facts.template, owner) {
        let noted = Record::noted(&owner.tags);
        record.history = noted.history;
        record.shape = noted.shape;
        record.group = record.group.take().or(noted.group);
        if let (Some(place), Some(noted)) = (&mut record.place, noted.place) {
            place.instance_type = noted.instance_type;
        }
    }
}
