//! How volumes are kept at an interruption and brought to the successor.

pub mod attach;
pub mod case;
pub mod clone;
pub mod copies;
pub mod fate;
pub mod hand_over;
pub mod keys;
pub mod protect;
pub mod recycled;
pub mod restore;
pub mod root;
pub mod snapshot;
pub mod unusable;
