//! The record of a living owner, as it should be written now.

use crate::id::InstanceId;
use crate::plan::capacity::template;
use crate::plan::course::{keep, owed, rehearsal, tidy};
use crate::plan::facts::ports;
use crate::plan::lineage::Lineage;
use crate::plan::marks::room;
use crate::plan::traffic::{deregister, dns};
use crate::policy::Types;
use crate::record::{Record, RecordedAddress, addresses_of, secondary_of, volumes_of};
use crate::situation::{Balancing, Instance, Registration, Shape, Target, TargetGroup};

/// The record as it should be now. A part that could not be read stays as recorded.
pub fn current(lineage: &Lineage, owner: &Instance) -> Record {
    let known = &lineage.record;
    let owed = &owed::open(lineage, owner);
    let targets = targets(lineage, owner).unwrap_or_else(|| known.targets.clone());
    let addresses = addresses(lineage, owner).unwrap_or_else(|| known.addresses.clone());
    Record {
        head: Some(owner.id.clone()),
        group: owner.group().map(str::to_owned),
        place: known.place.clone(),
        volumes: keep::flagged(lineage, volumes_of(owner)),
        original: known.original.clone(),
        left_targets: ports::of(lineage, owner, &targets),
        fleet: known.fleet.clone(),
        targets: with_owed(targets, owed.iter().flat_map(|it| &it.targets)),
        addresses: with_owed(addresses, owed.iter().flat_map(|it| &it.addresses)),
        private_addresses: known.private_addresses.clone(),
        history: known.history.clone(),
        shape: shape(lineage),
        named: dns::noted(lineage),
        interfaces: known.interfaces.clone(),
        secondary: secondary_of(owner),
        left_open: template::left_open(lineage, owner),
        members: members(lineage, owner),
        expiring: tidy::expiring(lineage),
        rehearsed: rehearsal::now(lineage),
        owed: owed.clone(),
        ..Record::default()
    }
}

/// The attributes of the recorded instance type, if the policy asks for types like it.
fn shape(lineage: &Lineage) -> Option<Shape> {
    let wanted = lineage.policy.instance_types.value == Types::Like;
    let of = lineage.record.place.as_ref().filter(|_| wanted)?;
    let own = |it: &&Shape| it.instance_type == of.instance_type;
    let read = lineage.facts.shapes.known();
    let found = read.and_then(|all| all.iter().find(own));
    found.or(lineage.record.shape.as_ref().filter(own)).cloned()
}

/// The targets as which the owner is registered.
fn targets(lineage: &Lineage, owner: &Instance) -> Option<Vec<Target>> {
    registered(lineage, |it| {
        !it.draining && deregister::is_of(lineage, owner, it)
    })
}

/// What the owner has, and what it is still owed.
fn with_owed<'a, T: Clone + Ord + 'a>(
    mut has: Vec<T>,
    owed: impl Iterator<Item = &'a T>,
) -> Vec<T> {
    has.extend(owed.cloned());
    has.sort();
    has.dedup();
    has
}

/// The targets of an interrupted instance, draining ones included: it may be deregistered before it is on record.
pub fn leaving(lineage: &Lineage, instance: &Instance) -> Option<Vec<Target>> {
    registered(lineage, |it| deregister::is_of(lineage, instance, it))
}

/// A recorded target is dropped only if all groups of its service were listed and its own was read: otherwise it stays
/// on record.
fn registered(lineage: &Lineage, wanted: impl Fn(&Registration) -> bool) -> Option<Vec<Target>> {
    let found = lineage.facts.registrations.known()?;
    let seen = |it: &TargetGroup| found.complete.contains(&it.balancing()) && found.was_read(it);
    let shown = found.list.iter().filter(|it| wanted(it));
    let unseen = lineage.record.targets.iter().filter(|it| !seen(&it.group));
    let targets = shown.map(|it| &it.target).chain(unseen);
    let mut targets: Vec<Target> = targets.cloned().collect();
    targets.sort();
    targets.dedup();
    Some(targets)
}

/// Only Elastic Load Balancing is waited for: VPC Lattice may be missing in a Region or denied.
pub fn lists_targets(lineage: &Lineage) -> bool {
    let found = lineage.facts.registrations.known();
    let of_elb = |it: &TargetGroup| it.balancing() == Balancing::Elb;
    found.is_some_and(|it| it.complete.contains(&Balancing::Elb) && !it.unread.iter().any(of_elb))
}

pub fn addresses(lineage: &Lineage, owner: &Instance) -> Option<Vec<RecordedAddress>> {
    let found = lineage.facts.addresses.known()?;
    Some(addresses_of(owner, found))
}

/// The members without room for a tag of their own, as long as EC2 shows them.
pub fn members(lineage: &Lineage, owner: &Instance) -> Vec<InstanceId> {
    let known = lineage.record.members.iter();
    let mut all: Vec<InstanceId> = known
        .filter(|it| lineage.member(it).is_some())
        .cloned()
        .collect();
    if room::is_tight(lineage, owner) && !all.contains(&owner.id) {
        all.push(owner.id.clone());
    }
    all
}
