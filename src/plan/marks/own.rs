//! The tag that makes a resource the function's own.

use crate::plan::lineage::Lineage;
use crate::tags::{self, Tags};

/// The lineage's tag.
pub fn own(lineage: &Lineage) -> Tags {
    Tags::from([(tags::RESCUE.to_owned(), lineage.id.to_string())])
}

/// Whether all wanted tags are present.
pub fn holds(present: &Tags, wanted: &Tags) -> bool {
    wanted
        .iter()
        .all(|(key, value)| present.get(key) == Some(value))
}
