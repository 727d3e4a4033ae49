//! Scheduled backups of protected instances: when one is due, and which are kept.
//!
//! All of it is pure. Sets of snapshots are the only memory: what is due follows from the newest of them, what goes
//! from all that have completed. `keeper` takes and deletes them.

pub mod calendar;
pub mod cost;
pub mod due;
pub mod retention;
pub mod schedule;
pub mod set;

pub use calendar::Zone;
pub use due::{Due, due};
pub use retention::{Period, Reason, Retention, Untouched, Verdict, decide};
pub use schedule::Schedule;
pub use set::{Set, SetState, sets};
