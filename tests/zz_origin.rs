#![cfg(feature = "sim")]
#![allow(clippy::wildcard_enum_match_arm, dead_code)]
#[path = "sim/origin.rs"]
mod origin;
#[path = "sim/origin_marks.rs"]
mod origin_marks;
#[path = "sim/origin_names.rs"]
mod origin_names;
#[path = "sim/origin_record.rs"]
mod origin_record;
#[path = "sim/support.rs"]
mod support;
