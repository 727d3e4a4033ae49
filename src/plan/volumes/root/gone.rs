//! Whether the image that replacements are launched from is gone or no longer shared (TRAP 52). Then only the old root
//! volume is left to launch from, whatever the policy says.

use crate::plan::draft::Plan;
use crate::plan::lineage::{Lineage, chosen};
use crate::plan::volumes::root::impossible;
use crate::situation::{Image, Template};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};

/// EC2 does not show the recorded image. A refused launch alone does not count, since it may concern a subnet or a
/// market: it only causes the image to be recorded, and so to be read.
pub fn is_gone(lineage: &Lineage) -> bool {
    let is_read = |it: &Template| it.tags.contains_key(tags::ORIGINAL);
    lineage.template().is_some_and(is_read) && is_absent(lineage)
}

/// EC2 does not show the image, recorded or not. Outside a rescue it is always read.
fn is_absent(lineage: &Lineage) -> bool {
    let images = lineage.facts.images.known();
    let Some((original, images)) = lineage.record.original.as_ref().zip(images) else {
        return false;
    };
    let there = |it: &Image| it.id == original.image && chosen::is_usable(it);
    !images.iter().any(there)
}

/// Records the attributes that an image of the root volume needs, while the instance still shows them. From then on the
/// refused image is read.
pub fn note(lineage: &Lineage, plan: &mut Plan) {
    if !chosen::is_refused(&lineage.record) {
        return;
    }
    let (Some(template), Some(original)) = (lineage.template(), &lineage.record.original) else {
        return;
    };
    if template.tags.contains_key(tags::ORIGINAL) {
        return;
    }
    let action = Action::Tag {
        resources: vec![template.id.to_string()],
        tags: Tags::from([(tags::ORIGINAL.to_owned(), original.text())]),
    };
    plan.step(Step::new("remember the image", action));
}

/// The note that the image is gone, while there is time to restore it.
pub fn caveat(lineage: &Lineage) -> Option<String> {
    let image = &lineage.record.original.as_ref()?.image;
    if !is_absent(lineage) {
        return None;
    }
    let then = match impossible::why(lineage) {
        None => "a replacement is launched only when the old instance has ended, from an image made of its root, some \
                 minutes after the warning"
            .to_owned(),
        Some(why) => format!("no replacement can be launched: {why}"),
    };
    Some(format!(
        "{image}, which replacements are launched from, is gone or not shared any more: {then}; restore the image \
         (Recycle Bin), share it again, or launch the instance from another one"
    ))
}
