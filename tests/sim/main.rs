//! The simulated AWS: that it behaves as AWS documents it, and whole rescues in it.
#![cfg(feature = "sim")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "tests: most stories go one way"
)]

mod addresses;
mod always;
mod blind;
mod blocks;
mod capacity;
mod clones;
mod copied_tags;
mod deaths;
mod economy;
mod fault_scenes;
mod faults;
mod fleets;
mod foreseen;
mod full_batches;
mod full_tags;
mod group_policy;
mod groups;
mod image_gone;
mod invariants;
mod keys;
mod large_accounts;
mod late;
mod launch_answers;
mod launches;
mod likeness;
mod limits;
mod managed;
mod many_groups;
mod misspelt;
mod naive;
mod names;
mod on_time;
mod opted_out;
mod origin;
mod origin_again;
mod origin_copies;
mod origin_marks;
mod origin_messages;
mod origin_names;
mod origin_record;
mod others;
mod outages;
mod outlived;
mod outsiders;
mod owed;
mod pauses;
mod plain;
mod ports;
mod private_ip;
mod refusals;
mod rehearsals;
mod returns;
mod roots;
mod routers;
mod scaling;
mod secret;
mod shared;
mod stamped;
mod standstill;
mod stories;
mod support;
mod tag_calls;
mod targets;
mod template_gone;
mod threats;
mod told;
mod traps;
mod traps_api;
mod traps_ebs;
mod traps_snapshots;
mod unreliable;
