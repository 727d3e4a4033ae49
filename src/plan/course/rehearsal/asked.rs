//! The requests that a warning of this lineage would send, as far as a dry run can test them.

use crate::plan::capacity::lanes::{self, Lane};
use crate::plan::capacity::launch::request;
use crate::plan::facts::launcher;
use crate::plan::lineage::Lineage;
use crate::plan::marks::own;
use crate::plan::volumes::{clone, snapshot};
use crate::policy::{Data, PrivateIp, Types};
use crate::situation::{Instance, SnapshotState, Volume};
use crate::step::{InstanceTypes, Rehearsal};
use crate::tags;

/// So many launch requests are rehearsed, those that a rescue tries first.
const MOST_LANES: usize = 6;

/// All requests, each with a short name.
pub fn all(lineage: &Lineage, owner: &Instance) -> Vec<(String, Rehearsal)> {
    let mut all = Vec::new();
    if launcher::why_not_ours(lineage).is_none() {
        all.extend(launches(lineage, owner));
        all.extend(parts(owner));
        all.extend(types(lineage));
    }
    if !owner.hibernation {
        let set = snapshot::rehearsed(lineage, owner);
        all.push(("snapshots".to_owned(), Rehearsal::Call(Box::new(set))));
    }
    all.extend(volume(lineage, owner));
    all.extend(address(lineage, owner));
    all
}

fn launches(lineage: &Lineage, owner: &Instance) -> Vec<(String, Rehearsal)> {
    let place = lineage.record.place.as_ref();
    let lanes = place.map_or_else(Vec::new, |it| lanes::lanes(lineage, it));
    let on_interface =
        owner.auto_public_address || lineage.policy.private_ip.value == PrivateIp::Keep;
    let groups = || on_interface.then(|| owner.security_groups.clone());
    let each = lanes.into_iter().take(MOST_LANES).filter_map(|lane| {
        let what = name(&lane);
        let launch = request::rehearsed(lineage, owner, lane)?;
        let interface = groups();
        Some((what, Rehearsal::Launch { launch, interface }))
    });
    each.collect()
}

fn name(lane: &Lane) -> String {
    let Lane {
        market,
        subnet,
        types,
    } = lane;
    let like = match types {
        InstanceTypes::Named(_) => "",
        InstanceTypes::Like(_) => "/like",
    };
    format!("launch/{}/{subnet}{like}", market.as_str())
}

/// The key pair and the security groups: a dry run of the launch may not check that they exist.
fn parts(owner: &Instance) -> Vec<(String, Rehearsal)> {
    let key = owner.key_pair.clone().map(Rehearsal::KeyPair);
    let groups = Some(owner.security_groups.clone()).filter(|it| !it.is_empty());
    let groups = groups.map(Rehearsal::SecurityGroups);
    let key = key.map(|it| ("key-pair".to_owned(), it));
    let groups = groups.map(|it| ("security-groups".to_owned(), it));
    key.into_iter().chain(groups).collect()
}

/// The other types of the policy, in the instance's Availability Zone. Its own type is offered there.
fn types(lineage: &Lineage) -> Vec<(String, Rehearsal)> {
    let (Types::Named(names), Some(place)) =
        (&lineage.policy.instance_types.value, &lineage.record.place)
    else {
        return Vec::new();
    };
    let others = names.iter().filter(|it| **it != place.instance_type);
    let rehearsal = |instance_type: &String| Rehearsal::Type {
        instance_type: instance_type.clone(),
        availability_zone: place.availability_zone.clone(),
    };
    others
        .map(|it| {
            (
                format!("type/{it}/{}", place.availability_zone),
                rehearsal(it),
            )
        })
        .collect()
}

/// The creation of a volume, if the policy may need it: in another Availability Zone, or for copies. One volume is
/// enough.
fn volume(lineage: &Lineage, owner: &Instance) -> Option<(String, Rehearsal)> {
    let mut held = lineage.facts.volumes.known()?.iter();
    let recorded = lineage.record.data_volumes().next()?;
    let volume = held.find(|it| it.id == recorded.volume && it.attached_to(&owner.id))?;
    let elsewhere = !lineage.policy.subnets.value.is_empty();
    match lineage.policy.data.value {
        Data::Clone if !volume.settings.multi_attach => {
            let copy = clone::rehearsed(lineage, recorded, volume);
            Some(("clone".to_owned(), Rehearsal::Call(Box::new(copy))))
        }
        Data::Restore => Some(made(lineage, volume)),
        Data::Auto | Data::Clone if elsewhere => Some(made(lineage, volume)),
        Data::Auto | Data::Clone | Data::Move | Data::None => None,
    }
}

fn made(lineage: &Lineage, volume: &Volume) -> (String, Rehearsal) {
    let of_it = lineage
        .snapshots()
        .iter()
        .filter(|it| it.volume == volume.id);
    let snapshot = of_it.filter(|it| it.state == SnapshotState::Completed);
    let snapshot = snapshot.max_by_key(|it| (it.started, &it.id));
    let mut marks = own::own(lineage);
    marks.insert(tags::COPY_OF.to_owned(), volume.id.to_string());
    let rehearsal = Rehearsal::Volume {
        snapshot: snapshot.map(|it| it.id.clone()),
        availability_zone: volume.availability_zone.clone(),
        settings: volume.settings.clone(),
        tags: marks,
    };
    ("volume".to_owned(), rehearsal)
}

/// Associates the first Elastic IP with the instance that has it. The role requires our tag on an interface, which a
/// replacement's gets only when it exists; so the instance is named, which EC2 accepts if it has one interface.
fn address(lineage: &Lineage, owner: &Instance) -> Option<(String, Rehearsal)> {
    let recorded = lineage.record.addresses.first()?;
    let [_] = owner.interfaces.as_slice() else {
        return None;
    };
    let rehearsal = Rehearsal::Address {
        allocation: recorded.allocation.clone(),
        instance: owner.id.clone(),
    };
    Some((format!("address/{}", recorded.allocation), rehearsal))
}
