//! `cargo +nightly fuzz run envelope`
#![no_main]

use spot_rescue::sim::inputs;

libfuzzer_sys::fuzz_target!(|text: &str| inputs::envelope(text));
