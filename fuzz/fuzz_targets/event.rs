//! `cargo +nightly fuzz run event`
#![no_main]

use spot_rescue::sim::inputs;

libfuzzer_sys::fuzz_target!(|text: &str| inputs::event(text));
