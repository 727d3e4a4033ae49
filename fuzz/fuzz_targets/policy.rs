//! `cargo +nightly fuzz run policy`
#![no_main]

#[path = "../inputs.rs"]
#[allow(dead_code)]
mod inputs;

libfuzzer_sys::fuzz_target!(|text: &str| inputs::policy(text));
