//! What a person has asked for.

use super::offers::Offer;
use crate::clock::Timestamp;
use crate::id::InstanceId;

/// One restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Marks what it makes: the same order, given again, goes on with that.
    pub run: String,
    /// Which attempt at it: a volume that was made and deleted since is made anew.
    pub attempt: String,
    /// The set, and those of its volumes that are wanted.
    pub offer: Offer,
    pub to: To,
    /// A volume that is in the way is detached and kept until then. None: nothing is displaced.
    pub in_place: Option<Timestamp>,
    /// MiB/s in which EC2 fetches the data; None for whenever they are read.
    /// <https://docs.aws.amazon.com/ebs/latest/userguide/initalize-volume.html>
    pub rate: Option<i32>,
}

/// Where the volumes are to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// Free, in this Availability Zone.
    Zone(String),
    /// Attached to this instance.
    Instance(InstanceId),
}
