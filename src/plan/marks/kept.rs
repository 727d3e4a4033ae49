//! A volume that stays with its user.

use crate::id::VolumeId;
use crate::situation::Volume;
use crate::step::{Action, Step};
use crate::tags::{self, Tags};

/// What comes of it is written on it.
pub fn is_decided(volume: &Volume) -> bool {
    let marks = [tags::EXPIRES_AT, tags::KEPT, tags::RAN_AGAIN];
    marks.iter().any(|it| volume.tags.contains_key(*it))
}

/// No expiry of ours comes to it.
pub fn to_its_user(volume: &VolumeId) -> Step {
    let why = "its user has detached it".to_owned();
    let action = Action::Tag {
        resources: vec![volume.to_string()],
        tags: Tags::from([(tags::KEPT.to_owned(), why)]),
    };
    Step::new(format!("leave {volume} to its user"), action)
}
