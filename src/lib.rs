//! spot-rescue: brings stateful EC2 Spot Instances back, with the same disks, targets and address.
//!
//! ```text
//! event -> Trigger -> observe -> Situation -> plan (pure) -> Plan -> execute -> Report
//! ```
//!
//! A level-triggered reconciler with AWS itself as the database: events are hints, every invocation
//! re-reads the world and does what is still missing, memory is tags and one launch template.
//!
//! Vocabulary: an *interruption* is EC2's warning; a *lineage* is a protected instance and the
//! replacements that took over from it, one after another; its *owner* holds disks, targets and
//! addresses, its *successor* is to hold them next; the *prepared rescue* is the launch template
//! `spot-rescue-<lineage>`; its tags are the *record*.
//!
//! Invariants: `plan` never awaits and never reads a clock; nothing here names the SDK (`aws/` does); only `event`
//! knows wire JSON; the executor makes no choices; no opt-in, no mutation; nothing without our tag
//! is ever deleted; a failed read is never an empty list.

pub mod backup;
pub mod calls;
pub mod clock;
pub mod cloud;
pub mod dns;
pub mod error;
pub mod event;
pub mod execute;
pub mod handler;
pub mod id;
pub mod keeper;
pub mod observe;
pub mod parity;
pub mod plan;
pub mod policy;
pub mod reads;
pub mod reconcile;
pub mod record;
pub mod report;
pub mod restore;
pub mod seal;
#[cfg(feature = "sim")]
pub mod sim;
pub mod situation;
pub mod step;
pub mod tags;
pub mod target;
pub mod warm;
