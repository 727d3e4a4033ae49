//! When an image is made of the old root volume's snapshot: if the volume itself cannot become the root volume, if the
//! user's image is gone, or if the root volume of the type cannot be replaced.
//!
//! The image is named for its snapshot, so concurrent invocations register only one. It has an expiry date from the
//! beginning, since the next rescue does not need it: the prepared rescue still names the user's image.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html>

use crate::id::{ImageId, InstanceId};
use crate::plan::draft::{Plan, Stop};
use crate::plan::lineage::Lineage;
use crate::plan::marks::{expiry, own};
use crate::plan::volumes::case::Case;
use crate::plan::volumes::copies;
use crate::plan::volumes::fate::{Fate, Origin};
use crate::plan::volumes::restore::{self, Source};
use crate::plan::volumes::root::{gone, impossible};
use crate::policy::{Root, Types};
use crate::record::RecordedVolume;
use crate::situation::{Boot, Image, ImageState, Snapshot, Volume, VolumeSettings};
use crate::step::{Action, RegisterImage, RootDevice, Step};
use crate::{clock, tags};

pub enum Ready {
    Image(ImageId),
    Coming,
    Never,
}

/// The image to launch from, if not the prepared one. The prepared image is used whenever it exists and the root volume
/// of the type can be replaced later.
pub fn start(
    lineage: &Lineage,
    base: &InstanceId,
    plan: &mut Plan,
) -> Result<Option<ImageId>, Stop> {
    let keeps = lineage.policy.root.value == Root::Keep && is_metal(lineage);
    gone::note(lineage, plan);
    let gone = gone::is_gone(lineage);
    let recorded = lineage.record.root();
    let needed = (keeps || gone) && impossible::why(lineage).is_none();
    let Some(recorded) = recorded.filter(|_| needed) else {
        return Ok(None);
    };
    let wait = || Stop::Wait(10, "an image to launch from".to_owned());
    let volumes = lineage.facts.volumes.known().ok_or_else(wait)?;
    let current = copies::newest(lineage, &recorded.volume, volumes, base);
    match of_root(lineage, recorded, current, base, plan) {
        Ready::Image(image) => {
            if gone {
                plan.note(format!(
                    "the image of {base} is gone: its replacement is launched from {image}, made of the old root"
                ));
            }
            Ok(Some(image))
        }
        Ready::Coming => Err(wait()),
        // Only the prepared image is left; the replacement does not serve without its root volume.
        Ready::Never => Ok(None),
    }
}

/// "All other metal instances are not supported" (only Mac instances are, which are never Spot).
fn is_metal(lineage: &Lineage) -> bool {
    let own = lineage.record.place.iter().map(|it| &it.instance_type);
    let others = match &lineage.policy.instance_types.value {
        Types::Named(names) => names.as_slice(),
        Types::Like => &[],
    };
    let mut types = own.chain(others);
    types.any(|it| it.contains(".metal"))
}

/// The root volume of a successor that was launched from an image of ours.
pub fn fate(case: &Case) -> Option<Fate> {
    let images = case.lineage.facts.images.known()?;
    let image = images
        .iter()
        .find(|it| Some(&it.id) == case.successor.image.as_ref())?;
    let snapshot = image.root_snapshot.as_ref()?;
    let ours = is_ours(case.lineage, image) && image.name == name(case.lineage, snapshot.as_str());
    Some(Fate::Attached {
        volume: case.successor.root()?.volume.clone(),
        from: Origin::Snapshot(snapshot.to_string()),
    })
    .filter(|_| ours)
}

/// The image of the root's newest content, registered when there is a completed snapshot of it.
pub fn of_root(
    lineage: &Lineage,
    recorded: &RecordedVolume,
    current: Option<&Volume>,
    receiver: &InstanceId,
    plan: &mut Plan,
) -> Ready {
    let source = match current {
        Some(volume) if !volume.is_free() => {
            plan.wait(10, format!("{} to be released", volume.id));
            return Ready::Coming;
        }
        Some(volume) => match restore::closing(lineage, recorded, volume, receiver, plan) {
            Source::None => restore::newest(lineage, recorded, |_| true, plan),
            it @ (Source::Taken(..) | Source::Coming) => it,
        },
        None => restore::newest(lineage, recorded, |_| true, plan),
    };
    match source {
        Source::Taken(snapshot, settings) => {
            registered(lineage, recorded, snapshot, settings, plan)
        }
        Source::Coming => Ready::Coming,
        Source::None => Ready::Never,
    }
}

fn registered(
    lineage: &Lineage,
    recorded: &RecordedVolume,
    snapshot: &Snapshot,
    settings: VolumeSettings,
    plan: &mut Plan,
) -> Ready {
    let Some(original) = &lineage.record.original else {
        plan.note("no image is made of the root: how the instance boots is not on record");
        return Ready::Never;
    };
    let Some(images) = lineage.facts.images.known() else {
        plan.wait(10, "images to be readable");
        return Ready::Coming;
    };
    let name = name(lineage, snapshot.id.as_str());
    let made_of = |it: &&Image| it.name == name && it.root_snapshot.as_ref() == Some(&snapshot.id);
    let found = images.iter().find(|it| made_of(it) && is_ours(lineage, it));
    match found.map(|it| (it, it.state)) {
        Some((image, ImageState::Available)) => usable(image, &original.boot, plan),
        Some((image, ImageState::Unusable)) => {
            plan.note(format!(
                "{} is of no use: EC2 could not create it",
                image.id
            ));
            Ready::Never
        }
        Some((image, ImageState::Pending)) => {
            plan.wait(5, format!("{} to be available", image.id));
            Ready::Coming
        }
        None => {
            let boot = original.boot.clone();
            plan.step(register(lineage, recorded, snapshot, settings, boot, name));
            plan.wait(5, format!("an image of {}", snapshot.id));
            Ready::Coming
        }
    }
}

/// "If the field is empty or doesn't match the expected operating system code, the AMI creation was
/// unsuccessful": the user would run unlicensed, or pay twice.
fn usable(image: &Image, original: &Boot, plan: &mut Plan) -> Ready {
    let (found, wanted) = (&image.boot.platform, &original.platform);
    if found != wanted && !wanted.is_empty() {
        plan.note(format!(
            "{} is of no use: it is billed as {found:?}, the original as {wanted:?}",
            image.id
        ));
        return Ready::Never;
    }
    Ready::Image(image.id.clone())
}

fn register(
    lineage: &Lineage,
    recorded: &RecordedVolume,
    snapshot: &Snapshot,
    settings: VolumeSettings,
    boot: Boot,
    name: String,
) -> Step {
    let by_uefi = boot.mode.as_ref().is_some_and(|it| it.starts_with("uefi"));
    let mut living = lineage.members.iter().rev().filter(|it| it.is_alive());
    let uefi_data_of = living.next().filter(|_| by_uefi).map(|it| it.id.clone());
    let mut marks = own::own(lineage);
    let expiry = clock::format(lineage.now + expiry::KEPT);
    marks.insert(tags::EXPIRES_AT.to_owned(), expiry);
    let action = Action::RegisterImage(RegisterImage {
        name,
        snapshot: snapshot.id.clone(),
        root: RootDevice {
            device: recorded.device.clone(),
            settings,
            delete_on_termination: recorded.delete_on_termination,
        },
        boot,
        uefi_data_of,
        tags: marks,
    });
    Step::new(format!("register an image of {}", snapshot.id), action)
}

fn name(lineage: &Lineage, snapshot: &str) -> String {
    format!("spot-rescue-{}-{snapshot}", lineage.id)
}

fn is_ours(lineage: &Lineage, image: &Image) -> bool {
    image.tags.get(tags::RESCUE).map(String::as_str) == Some(lineage.id.as_str())
}
