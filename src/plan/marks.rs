//! Our own tags: whose a resource is, what happened to it, and for how long it is kept.

pub mod expiry;
pub mod kept;
pub mod member;
pub mod missed;
pub mod own;
pub mod room;
pub mod seen;
pub mod tombstone;
