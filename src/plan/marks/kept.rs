//! Tags of a volume that the sweep must not delete.

use crate::id::VolumeId;
use crate::situation::Volume;
use crate::step::{Action, Step};
use crate::tags::{self, Tags};

/// A tag of the volume already says whether it expires or stays.
pub fn is_decided(volume: &Volume) -> bool {
    let marks = [tags::EXPIRES_AT, tags::KEPT, tags::RAN_AGAIN];
    marks.iter().any(|it| volume.tags.contains_key(*it))
}

/// Tags the volume as its user's: it never gets an expiry date.
pub fn to_its_user(volume: &VolumeId) -> Step {
    let why = "its user has detached it".to_owned();
    let action = Action::Tag {
        resources: vec![volume.to_string()],
        tags: Tags::from([(tags::KEPT.to_owned(), why)]),
    };
    Step::new(format!("leave {volume} to its user"), action)
}
