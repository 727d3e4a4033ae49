//! The image the user chose: on record where the root is to be kept, and where that image is gone (TRAP 52), so that
//! one can be made of the old root.

use crate::plan::lineage::touched;
use crate::policy::{Policy, Replace, Root};
use crate::record::{Original, Record};
use crate::situation::{Boot, Image, ImageState, Instance, Situation};
use crate::tags;

/// How a launch is refused whose image is not there.
pub const NO_IMAGE: &str = "InvalidAMIID";

/// Or is another account's, which shares it no longer.
const NOT_SHARED: &str = "AuthFailure";

pub fn apply(record: &mut Record, owner: &Instance, situation: &Situation, policy: &Policy) {
    let recorded = record.original.take();
    let wanted = match policy.root.value {
        Root::Keep => true,
        Root::Fresh => {
            // What a group launches is its own launch template's.
            let ours = record.group.is_none() || policy.replace.value == Replace::Launch;
            ours && is_wanted(record, recorded.as_ref(), owner, situation)
        }
    };
    record.original = original(recorded, owner, situation).filter(|_| wanted);
}

/// In a rescue the image is not read unless it is on record, so nothing follows from its absence.
fn is_wanted(
    record: &Record,
    recorded: Option<&Original>,
    owner: &Instance,
    situation: &Situation,
) -> bool {
    let images = situation.images.known();
    if touched::touched(record, owner, situation) || images.is_none() {
        return recorded.is_some() || is_refused(record);
    }
    // It runs from an image that was made for a rescue, and that is not for ever.
    let made = recorded.is_some_and(|it| Some(&it.image) != owner.image.as_ref());
    let there = |it: &Image| Some(&it.id) == owner.image.as_ref() && is_usable(it);
    made || !images.into_iter().flatten().any(there)
}

/// A launch of this rescue may have been refused for it.
pub fn is_refused(record: &Record) -> bool {
    let codes = [NO_IMAGE, NOT_SHARED];
    let mut failed = record.failed_pools.iter();
    failed.any(|it| codes.iter().any(|code| it.code.starts_with(code)))
}

/// One that is disabled is shown, and cannot be launched from.
pub fn is_usable(image: &Image) -> bool {
    image.state != ImageState::Unusable
}

/// The image the user chose stays the lineage's: one made for a rescue is not for ever, and one that
/// can no longer be read says nothing new.
fn original(
    recorded: Option<Original>,
    owner: &Instance,
    situation: &Situation,
) -> Option<Original> {
    let images = situation.images.known().map(Vec::as_slice);
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

/// What both say is the instance's to say; what only an image can say is the image's.
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
