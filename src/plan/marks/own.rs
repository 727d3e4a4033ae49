//! The mark that makes a resource ours.

use crate::plan::lineage::Lineage;
use crate::tags::{self, Tags};

/// The tag that makes a resource ours.
pub fn own(lineage: &Lineage) -> Tags {
    Tags::from([(
        tags::RESCUE.to_owned(),
        lineage.situation.lineage.to_string(),
    )])
}

/// Whether all of `wanted` is there already.
pub fn holds(present: &Tags, wanted: &Tags) -> bool {
    wanted
        .iter()
        .all(|(key, value)| present.get(key) == Some(value))
}
