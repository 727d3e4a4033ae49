//! One file for each course that a look can take, and the parts that only courses share.

pub mod at_the_latest;
pub mod caveats;
pub mod close;
pub mod current;
pub mod foreseen;
pub mod keep;
pub mod opted_out;
pub mod outcome;
pub mod owed;
pub mod pause;
pub mod prepare;
pub mod progress;
pub mod rehearsal;
pub mod rejoin;
pub mod replacement;
pub mod rescue;
pub mod return_to_spot;
pub mod standstill;
pub mod sweep;
pub mod tidy;
pub mod unlike;
pub mod vanished;
