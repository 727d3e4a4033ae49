//! The simulated AWS: that it behaves as AWS documents it, and whole rescues in it.
#![cfg(feature = "sim")]

#[path = "sim/invariants.rs"]
mod broken;
#[path = "sim/faults.rs"]
mod faults;
#[path = "sim/others.rs"]
mod others;
#[path = "sim/random.rs"]
mod random;
#[path = "sim/stories.rs"]
mod stories;
#[path = "sim/support.rs"]
mod support;
#[path = "sim/threats.rs"]
mod threats;
#[path = "sim/traps.rs"]
mod traps;
#[path = "sim/traps_ebs.rs"]
mod traps_ebs;
