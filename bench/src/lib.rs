//! What both programs measure: `bench` the time it takes, `allocations` the memory.

#![allow(
    clippy::cast_precision_loss,
    reason = "measurements, none of them near the limits of a number"
)]

pub mod planning;
