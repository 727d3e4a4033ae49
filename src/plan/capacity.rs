//! The launch template of the prepared rescue, and launches from it.

pub mod deaths;
pub mod lanes;
pub mod launch;
pub mod limits;
pub mod pools;
pub mod requests;
pub mod template;
pub mod types;
