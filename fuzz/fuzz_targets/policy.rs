//! `cargo +nightly fuzz run policy`
#![no_main]

use spot_rescue::sim::inputs;

libfuzzer_sys::fuzz_target!(|text: &str| inputs::policy(text));
