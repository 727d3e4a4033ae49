//! Restore of a backup by a person: sets of snapshots as they are offered, and the calls that make volumes of one and
//! put them under their devices.
//!
//! It acts with the rights of its caller and knows no seals: a set is known by the description of its snapshots, which
//! cannot be changed, and what the tags say is shown before anything is done. Like a rescue it is decided anew at each
//! look from what is there, so a restore that was broken off goes on where it was.

pub mod course;
pub mod find;
pub mod kept;
pub mod look;
pub mod offers;
pub mod order;
pub mod refusals;
pub mod run;

pub use course::{Call, Next, next};
pub use find::{Found, find};
pub use kept::kept;
pub use look::{Hands, View, view};
pub use offers::{Kind, Offer, Part, offers};
pub use order::{Order, To};
pub use run::{Progress, Run};

/// Of what a restore makes: which restore that was. The function neither writes nor reads it.
pub const RUN: &str = "spot-rescue-restore:run";
/// Of a volume that a restore has displaced: from then on it may be deleted. The function neither writes nor reads it.
pub const KEPT_UNTIL: &str = "spot-rescue-restore:kept-until";
