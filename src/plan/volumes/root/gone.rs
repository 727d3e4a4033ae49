//! TRAP 52: the image that replacements are launched from is gone, or may no longer be used. Whatever the policy says
//! of the root's content, the old root is then all there is to launch from.

use crate::plan::draft::Plan;
use crate::plan::lineage::{Lineage, chosen};
use crate::plan::volumes::root::impossible;
use crate::situation::{Image, Template};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};

/// By what EC2 shows of an image on record. A refusal alone may be of a place or a market: it only leads to the image
/// being on record, and so to its being read.
pub fn is_gone(lineage: &Lineage) -> bool {
    let is_read = |it: &Template| it.tags.contains_key(tags::ORIGINAL);
    lineage.template().is_some_and(is_read) && is_absent(lineage)
}

/// While all is well the image is read, whether or not it is on record.
fn is_absent(lineage: &Lineage) -> bool {
    let images = lineage.situation.images.known();
    let Some((original, images)) = lineage.record.original.as_ref().zip(images) else {
        return false;
    };
    let there = |it: &Image| it.id == original.image && chosen::is_usable(it);
    !images.iter().any(there)
}

/// What an image of the root must say is on record before the instance shows it no longer; from then on the image that was
/// refused is read.
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

/// While it can be mended.
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
