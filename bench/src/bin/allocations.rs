//! How much memory is asked for to parse and plan a message. A program of its own: counting costs time, and
//! `make bench` measures time without it.
//!
//! It prints two numbers: allocations, and bytes, a message.

#![allow(
    clippy::cast_precision_loss,
    reason = "a measurement, far from the limits of a number"
)]

use spot_rescue_bench::planning;
use std::io;

const MESSAGES: usize = 15_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let known = planning::Known::prepare().await?;
    let messages = planning::messages(&known, MESSAGES);
    let used = allocation_counter::measure(|| planning::all(&known, &messages));
    let each = |total: u64| (total as f64 / MESSAGES as f64).round();
    println!("{} {}", each(used.count_total), each(used.bytes_total));
    Ok(())
}
