//! The function's own tags: which lineage a resource belongs to, what happened to it, and how long it is kept.

pub mod expiry;
pub mod kept;
pub mod member;
pub mod missed;
pub mod own;
pub mod room;
pub mod seen;
pub mod tombstone;
