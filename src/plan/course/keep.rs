//! `spot-rescue:protect=always`: `DeleteOnTermination` is off as long as the rescue is prepared, not only from the
//! warning on. So nothing is lost without a warning, and in a mass reclaim each instance needs one call less, the one
//! with the lowest rate.
//!
//! The user's own flags are recorded first. When the user terminates the instance, a volume that had the flag was meant
//! to be deleted with it: it expires a day later, unless it has been attached to another instance by then (see the
//! sweep).

use crate::plan::draft::Plan;
use crate::plan::facts::{asked, launcher};
use crate::plan::lineage::Lineage;
use crate::plan::marks::expiry;
use crate::plan::network::{interfaces, primary};
use crate::plan::volumes::protect;
use crate::record::{Record, RecordedVolume};
use crate::situation::{Instance, Interface, Volume};

/// The volumes shown, with the user's own flags.
pub fn flagged(lineage: &Lineage, mut volumes: Vec<RecordedVolume>) -> Vec<RecordedVolume> {
    for volume in volumes
        .iter_mut()
        .filter(|_| asked::keeps_volumes_always(lineage))
    {
        let mut recorded = lineage.record.volumes.iter();
        let recorded = recorded.find(|it| it.volume == volume.volume);
        volume.delete_on_termination |= recorded.is_some_and(|it| it.delete_on_termination);
    }
    volumes
}

/// Switches the flags off once the record says that they were on. False while that is waited for.
pub fn always(lineage: &Lineage, owner: &Instance, plan: &mut Plan) -> bool {
    let Some(template) = lineage
        .template()
        .filter(|_| asked::keeps_volumes_always(lineage))
    else {
        return true;
    };
    let record = Record::from_tags(&template.tags);
    let noted = |volume| {
        let mut noted = record.volumes.iter().filter(|it| it.delete_on_termination);
        noted.any(|it| it.volume == volume)
    };
    if let Some(interface) = doomed(lineage, &record, owner) {
        interfaces::keep_one(lineage, interface, plan);
    }
    let mut flagged = owner.devices.iter().filter(|it| it.delete_on_termination);
    let recorded = flagged.all(|it| noted(it.volume.clone()));
    if recorded {
        protect::keep_volumes(owner, plan);
    } else {
        plan.wait(
            15,
            "the record to show which volumes are to go with their instance",
        );
    }
    recorded
}

/// The interface with the address to keep, once its flag is on record.
fn doomed<'a>(lineage: &Lineage, record: &Record, owner: &'a Instance) -> Option<&'a Interface> {
    asked::kept_interface(lineage)?;
    let noted = record.primary().filter(|it| it.delete_on_termination)?;
    let ours = launcher::why_not_ours(lineage).is_none();
    let own = owner.primary_interface();
    own.filter(|it| ours && it.id == noted.interface && it.delete_on_termination)
}

/// The user has terminated the instance: the volumes and the interface left of it get an expiry date. False while these
/// cannot be read.
pub fn ended(lineage: &Lineage, plan: &mut Plan) -> bool {
    if !asked::keeps_volumes_always(lineage) {
        return true;
    }
    let Some(volumes) = lineage.facts.volumes.known() else {
        plan.wait(30, "volumes to be readable");
        return false;
    };
    if lineage.record.primary().is_some() && lineage.facts.interfaces.known().is_none() {
        plan.wait(30, "network interfaces to be readable");
        return false;
    }
    let left = volumes.iter().filter(|it| is_left(lineage, it));
    let interface = primary::left_over(lineage).map(|it| it.id.to_string());
    let resources = left.map(|it| it.id.to_string()).chain(interface);
    let resources = resources.collect();
    expiry::expire(lineage, expiry::KEPT, resources, plan);
    true
}

/// It would have been deleted with its instance, and no other instance holds it.
fn is_left(lineage: &Lineage, volume: &Volume) -> bool {
    let mut recorded = lineage.record.volumes.iter();
    let of_head = |it: &RecordedVolume| it.volume == volume.id && it.delete_on_termination;
    let mut holders = volume.attachments.iter();
    recorded.any(of_head) && holders.all(|it| Some(&it.instance) == lineage.record.head.as_ref())
}
