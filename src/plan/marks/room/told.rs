//! Notes which tags have no room, while there is time to remove others.

use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::room::{self, volume};
use crate::policy::PrivateIp;
use crate::situation::{Instance, NetworkInterface, Volume};
use crate::tags;
use crate::tags::limits::{self, MOST};

/// Notes for the owner, its volumes and its interfaces which of our tags have no room.
pub fn tell(
    lineage: &Lineage,
    owner: &Instance,
    record: &[String],
    marks: &[String],
    plan: &mut Plan,
) {
    let id = &owner.id;
    let (_, left) = room::for_replacement(lineage, &owner.tags);
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
            "the record of {id} has no room for {}: a rescue does without",
            record.join(" ")
        ));
    }
    let volumes = lineage.facts.volumes.known().into_iter().flatten();
    for volume in volumes.filter(|it| it.attached_to(id)) {
        volume_told(volume, plan);
    }
    interfaces_told(lineage, owner, plan);
    fresh_told(lineage, owner, plan);
}

/// The root volume and the primary interface that a launch creates.
fn fresh_told(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let root = owner.root().map(|it| it.volume.as_str());
    let primary = owner.primary_interface().map(|it| it.id.as_str());
    let volumes = lineage.facts.volumes.known().into_iter().flatten();
    let interfaces = lineage.facts.interfaces.known().into_iter().flatten();
    let volumes = volumes.map(|it| (it.id.as_str(), &it.tags));
    let all = volumes.chain(interfaces.map(|it| (it.id.as_str(), &it.tags)));
    for (id, tags) in all.filter(|(id, _)| root == Some(*id) || primary == Some(*id)) {
        let (_, left) = room::for_fresh(tags);
        if !left.is_empty() {
            plan.note(format!(
                "a replacement has a new one in place of {id}, without its tags {}: the function's own need the room",
                left.join(" ")
            ));
        }
    }
}

/// The role may move only an interface with our tag.
fn interfaces_told(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let all = lineage.policy.private_ip.value == PrivateIp::Keep;
    let held = |it: &&NetworkInterface| {
        let mut own = owner.interfaces.iter();
        own.any(|own| own.id == it.id && (all || !own.slot.is_primary()))
    };
    let known = lineage.facts.interfaces.known().into_iter().flatten();
    let full = known
        .filter(held)
        .filter(|it| !volume::is_markable(&it.tags));
    for interface in full {
        plan.note(format!(
            "{} has no room for the function's mark, without which its role may not move it: take two tags away",
            interface.id
        ));
    }
}

/// The role requires our tag to attach a volume, and an expiry date to delete it.
fn volume_told(volume: &Volume, plan: &mut Plan) {
    let ours =
        |key: &str| [tags::RESCUE, tags::DEVICE, tags::VOLUME, tags::EXPIRES_AT].contains(&key);
    let id = &volume.id;
    let told = match limits::free(&volume.tags, &volume.unproven, ours) {
        0 => {
            "has no room for the function's mark, without which its role may not attach it: take a tag away"
        }
        1 => {
            "has no room for an expiry, without which the function's role may not delete it once a copy has taken its \
             place: take a tag away"
        }
        _ if !volume::copies(volume) => {
            "has so many tags that its snapshots get the function's and none of its user's"
        }
        _ => return,
    };
    plan.note(format!("{id} {told}"));
}
