//! The image that the user chose. It is recorded if the root volume is to be kept or if the image is gone (TRAP 52), so
//! that an image can be made of the old root volume.

use crate::plan::lineage::touched;
use crate::policy::{Policy, Replace, Root};
use crate::record::{Original, Record};
use crate::situation::{Boot, Image, ImageState, Instance, Situation};
use crate::tags;

/// The error code of a launch from an image that does not exist.
pub const NO_IMAGE: &str = "InvalidAMIID";

/// The error code if the image belongs to another account that no longer shares it.
const NOT_SHARED: &str = "AuthFailure";

pub fn apply(record: &mut Record, owner: &Instance, situation: &Situation, policy: &Policy) {
    let recorded = record.original.take();
    let wanted = match policy.root.value {
        Root::Keep => true,
        Root::Fresh => {
            // An Auto Scaling group launches from its own launch template.
            let ours = record.group.is_none() || policy.replace.value == Replace::Launch;
            ours && is_wanted(record, recorded.as_ref(), owner, situation)
        }
    };
    record.original = original(recorded, owner, situation).filter(|_| wanted);
}

/// Whether the image has to be recorded. In a rescue only a recorded image is read, so a missing one says nothing.
fn is_wanted(
    record: &Record,
    recorded: Option<&Original>,
    owner: &Instance,
    situation: &Situation,
) -> bool {
    let images = situation.facts.images.known();
    if touched::touched(record, owner, situation) || images.is_none() {
        return recorded.is_some() || is_refused(record);
    }
    // The owner runs from an image that was made in a rescue and expires.
    let made = recorded.is_some_and(|it| Some(&it.image) != owner.image.as_ref());
    let there = |it: &Image| Some(&it.id) == owner.image.as_ref() && is_usable(it);
    made || !images.into_iter().flatten().any(there)
}

/// A launch may have been refused because of the image.
pub fn is_refused(record: &Record) -> bool {
    let codes = [NO_IMAGE, NOT_SHARED];
    let mut failed = record.failed_pools.iter();
    failed.any(|it| codes.iter().any(|code| it.code.starts_with(code)))
}

/// EC2 shows a disabled image, but does not launch from it.
pub fn is_usable(image: &Image) -> bool {
    image.state != ImageState::Unusable
}

/// The recorded image stays the user's: an image made in a rescue expires, and one that cannot be read says nothing
/// new.
fn original(
    recorded: Option<Original>,
    owner: &Instance,
    situation: &Situation,
) -> Option<Original> {
    let images = situation.facts.images.known().map(Vec::as_slice);
    let mut images = images.unwrap_or_default().iter();
    let image = images.find(|it| Some(&it.id) == owner.image.as_ref());
    let chosen = image.filter(|it| !it.tags.contains_key(tags::RESCUE));
    if recorded.is_some() && chosen.is_none() {
        return recorded;
    }
    Some(Original {
        image: owner.image.clone()?,
        boot: boot(&owner.boot, chosen),
    })
    .filter(|it| !it.boot.architecture.is_empty())
}

/// The attributes of the instance count; those that only an image shows are added from the image.
fn boot(instance: &Boot, image: Option<&Image>) -> Boot {
    let image = image.map(|it| &it.boot);
    Boot {
        mode: image
            .and_then(|it| it.mode.clone())
            .or_else(|| instance.mode.clone()),
        tpm: instance.tpm || image.is_some_and(|it| it.tpm),
        imds: image.is_some_and(|it| it.imds),
        ..instance.clone()
    }
}
